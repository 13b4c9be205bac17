"""Storms: against published minima and depths, and the rule on series whose storms are known."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from storm_series import series

from ringdecay.errors import InputError
from ringdecay.indices import open_index
from ringdecay.storms import COLUMNS, classify, find_storms

# Minima of 5-min SYM-H of isolated events of -90 nT and below (UT, nT), from the storm list of Collado-Villaverde et al. (their list
# of 1981-2022, storms_sym.csv, with the minima in OMNI).
PUBLISHED_SYM_H = """
2012-10-01T03:55 -138  2012-11-14T07:25 -117  2013-03-17T20:25 -131  2013-06-01T07:45 -134  2013-06-29T06:30 -110
2014-02-19T08:20 -125  2014-04-12T08:25 -91   2014-09-12T23:05 -95   2015-01-07T11:00 -134  2015-03-17T22:45 -233
2015-05-13T06:45 -95   2015-06-08T07:45 -104  2015-06-23T04:25 -207  2015-08-16T07:30 -93   2015-08-27T20:30 -100
2015-09-09T08:00 -110  2015-10-07T22:25 -124  2015-11-07T06:05 -106  2015-12-20T22:50 -169  2016-01-01T01:05 -117
2016-01-20T17:05 -95   2016-03-06T21:20 -109  2016-05-08T08:15 -103  2016-10-13T23:45 -114  2017-05-28T07:10 -141
2017-09-08T01:05 -144  2018-08-26T07:10 -205
"""

# Final Dst of WDC Kyoto at the minima (date of the minimum or of its storm, nT).
PUBLISHED_DST = """
2012-10-01 -122  2012-10-09 -109  2012-11-14 -108  2013-03-17 -132  2013-06-01 -124  2013-06-29 -102  2014-02-19 -119
2015-01-07 -107  2015-03-17 -234  2015-06-23 -198  2015-08-27 -103  2015-09-09 -105  2015-10-07 -130  2015-12-20 -166
2016-01-20 -101  2016-10-13 -110  2017-05-28 -146  2017-09-08 -148  2018-08-26 -176
"""


def hours(times: pd.Series, start: str = "2015-01-01") -> list[float]:
    return ((times - pd.Timestamp(start)) / pd.Timedelta("1h")).to_list()


def check_order(storms: pd.DataFrame) -> None:
    assert (storms["onset"] < storms["minimum"]).all()
    assert (storms["minimum"] <= storms["last_minimum"]).all()
    assert (storms["last_minimum"] < storms["recovery_end"]).all()
    assert (storms["recovery_end"].to_numpy()[:-1] <= storms["onset"].to_numpy()[1:]).all()
    assert storms["storm"].to_list() == list(range(1, len(storms) + 1))


# --- against the world ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sym_h(shared_data: Path) -> xr.DataArray:
    return open_index(sorted((shared_data / "symh_kyoto_1min").glob("SYM-*.bz2")), "SYM-H").sel(time=slice("2012", "2019"))


@pytest.fixture(scope="module")
def dst(shared_data: Path) -> xr.DataArray:
    return open_index(shared_data / "dst_kyoto" / "WDC_Kyoto.dat", "Dst").sel(time=slice("2012", "2019"))


def test_published_sym_h_minima_are_all_found(sym_h: xr.DataArray) -> None:
    storms = find_storms(sym_h, threshold=-80)
    check_order(storms)
    words = PUBLISHED_SYM_H.split()
    times, depths = np.array(words[::2], dtype="datetime64[ns]"), np.array(words[1::2], dtype=float)
    assert times.size == 27
    offset = np.abs(storms["minimum"].to_numpy()[None, :] - times[:, None])
    nearest = offset.argmin(axis=1)
    worst = offset.min(axis=1).max() / np.timedelta64(1, "m")
    assert len(set(nearest)) == 27, "two published minima in one storm"
    assert worst <= 60
    # One-minute minima lie below five-minute ones, by a few nT.
    deeper = depths - storms["depth"].to_numpy()[nearest]
    assert deeper.min() >= 0
    assert deeper.max() <= 5
    assert 45 <= len(storms) <= 70


def test_a_main_phase_in_two_steps_is_one_storm(sym_h: xr.DataArray) -> None:
    storms = find_storms(sym_h.sel(time=slice("2015-03-10", "2015-03-28")), threshold=-80)
    assert len(storms) == 1
    # The first step, -101 nT at 09:37, is a dip of the storm; its onset is that of the first step.
    assert storms["onset"][0] < pd.Timestamp("2015-03-17T09:00")
    assert storms["minimum"][0] == storms["last_minimum"][0] == pd.Timestamp("2015-03-17T22:47")


def test_a_new_storm_in_a_recovery_is_a_row_of_its_own(sym_h: xr.DataArray) -> None:
    # 2014-02-19 and -20: two of the four storms of that week, the second beginning after 19 h of recovery.
    storms = find_storms(sym_h.sel(time=slice("2014-02-18", "2014-02-26")), threshold=-80)
    assert storms["minimum"].dt.strftime("%m-%d").to_list() == ["02-19", "02-20"]
    assert storms["recovery_end"][0] == storms["onset"][1]


def test_published_final_dst_depths(dst: xr.DataArray) -> None:
    storms = find_storms(dst)
    check_order(storms)
    words = PUBLISHED_DST.split()
    dates, depths = pd.to_datetime(words[::2]), np.array(words[1::2], dtype=float)
    for date, depth in zip(dates, depths, strict=True):
        near = storms[(storms["minimum"] - date - pd.Timedelta("12h")).abs() <= pd.Timedelta("18h")]
        assert (near["depth"] - depth).abs().min() <= 1, f"{date}: {depth} against {near['depth'].to_list()}"
    assert (storms["depth"] <= -50).all()
    # The year 2015 is the stormiest of the mission, and the solar minimum of 2019 has no storm of -100 nT.
    deep = storms[storms["depth"] <= -100]["minimum"].dt.year
    assert deep.value_counts().idxmax() == 2015
    assert 2019 not in set(deep)


def test_five_minutes_and_one_minute_agree(sym_h: xr.DataArray, shared_data: Path) -> None:
    files = sorted((shared_data / "omni_hro2_5min_cdf").glob("*2013*.cdf"))
    five = find_storms(open_index(files, "SYM-H"), -80)
    one = find_storms(sym_h.sel(time=slice("2013-05", "2013-06")), -80)
    assert len(five) == len(one) == 3
    assert (np.abs(five["minimum"] - one["minimum"]) <= pd.Timedelta("1h")).all()
    assert (np.abs(five["depth"] - one["depth"]) <= 5).all()


# --- the rule ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1.0, 5 / 60, 1 / 60])
def test_a_single_storm_at_any_cadence(step: float) -> None:
    # Crosses -15 nT at hour 1.5 and 24 + 60 * 85/100 = 75.
    storms = find_storms(series({-24: 0, 0: 0, 10: -100, 24: -100, 84: 0, 120: 0}, step))
    assert len(storms) == 1
    storm = storms.iloc[0]
    assert hours(storms["onset"])[0] == pytest.approx(1.5, abs=step)
    assert hours(storms["minimum"])[0] == pytest.approx(10, abs=1e-9)  # the first of equal minima
    assert hours(storms["recovery_end"])[0] == pytest.approx(75, abs=step)
    assert (storm["depth"], storm["storm_class"], storm["n_dips"], storm["complete"]) == (-100, "intense", 1, True)
    assert storm["last_minimum"] == storm["minimum"]


def test_two_dips_of_one_storm() -> None:
    # Recovers by 40 of 100 nT only, so the second dip is no storm of its own.
    storms = find_storms(series({0: 0, 10: -100, 30: -60, 40: -95, 100: 0}))
    assert len(storms) == 1
    assert (storms["n_dips"][0], storms["depth"][0]) == (2, -100)
    assert hours(storms["minimum"]) == [10]
    assert hours(storms["last_minimum"]) == [40]


def test_the_deeper_second_dip_is_the_minimum() -> None:
    storms = find_storms(series({0: 0, 10: -100, 30: -60, 40: -120, 100: 0}))
    assert (hours(storms["minimum"]), hours(storms["last_minimum"]), storms["n_dips"].to_list()) == ([40], [40], [2])


def test_a_wiggle_is_no_dip() -> None:
    # 25 nT is prominent enough by itself, but less than 30 % of 100 nT.
    storms = find_storms(series({0: 0, 10: -100, 20: -70, 22: -95, 100: 0}))
    assert storms["n_dips"].to_list() == [1]
    assert hours(storms["last_minimum"]) == [10]
    assert find_storms(series({0: 0, 10: -100, 20: -70, 22: -95, 100: 0}), dip_fraction=0.2)["n_dips"].to_list() == [2]


def test_equal_minima_of_a_rippled_plateau_are_one_dip() -> None:
    storms = find_storms(series({0: 0, 10: -100, 11: -99, 12: -100, 13: -99, 14: -100, 60: 0}))
    assert storms["n_dips"].to_list() == [1]
    assert hours(storms["last_minimum"]) == [10]


def test_a_new_storm_in_the_recovery() -> None:
    storms = find_storms(series({0: 0, 10: -100, 40: -30, 42: -31, 44: -30, 50: -90, 100: 0}))
    assert len(storms) == 2
    assert hours(storms["minimum"]) == [10, 50]
    assert storms["depth"].to_list() == [-100, -90]
    # The last moment of the high point is the end of the one and the onset of the other.
    assert hours(storms["recovery_end"])[0] == hours(storms["onset"])[1] == 44
    assert storms["n_dips"].to_list() == [1, 1]


def test_each_number_of_the_new_storm_rule_matters() -> None:
    index = series({0: 0, 10: -100, 40: -30, 50: -90, 100: 0})
    assert len(find_storms(index)) == 2
    assert len(find_storms(index, recovery_fraction=0.71)) == 1
    assert len(find_storms(index, recovery_fraction=0.69)) == 2
    assert len(find_storms(index, renewed_fall=61)) == 1
    assert len(find_storms(index, -65)) == 1
    assert len(find_storms(index, min_recovery_hours=31)) == 1
    assert len(find_storms(index, min_recovery_hours=30)) == 2


def test_recovery_is_counted_from_the_deepest_point_so_far() -> None:
    # The high point comes 40 h after the first minimum, but 10 h after the deeper one.
    storms = find_storms(series({0: 0, 10: -100, 30: -60, 40: -150, 50: -40, 60: -110, 150: 0}))
    assert (hours(storms["minimum"]), hours(storms["last_minimum"]), storms["n_dips"].to_list()) == ([40], [60], [2])


def test_the_minimum_of_a_new_storm_is_a_dip_even_if_the_fall_to_it_is_a_small_share_of_its_depth() -> None:
    # The second storm falls by 55 nT, less than 30 % of its depth, and has a second dip 10 h after its high point.
    storms = find_storms(series({0: 0, 10: -300, 40: -150, 50: -205, 60: -90, 65: -160, 150: 0}))
    assert hours(storms["minimum"]) == [10, 50]
    assert hours(storms["last_minimum"]) == [10, 65]
    assert storms["n_dips"].to_list() == [1, 2]


def test_a_weak_dip_before_a_storm_is_not_a_storm_but_bounds_it() -> None:
    storms = find_storms(series({0: 0, 10: -45, 40: -20, 50: -120, 100: 0}))
    assert hours(storms["minimum"]) == [50]
    assert hours(storms["onset"]) == [40]


def test_no_storm_gives_an_empty_table_of_the_right_types() -> None:
    for index in (series({0: 0, 10: -49, 20: 0}), series({0: 0, 5: -60, 9: 0})[:0], series({0: 0, 9: -60, 12: 0}) * np.nan):
        storms = find_storms(index)
        assert len(storms) == 0
        assert {name: str(kind) for name, kind in storms.dtypes.items()} == COLUMNS


def test_short_gaps_are_passed_over() -> None:
    index = series({0: 0, 10: -100, 60: 0, 80: 0})
    holed = index.copy()
    holed[[4, 5, 30, 31, 70]] = np.nan  # steps of 3 h
    pd.testing.assert_frame_equal(find_storms(holed), find_storms(index))
    pd.testing.assert_frame_equal(find_storms(holed.dropna("time")), find_storms(index))


def test_a_long_gap_closes_a_storm() -> None:
    index = series({0: 0, 10: -100, 60: 0, 80: 0})
    for holed in (index.where((index["time"] < index["time"][30]) | (index["time"] > index["time"][40])), index[:31]):
        storms = find_storms(holed)
        assert len(storms) == 1
        assert not storms["complete"][0]
        assert hours(storms["minimum"]) == [10]
        assert hours(storms["recovery_end"])[0] in (29, 30)


def test_a_storm_that_begins_in_a_gap(caplog: pytest.LogCaptureFixture) -> None:
    index = series({0: 0, 10: -100, 60: 0, 80: 0})
    storms = find_storms(index[4:])
    assert not storms["complete"][0]
    assert hours(storms["onset"]) == [4]
    with caplog.at_level(logging.WARNING):
        # The minimum itself is in the gap: what is left must not pass for it.
        assert len(find_storms(index[12:])) == 0
    assert "hides their minimum: 1, near 2015-01-01T12" in caplog.text


def test_a_new_storm_after_a_minimum_that_was_not_seen() -> None:
    storms = find_storms(series({12: -100, 40: -30, 50: -90, 100: 0}))
    assert hours(storms["minimum"]) == [50]
    assert hours(storms["onset"]) == [40]
    assert storms["complete"].to_list() == [True]


def test_data_that_end_in_a_main_phase(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert len(find_storms(series({0: 0, 10: -100}))) == 0
    assert "left out" in caplog.text
    # A second dip cut off by the end of the data: the recovery is known to the high point before it.
    storms = find_storms(series({0: 0, 10: -100, 30: -60, 35: -95}))
    assert hours(storms["recovery_end"]) == [30]
    assert (storms["n_dips"].to_list(), storms["complete"].to_list()) == ([1], [False])


def test_a_storm_that_never_recovers_is_closed_at_the_end_of_the_data() -> None:
    storms = find_storms(series({0: 0, 10: -200, 20: -120, 200: -100}))
    assert hours(storms["recovery_end"]) == [200]
    assert storms["complete"].to_list() == [False]


@pytest.mark.parametrize(
    ("depth", "name"),
    [(-20, "below small"), (-30, "small"), (-50, "moderate"), (-99.9, "moderate"), (-100, "intense"), (-250, "super-intense")],
)
def test_classes(depth: float, name: str) -> None:
    assert classify(depth) == name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threshold": -15}, "threshold"),
        ({"threshold": 50}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"threshold": -80, "quiet_level": 5}, "threshold"),
        ({"recovery_fraction": 0}, "recovery_fraction"),
        ({"dip_fraction": 1.5}, "dip_fraction"),
        ({"renewed_fall": -5}, "renewed_fall"),
        ({"dip_prominence": 0}, "dip_prominence"),
        ({"max_gap_hours": float("inf")}, "max_gap_hours"),
        ({"max_gap_hours": 0.5}, "max_gap_hours"),
        ({"min_recovery_hours": -1}, "min_recovery_hours"),
    ],
)
def test_wrong_numbers(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_storms(series({0: 0, 10: -100, 60: 0}), **arguments)


def test_wrong_index() -> None:
    index = series({0: 0, 10: -100, 60: 0})
    with pytest.raises(InputError, match="increase"):
        find_storms(index[::-1])
    with pytest.raises(InputError, match="sfu"):
        find_storms(index.assign_attrs(units="sfu"))
    with pytest.raises(InputError, match="dimensions"):
        find_storms(index.rename(time="t"))


# --- properties ----------------------------------------------------------------------------------------------------------------


@st.composite
def random_index(draw: st.DrawFn) -> xr.DataArray:
    """Make an index of storms of random depth and spacing, with ripples, whole nT as providers give it, and holes."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.integers(2, 400))
    pressure = generator.random(size) < draw(st.floats(0.005, 0.1))
    values = np.zeros(size)
    for k in range(1, size):
        values[k] = values[k - 1] * 0.93 - pressure[k] * generator.exponential(80)
    values = np.round(values + generator.normal(0, draw(st.floats(0, 12)), size))
    values[generator.random(size) < draw(st.sampled_from([0, 0.02, 0.5]))] = np.nan
    time = np.datetime64("2013-01-01", "ns") + np.arange(size).astype("timedelta64[h]")
    return xr.DataArray(values, coords={"time": time}, dims="time", name="Dst", attrs={"units": "nT"})


