"""Estimators in the result: which gives the rate, all of them side by side, their tables and their figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from fake_results import compared
from matplotlib.container import ErrorbarContainer
from scipy import stats
from synthetic_decays import Truth, mission, simulate, storm_table

from ringdecay import plots
from ringdecay.decays import ESTIMATORS, FLAGS, VARIABLES, fit_decay, fit_decays
from ringdecay.decays.estimators import comparison_header, estimator_ratios, estimator_table
from ringdecay.decays.result import COMPARISON
from ringdecay.errors import InputError
from ringdecay.lifetime import lifetimes
from ringdecay.store import content_hash, open_dataset, write_dataset
from ringdecay.tables import decay_table, write_csv


@pytest.fixture(scope="module")
def world() -> Truth:
    return mission(21, n_e=4, n_l=3)


@pytest.fixture(scope="module")
def decays(world: Truth) -> xr.Dataset:
    return fit_decays(world.binned, world.storms, compare=True)


def flagged(result: xr.Dataset, name: str) -> np.ndarray:
    return (result["flag"].to_numpy() & FLAGS[name]) > 0


# --- the result


def test_a_comparison_adds_a_dimension_and_changes_nothing_else(world: Truth, decays: xr.Dataset):
    plain = fit_decays(world.binned, world.storms)
    assert set(plain.data_vars) == set(VARIABLES)
    assert set(decays.data_vars) == set(VARIABLES) | set(COMPARISON)
    assert content_hash(decays.drop_dims("estimator")) == content_hash(plain)
    assert decays["estimator"].to_numpy().tolist() == list(ESTIMATORS)
    for name in COMPARISON:
        assert decays[name].dims == ("estimator", "storm", "probe", "energy", "L")
        assert decays[name].attrs["units"] == "1/day"
        assert decays[name].attrs["long_name"]


def test_lifetimes_and_tables_of_fits_are_the_same_with_a_comparison_beside(decays: xr.Dataset):
    without = decays.drop_dims("estimator")
    assert lifetimes(decays).identical(lifetimes(without))
    pd.testing.assert_frame_equal(decay_table(decays), decay_table(without))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_estimator_asked_for_gives_the_rate(world: Truth, decays: xr.Dataset, name: str):
    alone = fit_decays(world.binned, world.storms, estimator=name)
    assert alone.attrs["estimator"] == name
    # A floor of the series' own belongs to the calibrated fit, not to the straight line that is compared.
    line = ~flagged(decays, "floor_fitted")
    if name != "exponential_floor":
        line &= ~flagged(alone, "floor_fitted")
    assert line.mean() > 0.9
    for value in ("rate", "rate_se", "rate_low", "rate_high"):
        compared = decays[f"{value}_by_estimator"].sel(estimator=name).to_numpy()
        np.testing.assert_allclose(alone[value].to_numpy()[line], compared[line], rtol=1e-12)
    # The error model of the run is the same whoever fits the line.
    same = line & np.isfinite(decays["rate"].to_numpy())
    np.testing.assert_array_equal(alone["rho"].to_numpy()[same], decays["rho"].to_numpy()[same])
    np.testing.assert_allclose(alone["tau"].where(alone["rate"] > 0), 1 / alone["rate"].where(alone["rate"] > 0))
    resolved = alone["rate_low"].to_numpy() > 0
    assert resolved.any()
    np.testing.assert_array_equal(flagged(alone, "not_resolved"), np.isfinite(alone["rate"].to_numpy()) & ~resolved)
    # The line passes through the middle of the flux.
    assert float(np.abs(alone["log_flux_start"] - decays["log_flux_start"]).median()) < (0.3 if name == "exponential_floor" else 0.1)
    if name != "exponential_floor":
        assert np.isfinite(lifetimes(alone)["rate"]).all()


def test_all_estimators_find_the_storms_own_rates(world: Truth, decays: xr.Dataset):
    truth = world.storm_rate[:, None]
    error = (decays["rate_by_estimator"] - truth) / np.abs(truth)
    fast = error.isel(energy=slice(0, 2))
    middle = np.abs(fast.median(["storm", "probe", "energy", "L"]))
    assert (middle.drop_sel(estimator="exponential_floor") < 0.03).all()
    # It knows each rate less well, and has rates of long windows alone.
    assert float(middle.sel(estimator="exponential_floor")) < 0.1
    # Errors that take fluctuating bins as independent are too small.
    width = (decays["rate_high_by_estimator"] - decays["rate_low_by_estimator"]).median(["storm", "probe", "energy", "L"])
    honest = ["gls", "exponential_floor"]
    assert (width.drop_sel(estimator=honest) < 0.9 * width.sel(estimator="gls")).all()


def test_a_choice_of_estimators_keeps_its_order(world: Truth, decays: xr.Dataset):
    some = fit_decays(world.binned, world.storms, compare=["poisson", "ols"])
    assert some["estimator"].to_numpy().tolist() == ["poisson", "ols"]
    np.testing.assert_array_equal(some["rate_by_estimator"], decays["rate_by_estimator"].sel(estimator=["poisson", "ols"]))


def test_paper_mode_is_ordinary_least_squares_with_the_others_beside(world: Truth):
    paper = fit_decays(world.binned, world.storms, "paper", compare=True)
    assert paper.attrs["estimator"] == "ols"
    np.testing.assert_array_equal(paper["rate"], paper["rate_by_estimator"].sel(estimator="ols"))
    # A floor of its own can be told from the decay in long windows alone.
    others = paper["rate_by_estimator"].drop_sel(estimator="exponential_floor")
    assert np.isfinite(others.where(np.isfinite(paper["rate"]), 0)).all()
    assert "r_max" in paper.attrs
    plain = fit_decays(world.binned, world.storms, "paper")
    assert content_hash(paper.drop_dims("estimator").drop_attrs()) == content_hash(plain.drop_attrs())


def test_regressions_on_counts_use_the_bins_that_the_log_leaves_out():
    truth = simulate(22, np.array([[4.0]]), np.array([40.0]), floor_decades=30, scatter=0.0)
    logs, regression = (fit_decays(truth.binned, truth.storms, floor=None, estimator=name) for name in ("gls", "negative_binomial"))
    assert flagged(logs, "few_counts").mean() > 0.8
    assert not flagged(regression, "few_counts").any()
    assert (regression["n"] >= logs["n"]).all()
    assert (regression["n"] > logs["n"]).mean() > 0.8
    assert (regression["stop"] > logs["stop"]).any()
    assert float(regression["rate"].mean()) == pytest.approx(0.25, rel=0.1)
    # Zeros are there in paper mode too, whose log leaves them out.
    paper = fit_decays(truth.binned, truth.storms, "paper", floor=None, compare=["poisson"])
    calibrated = fit_decays(truth.binned, truth.storms, floor=None, compare=["poisson"])
    np.testing.assert_allclose(paper["rate_by_estimator"], calibrated["rate_by_estimator"], rtol=1e-9)


def test_cells_of_too_few_bins_have_no_rate_by_any_estimator(world: Truth):
    result = fit_decays(world.binned, world.storms, compare=True, min_points=30)
    few = flagged(result, "too_few_points")
    assert few.any()
    assert not few.all()
    for name in ("gls", "ols", "weighted", "theil_sen"):
        np.testing.assert_array_equal(np.isfinite(result["rate_by_estimator"].sel(estimator=name)), ~few)


def test_no_storm_gives_a_comparison_of_size_zero(world: Truth):
    result = fit_decays(world.binned, world.storms.iloc[:0], compare=True)
    assert result["rate_by_estimator"].shape == (len(ESTIMATORS), 0, 1, 4, 3)
    assert estimator_table(result).empty
    assert not estimator_ratios(result)["n"].any()


def test_estimators_that_are_not_known_are_refused(world: Truth):
    with pytest.raises(InputError, match="theil_sen"):
        fit_decays(world.binned, world.storms, estimator="theil-sen")
    with pytest.raises(InputError, match="weighted"):
        fit_decays(world.binned, world.storms, compare=["ols", "wls"])
    with pytest.raises(InputError, match="poisson"):
        fit_decay([0.0, 1.0], [1.0, 1.0], estimator="Poisson")


def test_the_result_survives_a_file(tmp_path, decays: xr.Dataset):
    write_dataset(decays, tmp_path / "decays.nc")
    back = open_dataset(tmp_path / "decays.nc")
    assert back["estimator"].to_numpy().tolist() == list(ESTIMATORS)
    np.testing.assert_array_equal(back["rate_by_estimator"], decays["rate_by_estimator"])


# --- one series


def test_one_series_by_every_estimator():
    rng = np.random.default_rng(23)
    t = np.arange(30) * 0.374
    n = rng.poisson(2000 * np.exp(-t / 5 + 0.1 * rng.normal(size=30)))
    found = fit_decay(t, n / 40, counts=n, floor=None, compare=True)
    assert found["rate_by_estimator"].dims == ("estimator",)
    assert (np.abs(found["rate_by_estimator"] - 0.2) < 0.02).all()
    assert float(found["rate"]) == float(found["rate_by_estimator"].sel(estimator="gls"))
    reference = stats.theilslopes(np.log((n + 0.5) / 40), t)
    sen = fit_decay(t, n / 40, counts=n, estimator="theil_sen")
    got = [float(sen[name]) for name in ("rate", "rate_low", "rate_high", "tau_low")]
    assert got == pytest.approx([-reference.slope, -reference.high_slope, -reference.low_slope, -1 / reference.low_slope], rel=1e-9)
    # Without counts there is nothing for the regressions on counts: no rate beside others, a sentence where it is the only one.
    blind = fit_decay(t, n / 40, compare=["ols", "poisson"])
    assert np.isfinite(blind["rate_by_estimator"].to_numpy()).tolist() == [True, False]
    with pytest.raises(InputError, match="'poisson' fits counts; give counts, or flux_error"):
        fit_decay(t, n / 40, estimator="poisson")


# --- tables and figure


def test_the_table_has_a_row_for_every_fit_and_a_pair_of_columns_for_every_estimator(tmp_path, decays: xr.Dataset):
    table = estimator_table(decays)
    assert list(table.columns[:5]) == ["storm", "onset", "energy", "L", "n"]
    assert list(table.columns[5:]) == [f"{value}_{name}" for name in ESTIMATORS for value in ("rate", "rate_se")]
    assert len(table) == int(np.isfinite(decays["rate_by_estimator"]).any("estimator").sum())
    row = table.iloc[17]
    cell = decays.sel(storm=row["storm"], energy=row["energy"], L=row["L"], probe="merged")
    assert row["rate_poisson"] == float(cell["rate_by_estimator"].sel(estimator="poisson"))
    assert row["rate_se_gls"] == float(cell["rate_se"])
    assert row["n"] == int(cell["n"])
    write_csv(table, tmp_path / "estimators.csv", comparison_header(decays, "Side by side"))
    assert "SIMULATED" in (tmp_path / "estimators.csv").read_text()[:100]
    np.testing.assert_allclose(pd.read_csv(tmp_path / "estimators.csv", comment="#")["rate_gls"], table["rate_gls"], rtol=1e-7)


def test_ratios_are_medians_over_the_fits_that_the_reference_resolves():
    ratios = estimator_ratios(compared()).set_index(["energy", "estimator"])
    # Two storms and five shells, without the empty shell at 54.7 keV; at 269 keV nothing is resolved.
    assert ratios["n"].unstack("estimator")["gls"].tolist() == [8, 10, 10, 0]
    assert ratios["n"].unstack("estimator")["theil_sen"].tolist() == [8, 10, 0, 0]
    one = ratios.loc[(99.4, "theil_sen")]
    assert one[["ratio", "ratio_low", "ratio_high", "width"]].tolist() == pytest.approx([1.1, 1.1, 1.1, 0.5])
    assert ratios.loc[(269.0, "gls"), "ratio"] != ratios.loc[(269.0, "gls"), "ratio"]
    # Seen from the other side.
    turned = estimator_ratios(compared(), reference="theil_sen").set_index(["energy", "estimator"])
    assert turned.loc[(99.4, "gls"), "ratio"] == pytest.approx(1 / 1.1)
    assert turned.loc[(99.4, "gls"), "width"] == pytest.approx(2.0)


def test_the_figure_shows_the_ratios():
    figure = plots.estimator_comparison(compared())
    left, right = figure.axes
    (bars,) = [c for c in left.containers if isinstance(c, ErrorbarContainer)]
    np.testing.assert_allclose(bars.lines[0].get_ydata(), [1.1, 1.1])
    np.testing.assert_allclose(bars.lines[0].get_xdata(), [54.7, 99.4])
    (width,) = [line for line in right.lines if line.get_gid() == "width theil_sen"]
    np.testing.assert_allclose(width.get_ydata(), [0.5, 0.5])


def test_fits_without_a_comparison_a_probe_or_a_reference_are_refused(decays: xr.Dataset):
    with pytest.raises(InputError, match="compare=True"):
        estimator_table(decays.drop_dims("estimator"))
    with pytest.raises(InputError, match="merged"):
        estimator_ratios(decays, probe="c")
    with pytest.raises(InputError, match="weighted"):
        plots.estimator_comparison(decays, reference="median")


def test_estimators_differ_where_a_new_injection_lies_in_the_window():
    # The window of the first storm is stretched over the second's onset; what bends the lines does not bend the median.
    storms = storm_table((10.0, 3.0, 30.0))
    truth = simulate(24, np.full((1, 20), 6.0), np.array([1e6]), gaps=(10.0, 3.0, 30.0), floor_decades=30, scatter=0.0, sigma=0.05)
    whole = storms.iloc[[0, 2]].assign(storm=[1, 2])
    result = fit_decays(truth.binned, whole, floor=None, compare=["ols", "theil_sen"]).isel(storm=0)
    error = np.abs(result["rate_by_estimator"] - 1 / 6).median(["probe", "energy", "L"])
    assert float(error.sel(estimator="theil_sen")) < float(error.sel(estimator="ols"))


def test_a_series_that_an_estimator_has_no_rate_for_says_so():
    counts = np.array([500.0, 0, 0, 0, 0, 0, 0, 0])
    fit = fit_decay(np.arange(8.0), counts / 10, counts=counts, estimator="poisson")
    assert np.isnan(fit["rate"])
    assert fit["flag"] & FLAGS["no_estimate"]
    assert not fit["flag"] & FLAGS["too_few_points"]
