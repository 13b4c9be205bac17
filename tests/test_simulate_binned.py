"""Binned series without files: layout, noise and rates."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from ringdecay import simulate
from ringdecay.binned import SUMS, Grid, bin_flux, file_table, merge_binned
from ringdecay.errors import InputError
from ringdecay.simulate.truth import L_CENTRES
from ringdecay.store import content_hash, open_dataset, write_dataset


def test_layout_survives_a_file(tmp_path) -> None:
    binned = simulate.binned_series(7)
    for name in SUMS:
        assert binned[name].dims == ("probe", "time", "L", "energy")
        assert binned[name].dtype == np.float64
        assert np.isfinite(binned[name]).all()
    assert binned.sizes["L"] == 40
    assert binned["probe"].values.tolist() == ["a", "b"]
    assert binned.attrs["simulated"] == "yes"
    np.testing.assert_allclose(binned["L_bounds"][0], [2.0, 2.1])
    write_dataset(binned, tmp_path / "binned.nc")
    assert content_hash(open_dataset(tmp_path / "binned.nc")) == content_hash(binned)


def test_layout_is_that_of_binned_files(tmp_path) -> None:
    truth = simulate.make_truth(7, days=20)
    simulate.archive(tmp_path, truth=truth, days=2, probes=("a",))
    binned = bin_flux(sorted(tmp_path.rglob("rbsp-a-rbspice*.cdf")), product="rbspice-pap-tofxeh")
    # Drawn series have neither pitch angles nor records.
    binned = binned.drop_dims(["equatorial_pitch_angle", "MLT", "MLAT"]).drop_vars("n_records")
    drawn = simulate.binned_series(truth, probes=("a",))
    assert set(drawn.variables) == set(binned.variables)
    for name, variable in binned.variables.items():
        assert drawn[name].dims == variable.dims, name
        assert drawn[name].attrs == variable.attrs, name
        assert drawn[name].dtype.kind == variable.dtype.kind, name
    # Drawn series come of no file that could say it.
    assert drawn.attrs | {"L_method": "L of the file"} == binned.attrs
    # The world begins with the first file, and the bins of both are the same ones.
    xr.testing.assert_equal(drawn["time_bounds"].isel(time=slice(0, binned.sizes["time"])), binned["time_bounds"])
    xr.testing.assert_equal(drawn["L_bounds"], binned["L_bounds"])
    assert len(file_table(drawn)) == 0


def test_parts_merge_to_the_whole() -> None:
    whole = simulate.binned_series(7)
    probes = [simulate.binned_series(7, probes=(probe,)) for probe in ("b", "a")]
    xr.testing.assert_identical(merge_binned(probes), whole)
    xr.testing.assert_identical(merge_binned([whole]), whole)


def test_a_seed_gives_the_same_series() -> None:
    first = simulate.binned_series(8)
    again = simulate.binned_series(8)
    assert content_hash(first) == content_hash(again)
    assert content_hash(first) != content_hash(simulate.binned_series(9))


def test_rates_come_back_without_noise() -> None:
    # Isotropic flux, so that no drift of the magnetic latitude is left; what remains is the spread of L within a bin.
    truth = simulate.make_truth(5, fluctuation_std=0.0, pitch_angle_power=0.0, floor=False)
    binned = simulate.binned_series(truth, Grid(L_min=3.8, L_max=5.2), counting_noise=False)
    filled = binned["n_samples"].isel(energy=0).values > 0
    n = np.where(filled, binned["n_samples"].isel(energy=0).values, np.nan)
    centre = (binned["time"].values - truth.start) / np.timedelta64(1, "D")
    days = centre[:, None] + binned["sum_time"].isel(energy=0).values / n / 86400.0
    log_flux = np.log(binned["sum_flux"].values / n[..., None])
    ends = np.append(truth.onset[1:], truth.days)
    for storm, (begin, end) in enumerate(zip(truth.last_minimum, ends, strict=True)):
        for i, L in enumerate(binned["L"].values):
            for probe in (0, 1):
                x = days[probe, :, i]
                # Two passes at the ends of an orbit: keep bins that lie wholly in the recovery.
                used = (centre > begin + 0.2) & (centre < end - 0.2) & np.isfinite(x)
                slope = np.polyfit(x[used], log_flux[probe, used, i], 1)[0]
                rate = truth.storm_rate[storm, :, np.argmin(np.abs(L_CENTRES - L))]
                # A pass samples a bin three times, so its mean L wanders by some hundredths.
                np.testing.assert_allclose(-slope, rate, rtol=0.01, atol=3e-3)


def test_counts_are_poisson_and_the_sums_belong_together() -> None:
    quiet = simulate.make_truth(5)
    noisy, mean = simulate.binned_series(quiet), simulate.binned_series(quiet, counting_noise=False)
    filled = mean["n_samples"].values > 0
    expected, drawn = mean["counts"].values[filled], noisy["counts"].values[filled]
    pull = ((drawn - expected) / np.sqrt(expected))[expected > 20]
    assert pull.std() == pytest.approx(1.0, abs=0.01)
    assert abs(pull.mean()) < 0.01
    mean_flux = noisy["sum_flux"].values[filled] / noisy["n_samples"].values[filled]
    np.testing.assert_allclose(mean_flux, drawn / noisy["exposure"].values[filled])
    assert (noisy["n_zero"].values <= noisy["n_samples"].values).all()
    # Jensen: the mean of the log is below the log of the mean; by little, but for bins that hold an onset between their passes.
    many = filled & (noisy["counts"].values > 1000)
    n = noisy["n_samples"].values[many]
    difference = np.log(noisy["sum_flux"].values[many] / n) - noisy["sum_log_flux"].values[many] / n
    assert (difference >= 0).all()
    assert np.quantile(difference, 0.95) < 0.02


def test_both_probes_see_the_same_fluctuation() -> None:
    truth = simulate.make_truth(11, pitch_angle_power=0.0, floor=False)
    still = simulate.make_truth(11, pitch_angle_power=0.0, floor=False, fluctuation_std=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log(simulate.binned_series(truth, counting_noise=False)["sum_flux"]) - np.log(
            simulate.binned_series(still, counting_noise=False)["sum_flux"]
        )
    a, b = ratio.sel(probe="a", L=4.05, energy=99.4), ratio.sel(probe="b", L=4.05, energy=99.4)
    both = np.isfinite(a.values) & np.isfinite(b.values)
    # Half an orbit (4.5 h) between them leaves a correlation of about exp(-4.5 / 12) or more.
    assert np.corrcoef(a.values[both], b.values[both])[0, 1] > 0.6
    assert np.nanstd(a) == pytest.approx(0.15, rel=0.25)


def test_latitude_rule_makes_gaps_and_settings_are_checked() -> None:
    near = simulate.binned_series(1, Grid(max_MLAT=5.0))["n_samples"].isel(energy=0) > 0
    wide = simulate.binned_series(1, Grid(max_MLAT=90.0))["n_samples"].isel(energy=0) > 0
    assert float(near.mean()) < 0.7
    # With no rule, only bins beyond the highest L of an orbit are empty.
    assert float(wide.sel(L=slice(2.0, 5.7)).isel(time=slice(1, -1)).mean()) == 1.0
    with pytest.raises(InputError, match="probes"):
        simulate.binned_series(1, probes=("c",))
