"""The decay of energy and index: known rates come back, each from its own window, and what is not there is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ring_current_flux import ENERGY, MINIMUM, at, binned, index, solar_wind, storms

from ringdecay.binned import with_merged_probe
from ringdecay.decays import FLAGS
from ringdecay.energy_content import (
    decay_header,
    decay_table,
    dst_recovery_rate,
    energy_content,
    energy_decays,
    recovery_windows,
    with_index,
)
from ringdecay.errors import InputError
from ringdecay.tables import write_csv


def decays_of(
    data: xr.Dataset, sym_h: xr.DataArray, wind: xr.Dataset | None = None, table: pd.DataFrame | None = None, **settings
) -> xr.Dataset:
    table = storms() if table is None else table
    content = energy_content(data if "merged" in data["probe"].to_numpy() else with_merged_probe(data))
    return energy_decays(content, recovery_windows(data, table, sym_h), sym_h, wind, **({"L": ()} | settings))


def total(decays: xr.Dataset, window: str = "flux_decay") -> xr.Dataset:
    return decays.sel(window=window).isel(series=0)


def of_index(decays: xr.Dataset, window: str = "index_recovery") -> xr.Dataset:
    return decays.sel(window=window).isel(series=-1)


def test_one_decay_of_all_is_that_of_the_energy_of_every_band_and_of_every_l() -> None:
    decays = decays_of(binned(tau=8.0), index(tau=1.5), L=(3.0, 4.0, 5.0))
    energies = decays.isel(series=slice(0, -1))
    np.testing.assert_allclose(energies["tau"], 8.0, rtol=1e-6)
    assert set(energies["quantity"].to_numpy()) == {"energy_content", "energy_density"}
    np.testing.assert_array_equal(np.unique(energies["L"].to_numpy()[~np.isnan(energies["L"].to_numpy())]), [3.125, 4.125, 4.875])
    # The hourly means of an exponential are one, of the same rate; 0.02 h of the bins' ends are lost.
    np.testing.assert_allclose(of_index(decays)["tau"], 1.5, rtol=1e-3)
    assert str(of_index(decays)["quantity"].item()) == "SYM-H"


def test_the_interval_holds_the_truth_with_noise() -> None:
    decays = decays_of(binned(tau=8.0, noise=0.1), index(tau=1.5))
    one = total(decays).isel(storm=slice(1, None))
    assert ((one["rate_low"] < 1 / 8) & (one["rate_high"] > 1 / 8)).all()
    assert (one["rate_high"] - one["rate_low"] > 0.005).all()


def test_bands_decay_each_as_its_flux_does() -> None:
    tau = np.where(ENERGY < 100.0, 3.0, 30.0)
    decays = decays_of(binned(tau=tau), index()).sel(window="flux_decay", storm=0)
    by_band = {str(band): float(value) for band, value in zip(decays["band"][1:5].to_numpy(), decays["tau"][1:5].to_numpy(), strict=True)}
    assert by_band["40-49 keV"] == pytest.approx(3.0, rel=1e-3)
    assert by_band["49-110 keV"] == pytest.approx(3.0, rel=1e-3)
    assert by_band["200-661 keV"] == pytest.approx(30.0, rel=1e-3)
    assert 3.0 < float(decays["tau"][0]) < 30.0


def test_windows_come_from_the_storms_alone() -> None:
    windows = recovery_windows(binned(), storms(), index())
    start, stop = ((windows[name] - at(0.0)) / np.timedelta64(1, "D") for name in ("start", "stop"))
    np.testing.assert_allclose(start.sel(window="index_recovery"), MINIMUM)
    np.testing.assert_allclose(stop.sel(window="index_recovery"), MINIMUM + 3.0)
    np.testing.assert_allclose(start.sel(window="flux_decay"), MINIMUM + 1.0)
    np.testing.assert_allclose(stop.sel(window="flux_decay")[0], 24.6)
    # A recovery of which the end is not known goes on to the next storm; a later start is a later start.
    table = storms().assign(recovery_end=[np.datetime64("NaT"), at(28.0)])
    windows = recovery_windows(binned(), table, index(), start_delay_days=2.0)
    assert windows["stop"].sel(window="index_recovery")[0] == at(24.6)
    assert windows["start"].sel(window="flux_decay")[0] == at(7.0)
    with pytest.raises(InputError, match="setting of the windows"):
        recovery_windows(binned(), storms(), index(), max_day=3.0)
    with pytest.raises(InputError, match="recovery_end"):
        recovery_windows(binned(), storms().drop(columns="recovery_end"), index())


def test_the_pressure_would_otherwise_hide_the_index_rate() -> None:
    sym_h, wind = index(tau=1.5, pressure=9.0), solar_wind(pressure=9.0, field=2.0)
    right, wrong = (of_index(decays_of(binned(), sym_h, given)) for given in (wind, None))
    np.testing.assert_allclose(right["tau"], 1.5, rtol=1e-3)
    assert str(right["quantity"].item()) == "SYM-H*"
    assert (np.abs(wrong["tau"] / 1.5 - 1) > 0.05).all()
    assert "sqrt(Pdyn)" in right.attrs["pressure_correction"]
    assert right.attrs["index"] == "SYM-H*"
    np.testing.assert_allclose(right["rate_predicted"], float(dst_recovery_rate(2.0)))
    assert wrong["rate_predicted"].isnull().all()
    # Only the index is predicted.
    assert decays_of(binned(), sym_h, wind)["rate_predicted"].isel(series=slice(0, -1)).isnull().all()


def test_the_index_is_fitted_to_the_end_of_its_recovery_in_both_windows() -> None:
    decays = decays_of(binned(), index(tau=1.5))
    assert of_index(decays)["n"].to_numpy()[1:].tolist() == [72, 72]
    assert of_index(decays, "flux_decay")["n"].to_numpy()[1:].tolist() == [48, 48]
    # 20 days of energy, 3 of index.
    assert total(decays)["n"].to_numpy()[1:].tolist() == [49, 47]


def test_a_bin_that_reaches_into_the_next_storm_is_not_fitted() -> None:
    data = with_merged_probe(binned(tau=8.0))
    bounds = data["time_bounds"].to_numpy()
    reaches = np.flatnonzero((bounds[:, 0] < at(24.6)) & (bounds[:, 1] > at(24.6)))
    assert reaches.size == 1
    # What the next storm brings in its first hours is no part of this decay.
    data["sum_flux"][:, reaches] *= 3.0
    np.testing.assert_allclose(total(decays_of(data, index()))["tau"][1], 8.0, rtol=1e-6)


def test_positive_hours_of_the_index_are_counted_not_hidden() -> None:
    sym_h = index(tau=0.4, quiet=0.0)
    sym_h = sym_h + xr.where((sym_h["time"] > at(6.5)) & (sym_h["time"] < at(6.7)), 30.0, 0.0)
    one = of_index(decays_of(binned(), sym_h.rename("SYM-H").assign_attrs(units="nT"))).isel(storm=1)
    assert int(one["n_left_out"]) in (4, 5)
    assert int(one["n"]) + int(one["n_left_out"]) == 72


def test_growing_energy_is_a_result() -> None:
    decays = total(decays_of(binned(tau=-20.0), index()))
    np.testing.assert_allclose(decays["rate"], -0.05, rtol=1e-6)
    assert decays["tau"].isnull().all()
    assert (decays["flag"] & FLAGS["growth"] > 0).all()


def test_nan_and_gaps_are_left_out() -> None:
    data = with_merged_probe(binned(tau=8.0))
    data["n_samples"][:, 20:24] = 0.0
    one = total(decays_of(data, index()))
    np.testing.assert_allclose(one["tau"], 8.0, rtol=1e-6)
    assert int(one["n"][1]) == 45
    sym_h = index()
    sym_h[130:140] = np.nan
    fit = of_index(decays_of(data, sym_h)).isel(storm=1)
    assert int(fit["n"]) == 62
    np.testing.assert_allclose(fit["tau"], 1.5, rtol=1e-3)


def test_one_probe_is_enough() -> None:
    one = decays_of(binned(tau=8.0, probes=["b"]), index())
    np.testing.assert_allclose(total(one)["tau"], 8.0, rtol=1e-6)
    with pytest.raises(InputError, match="'a'"):
        decays_of(binned(probes=["b"]), index(), probe="a")


def test_the_mean_over_storms_is_that_of_the_rates() -> None:
    decays = total(decays_of(binned(tau=8.0, noise=0.2), index()))
    rates = decays["rate"].to_numpy()
    assert min(rates[1:]) < rates[0] < max(rates[1:])
    assert int(decays["n"][0]) == 2
    assert float(decays["tau"][0]) == pytest.approx(1 / rates[0])


@pytest.mark.filterwarnings("error")
def test_no_storm_no_energy_and_no_index_are_no_rates() -> None:
    none = decays_of(binned(), index(), table=storms().iloc[:0])
    assert none.sizes["storm"] == 1
    assert none["rate"].isnull().all()
    assert len(decay_table(none)) == 0
    dark = binned()
    dark["n_samples"] = dark["n_samples"] * 0
    decays = decays_of(dark, index())
    assert total(decays)["rate"].isnull().all()
    assert np.isfinite(of_index(decays)["rate"]).all()
    silent = decays_of(binned(), index() * np.nan)
    assert of_index(silent)["rate"].isnull().all()
    assert decays_of(binned(), index().isel(time=[]))["n"].isel(series=-1).sum() == 0


def test_too_few_bins_are_no_fit_and_say_so() -> None:
    table = storms().assign(recovery_end=at(MINIMUM + 1.0))
    one = total(decays_of(binned(), index(), table=table), "index_recovery")
    assert one["n"].to_numpy()[1:].tolist() == [3, 2] or (one["n"][1:] < 4).all()
    assert one["rate"].isnull().all()
    assert (one["flag"][1:] == FLAGS["too_few_points"]).all()


def test_the_tables_can_be_read_and_say_what_they_are(tmp_path) -> None:
    content = with_index(energy_content(with_merged_probe(binned())), index(pressure=4.0), solar_wind(pressure=4.0))
    np.testing.assert_allclose(content["index_corrected"] - content["index"], 11 - 7.26 * 2)
    decays = decays_of(binned(), index(pressure=4.0), solar_wind(pressure=4.0))
    write_csv(decay_table(decays), tmp_path / "d.csv", decay_header(decays))
    text = (tmp_path / "d.csv").read_text()
    assert text.startswith("# SIMULATED")
    assert "proportional" in text
    table = pd.read_csv(tmp_path / "d.csv", comment="#")
    assert len(table) == 2 * 3 * 6
    mean = table[(table["storm"] == 0) & (table["quantity"] == "SYM-H*")]
    assert mean["minimum"].isna().all()
    np.testing.assert_allclose(mean["tau"], 1.5, rtol=1e-3)
    without = with_index(energy_content(with_merged_probe(binned())), index())
    assert without["index_corrected"].isnull().all()
    assert without["index"].notnull().sum() > 100
