"""What `fit_decays` and `fit_decay` make of arguments that a user may well give: masked, timedelta, shuffled, or without sense."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from synthetic_decays import Truth, mission

from ringdecay.decays import FLAGS, choose_windows, fit_decay, fit_decays
from ringdecay.decays.window_table import read_windows
from ringdecay.errors import FileError, InputError

DAYS = np.arange(30) * 0.374
FLUX = 1e4 * np.exp(-DAYS / 5 + 0.1 * np.random.default_rng(4).normal(size=30))


@pytest.fixture(scope="module")
def world() -> Truth:
    return mission(11, 2, 2)


def index_of(world: Truth) -> xr.DataArray:
    time = pd.date_range(world.binned["time"].to_numpy()[0], world.binned["time"].to_numpy()[-1], freq="h")
    return xr.DataArray(np.full(len(time), -5.0), coords={"time": time}, name="SYM-H")


def flagged(found: xr.Dataset, name: str) -> bool:
    return bool(int(found["flag"]) & FLAGS[name])


@pytest.mark.parametrize(
    "time",
    [
        pd.to_timedelta(DAYS, "D"),
        [str(each) for each in pd.Timestamp("2015-03-17") + pd.to_timedelta(DAYS, "D")],
        pd.Timestamp("2015-03-17T00:00Z") + pd.to_timedelta(DAYS, "D"),
    ],
)
def test_times_of_any_kind_give_the_rate_of_days(time):
    assert float(fit_decay(time, FLUX)["rate"]) == pytest.approx(float(fit_decay(DAYS, FLUX)["rate"]), rel=1e-6)


def test_what_is_masked_is_left_out():
    late = DAYS > 7
    spoilt = np.ma.masked_array(np.where(late, -1e30, FLUX), late)
    expected = float(fit_decay(DAYS[~late], FLUX[~late])["rate"])
    assert float(fit_decay(DAYS, spoilt)["rate"]) == pytest.approx(expected, rel=1e-12)
    assert float(fit_decay(np.ma.masked_array(DAYS, late), FLUX)["rate"]) == pytest.approx(expected, rel=1e-12)
    counts = np.ma.masked_array(np.full(30, 100.0), late)
    assert flagged(fit_decay(DAYS, FLUX, counts=counts), "counts_unknown")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"time": ["noon"] * 30}, "times"),
        ({"flux": ["much"] * 30}, "flux"),
        ({"floor": [1.0, 2.0]}, "floor"),
        ({"floor": -5.0}, "floor"),
        ({"floor": np.inf}, "floor"),
        ({"floor_factor": 0.0}, "floor_factor"),
        ({"min_counts": -1.0}, "min_counts"),
        ({"estimator": "poisson"}, "counts"),
    ],
)
def test_one_series_with_arguments_without_sense_is_refused(settings: dict, words: str):
    with pytest.raises(InputError, match=words):
        fit_decay(**{"time": DAYS, "flux": FLUX} | settings)


def test_points_at_one_time_have_no_rate_and_say_so():
    found = fit_decay(np.zeros(30), FLUX)
    assert np.isnan(float(found["rate"]))
    assert flagged(found, "no_estimate")


@pytest.mark.parametrize("floor", [5.0, np.array([1.0, 2.0]), xr.DataArray([1.0, -2.0], dims="energy")])
def test_a_floor_that_is_none_is_refused(world: Truth, floor):
    with pytest.raises(InputError, match="floor must"):
        fit_decays(world.binned, world.storms, floor=floor)


def test_an_index_that_is_no_series_in_order_of_time_is_refused(world: Truth):
    index = index_of(world)
    shuffled = index.isel(time=np.random.default_rng(0).permutation(index.size))
    for wrong, words in ((shuffled, "order of time"), (index.to_dataset(), "over time"), (index.to_series(), "over time")):
        with pytest.raises(InputError, match=words):
            choose_windows(world.binned, world.storms, wrong)
        with pytest.raises(InputError, match=words):
            fit_decays(world.binned, world.storms, windows=choose_windows(world.binned, world.storms), index=wrong)


def test_windows_of_other_storms_are_refused(world: Truth):
    fewer = choose_windows(world.binned, world.storms.iloc[:5])
    for wrong, words in ((fewer, "other storms"), (fewer.isel(storm=0), "over storm"), (xr.Dataset(), "over storm")):
        with pytest.raises(InputError, match=words):
            fit_decays(world.binned, world.storms, windows=wrong)


def test_storms_that_cannot_be_are_refused(world: Truth):
    early = world.storms.assign(last_minimum=world.storms["onset"] - pd.Timedelta("1D"))
    for wrong, words in ((world.storms.assign(storm=1), "same number"), (early, "before its onset"), ({"storm": 1}, "table")):
        with pytest.raises(InputError, match=words):
            choose_windows(world.binned, wrong)


@pytest.mark.parametrize("settings", [{"max_days": np.inf}, {"max_days": 1e6}, {"max_gap_days": 1e9}, {"start_delay_days": -1e6}])
def test_lengths_beyond_a_century_are_refused(world: Truth, settings: dict):
    with pytest.raises(InputError, match="no length"):
        choose_windows(world.binned, world.storms, **settings)


def test_a_misspelt_setting_of_flux_windows_is_named(world: Truth):
    with pytest.raises(InputError, match="min_fall"):
        choose_windows(world.binned, world.storms, source="flux", flux={"min_fal": 1.0})


def test_a_table_of_windows_must_be_one(world: Truth, tmp_path):
    path = tmp_path / "windows.csv"
    path.write_text("start,stop\n2015-04-21,9999-01-01\n")
    with pytest.raises(FileError, match="9999"):
        read_windows(path)
    with pytest.raises(InputError, match="lacks the column 'storm'"):
        choose_windows(world.binned, world.storms, source="table", table=pd.DataFrame({"start": ["2015-04-21"], "stop": ["2015-05-01"]}))
