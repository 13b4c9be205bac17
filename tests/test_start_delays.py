"""Rates by start delay: nothing but the start moves, and the Dst effect shows beside the change of the index."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from synthetic_decays import START, Truth, simulate

from ringdecay.errors import InputError
from ringdecay.start_delays import delay_lifetimes, start_delays
from ringdecay.tables import csv_header, lifetime_table

DAY = np.timedelta64(1, "D")


@pytest.fixture(scope="module")
def world() -> Truth:
    return simulate(5, np.full((2, 2), 12.0), np.array([1e6, 1e6]), scatter=0.0, sigma=0.03, missing=0.1, floor_decades=30)


def index_of(truth: Truth) -> xr.DataArray:
    """An index that recovers with 1.5 days from -100 nT after every storm."""
    time = START + np.arange(0, 200 * 24) * np.timedelta64(1, "h")
    minimum = truth.storms["last_minimum"].to_numpy()
    since = (time - minimum[np.clip(np.searchsorted(minimum, time, "right") - 1, 0, None)]) / DAY
    values = np.where(since >= 0, -100 * np.exp(-since / 1.5), 0.0)
    return xr.DataArray(values, coords={"time": time}, dims="time", name="SYM-H")


@pytest.fixture(scope="module")
def fits(world: Truth) -> xr.Dataset:
    return start_delays(world.binned, world.storms, index_of(world))


def test_only_the_start_moves(world: Truth, fits: xr.Dataset):
    assert fits["start_delay_days"].to_numpy().tolist() == [0.5, 1.0, 2.0, 3.0]
    last = world.storms["last_minimum"].to_numpy()
    begin = (fits["start"].isel(probe=0).transpose("start_delay_days", "storm", ...).to_numpy() - last[:, None, None]) / DAY
    assert (begin >= np.array([0.5, 1, 2, 3])[:, None, None, None]).all()
    assert (begin < np.array([0.5, 1, 2, 3])[:, None, None, None] + 2).all()
    assert (fits["stop"] == fits["stop"].isel(start_delay_days=0)).all()
    assert (fits["n"].diff("start_delay_days") <= 0).all()
    assert (fits["floor"].isnull() == fits["floor"].isel(start_delay_days=0).isnull()).all()
    assert fits.attrs["floor_from"] == "bend of the recoveries"


def test_the_change_of_the_index_stands_beside_the_rates(fits: xr.Dataset):
    means = delay_lifetimes(fits)
    assert means["rate"].dims == ("start_delay_days", "energy", "L")
    # 100 nT exp(-delay / 1.5 d), a little less because the first bin lies a little later.
    expected = 100 * np.exp(-np.array([0.5, 1, 2, 3]) / 1.5)
    assert (means["index_change"].mean(("energy", "L")).to_numpy() < expected).all()
    assert (means["index_change"].mean(("energy", "L")).to_numpy() > 0.6 * expected).all()
    # This flux knows nothing of the field: its rate is the same at every delay.
    assert np.allclose(means["rate"], 1 / 12, rtol=0.05)


def test_flux_that_follows_the_field_shows_a_rate_that_depends_on_the_start(world: Truth):
    # ln flux rises by 1 for 100 nT, as a steep spectrum would make it.
    index = index_of(world)
    rise = 0.01 * index.interp(time=world.binned["time"]).fillna(0.0)
    adiabatic = world.binned.assign(sum_flux=world.binned["sum_flux"] * np.exp(rise), counts=world.binned["counts"] * np.exp(rise))
    adiabatic = adiabatic.transpose("probe", "time", "L", "energy")
    rate = delay_lifetimes(start_delays(adiabatic, world.storms, index))["rate"].mean(("energy", "L")).to_numpy()
    assert (np.diff(rate) > 0).all()
    assert rate[0] < 0.7 / 12
    assert rate[-1] > 0.85 / 12


def test_the_table_has_a_row_for_every_cell_and_delay(fits: xr.Dataset):
    means = delay_lifetimes(fits)
    table = lifetime_table(means)
    assert len(table) == 4 * 2 * 2
    assert list(table.columns[:4]) == ["energy", "L", "start_delay_days", "rate"]
    assert {"rate_low", "rate_high", "tau", "n_storms", "index_change", "flag_meanings"} <= set(table.columns)
    head = "\n".join(csv_header(means, table, "A title"))
    assert "start_delay_days [days]" in head
    assert "index_change [nT]" in head


def test_the_paper_mode_has_a_table_too(world: Truth):
    means = delay_lifetimes(start_delays(world.binned, world.storms, index_of(world), [1.0, 2.0], mode="paper"))
    assert means["tau"].sizes["start_delay_days"] == 2
    assert np.isfinite(means["index_change"]).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"delays": []}, "different"), ({"delays": [1, 1]}, "different"), ({"delays": [-1]}, "not negative"), ({"probe": "c"}, "merged")],
)
def test_delays_without_sense_are_refused(world: Truth, settings: dict, words: str):
    with pytest.raises(InputError, match=words):
        start_delays(world.binned, world.storms, **settings)


def test_fits_without_delays_are_refused(fits: xr.Dataset):
    with pytest.raises(InputError, match="start_delay_days"):
        delay_lifetimes(fits.isel(start_delay_days=0, drop=True))
