"""The intervals of the mean, the bootstrap and the prediction hold what they say, whatever the errors of the fits."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from storm_fits import decays_of, errors, measured, rates

from ringdecay.decays.intervals import intervals
from ringdecay.errors import InputError
from ringdecay.lifetime import lifetimes
from ringdecay.lifetime.bootstrap import bootstrap_interval
from ringdecay.lifetime.fits import Fits, fits_of, one_probe
from ringdecay.lifetime.mean import Mean, hartung_knapp, mean_rate
from ringdecay.lifetime.prediction import next_storm

CELLS = 1200


def world(seed: int, n_storms: int, kind: str, scatter: float) -> tuple[Fits, Mean]:
    rng = np.random.default_rng(seed)
    rate = rates(rng, n_storms, CELLS, scatter)
    fits = fits_of(one_probe(measured(rng, rate, errors(rng, kind, rate)), "merged"))
    return fits, mean_rate(fits)


def held(low: np.ndarray, high: np.ndarray, truth: float | np.ndarray) -> float:
    return float(((low <= truth) & (truth <= high)).mean())


@pytest.mark.parametrize("n_storms", [5, 10, 20])
@pytest.mark.parametrize("scatter", [0.0, 0.2, 0.5])
@pytest.mark.parametrize("kind", ["small", "equal", "twentyfold", "one long recovery", "with the rate"])
def test_mean_covers_the_arithmetic_mean_rate(kind: str, scatter: float, n_storms: int):
    # 91 to 98 % is asked for; a share of 1200 cells is known to 0.8 %.
    mean = world(3, n_storms, kind, scatter)[1]
    found = intervals(mean.rate, mean.se, mean.df, 0.95)
    assert 0.90 <= held(found["rate_low"], found["rate_high"], 1.0) <= 0.99
    assert mean.rate.mean() == pytest.approx(1.0, abs=0.02 + 3 * mean.rate.std() / np.sqrt(CELLS))


def test_usual_weights_and_hartung_knapp_fail_where_one_recovery_is_long():
    """Why the mean in use is another; the reason stands in the method."""
    found = hartung_knapp(world(4, 10, "one long recovery", 0.2)[0], 0.95)
    assert held(found["rate_reml_low"], found["rate_reml_high"], 1.0) < 0.8


@pytest.mark.parametrize("n_storms", [5, 10])
@pytest.mark.parametrize(("kind", "scatter"), [("equal", 0.0), ("equal", 0.2), ("twentyfold", 0.2), ("small", 0.2), ("small", 0.5)])
def test_prediction_holds_the_next_storm(kind: str, scatter: float, n_storms: int):
    low, high = next_storm(*world(5, n_storms, kind, scatter), 0.95)
    following = rates(np.random.default_rng(6), 1, CELLS, scatter)[0]
    # Without scatter the next storm is the mean, and the interval must hold it more often than it says.
    assert 0.91 <= held(low, high, following) <= (0.97 if scatter else 1.0)


def test_prediction_from_exact_rates_is_that_of_a_normal_sample():
    rate = np.array([0.1, 0.14, 0.08, 0.12, 0.11, 0.2])
    found = lifetimes(decays_of(rate, np.full(6, 1e-9))).squeeze()
    half = stats.t.ppf(0.975, 5) * rate.std(ddof=1) * np.sqrt(1 + 1 / 6)
    assert float(found["rate_pred_high"] - found["rate"]) == pytest.approx(half, rel=1e-3)
    assert float(found["tau_pred_low"]) == pytest.approx(1 / float(found["rate_pred_high"]))
    assert float(found["tau_pred_high"]) == pytest.approx(1 / float(found["rate_pred_low"]))


def test_prediction_without_scatter_is_no_narrower_than_the_mean():
    found = lifetimes(decays_of(np.array([0.1, 0.10001, 0.09999, 0.1]), np.full(4, 0.05))).squeeze()
    assert float(found["rate_pred_high"]) >= float(found["rate_high"])
    assert np.isnan(float(lifetimes(decays_of(np.array([0.1, 0.2]), np.full(2, 0.05)))["rate_pred_low"].squeeze()))


@pytest.mark.parametrize(("n_storms", "least"), [(5, 0.87), (10, 0.92)])
def test_bootstrap_covers_nearly_as_often_as_it_says(n_storms: int, least: float):
    """Of five storms even the corrected percentiles are too narrow: they cannot leave the range of the rates."""
    fits, mean = world(7, n_storms, "equal", 0.2)
    low, high = bootstrap_interval(fits, mean, 0.95, resamples=2000, seed=1)
    assert least <= held(low, high, 1.0) <= 0.97
    assert (low >= fits.rate.min(0)).all()


def test_bootstrap_of_many_storms_is_the_interval_of_the_mean():
    rng = np.random.default_rng(8)
    found = lifetimes(decays_of(0.1 + 0.02 * rng.normal(size=400), np.full(400, 0.001)), resamples=20_000).squeeze()
    for end in ("low", "high"):
        assert float(found[f"rate_boot_{end}"] - found["rate"]) == pytest.approx(float(found[f"rate_{end}"] - found["rate"]), rel=0.05)


def test_bootstrap_draws_the_same_storms_for_all_cells_and_again():
    rate = np.array([0.1, 0.14, 0.08, 0.12, 0.11, 0.2])
    two = decays_of(np.stack([rate, 3 * rate, np.where(rate == 0.2, np.nan, rate)], 1), np.full((6, 3), 0.01))
    two["rate_se"] = two["rate_se"] * xr.DataArray([1.0, 3.0, 1.0], dims="L")
    found = lifetimes(two, seed=1)
    low = found["rate_boot_low"].to_numpy()[0]
    assert low[1] == pytest.approx(3 * low[0])
    assert np.isfinite(low).all()
    xr.testing.assert_identical(found, lifetimes(two, seed=1))
    assert float(lifetimes(two, seed=2)["rate_boot_low"][0, 0]) != low[0]


@pytest.mark.parametrize("bad", [{"resamples": 0}, {"false_discovery_rate": 0.0}, {"confidence": 1.0}])
def test_settings_without_sense_are_said(bad: dict[str, float]):
    with pytest.raises(InputError, match=next(iter(bad))):
        lifetimes(decays_of(np.array([0.1, 0.2]), np.array([0.01, 0.01])), **bad)
