"""Windows of the real storms of 2012 to 2019, and real electrons: the page is what the code gives, and an eye on the data agrees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from electron_rates import BIN_HOURS, binned_rates
from scipy.io import loadmat
from storm_windows_page import PAGE, electron_fits, page_of, sym_h, windows_of

from ringdecay.storms import find_storms


@pytest.fixture(scope="module")
def index(shared_data: Path) -> xr.DataArray:
    return sym_h(shared_data)


@pytest.fixture(scope="module")
def windows(index: xr.DataArray) -> pd.DataFrame:
    return windows_of(index, find_storms(index, -80.0))


def test_the_page_is_what_the_real_files_give(shared_data: Path, index: xr.DataArray):
    # After a change of the fits: python tests/storm_windows_page.py FOLDER
    assert PAGE.read_text(encoding="utf-8") == page_of(shared_data, index)


def test_no_window_holds_a_storm_or_a_fall_of_the_index(index: xr.DataArray, windows: pd.DataFrame):
    # Another way to the same: hourly means by pandas, and the highest of a day by its rolling window.
    hourly = index.to_series().resample("1h").mean().clip(upper=0)
    for _, one in windows.iterrows():
        inside = hourly[(hourly.index >= one["start"]) & (hourly.index + pd.Timedelta("1h") <= one["stop"])]
        fall = inside.rolling(25, min_periods=1).max() - inside
        assert not (fall >= 40).any(), one["storm"]
        assert not ((windows["onset"] > one["start"]) & (windows["onset"] < one["stop"])).any()
    # ... and where a fall is said to have ended a window, there is one in the day after.
    for _, one in windows[windows["ended_by"] == "fall of the index"].iterrows():
        after = hourly[one["stop"] : one["stop"] + pd.Timedelta("24h")]
        assert after.iloc[0] - after.min() >= 40, one["storm"]


def test_the_storm_of_june_2015_recovers_until_that_of_july(windows: pd.DataFrame):
    june = windows[windows["minimum"].dt.strftime("%Y-%m-%d") == "2015-06-23"].iloc[0]
    assert june["ended_by"] == "next storm"
    assert june["stop"].strftime("%Y-%m") == "2015-07"


def test_electrons_are_binned_without_loss(shared_data: Path):
    binned = binned_rates(shared_data / "rbsp_mat_electron")
    data = loadmat(shared_data / "rbsp_mat_electron" / "RBSP.mat")
    L, rate = data["Lstar"][:, 0], data["CountRate"]
    inside = (L >= 2.0) & (L < 5.5)
    for e in (0, 9):
        use = inside & np.isfinite(rate[:, e])
        assert binned["n_samples"].isel(energy=e).sum().item() == use.sum()
        assert binned["sum_flux"].isel(energy=e).sum().item() == pytest.approx(rate[use, e].sum())
    assert (np.abs(binned["sum_time"]) <= binned["n_samples"] * BIN_HOURS * 1800).all()


def test_rates_of_electrons_are_those_of_a_line_through_the_passes(shared_data: Path, index: xr.DataArray):
    # The median of the raw rates of each pass, and an ordinary line by numpy: no code of the package.
    fits = electron_fits(shared_data, index)
    data = loadmat(shared_data / "rbsp_mat_electron" / "RBSP.mat")
    t, L, rate = data["T"][:, 0] - 735_309, data["Lstar"][:, 0], data["CountRate"]
    for e, low in ((5, 4.5), (6, 4.0), (7, 5.0)):
        use = (np.floor(L * 2) == low * 2) & np.isfinite(rate[:, e]) & (t > 2 + 20.5 / 24)
        number = np.cumsum(np.diff(t[use], prepend=0) > 0.03)
        day = pd.Series(t[use]).groupby(number).mean()
        passes = pd.Series(np.log(rate[use, e])).groupby(number).median()
        line = -np.polyfit(day, passes, 1)[0]
        cell = fits.isel(energy=e).sel(L=low + 0.25)
        assert cell["rate_low"].item() < line < cell["rate_high"].item()
        assert cell["rate"].item() == pytest.approx(line, rel=0.25)
        assert cell["rate_low"].item() > 0
