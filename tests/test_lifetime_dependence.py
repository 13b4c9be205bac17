"""Regression of the rates on depth, season and Kp: against references, and how often it raises a false alarm."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xarray as xr
from scipy import stats
from storm_fits import decays_of, errors, measured, rates

from ringdecay.errors import InputError
from ringdecay.lifetime import dependence, influence, storm_covariates
from ringdecay.tables import csv_header, long_table, write_csv


def test_equal_errors_without_scatter_equal_least_squares_of_statsmodels():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"depth": rng.uniform(-200, -60, 12), "Kp": rng.uniform(1, 4, 12)}, index=np.arange(1, 13))
    rate = 0.1 - 0.0002 * table["depth"].to_numpy() + 0.01 * rng.normal(size=12)
    found = dependence(decays_of(rate, np.full(12, 0.05)), table).squeeze()
    expected = sm.OLS(rate, sm.add_constant(table.to_numpy())).fit()
    assert float(found["scatter"]) == 0.0
    np.testing.assert_allclose(found["slope"], expected.params[1:])
    np.testing.assert_allclose(found["slope_se"], expected.bse[1:])
    np.testing.assert_allclose(found["p_value"], expected.pvalues[1:])
    np.testing.assert_allclose(np.stack([found["slope_low"], found["slope_high"]], 1), expected.conf_int()[1:])
    assert float(found["p_all"]) == pytest.approx(expected.f_pvalue)
    assert float(found["rate"]) == pytest.approx(rate.mean())


def test_one_poor_fit_counts_less_as_in_weighted_least_squares_of_statsmodels():
    rng = np.random.default_rng(2)
    x = rng.normal(size=10)
    se = np.full(10, 0.05)
    se[3] = 0.5
    rate = 0.1 + 0.02 * x + 0.01 * rng.normal(size=10)
    found = dependence(decays_of(rate, se), pd.DataFrame({"x": x}, index=np.arange(1, 11))).squeeze("energy").squeeze("L")
    weights = 1 / np.maximum(se**2, 4 * 0.05**2)
    expected = sm.WLS(rate, sm.add_constant(x), weights=weights).fit()
    assert float(found["scatter"]) == 0.0
    assert float(found["slope"][0]) == pytest.approx(expected.params[1])
    assert float(found["slope_se"][0]) == pytest.approx(expected.bse[1])


@pytest.mark.parametrize("n_storms", [8, 20])
@pytest.mark.parametrize(("kind", "scatter"), [("equal", 0.0), ("equal", 0.2), ("twentyfold", 0.2), ("small", 0.5), ("with the rate", 0.2)])
def test_false_alarms_are_one_in_twenty(kind: str, scatter: float, n_storms: int):
    rng = np.random.default_rng(3)
    rate = rates(rng, n_storms, 2000, scatter)
    fits = measured(rng, rate, errors(rng, kind, rate))
    found = dependence(fits, storm_covariates(fits)[["season_sin", "season_cos"]])
    for name in ("p_all", "p_value"):
        assert 0.025 <= float((found[name] < 0.05).mean()) <= 0.075
    # Discoveries where there is none are rarer still.
    assert float((found["q_all"] < 0.05).mean()) < 0.01


def test_a_dependence_is_found_with_an_interval_that_covers_it():
    rng = np.random.default_rng(4)
    depth = np.linspace(-60.0, -200.0, 12)
    rate = rates(rng, 12, 1500, 0.2) - 0.005 * (depth - depth.mean())[:, None]
    fits = measured(rng, rate, errors(rng, "equal", rate))
    found = dependence(fits, storm_covariates(fits)[["depth"]]).squeeze("covariate")
    assert float(((found["slope_low"] <= -0.005) & (found["slope_high"] >= -0.005)).mean()) == pytest.approx(0.95, abs=0.025)
    assert float(found["slope"].mean()) == pytest.approx(-0.005, rel=0.03)
    assert float((found["q_value"] < 0.05).mean()) > 0.5
    assert str(found["covariate_units"].item()) == "nT"


def test_storms_without_fit_or_covariate_are_left_out_and_too_few_say_nothing():
    rng = np.random.default_rng(5)
    rate = 0.1 + 0.01 * rng.normal(size=(8, 2))
    rate[3:, 1] = np.nan
    table = pd.DataFrame({"x": rng.normal(size=8)}, index=np.arange(1, 9))
    table.loc[2, "x"] = np.nan
    fits = decays_of(rate, np.where(np.isnan(rate), np.nan, 0.01))
    found = dependence(fits, table.drop(index=8)).squeeze()
    assert found["n_storms"].to_numpy().tolist() == [6, 2]
    assert np.isnan(found["slope"][1])
    kept = [0, 2, 3, 4, 5, 6]
    assert float(found["slope"][0]) == pytest.approx(stats.linregress(table["x"].to_numpy()[kept], rate[kept, 0]).slope)
    same = dependence(fits, table.assign(y=2 * table["x"]))
    assert np.isnan(same["slope"]).all()


def test_covariates_of_the_storms(caplog):
    fits = decays_of(np.full(10, 0.1), np.full(10, 0.01))
    table = storm_covariates(fits)
    assert list(table.columns) == ["depth", "season_sin", "season_cos"]
    # The storms of the test are a tenth of a year apart, from New Year on.
    np.testing.assert_allclose(np.arctan2(table["season_sin"], table["season_cos"]) % (2 * np.pi), 0.2 * np.pi * np.arange(10), atol=1e-4)
    time = np.arange(np.datetime64("2014-12-31", "ns"), np.datetime64("2015-12-15", "ns"), np.timedelta64(3, "h"))
    days = (time - np.datetime64("2015-01-01", "ns")) / np.timedelta64(1, "D")
    kp = xr.DataArray(0.01 * days, coords={"time": time}, dims="time")
    kp[(days > 39) & (days < 42)] = np.nan
    # Some cells of a storm are without a fit.
    fits = xr.concat([fits, fits.assign_coords(L=[5.0])], "L")
    fits = fits.assign({name: fits[name].where(fits["L"] < 5) for name in ("start", "stop")})
    found = storm_covariates(fits, kp=kp)["Kp"]
    # The mean over a window is that of its middle, six days after the minimum.
    np.testing.assert_allclose(np.delete(found, 1), np.delete(0.01 * (36.524 * np.arange(10) + 6), 1), atol=0.002)
    assert np.isnan(found[2])
    assert "Kp is not known over the window of 1 of 10 storms" in caplog.text


def test_covariates_that_do_not_fit_are_said():
    fits = decays_of(np.full(5, 0.1), np.full(5, 0.01))
    good = storm_covariates(fits)[["depth"]]
    for wrong, said in (
        (good.iloc[:, :0], "column"),
        (good.set_index(good.index + 100), "index them"),
        (pd.concat([good, good]), "one row"),
        (good.assign(name="x"), "name"),
        (good.assign(endless=np.inf), "endless"),
    ):
        with pytest.raises(InputError, match=said):
            dependence(fits, wrong)
    with pytest.raises(InputError, match="minimum"):
        storm_covariates(fits.drop_vars("minimum"))


def test_tables_of_influence_and_dependence(tmp_path):
    fits = decays_of(0.1 + 0.01 * np.arange(8.0) ** 2, np.full(8, 0.01))
    fits["rate"][2] = np.nan
    found = influence(fits)
    table = long_table(found, "share")
    assert table["storm"].tolist() == [1, 2, 4, 5, 6, 7, 8]
    assert list(table.columns[:3]) == ["storm", "energy", "L"]
    assert table["share"].sum() == pytest.approx(1)
    found = dependence(fits, storm_covariates(fits))
    table = long_table(found, "slope")
    assert table["covariate"].tolist() == ["depth", "season_sin", "season_cos"]
    write_csv(table, tmp_path / "table.csv", csv_header(found, table, "A title"))
    back = pd.read_csv(tmp_path / "table.csv", comment="#")
    np.testing.assert_allclose(back["slope"], found["slope"].squeeze(), rtol=1e-7)
    assert back["covariate_units"].tolist() == ["nT", "1", "1"]
    assert "rows: 3 of 3 cells" in (tmp_path / "table.csv").read_text()
