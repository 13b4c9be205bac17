"""What ends a window: gaps, probes that come and go, injections below the storm threshold; and that the fit hears of it."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from storm_series import series
from synthetic_decays import BIN_HOURS, START, Truth, mission, simulate

from ringdecay.decays import FLAGS, choose_windows, fit_decays, index_windows, interrupted
from ringdecay.decays.interruptions import first_injection
from ringdecay.errors import InputError

BIN = np.timedelta64(round(BIN_HOURS * 3.6e12), "ns")
LONG = 3  # the storm of five weeks


def has(windows: xr.Dataset, name: str) -> np.ndarray:
    return (windows["flag"].to_numpy() & FLAGS[name]) > 0


def quiet_index(level: float = -5.0) -> xr.DataArray:
    time = START - np.timedelta64(2, "D") + np.arange(0, 220 * 24) * np.timedelta64(1, "h")
    return xr.DataArray(np.full(time.size, level), coords={"time": time}, dims="time", name="SYM-H")


@pytest.fixture(scope="module")
def world() -> Truth:
    return mission(7, n_e=3, n_l=2, missing=0.0)


@pytest.fixture(scope="module")
def whole(world: Truth) -> xr.Dataset:
    return index_windows(world.binned, world.storms)


def rows_of(world: Truth, whole: xr.Dataset, storm: int) -> np.ndarray:
    """Numbers of the bins that lie wholly in the window of a storm."""
    centre = world.binned["time"].to_numpy()
    start, stop = (whole[name].to_numpy()[storm] for name in ("start", "stop"))
    return np.flatnonzero((centre - BIN // 2 >= start) & (centre + BIN // 2 <= stop))


def silenced(binned: xr.Dataset, rows: np.ndarray, **cells: int) -> xr.Dataset:
    """Take the samples of some bins away, in some cells."""
    out = binned.copy(deep=True)
    for name in out.data_vars:
        values = out[name].transpose("time", "probe", "energy", "L").to_numpy()
        where = [rows, *(np.atleast_1d(cells.get(dim, np.arange(out.sizes[dim]))) for dim in ("probe", "energy", "L"))]
        values[np.ix_(*where)] = 0
        out[name] = (("time", "probe", "energy", "L"), values, binned[name].attrs)
    return out


def two_probes(binned: xr.Dataset, silent_a: np.ndarray, silent_b: np.ndarray) -> xr.Dataset:
    """Give every bin half to each probe, take some away from either, and add them up again."""
    parts = [silenced(binned / 2, rows).assign_coords(probe=[name]) for name, rows in (("a", silent_a), ("b", silent_b))]
    sums = parts[0] + parts[1].assign_coords(probe=["a"])
    return xr.concat([*parts, sums.assign_coords(probe=["merged"])], "probe").assign_attrs(binned.attrs)


# --- gaps


def test_nothing_is_interrupted_where_nothing_comes_between(world: Truth, whole: xr.Dataset):
    found = interrupted(whole, world.binned, quiet_index())
    assert found["start"].dims == ("storm", "probe", "energy", "L")
    assert (found["start"] == whole["start"]).all()
    assert (found["stop"] == whole["stop"]).all()
    assert not found["flag"].any()


def test_a_gap_ends_the_window_of_its_own_cell_with_the_last_bin_before_it(world: Truth, whole: xr.Dataset):
    rows = rows_of(world, whole, LONG)
    # Ten bins are 3.7 days without data in one cell, eight bins 3.0 days less a little in another.
    binned = silenced(world.binned, rows[20:30], energy=1, L=0)
    binned = silenced(binned, rows[20:28], energy=2, L=1)
    found = interrupted(whole, binned)
    last = world.binned["time"].to_numpy()[rows[19]] + BIN // 2
    assert found["stop"].to_numpy()[LONG, 0, 1, 0] == last
    assert has(found, "data_gap").sum() == 1
    assert has(found, "data_gap")[LONG, 0, 1, 0]
    others = ~has(found, "data_gap")
    assert (found["stop"].to_numpy()[others] == whole["stop"].broadcast_like(found["stop"]).to_numpy()[others]).all()
    # A longer silence can be allowed.
    assert not interrupted(whole, binned, max_gap_days=4.0)["flag"].any()
    # The fit ends there, and says why.
    fit = fit_decays(binned, world.storms, windows=found)
    assert fit["stop"].to_numpy()[LONG, 0, 1, 0] < last
    assert has(fit, "data_gap")[LONG, 0, 1, 0]
    assert int(fit["n"][LONG, 0, 1, 0]) == 20


def test_silence_at_the_ends_of_a_window_is_said(world: Truth, whole: xr.Dataset):
    rows = rows_of(world, whole, LONG)
    early = interrupted(whole, silenced(world.binned, rows[:10]))
    assert has(early, "data_gap")[LONG].all()
    assert (early["stop"].isel(storm=LONG) == whole["stop"][LONG]).all()
    late = interrupted(whole, silenced(world.binned, rows[-10:]))
    assert has(late, "data_gap")[LONG].all()
    assert (late["stop"].to_numpy()[LONG] == world.binned["time"].to_numpy()[rows[-11]] + BIN // 2).all()


def test_a_cell_that_is_never_seen_has_no_gap(world: Truth, whole: xr.Dataset):
    found = interrupted(whole, silenced(world.binned, np.arange(world.binned.sizes["time"]), L=1))
    assert not found["flag"].any()


def test_a_bin_of_too_few_samples_is_as_good_as_none(world: Truth, whole: xr.Dataset):
    rows = rows_of(world, whole, LONG)
    binned = world.binned.copy(deep=True)
    binned["n_samples"][:, rows[20:30]] = 1
    assert has(interrupted(whole, binned), "data_gap")[LONG].all()
    assert not interrupted(whole, binned, min_samples=1)["flag"].any()


def test_bins_missing_at_random_hardly_ever_make_a_gap():
    # The proof of the intervals takes away up to 30 % of the bins; the default must not cut these windows.
    truth = mission(11, n_e=6, n_l=20, missing=0.3)
    found = interrupted(index_windows(truth.binned, truth.storms), truth.binned)
    assert has(found, "data_gap").mean() < 0.01


# --- probes that come and go


def test_a_probe_that_falls_silent_ends_the_merged_window_there(world: Truth, whole: xr.Dataset):
    rows = rows_of(world, whole, LONG)
    binned = two_probes(world.binned, np.array([], int), rows[30:])
    found = interrupted(whole, binned)
    merged = found.sel(probe="merged")
    assert (merged["stop"].to_numpy()[LONG] == world.binned["time"].to_numpy()[rows[29]] + BIN // 2).all()
    assert has(merged, "probe_handover")[LONG].all()
    assert has(merged, "probe_handover").sum() == merged["flag"][LONG].size
    # The other probe by itself goes on; the silent one has a gap.
    assert (found["stop"].sel(probe="a") == whole["stop"]).all()
    assert not found["flag"].sel(probe="a").any()
    assert has(found.sel(probe="b"), "data_gap")[LONG].all()


def test_a_probe_that_comes_ends_the_merged_window_there(world: Truth, whole: xr.Dataset):
    rows = rows_of(world, whole, LONG)
    merged = interrupted(whole, two_probes(world.binned, rows[:25], np.array([], int))).sel(probe="merged")
    assert (merged["stop"].to_numpy()[LONG] == world.binned["time"].to_numpy()[rows[25]] - BIN // 2).all()
    assert has(merged, "probe_handover")[LONG].all()


def test_stray_passes_are_no_hand_over(world: Truth, whole: xr.Dataset):
    rows = rows_of(world, whole, LONG)
    stray = np.setdiff1d(rows, [rows[25], rows[26], rows[50]])
    merged = interrupted(whole, two_probes(world.binned, stray, np.array([], int))).sel(probe="merged")
    assert not merged["flag"].any()
    # Nor is a short silence.
    assert not interrupted(whole, two_probes(world.binned, rows[30:36], np.array([], int)))["flag"].any()


def test_an_offset_between_probes_looks_like_decay_unless_the_window_ends():
    truth = simulate(3, np.array([[60.0]]), np.array([1e6]), scatter=0.0, floor_decades=30, missing=0.0, sigma=0.05)
    whole = index_windows(truth.binned, truth.storms)
    rows = rows_of(truth, whole, LONG)
    binned = two_probes(truth.binned, rows[:40], rows[40:])
    # Probe a reads 30 % low.
    for name in ("sum_flux", "counts"):
        binned[name].loc[{"probe": "a"}] *= 0.7
        binned[name].loc[{"probe": "merged"}] = binned[name].sel(probe="a") + binned[name].sel(probe="b")
    blind = fit_decays(binned, truth.storms, windows=whole, floor=None).sel(probe="merged").isel(storm=LONG)
    seeing = fit_decays(binned, truth.storms, windows=interrupted(whole, binned), floor=None).sel(probe="merged").isel(storm=LONG)
    assert blind["rate_low"].item() > 1 / 60
    assert seeing["rate_low"].item() < 1 / 60 < seeing["rate_high"].item()
    assert has(seeing, "probe_handover").all()


def test_merged_data_alone_say_that_a_hand_over_cannot_be_known(world: Truth, whole: xr.Dataset):
    assert interrupted(whole, world.binned).attrs["handover"].startswith("not known")
    nothing = np.array([], int)
    assert interrupted(whole, two_probes(world.binned, nothing, nothing)).attrs["handover"] == "looked for"


# --- injections that are no storms


def test_a_fall_of_the_index_ends_every_window_where_it_begins(world: Truth, whole: xr.Dataset):
    index, at = quiet_index(), whole["start"].to_numpy()[LONG].astype("datetime64[h]") + np.timedelta64(7 * 24, "h")
    since = (index["time"].to_numpy() - at) / np.timedelta64(1, "h")
    dip = np.where((since >= 0) & (since < 6), -10 * since, np.where(since >= 6, -60 * np.exp(-(since - 6) / 12), 0.0))
    found = interrupted(whole, world.binned, index + dip)
    assert (found["stop"].to_numpy()[LONG] == at.astype("datetime64[ns]")).all()
    assert has(found, "new_injection")[LONG].all()
    assert not np.delete(has(found, "new_injection"), LONG, 0).any()
    # Half as deep it is none; with another setting it is, and None looks for none.
    assert not interrupted(whole, world.binned, index + dip / 2)["flag"].any()
    assert has(interrupted(whole, world.binned, index + dip / 2, injection_dip=25.0), "new_injection")[LONG].all()
    assert not interrupted(whole, world.binned, index + dip, injection_dip=None)["flag"].any()
    assert interrupted(whole, world.binned, injection_dip=None).attrs["injection_dip"] == "not looked for"


def test_neither_a_slow_fall_nor_the_end_of_a_compression_is_an_injection():
    window = np.array(["2015-01-01"], "M8[ns]"), np.array(["2015-01-11"], "M8[ns]")
    slow = series({0: 0.0, 240: -80.0})
    assert np.isnat(first_injection(slow, *window, 40.0)).all()
    pressure = series({0: -5.0, 100: -5.0, 101: 60.0, 110: 60.0, 111: -5.0, 240: -5.0})
    assert np.isnat(first_injection(pressure, *window, 40.0)).all()
    assert first_injection(series({0: -5.0, 100: -5.0, 106: -50.0, 240: -5.0}), *window, 40.0)[0] == np.datetime64("2015-01-05T04")
    # It counts only from the window's own begin on, and what is not known tells of nothing.
    assert np.isnat(first_injection(series({0: -5.0, 6: -50.0, 240: -5.0}), window[0] + np.timedelta64(5, "h"), window[1], 40.0)).all()
    assert np.isnat(first_injection(slow * np.nan, *window, 40.0)).all()
    assert np.isnat(first_injection(slow, np.array(["NaT"], "M8[ns]"), window[1], 40.0)).all()


def test_the_first_of_several_ends_wins(world: Truth, whole: xr.Dataset):
    rows = rows_of(world, whole, LONG)
    centre = world.binned["time"].to_numpy()
    index = quiet_index()
    index[index["time"] > centre[rows[60]]] = -60.0
    binned = silenced(world.binned, rows[20:40], L=0)
    found = interrupted(whole, binned, index).isel(storm=LONG)
    assert has(found, "data_gap")[..., 0].all()
    assert not has(found, "new_injection")[..., 0].any()
    assert has(found, "new_injection")[..., 1].all()
    assert not has(found, "data_gap")[..., 1].any()


# --- the whole choice


def test_the_default_of_a_fit_is_the_choice_from_the_index(world: Truth):
    index = quiet_index()
    alone = fit_decays(world.binned, world.storms, index=index)
    given = fit_decays(world.binned, world.storms, windows=choose_windows(world.binned, world.storms, index), index=index)
    xr.testing.assert_identical(alone, given)
    assert alone.attrs["max_gap_days"] == 3.0
    assert alone.attrs["injection_dip"] == 40.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"source": "flow"}, "flux, index, table"),
        ({"source": "table"}, "need a table"),
        ({"max_gap_days": 0}, "max_gap_days"),
        ({"injection_dip": -40.0}, "injection_dip"),
        ({"source": "flux", "flux": {"rise": 0.0}}, "rise"),
        ({"source": "flux", "flux": {"r_max": 0.5}}, "r_max"),
    ],
)
def test_settings_without_sense_are_refused(world: Truth, settings: dict, words: str):
    with pytest.raises(InputError, match=words):
        choose_windows(world.binned, world.storms, quiet_index(), **settings)


def test_no_storm_has_no_window(world: Truth):
    for source in ("index", "flux"):
        assert choose_windows(world.binned, world.storms.iloc[:0], quiet_index(), source=source).sizes["storm"] == 0
