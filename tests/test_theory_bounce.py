"""The bounce average of every geocorona against adaptive quadrature, at random places, near the loss cone and near the equator."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from ringdecay import theory
from ringdecay.theory.bounce import LOWEST_MIRROR

# The foot of the field line for each model: where it ends inward.
FEET = {name: max(model.range.low, LOWEST_MIRROR) for name, model in theory.GEOCORONAS.items()}


def log_field(s: float) -> float:
    """Log of B over its equatorial value, from the sine of the magnetic latitude."""
    return 0.5 * np.log1p(3.0 * s * s) - 3.0 * np.log1p(-s * s)


def adaptive_average(quantity, L: float, angle: float, breaks: tuple[float, ...] = ()) -> float:
    """Bounce average by adaptive Gauss-Kronrod quadrature; the mirror point is found by bisection, apart from the package."""
    at_mirror = -2.0 * np.log(np.sin(np.radians(angle)))
    s_m = brentq(lambda s: log_field(s) - at_mirror, 0.0, 1.0 - 1e-12, xtol=1e-15, rtol=1e-14)

    def integrand(t: float, value) -> float:
        s = s_m * np.sin(t)
        inside = -np.expm1(log_field(s) - log_field(s_m))
        return value(L * (1.0 - s * s)) * np.sqrt(1.0 + 3.0 * s * s) * s_m * np.cos(t) / np.sqrt(inside)

    # The integrand is smooth up to the mirror point, but 0/0 there; what is cut off is a share of 1e-6.
    options = {"limit": 400, "epsrel": 1e-8, "points": [np.arcsin(np.sqrt(1.0 - r / L) / s_m) for r in breaks if L * (1 - s_m**2) < r < L]}
    top, bottom = (quad(integrand, 0.0, np.pi / 2.0 * (1.0 - 1e-6), args=(v,), **options)[0] for v in (quantity, lambda _r: 1.0))
    return top / bottom


def pitch_angle_that_mirrors_at(r: float, L: float) -> float:
    s2 = 1.0 - r / L
    return float(np.degrees(np.arcsin(np.sqrt((1.0 - s2) ** 3 / np.sqrt(1.0 + 3.0 * s2)))))


@pytest.mark.parametrize("name", list(theory.GEOCORONAS))
def test_every_geocorona_is_averaged_to_a_part_in_a_thousand_wherever_it_holds(name):
    model, rng = theory.GEOCORONAS[name], np.random.default_rng(20130317)
    worst = 0.0
    for k in range(60):
        L = rng.uniform(model.range.low * 1.02, model.range.high)
        least = pitch_angle_that_mirrors_at(FEET[name], L)
        # A third anywhere, a third from just inside the range (or the loss cone) on, a third up to just beside 90 degrees.
        close = (90.0 - least) * 10.0 ** rng.uniform(-6.0, 0.0)
        angle = (rng.uniform(least, 90.0), least + close, 90.0 - close)[k % 3]
        ours = float(theory.bounce_average(model.function, L, angle))
        reference = adaptive_average(lambda r: float(model.function(r, extrapolate=True)), L, angle)
        worst = max(worst, abs(ours / reference - 1.0))
    # The goal is 1e-3.
    assert worst < 1e-5


@pytest.mark.parametrize("name", list(theory.GEOCORONAS))
def test_extrapolated_geocoronas_are_averaged_to_a_part_in_a_thousand_down_to_the_loss_cone(name):
    # Zoennchen's continuation below 3 Earth radii has a step of 4 % there, the clipped Rairden polynomial a bend at both ends.
    model, rng = theory.GEOCORONAS[name], np.random.default_rng(7)
    function = partial(model.function, extrapolate=True)
    worst = 0.0
    for k in range(60):
        L = rng.uniform(2.0, 8.0)
        edge = float(theory.loss_cone(L))
        angle = edge + (90.0 - edge) * (rng.uniform() if k % 2 else 10.0 ** rng.uniform(-5.0, 0.0))
        ours = float(theory.bounce_average(function, L, angle))
        reference = adaptive_average(lambda r: float(function(r)), L, angle, breaks=(1.08, 3.0, 6.4))
        worst = max(worst, abs(ours / reference - 1.0))
    assert worst < 1e-3


@pytest.mark.parametrize("name", list(theory.GEOCORONAS))
def test_at_90_degrees_the_average_is_the_density_on_the_equator(name):
    function = partial(theory.GEOCORONAS[name].function, extrapolate=True)
    L = np.linspace(1.5, 9.0, 31)
    assert theory.bounce_average(function, L, 90.0) == pytest.approx(function(L), rel=1e-13)
    # And it is reached smoothly: within 1e-6 of a degree nothing changes.
    assert theory.bounce_average(function, L, 90.0 - 1e-6) == pytest.approx(function(L), rel=1e-12)


@pytest.mark.parametrize("name", list(theory.GEOCORONAS))
def test_averages_are_near_a_power_of_the_cosine_of_the_mirror_latitude(name):
    model = theory.GEOCORONAS[name]
    angle = np.linspace(30.0, 85.0, 23)
    cos = np.cos(np.radians(theory.mirror_latitude(angle)))
    for L in (4.0, 5.0, 6.0):
        # Lifetime against that on the equator; Smith and Bewtra (1976) give cos^3.5, older work cos^6 (both from memory).
        shorter = model.function(L) / theory.bounce_average(model.function, L, angle)
        known = np.isfinite(shorter)
        assert known.any()
        assert np.abs(cos**3.0 / shorter - 1.0)[known].max() < 0.14
        assert np.abs(cos**3.5 / shorter - 1.0)[known].max() < 0.21
        assert (cos**6.0 < shorter)[known].all()


@pytest.mark.parametrize("name", list(theory.GEOCORONAS))
def test_the_power_near_the_equator_is_that_of_the_density_itself(name):
    # To first order r = L (1 - u) and the mean of u over a bounce is half of that at the mirror point, so r^-p gives cos^p.
    model, L, step = theory.GEOCORONAS[name], 5.0, 1e-4
    slope = -np.diff(np.log(model.function(L * np.exp([-step, step]))))[0] / (2.0 * step)
    ratio = theory.bounce_average(model.function, L, 89.0) / model.function(L)
    assert -np.log(ratio) / np.log(np.cos(np.radians(theory.mirror_latitude(89.0)))) == pytest.approx(slope, rel=1e-3)
