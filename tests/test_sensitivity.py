"""Other choices, and pitch angles: a few cells fitted again, on data whose decay times are known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from synthetic_decays import Truth, simulate

import ringdecay as rd
from ringdecay.binned import SUMS
from ringdecay.decays import FLAGS, channel_floor
from ringdecay.errors import InputError
from ringdecay.pitch_angles import pitch_angle_lifetimes
from ringdecay.sensitivity import OWN, chosen_cells, sensitivity
from ringdecay.start_delays import start_delays
from ringdecay.tables import csv_header, lifetime_table

CELLS = {"energies": [45.0, 600.0], "L": [3.1, 5.0]}
FIT = {"floor": None, "min_points": 5}


@pytest.fixture(scope="module")
def world() -> Truth:
    return simulate(3, np.full((2, 10), 10.0), np.array([1e6, 1e6]), scatter=0.0, sigma=0.05, missing=0.1, floor_decades=30)


@pytest.fixture(scope="module")
def fits(world: Truth) -> xr.Dataset:
    return rd.fit_decays(world.binned, world.storms, compare=["gls", "ols", "theil_sen"], two_stages=False, floor=None)


def test_cells_are_the_nearest_and_so_many_beside():
    data = xr.Dataset(coords={"L": np.round(np.arange(2.05, 6, 0.1), 2), "energy": [50.0, 100.0, 200.0]})
    found = chosen_cells(data, [90.0, 110.0, 300.0], [2.0, 4.0], beside=2)
    assert found["energy"].to_numpy().tolist() == [100.0, 200.0]
    assert found["L"].to_numpy().tolist() == [2.05, 2.15, 2.25, 3.85, 3.95, 4.05, 4.15, 4.25]


def test_choices_that_do_not_matter_change_little(world: Truth, fits: xr.Dataset):
    delays = start_delays(world.binned, world.storms, None, [0.5, 2.0], floor=None)
    found = sensitivity(world.binned, world.storms, fits, delays, **CELLS, **FIT)
    assert found["choice"].to_numpy().tolist() == [
        OWN, "start 0.5 d after the minimum", "start 2 d after the minimum", "time bins of 17.9 h", "L bins of nan", "L bins of nan",
        "ols", "theil_sen",
    ]  # fmt: skip
    assert found["kind"].to_numpy().tolist() == ["own"] + 2 * ["window"] + 3 * ["binning"] + 2 * ["estimator"]
    own = rd.lifetimes(chosen_cells(fits, **CELLS))
    np.testing.assert_array_equal(found["tau"].isel(choice=0), own["tau"])
    np.testing.assert_allclose(found["tau"], 10.0, rtol=0.06)
    assert (found["n_storms"] == 10).all()
    # The estimators' own rates, of the same fits.
    theil = fits["rate_by_estimator"].sel(estimator="theil_sen", probe="merged").mean("storm")
    np.testing.assert_allclose(found["rate"].isel(choice=-1), chosen_cells(theil.to_dataset(), **CELLS)["rate_by_estimator"], rtol=0.02)
    table = lifetime_table(found)
    assert len(table) == 8 * 4
    assert list(table.columns[:4]) == ["energy", "L", "choice", "kind"]
    assert any("choice" in line for line in csv_header(found, table, "A title"))


def test_a_choice_that_matters_shows(world: Truth):
    # Flux that falls twice as fast in its first two days: earlier starts give shorter decay times.
    last = world.storms["last_minimum"].to_numpy()
    time = world.binned["time"].to_numpy()
    since = (time - last[np.clip(np.searchsorted(last, time) - 1, 0, None)]) / np.timedelta64(1, "D")
    fast = xr.DataArray(np.exp(-0.4 * np.minimum(np.where(since > 0, since, 0), 3.0)), dims="time")
    bent = world.binned.assign({name: (world.binned[name] * fast).transpose(*world.binned[name].dims) for name in ("sum_flux", "counts")})
    delays = start_delays(bent, world.storms, None, [0.5, 3.0], floor=None)
    found = sensitivity(bent, world.storms, rd.fit_decays(bent, world.storms, two_stages=False, floor=None), delays, **CELLS, **FIT)
    early, late = (found["tau"].sel(choice=f"start {delay:g} d after the minimum") for delay in (0.5, 3.0))
    assert (early < 0.8 * late).all()
    assert "estimator" not in found["kind"].to_numpy()


@pytest.mark.parametrize("mode", ["calibrated", "paper"])
def test_both_modes_and_no_storm_have_a_result(world: Truth, mode: str):
    few = world.storms.iloc[:2]
    fits = rd.fit_decays(world.binned, few, mode, two_stages=False, compare=["ols", "theil_sen"], floor=None)
    found = sensitivity(world.binned, few, fits, **CELLS, mode=mode, **FIT)
    assert np.isfinite(found["tau"]).all()
    assert ("tau_sd" in found) == (mode == "paper")
    none = sensitivity(world.binned, few.iloc[:0], fits.isel(storm=[]), **CELLS, mode=mode, **FIT)
    assert (none["n_storms"] == 0).all()
    assert set(none["kind"].to_numpy()) == {"own", "estimator"}


def test_a_probe_that_is_not_there_is_named(world: Truth, fits: xr.Dataset):
    with pytest.raises(InputError, match="'b'"):
        sensitivity(world.binned, world.storms, fits.assign_coords(probe=["b"]), probe="b", **CELLS, **FIT)


def test_the_floor_of_a_channel_is_that_of_its_fits(fits: xr.Dataset):
    given = fits.copy(deep=True)
    given["floor"][:, :, 0] = 7.0
    given["floor"][2, :, 1] = 5.0
    given["flag"][2, :, 1] |= FLAGS["floor_fitted"]
    assert channel_floor(given).to_numpy()[0] == 7.0
    # One fit's own floor is not the channel's.
    assert np.isnan(channel_floor(given).to_numpy()[1])
    assert np.isnan(channel_floor(given.isel(storm=[]))).all()


@pytest.fixture(scope="module")
def by_angle() -> tuple[xr.Dataset, Truth]:
    """Flux of pitch angles below 45 degrees decays in 5 days, above in 10; the omnidirectional sums are the latter."""
    slow, fast = (
        simulate(3, np.full((2, 2), tau), np.array([1e6, 1e6]), scatter=0.0, sigma=0.05, missing=0.1, floor_decades=30)
        for tau in (10.0, 5.0)
    )
    both = {f"{name}_by_pitch_angle": xr.concat([fast.binned[name], slow.binned[name]], dim="equatorial_pitch_angle") for name in SUMS}
    both = {name: values.transpose(..., "equatorial_pitch_angle") for name, values in both.items()}
    bounds = (("equatorial_pitch_angle", "bound"), [[0.0, 45.0], [45.0, 90.0]])
    binned = slow.binned.assign(both).assign_coords(probe=["a"], equatorial_pitch_angle=[22.5, 67.5], equatorial_pitch_angle_bounds=bounds)
    return binned.assign_attrs(max_MLAT=10.0, ion="H+"), slow


def test_every_pitch_angle_has_its_own_decay_time(by_angle):
    binned, slow = by_angle
    fits = rd.fit_decays(slow.binned, slow.storms, floor=None, two_stages=False)
    found = pitch_angle_lifetimes(binned, slow.storms, fits, **FIT)
    assert found["tau"].dims == ("equatorial_pitch_angle", "energy", "L")
    np.testing.assert_allclose(found["tau"].sel(equatorial_pitch_angle=22.5), 5.0, rtol=0.05)
    np.testing.assert_allclose(found["tau"].sel(equatorial_pitch_angle=67.5), 10.0, rtol=0.05)
    assert found["equatorial_pitch_angle_bounds"].to_numpy().tolist() == [[0, 45], [45, 90]]
    # Particles of small pitch angle go through denser gas.
    predicted = found["rate_predicted"]
    assert (predicted.sel(equatorial_pitch_angle=22.5) > predicted.sel(equatorial_pitch_angle=67.5)).all()
    assert found.attrs["simulated"] == "yes"
    table = lifetime_table(found)
    assert len(table) == 2 * 4
    assert "equatorial_pitch_angle" in table


def test_data_without_pitch_angles_or_storms_give_an_empty_result(by_angle):
    binned, slow = by_angle
    fits = rd.fit_decays(slow.binned, slow.storms, floor=None, two_stages=False)
    assert pitch_angle_lifetimes(slow.binned, slow.storms, fits, **FIT).sizes["equatorial_pitch_angle"] == 0
    none = pitch_angle_lifetimes(binned, slow.storms.iloc[:0], fits.isel(storm=[]), **FIT)
    assert none.sizes["equatorial_pitch_angle"] == 2
    assert (none["n_storms"] == 0).all()
    with pytest.raises(InputError, match="'b'"):
        pitch_angle_lifetimes(binned, slow.storms, fits, probe="b", **FIT)
