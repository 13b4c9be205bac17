"""What one storm does to the mean."""

from __future__ import annotations

import numpy as np
import pytest
from storm_fits import decays_of

from ringdecay.lifetime import dependence, influence, lifetimes, storm_covariates
from ringdecay.tables import long_table


def test_leaving_a_storm_out_is_averaging_without_it():
    rng = np.random.default_rng(1)
    se = 10 ** rng.uniform(-2.5, -1, (7, 4))
    fits = decays_of(0.1 + 0.03 * rng.normal(size=se.shape) + se * rng.normal(size=se.shape), se, df=8)
    fits["rate"][2, 0, 0, 1] = np.nan
    found, mean = influence(fits), lifetimes(fits, resamples=10)
    for storm in fits["storm"].to_numpy():
        without = lifetimes(fits.sel(storm=fits["storm"] != storm), resamples=10)["rate"]
        here = fits["rate"].sel(storm=storm).squeeze("probe").notnull()
        expected = without.where(here)
        np.testing.assert_allclose(found["rate_without"].sel(storm=storm), expected)
        np.testing.assert_allclose(found["shift"].sel(storm=storm), (expected - mean["rate"]) / mean["rate_se"])
    assert int(np.isnan(found["shift"]).sum()) == 1
    np.testing.assert_allclose(found["share"].sum("storm"), 1.0)


def test_shift_of_a_plain_mean_is_that_of_the_formula():
    rate = np.array([0.1, 0.12, 0.09, 0.11, 0.3])
    found = influence(decays_of(rate, np.full(5, 1e-6))).squeeze()
    expected = (rate.mean() - rate) / 4 / (rate.std(ddof=1) / np.sqrt(5))
    np.testing.assert_allclose(found["shift"], expected)


def test_lifetimes_name_the_storm_that_matters_most():
    rate = np.array([0.1, 0.12, 0.09, 0.11, 0.3])
    found = lifetimes(decays_of(rate, np.full(5, 0.01))).squeeze()
    assert int(found["largest_shift_storm"]) == 5
    assert float(found["largest_shift"]) == pytest.approx(-1.0, abs=0.03)
    alone = lifetimes(decays_of(np.array([np.nan, 0.1]), np.array([np.nan, 0.01]))).squeeze()
    assert int(alone["largest_shift_storm"]) == -1
    assert np.isnan(float(alone["largest_shift"]))


def test_a_run_without_storms_or_fits_says_nothing_and_does_not_fail():
    fits = decays_of(np.full(3, np.nan), np.full(3, np.nan))
    for nothing in (fits, fits.isel(storm=[])):
        assert np.isnan(influence(nothing)["shift"]).all()
        found = dependence(nothing, storm_covariates(nothing)[["depth"]])
        assert np.isnan(found["slope"]).all()
        assert long_table(found, "slope").empty
        assert long_table(influence(nothing), "share").empty


def test_what_is_said_over_storms_keeps_what_the_fits_say_of_windows_and_floors():
    rng = np.random.default_rng(3)
    fits = decays_of(0.1 + 0.02 * rng.normal(size=(6, 2)), np.full((6, 2), 0.01))
    said = {"window": "flux", "rise": 0.5, "injection_dip": "not looked for", "floor_from": "given", "estimator": "gls"}
    fits = fits.assign_attrs(said)
    depth = storm_covariates(fits)[["depth"]]
    for found in (lifetimes(fits, resamples=10), influence(fits), dependence(fits, depth)):
        assert {name: found.attrs[name] for name in said} == said
