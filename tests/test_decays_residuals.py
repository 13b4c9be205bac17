"""Residuals of fits: those of the very bins that were fitted, and as alike as the error model says, on data whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from statsmodels.tsa.stattools import acf
from synthetic_decays import Truth, simulate

import ringdecay as rd
from ringdecay.decays import autocorrelation, residual_autocorrelation, residuals
from ringdecay.errors import InputError

TAU = np.full((3, 8), 12.0)
COUNTS = np.array([1e6, 1e5, 1e4])


@pytest.fixture(scope="module", params=[0.0, 0.5], ids=["white", "correlated"])
def world(request) -> tuple[float, Truth, xr.Dataset]:
    truth = simulate(11, TAU, COUNTS, theta=request.param, sigma=0.15, missing=0.1, floor_decades=30)
    return request.param, truth, rd.fit_decays(truth.binned, truth.storms, floor=None, two_stages=False)


def test_there_is_a_residual_for_every_bin_that_was_fitted(world):
    _, truth, fits = world
    found = residuals(truth.binned, fits)
    assert found["residual"].dims == ("storm", "probe", "energy", "L", "bin")
    n = found["residual"].notnull().sum("bin")
    np.testing.assert_array_equal(n, fits["n"])
    # The fitted line and the residuals together are the data.
    left = found["residual"].isel(storm=3, probe=0, energy=1, L=2).dropna("bin")
    cell = fits.isel(storm=3, probe=0, energy=1, L=2)
    sums = truth.binned.isel(probe=0, energy=1, L=2)
    when = sums["time"] + (sums["sum_time"] / sums["n_samples"] * 1e9).fillna(0).astype("timedelta64[ns]")
    inside = (when >= cell["start"]) & (when <= cell["stop"]) & (sums["n_samples"] > 1)
    data = np.log((sums["counts"] + 0.5) / sums["exposure"]).where(inside, drop=True).to_numpy()
    days = (when.where(inside, drop=True) - cell["start"]).to_numpy() / np.timedelta64(1, "D")
    np.testing.assert_allclose(data, left + float(cell["log_flux_start"]) - float(cell["rate"]) * days, atol=1e-6)
    assert np.nanstd(found["residual"]) == pytest.approx(0.15, rel=0.2)


def test_noise_is_that_of_the_counts(world):
    _, truth, fits = world
    found = residuals(truth.binned, fits)
    by_energy = found["noise"].median(("storm", "probe", "L", "bin")).to_numpy()
    # Ten times fewer counts are ten times the variance.
    np.testing.assert_allclose(by_energy[1:] / by_energy[:-1], 10.0, rtol=0.4)


@pytest.mark.parametrize("settings", [{"mode": "paper"}, {"floor": "free"}, {"floor": "auto"}], ids=str)
def test_other_fits_have_residuals_too(settings):
    # A floor of a hundredth of the peak is reached by decays of 3 days.
    truth = simulate(5, np.full((2, 6), 3.0), np.array([1e6, 1e6]), theta=0.3, sigma=0.1, floor_decades=2.0, scatter=0.05)
    fits = rd.fit_decays(truth.binned, truth.storms, two_stages=False, **settings)
    found = residuals(truth.binned, fits)["residual"]
    # Near the floor a small part of the flux is signal, and single residuals of the signal are large.
    assert 1.48 * float(np.abs(found).median()) == pytest.approx(0.1, abs=0.04)
    if settings == {"mode": "paper"}:
        # Least squares leave residuals that are zero on the mean.
        np.testing.assert_allclose(found.sum("bin").where(fits["rate"].notnull(), 0.0), 0.0, atol=1e-6)


def test_the_autocorrelation_is_that_of_statsmodels():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(3, 40))
    values[1, [3, 4, 20]] = np.nan
    values[2, 15:] = np.nan
    found = autocorrelation(values, 12)
    for mine, one in zip(found, values, strict=True):
        last = np.flatnonzero(np.isfinite(one))[-1] + 1
        np.testing.assert_allclose(mine, acf(one[:last], nlags=12, adjusted=False, missing="conservative", fft=False), atol=1e-12)
    assert autocorrelation(np.ones((1, 4)), 6).shape == (1, 7)
    assert autocorrelation(np.arange(4.0)[None], 6)[0, 4:].tolist() == [0.0, 0.0, 0.0]


def test_independent_errors_lie_in_their_band_and_correlated_ones_do_not(world):
    theta, truth, fits = world
    found = residual_autocorrelation(residuals(truth.binned, fits)).isel(lag=slice(1, 7))
    inside = (found["autocorrelation"] > found["white_low"]) & (found["autocorrelation"] < found["white_high"])
    if theta == 0:
        # Of 24 cells that share their fluctuations, and 6 lags.
        assert float(inside.mean()) > 0.85
        assert float(found["white_high"].max()) < 0.2
        # A line takes something of every error: the middle of the band is below zero.
        assert float((found["white_low"] + found["white_high"]).mean()) < -0.01
    else:
        assert not inside.isel(lag=0).any()
        assert float(found["rho"].mean()) == pytest.approx(np.exp(-8.97 / 24 / 0.5), abs=0.12)


def test_the_assumed_correlation_is_seen(world):
    theta, truth, fits = world
    found = residual_autocorrelation(residuals(truth.binned, fits))
    mean = found.mean(("probe", "energy", "L")).isel(lag=slice(1, 7))
    np.testing.assert_allclose(mean["autocorrelation"], mean["assumed"], atol=0.09)
    if theta:
        # Less than the errors' own correlation, for the line followed them.
        assert float(mean["assumed"].isel(lag=0)) < float(found["rho"].mean()) - 0.03
    np.testing.assert_array_equal(found["n_storms"], 10)


def test_without_correlation_the_expectation_is_exact():
    # By simulation: white errors about a line, least squares, gaps in the series.
    rng = np.random.default_rng(4)
    there = rng.random(30) > 0.2
    t = np.where(there, np.arange(30) * 0.37 + rng.uniform(-0.1, 0.1, 30), np.nan)
    columns = np.stack([np.ones(there.sum()), t[there]], axis=1)
    errors = rng.normal(size=(20_000, there.sum()))
    left = np.full((20_000, 30), np.nan)
    left[:, there] = errors - errors @ (columns @ np.linalg.pinv(columns)).T
    seen = autocorrelation(left, 5)
    dims = ("storm", "probe", "energy", "L")
    values = {
        "residual": left[:1, None, None, None],
        "days": t[None, None, None, None],
        "noise": np.where(there, 0.0, np.nan)[None, None, None, None],
    }
    given = xr.Dataset(
        {name: ((*dims, "bin"), value) for name, value in values.items()}, coords={"probe": ["a"], "energy": [1.0], "L": [4.0]}
    )
    for name in ("rho", "sigma", "theta"):
        given[name] = (dims, np.full((1, 1, 1, 1), np.nan))
    found = residual_autocorrelation(given, 5, confidence=0.6826895).squeeze()
    middle, half = (found["white_high"] + found["white_low"]) / 2, (found["white_high"] - found["white_low"]) / 2
    np.testing.assert_allclose(middle, seen.mean(0), atol=0.005)
    np.testing.assert_allclose(half[1:], seen.std(0)[1:], rtol=0.03)
    np.testing.assert_allclose(found["assumed"], middle, atol=1e-9)


def test_nothing_fitted_leaves_nothing(world):
    _, truth, fits = world
    none = residuals(truth.binned, fits.isel(storm=[]))
    assert none["residual"].sizes["storm"] == 0
    assert residual_autocorrelation(none)["autocorrelation"].isnull().all()
    blank = fits.isel(storm=[0]).copy(deep=True)
    for name in ("start", "stop"):
        blank[name][:] = np.datetime64("NaT", "ns")
    assert residuals(truth.binned, blank)["residual"].isnull().all()


def test_what_does_not_fit_together_is_named(world):
    _, truth, fits = world
    with pytest.raises(InputError, match="rho"):
        residuals(truth.binned, fits.drop_vars("rho"))
    with pytest.raises(InputError, match="lack a cell"):
        residuals(truth.binned.isel(L=[0, 1]), fits)
    # A joint fit is of no probe's own flux, and left out.
    both = xr.concat([fits, fits.assign_coords(probe=["joint"])], dim="probe")
    assert residuals(truth.binned, both)["probe"].to_numpy().tolist() == ["merged"]
