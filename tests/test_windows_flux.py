"""Windows that the flux chooses: found where the flux falls, ended where it rises, and known to select."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from synthetic_decays import START, Truth, simulate, storm_table

from ringdecay.decays import FLAGS, choose_windows, fit_decays, flux_windows
from ringdecay.errors import InputError

DAY = np.timedelta64(1, "D")
# Bins of eight hours, so that three make a day.
BIN_HOURS = 8.0


def has(windows: xr.Dataset, name: str) -> np.ndarray:
    return (windows["flag"].to_numpy() & FLAGS[name]) > 0


def days(windows: xr.Dataset) -> np.ndarray:
    """Lengths of the windows."""
    return ((windows["stop"] - windows["start"]) / DAY).to_numpy()


def binned_of(log_flux: np.ndarray, probe: str = "merged") -> xr.Dataset:
    """Bins whose log flux is given, shape (time, energy, L), with very many counts."""
    n_t, n_e, n_l = log_flux.shape
    flux = np.exp(log_flux)
    n = np.where(np.isfinite(flux), 4.0, 0.0)
    flux = np.where(n > 0, flux, 0.0)
    sums = {
        "n_samples": n,
        "n_zero": 0 * n,
        "sum_flux": n * flux,
        "sum_log_flux": n * np.where(n > 0, log_flux, 0.0),
        "counts": 1e12 * n * flux,
        "exposure": 1e12 * n,
        "sum_time": 0 * n,
    }
    centre = START + ((np.arange(n_t) + 0.5) * BIN_HOURS * 3.6e12).round().astype("timedelta64[ns]")
    coords = {"probe": [probe], "time": centre, "energy": np.geomspace(50, 500, n_e), "L": np.linspace(3, 5, n_l)}
    dims = ("probe", "time", "energy", "L")
    return xr.Dataset({k: (dims, v[None]) for k, v in sums.items()}, coords=coords, attrs={"time_bin_hours": BIN_HOURS})


def recovery(*parts: tuple[float, float], before: float = -4.0, days_before: float = 4.0) -> np.ndarray:
    """Log flux of one cell: low before the storm's minimum, then straight lines of (days, slope)."""
    t = (np.arange(120) + 0.5) * BIN_HOURS / 24 - days_before
    edge = np.cumsum([0.0, *(length for length, _ in parts)])
    level = np.cumsum([0.0, *(length * slope for length, slope in parts)])
    return np.where(t < 0, before, np.interp(t, edge, level))[:, None, None]


# The storm's minimum is four days from the begin of the data, at midnight.
STORMS = storm_table((60.0,), first=3.5)


def test_a_plain_decay_is_found_from_the_first_whole_day_to_the_longest_window():
    found = flux_windows(binned_of(recovery((40, -0.1))), STORMS)
    assert (found["start"].values == START + 4 * DAY).all()
    assert days(found).item() == pytest.approx(30.0)
    assert not found["flag"].any()
    assert days(flux_windows(binned_of(recovery((40, -0.1))), STORMS, max_days=12.0)).item() == pytest.approx(12.0)


def test_the_window_begins_on_the_highest_day_within_the_search():
    late = binned_of(recovery((2, 1.0), (30, -0.2)))
    assert ((flux_windows(late, STORMS)["start"].values - START) / DAY).item() in (5.0, 6.0)
    # A maximum after the search is not sought: the window begins where the search ends, the flux rises, and no decay is left.
    later = flux_windows(binned_of(recovery((8, 0.3), (22, -0.2))), STORMS)
    assert np.isnat(later["start"].values).all()
    assert has(later, "not_accepted").all()
    assert not np.isnat(flux_windows(binned_of(recovery((8, 0.3), (22, -0.2))), STORMS, search_days=9.0)["start"].values).any()


def test_a_rise_ends_the_window_on_the_lowest_day():
    found = flux_windows(binned_of(recovery((10, -0.2), (2, 0.4), (20, -0.2))), STORMS)
    assert days(found).item() == pytest.approx(10.0)
    assert has(found, "new_injection").all()
    # A smaller rise is passed over.
    assert not has(flux_windows(binned_of(recovery((10, -0.2), (2, 0.2), (20, -0.2))), STORMS), "new_injection").any()
    assert not has(flux_windows(binned_of(recovery((10, -0.2), (2, 0.4), (20, -0.2))), STORMS, rise=1.0), "new_injection").any()


def test_a_gap_and_the_floor_end_the_window():
    flux = recovery((40, -0.2))
    flux[3 * 14 : 3 * 18] = np.nan
    found = flux_windows(binned_of(flux), STORMS)
    assert days(found).item() == pytest.approx(10.0)
    assert has(found, "data_gap").all()
    assert not has(flux_windows(binned_of(flux), STORMS, max_gap_days=5.0), "data_gap").any()
    binned = binned_of(recovery((40, -0.2)))
    floor = xr.DataArray([np.exp(-3.0) / 5], dims="energy", coords={"energy": binned["energy"]})
    found = flux_windows(binned, STORMS, floor=floor)
    assert days(found).item() == pytest.approx(15.0, abs=1.01)
    assert has(found, "floor_reached").all()