@settings(max_examples=150, deadline=None, derandomize=True)
@given(random_index(), st.sampled_from([-20.0, -30.0, -50.0, -100.0]))
def test_rows_are_ordered_disjoint_and_true_to_the_index(index: xr.DataArray, threshold: float) -> None:
    storms = find_storms(index, threshold)
    check_order(storms)
    for storm in storms.itertuples():
        within = index.sel(time=slice(storm.onset, storm.recovery_end))
        assert within.min().item() == storm.depth == index.sel(time=storm.minimum).item() <= threshold
        assert (within[1:-1].dropna("time") < -15).all()
        assert storm.n_dips >= 1
        if storm.n_dips == 1:
            assert storm.last_minimum == storm.minimum


@settings(max_examples=60, deadline=None, derandomize=True)
@given(random_index(), st.integers(-(10**6), 10**6))
def test_a_shift_of_time_shifts_the_storms(index: xr.DataArray, minutes: int) -> None:
    shift = pd.Timedelta(minutes=minutes)
    storms, shifted = find_storms(index), find_storms(index.assign_coords(time=index["time"] + shift.to_timedelta64()))
    for name in ("onset", "minimum", "last_minimum", "recovery_end"):
        storms[name] += shift
    pd.testing.assert_frame_equal(storms, shifted, check_dtype=False)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(random_index(), st.floats(0.25, 4.0))
