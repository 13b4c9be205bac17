"""The two factors of rate = a (charge exchange) + b (Coulomb drag), and how often their intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from theory_decays import decays

import ringdecay as rd
from ringdecay.beside_theory import FACTOR_FLAGS, factor_header, factor_table, fit_factors
from ringdecay.beside_theory.two_factors import clustered, two_factors
from ringdecay.errors import InputError
from ringdecay.lifetime.fits import Fits, t_variance
from ringdecay.theory import loss_rate

ENERGY = np.geomspace(45.0, 598.0, 12)
SHELLS = np.array([3.0, 4.0, 5.0])
EXCHANGE = loss_rate(ENERGY, SHELLS)["rate_charge_exchange"].transpose("energy", "L").to_numpy()
DRAG = loss_rate(ENERGY, SHELLS, spectral_index=2.0)["rate_coulomb"].transpose("energy", "L").to_numpy()
TRIALS = 400


def worlds(rng: np.random.Generator, storms: int, a: float, b: float, scatter: float = 0.25) -> Fits:
    """Rates of one run.

    Each storm has factors of its own (lognormal about a and b), an error of its own size (tenfold apart) of which most is one slow drift
    of the whole storm and a tilt over the energies, and cells without a fit.
    """
    x, z = EXCHANGE.ravel(), DRAG.ravel()
    sigma = np.sqrt(np.log1p(scatter**2))
    own_a, own_b = (f * np.exp(sigma * rng.normal(size=(storms, 1)) - sigma**2 / 2) for f in (a, b))
    size = 0.002 * 10 ** rng.random((storms, 1))
    tilt = np.repeat(np.linspace(-1, 1, ENERGY.size), SHELLS.size)
    drift = rng.normal(size=(storms, 1)) + rng.normal(size=(storms, 1)) * tilt + 0.5 * rng.normal(size=(storms, x.size))
    rate = own_a * x + own_b * z + size * drift / np.sqrt(1 + 1 / 3 + 0.25)
    use = rng.random(rate.shape) > 0.2
    se, df = np.broadcast_to(size, rate.shape), np.full(rate.shape, 15.0)
    return Fits(rate, se, df, t_variance(se, df, use), use)


@pytest.mark.parametrize(("storms", "a", "b"), [(5, 1.0, 1.0), (10, 1.0, 1.0), (10, 0.7, 4.0), (20, 1.5, 0.0)])
def test_intervals_hold_the_truth_as_often_as_they_say(storms, a, b):
    rng = np.random.default_rng(storms)
    held, error = [], []
    for _ in range(TRIALS):
        found = two_factors(worlds(rng, storms, a, b), EXCHANGE.ravel(), DRAG.ravel())
        half = stats.t.ppf(0.975, found.df) * found.se
        error.append(found.factor - [a, b])
        held.append(np.abs(error[-1]) <= half)
    # Two-sided at 0.1 %: the error of a share of 400 trials.
    tolerance = 3.3 * np.sqrt(0.95 * 0.05 / TRIALS)
    assert np.mean(held, axis=0) == pytest.approx(0.95, abs=tolerance)
    bias, spread = np.mean(error, axis=0), np.std(error, axis=0)
    assert (np.abs(bias) < 4 * spread / np.sqrt(TRIALS) + 0.01).all()


def test_cells_taken_as_independent_would_be_far_too_sure():
    # What the storm as the unit is for: the same rates, each cell a measurement of its own, by ordinary weighted least squares.
    rng = np.random.default_rng(1)
    held = []
    for _ in range(100):
        fits = worlds(rng, 10, 1.0, 1.0)
        used = fits.use.ravel()
        design = np.column_stack([np.tile(one.ravel(), 10)[used] for one in (EXCHANGE, DRAG)])
        weight = 1 / (fits.variance + (0.25 * (EXCHANGE + DRAG).ravel()) ** 2).ravel()[used]
        normal = (design * weight[:, None]).T @ design
        factor = np.linalg.solve(normal, design.T @ (weight * fits.rate.ravel()[used]))
        left = fits.rate.ravel()[used] - design @ factor
        se = np.sqrt(np.diag(np.linalg.inv(normal)) * (weight * left**2).sum() / (used.sum() - 2))
        held.append(np.abs(factor - 1) <= stats.t.ppf(0.975, used.sum() - 2) * se)
    assert (np.mean(held, axis=0) < 0.7).all()


def test_with_one_process_it_is_the_mean_over_storms():
    # Coulomb drag in cells of its own: then a is the mean of the storms' ratios, with the t interval of a normal sample.
    rng = np.random.default_rng(2)
    ratios = rng.normal(1.0, 0.2, (6, 1))
    rate = np.hstack([ratios * 0.2, np.full((6, 1), 0.01) + rng.normal(0, 0.001, (6, 1))])
    use, df = np.ones(rate.shape, dtype=bool), np.full(rate.shape, np.inf)
    fits = Fits(rate, np.full(rate.shape, 1e-4), df, np.full(rate.shape, 1e-8), use)
    found = two_factors(fits, np.array([0.2, 0.0]), np.array([0.0, 0.01]))
    assert found.factor[0] == pytest.approx(ratios.mean())
    assert found.se[0] == pytest.approx(stats.sem(ratios.ravel()))
    assert found.df[0] == pytest.approx(5)


def test_the_errors_do_not_depend_on_units_or_on_how_storms_are_ordered():
    rng = np.random.default_rng(3)
    root = rng.normal(size=(7, 5, 2))
    design = np.einsum("skp,skq->spq", root, root)
    pull = np.einsum("spq,sq->sp", design, 1 + 0.2 * rng.normal(size=(7, 2)))
    one = clustered(design, pull)
    units = np.array([10.0, 1e-4])
    other = clustered((design * np.outer(units, units))[::-1], (pull * units)[::-1])
    np.testing.assert_allclose(other.factor * units, one.factor, rtol=1e-9)
    np.testing.assert_allclose(other.se * units, one.se, rtol=1e-9)
    np.testing.assert_allclose(other.df, one.df, rtol=1e-9)


def run(rate: np.ndarray, energy=ENERGY, shells=SHELLS, **settings):
    fits = decays(rate, energy, shells, g=2.0, **settings)
    return fit_factors(fits, rd.lifetimes(fits, resamples=1))


def spread(storms: int) -> np.ndarray:
    return 1 + 0.02 * np.linspace(-1, 1, storms)[:, None, None]


def test_limits_and_growth_enter_like_any_other_rate():
    # At high energy drag of b = 1 and noise of both signs; without the negative rates b would be several times too large.
    rng = np.random.default_rng(4)
    rate = (EXCHANGE + DRAG)[None] + 0.02 * rng.choice([-1, 1], (12, 1, 1)) * rng.permutation(np.resize([-1.0, 1.0], 12))[:, None, None]
    found = run(rate, rate_se=0.02)
    # All but those of decay times below 2 days.
    fast = int((EXCHANGE + DRAG > 0.5).sum())
    assert int(found["fit_too_fast"][0]) == fast > 0
    assert int(found["fit_rates"][0]) == rate.size - 12 * fast
    assert (rate < 0).mean() > 0.2
    assert float(found["b_low"][0]) < 1 < float(found["b_high"][0])


def test_what_decays_too_fast_to_be_measured_does_not_spoil_the_factors():
    rate = (EXCHANGE + DRAG)[None] * spread(6)
    found = run(np.where(rate > 0.6, 0.9 * rate, rate))
    assert float(found["a"][0]) == pytest.approx(1, abs=0.002)
    assert float(found["b"][0]) == pytest.approx(1, abs=0.01)
    # An ion of which everything is fast has no factors, and the table says why.
    fast = run(50 * (EXCHANGE + DRAG)[None, :4] * spread(6), energy=ENERGY[:4])
    assert int(fast["fit_cells"][0]) == 0
    assert int(fast["fit_too_fast"][0]) == 12
    assert int(fast["fit_flag"][0]) & FACTOR_FLAGS["no_fit"]


def test_by_L_shell_the_factors_are_those_of_the_shell():
    a, b = np.array([0.5, 1.0, 2.0]), np.array([3.0, 2.0, 1.0])
    found = run((a * EXCHANGE + b * DRAG)[None] * spread(6))
    np.testing.assert_allclose(found["a"][1:], a, rtol=1e-6)
    np.testing.assert_allclose(found["b"][1:], b, rtol=1e-6)
    assert 0.5 < float(found["a"][0]) < 2.0
    # One law for all L does not hold, and the share of cells says so; shell by shell it does.
    assert float(found["agreeing"][0]) < 0.5
    assert (found["agreeing"][1:] == 1).all()
    assert (found["fit_flag"] == 0).all()


def test_the_range_over_models_holds_the_default_and_is_no_interval():
    found = run((EXCHANGE + DRAG)[None] * spread(6))
    for name in ("a", "b"):
        assert (found[f"{name}_models_low"] <= found[name]).all()
        assert (found[f"{name}_models_high"] >= found[name]).all()
    # The hydrogen of Zoennchen et al. is up to 1.8 times as dense as that of Rairden et al.
    assert float(found["a_models_low"][0]) < 0.65
    assert float(found["a_high"][0] - found["a_low"][0]) < 0.1


def test_one_energy_cannot_tell_the_two_apart():
    # Two, of which at L of 4 and 5 the second is not there; it gives the first a spectrum at L = 3.
    rate = loss_rate([148.0, 150.0], SHELLS, spectral_index=2.0)["rate"].transpose("energy", "L").to_numpy()
    rate = rate * (1 + 0.02 * np.random.default_rng(6).normal(size=(6, 2, SHELLS.size)))
    rate[:, 1, 1:] = np.nan
    found = run(rate, energy=[148.0, 150.0])
    alone = found.isel(fit=2)
    assert int(alone["fit_flag"]) & FACTOR_FLAGS["no_fit"]
    assert np.isnan(float(alone["a"]))
    # At one L two neighbouring energies can, in numbers, but an error of a is nearly one of b with its sign turned.
    close = found.isel(fit=1)
    assert abs(float(close["collinearity"])) > 0.99
    assert int(close["fit_flag"]) & FACTOR_FLAGS["not_separable"]
    assert float(close["correlation"]) < -0.9
    assert float(close["b_high"] - close["b_low"]) > 0.5


def test_one_storm_has_factors_but_no_interval():
    found = run((EXCHANGE + DRAG)[None])
    assert float(found["a"][0]) == pytest.approx(1)
    assert np.isnan(float(found["a_se"][0]))
    assert np.isnan(float(found["a_low"][0]))
    wanted = FACTOR_FLAGS["one_storm_decides"] | FACTOR_FLAGS["few_storms"]
    assert int(found["fit_flag"][0]) == wanted


def test_nothing_at_all_is_said():
    nothing = np.full((3, ENERGY.size, SHELLS.size), np.nan)
    found = run(nothing)
    assert found["a"].isnull().all()
    assert (found["fit_flag"] & FACTOR_FLAGS["no_fit"] > 0).all()
    assert (found["fit_cells"] == 0).all()
    table = factor_table(found)
    assert table["L"].tolist() == ["all"]


def test_the_table_describes_its_columns():
    found = run((EXCHANGE + DRAG)[None] * spread(6), shells=SHELLS)
    table, head = factor_table(found), factor_header(found)
    described = {line.split(":")[0].strip() for line in head[head.index("columns:") + 1 :]}
    assert described == set(table.columns)
    assert table["L"].tolist() == ["all", "3", "4", "5"]


def test_results_of_other_cells_are_refused():
    fits = decays((EXCHANGE + DRAG)[None] * spread(3), ENERGY, SHELLS)
    with pytest.raises(InputError, match="same L"):
        fit_factors(fits, rd.lifetimes(fits, resamples=1).isel(L=[0]))