def test_the_next_onset_ends_the_window():
    storms = storm_table((12.0, 30.0), first=3.5)
    found = flux_windows(binned_of(recovery((40, -0.2))), storms)
    assert found["stop"].to_numpy()[0].item() <= storms["onset"].to_numpy()[1].astype("M8[ns]").item()
    assert days(found)[0].item() == pytest.approx(11.0)


@pytest.mark.parametrize(
    ("parts", "setting"),
    [
        (((4, -0.3), (4, 1.0), (20, 0.0)), {"min_days": 3.0, "min_points": 3}),  # too short
        (((30, -0.01),), {"min_fall": 0.2}),  # hardly falls
        (((2, -0.4), (12, 0.03), (2, -0.4), (9, 0.03)), {"r_max": -0.3}),  # falls, but not steadily
    ],
)
def test_what_is_too_short_too_flat_or_too_crooked_is_refused_by_a_named_setting(parts, setting):
    refused = flux_windows(binned_of(recovery(*parts)), STORMS)
    assert has(refused, "not_accepted").all()
    assert np.isnat(refused["start"].values).all()
    assert np.isnat(refused["stop"].values).all()
    assert not np.isnat(flux_windows(binned_of(recovery(*parts)), STORMS, **setting)["start"].values).any()


def test_cells_are_judged_each_by_itself():
    cells = [recovery((40, -0.2)), recovery((40, -0.001)), recovery((10, -0.2), (2, 0.5), (20, -0.2)), np.full((120, 1, 1), np.nan)]
    together = flux_windows(binned_of(np.concatenate(cells, axis=2)), STORMS, floor=None)
    for k, cell in enumerate(cells):
        alone = flux_windows(binned_of(cell), STORMS, floor=None)
        for name in ("start", "stop", "flag"):
            np.testing.assert_array_equal(together[name].isel(L=[k]).to_numpy(), alone[name].to_numpy())
    assert together["flag"].to_numpy().ravel().tolist() == [0, FLAGS["not_accepted"], FLAGS["new_injection"], 0]


def test_the_daily_flux_is_the_mean_over_all_samples_of_the_day():
    flux = recovery((40, -0.2))
    # A spike of one bin of three, ten times as high, is ln 4 in the daily mean: enough to end the window.
    flux[3 * 14 + 1] += np.log(10.0)
    assert has(flux_windows(binned_of(flux), STORMS), "new_injection").all()
    flux[3 * 14 + 1] -= np.log(5.0)
    assert not has(flux_windows(binned_of(flux), STORMS), "new_injection").any()


def test_windows_from_the_flux_go_through_the_whole_choice():
    binned = binned_of(recovery((10, -0.2), (2, 0.5), (20, -0.2)))
    windows = choose_windows(binned, STORMS, source="flux", flux={"min_days": 4.0})
    fit = fit_decays(binned, STORMS, windows=windows, floor=None)
    assert fit["rate"].values.item() == pytest.approx(0.2, rel=1e-3)
    assert has(fit, "new_injection").all()
    assert fit.attrs["window"] == "flux"
    assert fit.attrs["min_days"] == 4.0


@pytest.fixture(scope="module")
def slow() -> Truth:
    """Decays of 60 days with daily fluctuations of 0.2, in three hundred cells that know nothing of each other."""
    truth = simulate(8, np.full((1, 1), 60.0), np.array([1e6]), scatter=0.0, sigma=0.0, floor_decades=30, missing=0.0)
    rng = np.random.default_rng(9)
    wide = xr.concat([truth.binned] * 300, "L").assign_coords(L=np.linspace(3, 6, 300)).transpose("probe", "time", "L", "energy")
    noise = np.exp(0.2 * rng.normal(size=(1, wide.sizes["time"], 300, 1)))
    return Truth(wide.assign(sum_flux=wide["sum_flux"] * noise, counts=wide["counts"] * noise), truth.storms, *([np.zeros(0)] * 3))


def test_windows_that_the_flux_chooses_are_steep_and_those_from_the_index_are_not(slow: Truth):
    # The warning in the docstring, in numbers: of slow decays the flux keeps those that seem fast.
    rates = {}
    for source in ("index", "flux"):
        windows = choose_windows(slow.binned, slow.storms, source=source, flux={"floor": None} if source == "flux" else None)
        rates[source] = fit_decays(slow.binned, slow.storms, windows=windows, floor=None)["rate"].to_numpy()
    assert np.isfinite(rates["index"]).all()
    assert np.nanmean(rates["index"]) == pytest.approx(1 / 60, rel=0.1)
    assert 0.02 < np.isfinite(rates["flux"]).mean() < 0.7
    assert np.nanmean(rates["flux"]) > 1.5 / 60


def test_a_floor_that_is_no_word_is_refused(slow: Truth):
    with pytest.raises(InputError, match="auto"):
        flux_windows(slow.binned, slow.storms, floor="automatic")
    with pytest.raises(InputError, match="exposure"):
        flux_windows(slow.binned.drop_vars("exposure"), slow.storms, floor=None)
