"""The parts of the theory against published values, other formulas of the same physics and adaptive quadrature."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from numpy.polynomial.chebyshev import chebval
from scipy import constants
from scipy.integrate import quad

from ringdecay import theory
from ringdecay.errors import InputError
from ringdecay.theory.bounce import LOWEST_MIRROR, mean_field

# Energy (keV), then Lindsay and Stebbings, Janev and Smith, RAM-SCB in cm2: values worked out apart from this package.
CROSS_SECTION_VECTORS = [
    (10.0, 8.52e-16, 7.55e-16, 8.15e-16),
    (45.0, 1.45e-16, 1.27e-16, 1.03e-16),
    (99.0, 1.22e-17, 1.04e-17, 1.21e-17),
    (269.0, 1.57e-19, 1.37e-19, 1.63e-19),
    (598.0, 2.39e-21, 2.41e-21, 9.9e-22),
]
# Distance (Earth radii), then Rairden, Ostgaard at 90 and 180 degrees from the Sun, Zoennchen in cm-3.
GEOCORONA_VECTORS = [(3, 465, 577, 513, 835), (4, 208, 241, 238, 353), (5, 104, 112, 138, 181), (6, 60, 62, 94, 105)]


@pytest.mark.parametrize(("energy", "lindsay", "janev", "ram"), CROSS_SECTION_VECTORS)
def test_cross_sections_have_their_published_values(energy, lindsay, janev, ram):
    # Half a unit of the last digit given.
    assert theory.lindsay_stebbings_2005(energy, extrapolate=True) == pytest.approx(lindsay, rel=5e-3)
    assert theory.janev_smith_1993(energy) == pytest.approx(janev, rel=5e-3)
    assert theory.ram_scb(energy, extrapolate=True) == pytest.approx(ram, rel=6e-3)


def test_proton_cross_sections_agree_where_all_of_them_hold():
    energy = np.geomspace(1.0, 250.0, 60)
    reference = theory.janev_smith_1993(energy)
    assert np.abs(theory.lindsay_stebbings_2005(energy) / reference - 1.0).max() < 0.30
    assert np.abs(theory.ram_scb(energy) / reference - 1.0).max() < 0.36


def test_helium_polynomial_agrees_with_the_fit_of_barnett_in_its_range():
    # Barnett et al. (1990), Atomic Data for Fusion 1: log of the cross section as Chebyshev series in log(eV/u), 250 to 7e5 eV/u.
    series = np.array([-79.2449 / 2, -3.43445, -3.38701, -0.953151, 0.0800233, 0.153935, -0.198503, -0.126958, 0.0492936])
    energy = np.geomspace(2.0, 400.0, 60)
    low, high = np.log(250.0), np.log(7e5)
    barnett = np.exp(chebval((2.0 * np.log(energy * 1e3 / 4.0026) - low - high) / (high - low), series))
    assert np.abs(theory.ram_scb(energy, "He+") / barnett - 1.0).max() < 0.25


def test_cross_sections_are_nan_outside_their_range_unless_extrapolated():
    for function, low, high in ((theory.lindsay_stebbings_2005, 0.005, 250.0), (theory.janev_smith_1993, 0.01, 2000.0)):
        assert np.isfinite(function([low, high])).all()
        assert np.isnan(function([low * 0.99, high * 1.01, 0.0, -1.0, np.nan])).all()
        assert np.isfinite(function([low * 0.99, high * 1.01], extrapolate=True)).all()
    for species, low in (("H+", 0.01), ("He+", 1.0), ("O+", 0.01)):
        assert np.isnan(theory.ram_scb([low * 0.99, 401.0], species)).all()
        assert np.isfinite(theory.ram_scb([low, 400.0], species)).all()


def test_extrapolated_lindsay_stebbings_never_rises_again():
    energy = np.geomspace(100.0, 1e5, 400)
    sigma = theory.lindsay_stebbings_2005(energy, extrapolate=True)
    assert (np.diff(sigma) <= 0.0).all()
    assert theory.lindsay_stebbings_2005(2500.0, extrapolate=True) == 0.0


def test_unknown_species_is_named_with_the_known_ones():
    with pytest.raises(InputError, match=r"species 'H' is not known .*H\+"):
        theory.ram_scb(10.0, "H")
    with pytest.raises(InputError, match="species 'e-' is not known"):
        theory.speed(10.0, "e-")


def test_speed_is_relativistic():
    assert theory.speed(99.0) == pytest.approx(4.355e8, rel=5e-4)
    assert theory.speed(598.0) == pytest.approx(1.070e9, rel=5e-4)
    # An ion of its own rest energy has gamma 2.
    rest = constants.m_p * constants.c**2 / constants.e / 1e3
    assert theory.speed(rest) == pytest.approx(np.sqrt(0.75) * constants.c * 100.0, rel=1e-12)
    slow = theory.speed(1e-6)
    assert slow == pytest.approx(np.sqrt(2e-3 * constants.e / constants.m_p) * 100.0, rel=1e-8)


@pytest.mark.parametrize(("r", "rairden", "day", "night", "zoennchen"), GEOCORONA_VECTORS)
def test_geocoronas_have_their_published_values(r, rairden, day, night, zoennchen):
    half_a_unit = 0.51
    assert theory.rairden_1986(r) == pytest.approx(rairden, abs=half_a_unit)
    assert theory.ostgaard_2003(r, extrapolate=True) == pytest.approx(day, abs=half_a_unit)
    assert theory.ostgaard_2003(r, solar_zenith_angle=180.0, extrapolate=True) == pytest.approx(night, abs=half_a_unit)
    assert theory.zoennchen_2011(r) == pytest.approx(zoennchen, abs=half_a_unit)


def test_every_geocorona_falls_outward_even_extrapolated():
    r = np.linspace(1.1, 12.0, 500)
    for model in theory.GEOCORONAS.values():
        # Zoennchen's inward continuation meets the model with a step, but downward.
        assert (np.diff(model.function(r, extrapolate=True)) <= 0.0).all()


def test_geocoronas_are_nan_outside_their_range():
    assert np.isnan(theory.rairden_1986([1.07, 6.41, 8.0])).all()
    assert np.isnan(theory.ostgaard_2003([3.49, 10.1])).all()
    assert np.isnan(theory.zoennchen_2011([2.99, 8.1])).all()
    assert np.isfinite(theory.rairden_1986([1.08, 6.4])).all()


def test_the_whole_dayside_has_the_terminator_values_of_ostgaard():
    assert theory.ostgaard_2003(5.0, solar_zenith_angle=0.0) == theory.ostgaard_2003(5.0, solar_zenith_angle=90.0)


def adaptive_average(quantity, L: float, angle: float) -> float:
    """Bounce average in latitude by adaptive quadrature, straight from the definition."""

    def field(latitude: float) -> float:
        return np.sqrt(1.0 + 3.0 * np.sin(latitude) ** 2) / np.cos(latitude) ** 6

    mirror = np.radians(float(theory.mirror_latitude(angle)))
    b_mirror = 1.0 / np.sin(np.radians(angle)) ** 2

    def integrand(latitude: float, value) -> float:
        along = np.cos(latitude) * np.sqrt(1.0 + 3.0 * np.sin(latitude) ** 2)
        inside = 1.0 - field(latitude) / b_mirror
        return value(L * np.cos(latitude) ** 2, field(latitude)) * along / np.sqrt(inside) if inside > 0.0 else 0.0

    top, bottom = (quad(integrand, 0.0, mirror, args=(v,), limit=400, epsrel=1e-7)[0] for v in (quantity, lambda _r, _b: 1.0))
    return top / bottom


def test_mirror_latitudes_have_their_known_values():
    assert theory.mirror_latitude([60.0, 45.0, 30.0]) == pytest.approx([14.7, 23.1, 33.2], abs=0.06)
    assert theory.mirror_latitude([90.0, 120.0]) == pytest.approx([0.0, theory.mirror_latitude(60.0)], abs=1e-6)
    # The field at the mirror point is the equatorial one over sin^2, for any angle.
    angle = np.linspace(0.5, 90.0, 180)
    latitude = np.radians(theory.mirror_latitude(angle))
    field = np.sqrt(1.0 + 3.0 * np.sin(latitude) ** 2) / np.cos(latitude) ** 6
    assert field * np.sin(np.radians(angle)) ** 2 == pytest.approx(np.ones_like(angle), rel=1e-9)


def test_loss_cone_is_where_the_mirror_point_is_100_km_up():
    L = np.array([2.0, 4.0, 6.0])
    r = L * np.cos(np.radians(theory.mirror_latitude(theory.loss_cone(L)))) ** 2
    assert r == pytest.approx(np.full(3, 1.0 + 100.0 / 6371.2), rel=1e-9)
    assert np.isnan(theory.loss_cone(1.0))


@pytest.mark.parametrize("L", [2.0, 3.0, 4.0, 6.0])
def test_bounce_average_of_the_geocorona_agrees_with_adaptive_quadrature_at_every_pitch_angle(L):
    # From where the mirror point is at the foot of the model (1.08 Earth radii) to just beside the equator.
    y = 1.08 / L
    foot = np.degrees(np.arcsin(np.sqrt(y**3 / np.sqrt(4.0 - 3.0 * y)))) * (1.0 + 1e-9)
    angles = np.concatenate([[foot], np.linspace(foot + 0.1, 89.9, 12)])
    ours = theory.bounce_average(theory.rairden_1986, L, angles)
    reference = [adaptive_average(lambda r, _b: float(theory.rairden_1986(r, extrapolate=True)), L, angle) for angle in angles]
    assert ours == pytest.approx(np.array(reference), rel=1e-5)


def test_bounce_average_is_exact_where_it_is_known():
    angles = np.array([5.0, 20.0, 45.0, 90.0])
    assert theory.bounce_average(np.ones_like, 6.0, angles) == pytest.approx(np.ones(4), rel=1e-14)
    assert theory.bounce_average(theory.rairden_1986, 4.0, 90.0) == pytest.approx(theory.rairden_1986(4.0), rel=1e-14)
    # Symmetric about 90 degrees.
    assert theory.bounce_average(theory.rairden_1986, 4.0, 30.0) == pytest.approx(theory.bounce_average(theory.rairden_1986, 4.0, 150.0))


def test_bounce_average_has_the_published_ratios_and_the_cos_power_of_the_mirror_latitude():
    angles = np.array([75.0, 60.0, 45.0, 30.0, 20.0])
    ratio = theory.bounce_average(theory.rairden_1986, 4.0, angles) / theory.rairden_1986(4.0)
    assert ratio == pytest.approx(np.array([1.02, 1.10, 1.27, 1.71, 2.56]), abs=0.006)
    # Lifetimes off the equator go as the equatorial one times cos^m of the mirror latitude, with m from 2.8 to 3.3.
    power = -np.log(ratio) / np.log(np.cos(np.radians(theory.mirror_latitude(angles))))
    assert (power[1:4] > 2.8).all()
    assert (power[1:4] < 3.3).all()
    # A density that falls as r^-3 has, near the equator, a power of 3: the mean of u over the bounce is half of u at the mirror point,
    # and r = L cos^2, so that the mean goes as cos^-3.
    near = theory.bounce_average(lambda r: r**-3.0, 4.0, 85.0) * 4.0**3
    assert -np.log(near) / np.log(np.cos(np.radians(theory.mirror_latitude(85.0)))) == pytest.approx(3.0, abs=0.05)


def test_mean_field_agrees_with_adaptive_quadrature():
    angles = [10.0, 35.0, 70.0, 89.0]
    assert mean_field(angles) == pytest.approx(np.array([adaptive_average(lambda _r, b: b, 4.0, a) for a in angles]), rel=1e-5)
    assert mean_field(90.0) == pytest.approx(1.0, rel=1e-12)


def test_bounce_average_is_nan_in_the_loss_cone_and_beyond_the_model():
    edge = theory.loss_cone(4.0)
    everywhere = theory.bounce_average(np.ones_like, 4.0, [0.0, edge - 0.01, edge + 0.01, 180.0])
    assert np.isnan(everywhere).tolist() == [True, True, False, True]
    # At 45 degrees on L = 4 the ion goes down to 3.4 Earth radii, below the data of Ostgaard; at 80 it does not.
    assert np.isnan(theory.bounce_average(theory.ostgaard_2003, 4.0, [45.0, 80.0])).tolist() == [True, False]
    assert np.isnan(theory.bounce_average(theory.rairden_1986, 6.5, 90.0))
    assert np.isnan(theory.bounce_average(np.ones_like, LOWEST_MIRROR - 0.001, 90.0))


def test_a_pitch_angle_beyond_180_degrees_is_refused():
    with pytest.raises(InputError, match="0 to 180 degrees"):
        theory.mirror_latitude([10.0, 181.0])


def test_saturated_density_has_its_published_values():
    assert theory.saturated([3.0, 4.0, 5.0, 6.0]) == pytest.approx(np.array([914.0, 443.0, 215.0, 104.0]), abs=0.5)
    assert np.isnan(theory.saturated([2.24, 8.01])).all()
    assert np.isnan(theory.trough([2.24, 8.01])).all()
    # There is more plasma in December than in June, and the difference fades outward.
    winter, summer = (theory.saturated([3.0, 6.0], day_of_year=d, sunspot_number=50.0) for d in (356.0, 173.0))
    assert (winter > summer).all()
    assert winter[0] / summer[0] > winter[1] / summer[1]
    with pytest.raises(InputError, match="both or neither"):
        theory.saturated(3.0, day_of_year=1.0)


def test_plasmapause_is_that_of_spacepy():
    spt, emp = pytest.importorskip("spacepy.time"), pytest.importorskip("spacepy.empiricals")
    ticks = spt.Ticktock([datetime.datetime(2015, 3, 17) + datetime.timedelta(hours=3 * i) for i in range(9)])
    kp = np.array([1.0, 2, 2, 5, 7, 3, 2, 2, 2])
    expected = emp.getPlasmaPause(ticks, "CA1992", omnivals={"UTC": ticks.UTC, "Kp": kp})
    assert theory.plasmapause(np.maximum.accumulate(kp)) == pytest.approx(np.asarray(expected))
    with pytest.raises(InputError, match="0 to 9"):
        theory.plasmapause(10.0)


def test_density_falls_from_the_plasmasphere_to_the_trough_at_the_plasmapause():
    kp = 4.0
    edge = float(theory.plasmapause(kp))
    inside, outside = np.array([2.5, edge]), np.array([edge + 1.0, 7.0])
    for MLT in (3.0, 12.0, 19.5, 22.0):
        assert theory.electron_density(inside, kp, MLT=MLT) == pytest.approx(theory.saturated(inside))
        assert theory.electron_density(outside, kp, MLT=MLT) == pytest.approx(theory.trough(outside, MLT=MLT))
    assert theory.electron_density(edge + 0.1, kp, MLT=3.0) == pytest.approx(theory.saturated(edge + 0.1) / 10.0)
    # 00 MLT: 5800 L^-4.5 + 1 - exp((2 - L) / 10).
    assert theory.trough(4.0, MLT=0.0) == pytest.approx(5800.0 * 4.0**-4.5 + 1.0 - np.exp(-0.2))
    # The average over local time is that of a fine grid.
    fine = theory.trough(5.0, MLT=np.linspace(0.0, 24.0, 24001)[:-1]).mean()
    assert theory.trough(5.0) == pytest.approx(fine, rel=1e-3)


def test_chandrasekhar_function_has_the_reference_values():
    expected = np.array([0.16221717321315, 0.213796646309081, 0.17504660173915945])
    assert theory.chandrasekhar([0.5, 1.0, 1.5]) == pytest.approx(expected, abs=1e-8)
    # Limits: 2x / (3 sqrt pi) for small, 1 / 2x^2 for large, and no step where the series takes over.
    assert theory.chandrasekhar(1e-6) == pytest.approx(2e-6 / (3.0 * np.sqrt(np.pi)), rel=1e-11)
    assert theory.chandrasekhar(20.0) == pytest.approx(1.0 / 800.0, rel=1e-12)
    assert theory.chandrasekhar(0.01 - 1e-12) == pytest.approx(theory.chandrasekhar(0.01 + 1e-12), rel=1e-9)


def test_energy_loss_of_fast_ions_is_the_drag_on_free_electrons():
    # 4 pi n e^4 lnLambda / (m_e v) in Gaussian units; thermal ions add less than 0.1 %.
    e, m_e, n, energy = 4.80320e-10, 9.10938e-28, 443.0, 400.0
    erg_per_s = 4.0 * np.pi * n * e**4 * 21.5 / (m_e * theory.speed(energy))
    assert theory.energy_loss(energy, n) == pytest.approx(erg_per_s * 86400.0 / 1.602177e-9, rel=1e-3)
    # Nothing is lost without plasma, and at equal speed the charge alone counts.
    assert theory.energy_loss(energy, 0.0) == 0.0
    heavy = energy * theory.ION_MASSES["O+"] / theory.ION_MASSES["H+"]
    assert theory.energy_loss(heavy, n, "O+") == pytest.approx(theory.energy_loss(energy, n), rel=1e-12)


@pytest.mark.parametrize("g", [-3.0, -1.0, 0.0, 2.0, 4.0])
@pytest.mark.parametrize(("energy", "tolerance"), [(10.0, 0.08), (45.0, 0.01), (269.0, 0.02)])
def test_flux_rate_is_that_of_ions_followed_down_in_energy(g, energy, tolerance):
    # Ions keep their number while they lose energy: flux = speed times density in energy, followed over a short time.
    n, days = 443.0, 1e-3

    def start_of(final):
        """Energy at time zero of an ion that has `final` after `days`, by the midpoint rule backwards."""
        half = final + 0.5 * days * theory.energy_loss(final, n)
        return final + days * theory.energy_loss(half, n)

    width = 1e-4 * energy
    compression = (start_of(energy + width) - start_of(energy - width)) / (2.0 * width)
    before, after = energy**-g, start_of(energy) ** -g / theory.speed(start_of(energy)) * compression * theory.speed(energy)
    loss = theory.energy_loss(energy, n)
    # In units of |dE/dt| / E the rate is g + 1, but for the thermal spread at 10 keV and relativity at 269 keV.
    assert -np.log(after / before) / days * energy / loss == pytest.approx(g + 1.0, abs=tolerance)
    assert theory.flux_loss_rate(energy, loss, g) == pytest.approx((g + 1.0) * loss / energy)
