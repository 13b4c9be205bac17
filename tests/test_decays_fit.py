"""Windows, log flux, flags and results of `fit_decays` and `fit_decay`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xarray as xr
from scipy import stats
from synthetic_decays import START, Truth, mission, simulate, storm_table

from ringdecay.decays import FLAGS, VARIABLES, fit_decay, fit_decays
from ringdecay.decays.log_flux import read_bins
from ringdecay.decays.windows import first_below, index_change, index_windows
from ringdecay.errors import InputError
from ringdecay.store import content_hash, open_dataset, write_dataset

DAY = np.timedelta64(1, "D") / np.timedelta64(1, "ns")


def has(result: xr.Dataset, name: str) -> np.ndarray:
    return (result["flag"].to_numpy() & FLAGS[name]) > 0


@pytest.fixture(scope="module")
def world() -> Truth:
    return mission(7, n_e=4, n_l=3)


@pytest.fixture(scope="module")
def decays(world: Truth) -> xr.Dataset:
    return fit_decays(world.binned, world.storms)


# --- windows


def test_windows_start_after_the_last_minimum_and_stop_at_the_next_onset_the_longest_window_or_the_end(world: Truth):
    storms = storm_table((10.0, 40.0, 5.0))
    end = storms["onset"].to_numpy()[-1] + np.timedelta64(4, "D")
    # Two bins of no width: all that matters is when the data end.
    data = world.binned.isel(time=[0, 1]).assign_coords(time=[START, end]).assign_attrs(time_bin_hours=0.0)
    windows = index_windows(data, storms, start_delay_days=1.5, max_days=20)
    start, stop = windows["start"].to_numpy(), windows["stop"].to_numpy()
    assert (start == storms["last_minimum"].to_numpy() + np.timedelta64(36, "h")).all()
    assert stop[0] == storms["onset"].to_numpy()[1]
    assert stop[1] == start[1] + np.timedelta64(20, "D")
    assert stop[2] == end


def test_every_used_bin_lies_inside_its_window(world: Truth, decays: xr.Dataset):
    windows = index_windows(world.binned, world.storms)
    start, stop = windows["start"].to_numpy(), windows["stop"].to_numpy()
    assert (decays["start"].to_numpy() >= start[:, None, None, None]).all()
    assert (decays["stop"].to_numpy() <= stop[:, None, None, None]).all()
    # ... and the window is used to its ends, up to a few missing bins, where no floor ends it.
    assert ((decays["start"].to_numpy() - start[:, None, None, None]) / np.timedelta64(1, "D") < 4).all()


def test_a_window_ends_where_the_index_is_not_known(world: Truth, decays: xr.Dataset):
    # A hole of the index from the fifth day of the second storm's window on: a storm could hide there.
    time = START + np.arange(0, 200 * 24) * np.timedelta64(1, "h")
    index = xr.DataArray(np.full(time.size, -5.0), coords={"time": time}, dims="time", name="Dst")
    hole = world.storms["last_minimum"].to_numpy()[1] + np.timedelta64(6, "D")
    index[(time >= hole) & (time < hole + np.timedelta64(2, "D"))] = np.nan
    found = fit_decays(world.binned, world.storms, index=index)
    assert (found["stop"].isel(storm=1).to_numpy() < hole).all()
    assert (found["stop"].isel(storm=2).to_numpy() == decays["stop"].isel(storm=2).to_numpy()).all()
    # A hole of a few hours ends nothing.
    index[:] = -5.0
    index[(time >= hole) & (time < hole + np.timedelta64(6, "h"))] = np.nan
    short = fit_decays(world.binned, world.storms, index=index)
    assert (short["stop"].to_numpy() == decays["stop"].to_numpy()).all()
    # An index that ends before the storm leaves nothing to fit.
    early = fit_decays(world.binned, world.storms, index=index.isel(time=slice(0, 24)))
    assert not np.isfinite(early["rate"]).any()


def test_windows_without_a_length_are_refused(world: Truth):
    with pytest.raises(InputError, match="max_days"):
        index_windows(world.binned, world.storms, max_days=0)


def test_every_cell_can_have_a_window_of_its_own(world: Truth, decays: xr.Dataset):
    windows = index_windows(world.binned, world.storms)
    # From the second energy on fits begin three days later; the third has no window at all.
    later = windows["start"] + xr.DataArray([0, 3, 3, 3], dims="energy", coords={"energy": world.binned["energy"]}) * np.timedelta64(1, "D")
    windows = windows.assign(start=later.where(later["energy"] != later["energy"][2]))
    own = fit_decays(world.binned, world.storms, windows=windows)
    shifted = fit_decays(world.binned, world.storms, windows=index_windows(world.binned, world.storms, start_delay_days=4.0, max_days=27.0))
    np.testing.assert_array_equal(own["n"].isel(energy=0), decays["n"].isel(energy=0))
    np.testing.assert_array_equal(own["start"].isel(energy=1), shifted["start"].isel(energy=1))
    assert has(own, "no_window")[:, :, 2].all()
    assert not own["n"].isel(energy=2).any()


def test_the_order_of_the_bins_does_not_matter(world: Truth, decays: xr.Dataset):
    again = fit_decays(world.binned.isel(time=slice(None, None, -1)), world.storms)
    np.testing.assert_array_equal(again["rate"], decays["rate"])


def test_a_bin_that_reaches_past_the_next_onset_is_left_out(world: Truth, decays: xr.Dataset):
    # Its mean sample time can lie before the onset, while some of its passes have seen the new injection.
    half = np.timedelta64(round(8.97 * 1_800e9), "ns")
    centre, onset = world.binned["time"].to_numpy(), world.storms["onset"].to_numpy()[1:]
    straddling = [int(np.flatnonzero((centre - half < one) & (one < centre + half))[0]) for one in onset]
    changed = world.binned.copy(deep=True)
    for name, factor in (("sum_flux", 30.0), ("counts", 30.0), ("sum_time", 0.0)):
        changed[name][:, straddling] = changed[name][:, straddling] * factor
    changed["sum_time"][:, straddling] = -3600.0 * changed["n_samples"][:, straddling]
    again = fit_decays(changed, world.storms)
    xr.testing.assert_allclose(again["rate"].isel(storm=slice(0, -1)), decays["rate"].isel(storm=slice(0, -1)), rtol=1e-6)


@pytest.mark.parametrize("column", ["last_minimum", "depth"])
def test_a_storm_table_without_a_column_is_refused(world: Truth, column: str):
    with pytest.raises(InputError, match=column):
        fit_decays(world.binned, world.storms.drop(columns=column))


def test_storms_out_of_order_are_refused(world: Truth):
    with pytest.raises(InputError, match="order"):
        fit_decays(world.binned, world.storms.iloc[::-1])


def test_first_below():
    values = np.array([[5.0, 1.0, 4.0], [5.0, 4.0, 3.0], [1.0, 9.0, 2.0]])
    valid = np.array([[True, True, True], [True, True, True], [False, True, True]])
    assert first_below(values, valid, np.array([2.0, 2.0, np.nan])).tolist() == [1, 3, 3]
    assert first_below(values, valid, np.array([6.0, 3.5, 5.0])).tolist() == [0, 2, 2]


def test_index_change_is_the_difference_of_means_over_six_hours():
    time = START + np.arange(0, 20 * 24 * 60, 30).astype("timedelta64[m]")
    index = xr.DataArray(np.linspace(-100, 0, len(time)), coords={"time": time}, dims="time")
    index[50] = np.nan
    at = START + (np.array([5.0, 15.0]) * DAY).astype("timedelta64[ns]")
    change = index_change(index, np.array([at[0], "NaT", at[0]], "M8[ns]"), np.array([at[1], at[1], at[1] + np.timedelta64(100, "D")]))
    assert change[0] == pytest.approx(100 * 10 / 20, rel=0.01)
    assert np.isnan(change[1:]).all()


# --- log flux


def test_flux_is_placed_at_the_mean_time_of_its_samples():
    truth = simulate(1, np.array([[5.0]]), np.array([1e12]), sigma=0.0, scatter=0.0, floor_decades=30)
    result = fit_decays(truth.binned, truth.storms, floor=None)
    assert result["rate"].to_numpy() == pytest.approx(np.full((10, 1, 1, 1), 0.2), rel=1e-5)
    centred = truth.binned.assign(sum_time=truth.binned["sum_time"] * 0)
    assert np.abs(fit_decays(centred, truth.storms, floor=None)["rate"] - 0.2).max() > 1e-4


def test_zeros_enter_the_log_of_the_mean_flux_and_are_left_out_of_the_mean_of_the_log():
    truth = simulate(2, np.array([[3.0]]), np.array([8.0]), floor_decades=30)
    with_zeros, without = (read_bins(truth.binned, 1, name).log_flux for name in ("log_mean_flux", "mean_log_flux"))
    zero = (truth.binned["counts"] == 0).transpose("probe", "time", "energy", "L").to_numpy() & (truth.binned["n_samples"] > 0).transpose(
        "probe", "time", "energy", "L"
    ).to_numpy()
    assert zero.sum() > 20
    assert np.isfinite(with_zeros[zero]).all()
    assert np.isnan(without[zero]).all()


def test_the_log_flux_is_that_of_the_counts_and_a_half_over_the_exposure_zeros_too():
    truth = simulate(2, np.array([[3.0]]), np.array([8.0]), floor_decades=30)
    bins = read_bins(truth.binned, 1)
    known = np.isfinite(bins.log_flux)
    assert (bins.counts[known] == 0).sum() > 20
    np.testing.assert_allclose((np.exp(bins.log_flux) * bins.exposure)[known], bins.counts[known] + 0.5, rtol=1e-9)


def test_half_a_count_takes_the_bias_off_the_log_of_small_numbers():
    rng = np.random.default_rng(3)
    n = rng.poisson(8.0, 200_000)
    assert abs(np.mean(np.log(n + 0.5)) - np.log(8)) < 0.01
    assert abs(np.mean(np.log(n[n > 0])) - np.log(8)) > 0.05


def test_rates_of_channels_with_few_counts_are_not_biased():
    truth = simulate(4, np.full((1, 60), 10.0), np.array([60.0]), sigma=0.0, scatter=0.0, floor_decades=30)
    result = fit_decays(truth.binned, truth.storms, floor=None)
    rate = result["rate"].to_numpy()
    assert has(result, "few_counts").any()
    assert rate.mean() == pytest.approx(0.1, abs=4 * rate.std() / np.sqrt(rate.size) + 0.0015)


def test_bins_with_too_few_samples_are_left_out(world: Truth):
    n = fit_decays(world.binned, world.storms)["n"]
    fewer = fit_decays(world.binned, world.storms, min_samples=6)["n"]
    assert (fewer <= n).all()
    assert fewer.sum() < 0.8 * n.sum()


def test_binned_data_without_a_sum_are_refused(world: Truth):
    with pytest.raises(InputError, match="exposure"):
        fit_decays(world.binned.drop_vars("exposure"), world.storms)


# --- the result


def test_noise_free_decay_is_found_exactly_in_both_modes():
    t = np.arange(30) * 0.374
    for mode in ("calibrated", "paper"):
        found = fit_decay(t, 50 * np.exp(-t / 7), mode=mode)
        assert float(found["rate"]) == pytest.approx(1 / 7, rel=1e-7)
        assert float(found["tau"]) == pytest.approx(7, rel=1e-7)
        assert float(found["rate_se"]) < 1e-6
        assert float(found["log_flux_start"]) == pytest.approx(np.log(50), rel=1e-7)
        assert float(found["r2"]) == pytest.approx(1)


def test_names_units_and_flags(decays: xr.Dataset):
    assert set(decays.data_vars) == set(VARIABLES)
    assert decays["rate"].dims == ("storm", "probe", "energy", "L")
    assert all(decays[name].attrs["long_name"] for name in VARIABLES)
    assert decays["rate"].attrs["units"] == "1/day"
    assert decays["flag"].attrs["flag_meanings"].split() == list(FLAGS)
    assert decays["flag"].attrs["flag_masks"].tolist() == list(FLAGS.values())
    assert decays["flag"].dtype == decays["flag"].attrs["flag_masks"].dtype == np.int32
    assert {"onset", "minimum", "depth", "storm_class"} <= set(decays.coords)


def test_intervals_are_those_of_students_t(decays: xr.Dataset):
    half = stats.t.ppf(0.975, decays["df"]) * decays["rate_se"]
    assert np.allclose(decays["rate_high"] - decays["rate"], half, rtol=1e-9)
    one_sided = 1 / (decays["rate"] + stats.t.ppf(0.95, decays["df"]) * decays["rate_se"])
    unresolved = (decays["rate_low"] <= 0) & (one_sided > 0)
    assert int(unresolved.sum()) > 5
    assert np.allclose(decays["tau_limit"].where(unresolved, 0), one_sided.where(unresolved, 0))
    assert np.isnan(decays["tau_limit"].where(decays["rate_low"] > 0)).all()
    assert np.isinf(decays["tau_high"].where(decays["rate_low"] <= 0, np.inf)).all()


def test_a_smaller_confidence_gives_a_narrower_interval(world: Truth, decays: xr.Dataset):
    narrow = fit_decays(world.binned, world.storms, confidence=0.68)
    assert ((narrow["rate_high"] - narrow["rate_low"]) < (decays["rate_high"] - decays["rate_low"])).all()
    assert np.allclose(narrow["rate"], decays["rate"])


def test_growing_flux_is_a_result_with_a_flag():
    truth = simulate(5, np.array([[-6.0]]), np.array([1e5]), floor_decades=30)
    result = fit_decays(truth.binned, truth.storms)
    assert has(result, "growth").all()
    assert has(result, "not_resolved").all()
    assert (result["rate"] < 0).all()
    assert np.isnan(result["tau"]).all()
    assert np.isinf(result["tau_high"]).all()


def test_a_window_ends_at_the_floor_and_says_so():
    truth = simulate(6, np.array([[1.5], [60.0]]), np.array([1e5, 1e5]), scatter=0.0)
    floor = xr.DataArray(truth.floor, dims="energy")
    result = fit_decays(truth.binned, truth.storms, floor=floor)
    assert has(result, "floor_reached")[:, 0, 0, 0].all()
    assert not has(result, "floor_reached")[:, 0, 1, 0].any()
    length = (result["stop"] - result["start"]) / np.timedelta64(1, "D")
    # Log(1000/5) e-folds of 1.5 days after the minimum, less the first day.
    assert float(length.isel(energy=0).median()) == pytest.approx(1.5 * np.log(1000 / 5) - 1, abs=1.5)
    assert np.allclose(result["floor"].isel(energy=1), truth.floor[1])


def test_short_windows_and_storms_outside_the_data_are_flagged_not_dropped(world: Truth):
    storms = pd.concat([world.storms, storm_table((3.0,), first=400.0).assign(storm=11)], ignore_index=True)
    result = fit_decays(world.binned, storms, windows=index_windows(world.binned, storms, max_days=1.0))
    assert result.sizes["storm"] == 11
    assert has(result, "too_few_points").all()
    assert np.isnan(result["rate"]).all()
    assert has(result, "no_window")[10].all()
    assert not has(result, "no_window")[:9].any()
    assert np.isnat(result["start"].to_numpy()[10]).all()


def test_no_storm_gives_a_result_of_size_zero(world: Truth):
    result = fit_decays(world.binned, world.storms.iloc[:0])
    assert result["rate"].shape == (0, 1, 4, 3)
    assert set(result.data_vars) == set(VARIABLES)


def test_no_data_gives_flags(world: Truth):
    for mode in ("calibrated", "paper"):
        result = fit_decays(world.binned * 0, world.storms, mode)
        assert has(result, "too_few_points").all()
        assert (result["n"] == 0).all()


def test_probes_are_fitted_each_by_itself(world: Truth, decays: xr.Dataset):
    empty = (world.binned * 0).assign_coords(probe=["b"])
    both = xr.concat([world.binned.assign_coords(probe=["a"]), empty], "probe").assign_attrs(world.binned.attrs)
    result = fit_decays(both, world.storms)
    assert np.allclose(result["rate"].sel(probe="a"), decays["rate"].isel(probe=0))
    assert np.isnan(result["rate"].sel(probe="b")).all()


def test_the_result_survives_a_file(tmp_path, decays: xr.Dataset):
    write_dataset(decays, tmp_path / "decays.nc")
    back = open_dataset(tmp_path / "decays.nc")
    assert np.array_equal(back["flag"], decays["flag"])
    assert np.array_equal(back["start"], decays["start"])
    assert np.allclose(back["rate"], decays["rate"], rtol=0, atol=0)


def test_the_same_data_give_the_same_result(world: Truth, decays: xr.Dataset):
    assert content_hash(fit_decays(world.binned, world.storms)) == content_hash(decays)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "papr"}, "paper"),
        ({"min_points": 2}, "min_points"),
        ({"r_max": 0.8}, "r_max"),
        ({"confidence": 95}, "confidence"),
    ],
)
def test_settings_without_sense_are_refused(world: Truth, settings: dict, words: str):
    with pytest.raises(InputError, match=words):
        fit_decays(world.binned, world.storms, **settings)


# --- one series


def test_one_series_with_times_counts_or_errors():
    rng = np.random.default_rng(8)
    days = np.arange(40) * 0.374
    counts = rng.poisson(400 * np.exp(-days / 9))
    flux = counts / 40.0
    time = START + (days * DAY).astype("timedelta64[ns]")
    by_counts, by_error = fit_decay(time, flux, counts=counts), fit_decay(days, flux, flux_error=np.sqrt(counts) / 40.0)
    assert float(by_counts["rate"]) == pytest.approx(float(by_error["rate"]), rel=1e-4)
    assert float(by_counts["rate_low"]) < 1 / 9 < float(by_counts["rate_high"])
    assert by_counts["start"].to_numpy() == time[0]
    assert float(by_error["stop"]) == pytest.approx(days[-1])
    assert int(by_counts["flag"]) & FLAGS["not_pooled"]
    assert not int(by_counts["flag"]) & FLAGS["counts_unknown"]
    assert set(by_counts.data_vars) == set(VARIABLES)
    shuffled = rng.permutation(40)
    assert float(fit_decay(days[shuffled], flux[shuffled], counts=counts[shuffled])["rate"]) == pytest.approx(
        float(by_counts["rate"]), rel=1e-9
    )


def test_one_series_paper_mode_equals_ordinary_least_squares():
    rng = np.random.default_rng(9)
    t = np.sort(rng.uniform(0, 12, 25))
    flux = np.exp(3 - t / 5 + 0.2 * rng.normal(size=25))
    found, model = fit_decay(t, flux, mode="paper"), sm.OLS(np.log(flux), sm.add_constant(t)).fit()
    assert float(found["rate"]) == pytest.approx(-model.params[1], rel=1e-10)
    assert float(found["rate_se"]) == pytest.approx(model.bse[1], rel=1e-10)
    assert [-float(found["rate_high"]), -float(found["rate_low"])] == pytest.approx(list(model.conf_int()[1]), rel=1e-9)
    assert float(found["r2"]) == pytest.approx(model.rsquared, rel=1e-10)


def test_one_series_that_cannot_be_fitted_says_why():
    found = fit_decay([0.0, 1.0, 2.0], [3.0, np.nan, 1.0])
    assert int(found["flag"]) & FLAGS["too_few_points"]
    assert np.isnan(float(found["rate"]))
    assert int(fit_decay([], [])["n"]) == 0


@pytest.mark.parametrize("arguments", [{"counts": [1.0]}, {"counts": [1.0, 1.0], "flux_error": [1.0, 1.0]}])
def test_one_series_with_arrays_that_do_not_fit_is_refused(arguments: dict):
    with pytest.raises(InputError):
        fit_decay([0.0, 1.0], [2.0, 1.0], **arguments)