def test_a_scaled_index_with_scaled_numbers_has_the_same_storms(index: xr.DataArray, power: float) -> None:
    scale = 2.0 ** round(power)  # powers of two keep every comparison exact
    storms = find_storms(index)
    scaled = find_storms((index * scale).assign_attrs(units="nT"), -50 * scale, quiet_level=-15 * scale, dip_prominence=20 * scale)
    pd.testing.assert_frame_equal(storms.drop(columns=["depth", "storm_class"]), scaled.drop(columns=["depth", "storm_class"]))
    np.testing.assert_array_equal(storms["depth"] * scale, scaled["depth"])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(random_index(), random_index())
def test_storms_apart_do_not_know_of_each_other(first: xr.DataArray, second: xr.DataArray) -> None:
    later = second.assign_coords(time=second["time"] + np.timedelta64(1000, "h"))
    together = find_storms(xr.concat([first, later], "time"))
    apart = pd.concat([find_storms(first), find_storms(later)], ignore_index=True)
    pd.testing.assert_frame_equal(together.drop(columns="storm"), apart.drop(columns="storm"), check_dtype=False)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(random_index())
def test_each_disturbance_to_the_threshold_is_a_storm_unless_a_gap_cuts_it(index: xr.DataArray) -> None:
    filled = index.interpolate_na("time").fillna(0.0)
    filled[[0, -1]] = 0.0
    storms = find_storms(filled)
    deep = filled["time"].to_numpy()[filled.to_numpy() <= -50]
    for time in deep:
        assert ((storms["onset"] <= time) & (time <= storms["recovery_end"])).any()
    assert storms["complete"].all()


# --- tables --------------------------------------------------------------------------------------------------------------------
