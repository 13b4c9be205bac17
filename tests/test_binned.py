"""Binning: sums that add up, whatever the order, and no saw-tooth of orbit against bin."""

from __future__ import annotations

from itertools import pairwise

import dask
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from pap_file import pap_file

import ringdecay as rd
from ringdecay.binned import (
    SUMS,
    Exclusion,
    Grid,
    bin_flux,
    file_table,
    mean_flux,
    merge_binned,
    sample_time,
    select_flux,
    with_merged_probe,
)
from ringdecay.binned.records import RECORDS
from ringdecay.errors import InputError
from ringdecay.store import open_dataset, write_dataset
from ringdecay.tables import decay_table, lifetime_table

PITCH_ANGLES = np.array([7.5, *range(20, 161, 10), 172.5])
BOUNDS = np.stack([[0, *range(15, 166, 10)], [*range(15, 166, 10), 180]], axis=-1).astype(float)


def make_flux(time, L, flux, *, MLAT=0.0, MLT=12.0, energy=(100.0,), counting_error=None, probe="a"):
    """Make a Dataset like open_flux's; flux is broadcast to (time, energy, pitch angle)."""
    shape = (len(time), len(energy), PITCH_ANGLES.size)
    variables = {"flux": (("time", "energy", "pitch_angle"), np.array(np.broadcast_to(flux, shape), dtype=float))}
    if counting_error is not None:
        variables["counting_error"] = (("time", "energy", "pitch_angle"), np.array(np.broadcast_to(counting_error, shape), dtype=float))
    return xr.Dataset(
        variables,
        coords={
            "time": np.asarray(time, dtype="datetime64[ns]"),
            "energy": list(energy),
            "pitch_angle": PITCH_ANGLES,
            "pitch_angle_bounds": (("pitch_angle", "bound"), BOUNDS),
            "L": ("time", np.array(np.broadcast_to(L, len(time)), dtype=float)),
            "MLAT": ("time", np.array(np.broadcast_to(MLAT, len(time)), dtype=float)),
            "MLT": ("time", np.array(np.broadcast_to(MLT, len(time)), dtype=float)),
        },
        attrs={"product": "test", "probe": probe, "source_files": "none", "simulated": "no"},
    )


def times(n, step_minutes=10, start="2015-03-01"):
    return np.datetime64(start, "ns") + np.arange(n) * np.timedelta64(step_minutes, "m")


def random_flux(n=500, seed=1, start="2015-03-01", probe="a"):
    rng = np.random.default_rng(seed)
    flux = rng.lognormal(3, 1, size=(n, 2, PITCH_ANGLES.size))
    flux[rng.random(flux.shape) < 0.1] = np.nan
    flux[rng.random(flux.shape) < 0.1] = 0.0
    error = np.where(flux > 0, 100 / np.sqrt(np.maximum(flux, 1) * 3), np.nan)
    return make_flux(
        times(n, start=start),
        rng.uniform(1.5, 6.5, n),
        flux,
        MLAT=rng.uniform(-25, 25, n),
        MLT=np.where(rng.random(n) < 0.1, np.nan, rng.uniform(0, 24, n)),
        energy=(50.0, 100.0),
        counting_error=error,
        probe=probe,
    )


def test_sums_are_those_of_a_plain_loop():
    flux, grid = random_flux(), Grid()
    binned = rd.bin_flux(flux, grid)
    omni = rd.omnidirectional(flux).to_numpy()
    expected = {name: np.zeros((binned.sizes["time"], 40, 2)) for name in ("n_samples", "n_zero", "sum_flux", "sum_log_flux", "sum_time")}
    for i, time in enumerate(flux["time"].to_numpy()):
        L, row = float(flux["L"][i]), int(np.argmax(binned["time_bounds"].to_numpy()[:, 1] > time))
        if not 2 <= L < 6 or abs(float(flux["MLAT"][i])) > 10:
            continue
        for k in range(2):
            if np.isfinite(omni[i, k]):
                at = (row, int((L - 2) / 0.1 + 1e-9), k)
                expected["n_samples"][at] += 1
                expected["n_zero"][at] += omni[i, k] == 0
                expected["sum_flux"][at] += omni[i, k]
                expected["sum_log_flux"][at] += np.log(omni[i, k]) if omni[i, k] > 0 else 0
                expected["sum_time"][at] += (time - binned["time"].to_numpy()[row]) / np.timedelta64(1, "s")
    assert expected["n_samples"].sum() > 100
    for name, values in expected.items():
        np.testing.assert_allclose(binned[name].to_numpy()[0], values, rtol=1e-9, atol=1e-6, err_msg=name)


def test_records_are_those_of_a_plain_loop():
    flux = random_flux(seed=3)
    flux["flux"][:40] = np.nan  # records without flux count nowhere
    binned = rd.bin_flux(flux)
    expected = {name: np.zeros(binned[name].shape[1:]) for name in RECORDS}
    for i, time in enumerate(flux["time"].to_numpy()):
        L, MLT, MLAT = (float(flux[name][i]) for name in ("L", "MLT", "MLAT"))
        if i < 40 or not 2 <= L < 6:
            continue
        cell = int(np.argmax(binned["time_bounds"].to_numpy()[:, 1] > time)), int((L - 2) / 0.1 + 1e-9)
        expected["n_records"][cell] += 1
        if not np.isnan(MLT):
            expected["n_records_by_MLT"][(*cell, int(MLT // 3))] += 1
        expected["n_records_by_MLAT"][(*cell, 0 if MLAT < -20 else 9 if MLAT >= 20 else 1 + int((MLAT + 20) // 5))] += 1
    for name, values in expected.items():
        assert values.sum() > 200, name
        np.testing.assert_array_equal(binned[name].to_numpy()[0], values, err_msg=name)
    assert binned["n_records"].sum() == binned["n_records_by_MLAT"].sum() == binned["file_records_used"].item()
    assert binned["MLAT"].to_numpy().tolist() == [*np.arange(-22.5, 23, 5)]
    assert binned["MLT_bounds"].to_numpy()[[0, -1]].tolist() == [[0, 3], [21, 24]]


def test_midnight_is_in_one_sector_and_a_file_without_local_time_in_none():
    edges = [0.0, 24.0, 23.999, 2.999, 3.0]
    sectors = rd.bin_flux(make_flux(times(5), 4.05, 1.0, MLT=edges))["n_records_by_MLT"].sum(("probe", "time", "L"))
    assert sectors.to_numpy().tolist() == [3, 1, 0, 0, 0, 0, 0, 1]
    without = rd.bin_flux(make_flux(times(5), 4.05, 1.0).drop_vars("MLT"))
    assert without["n_records_by_MLT"].sum() == 0
    assert without["n_records"].sum() == 5


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 299), max_size=6), seed=st.integers(0, 100))
def test_merging_pieces_equals_binning_at_once(cuts, seed):
    flux = random_flux(300, seed)
    edges = [0, *sorted(set(cuts)), 300]
    pieces = [rd.bin_flux(flux.isel(time=slice(a, b))) for a, b in pairwise(edges)]
    at_once, merged = rd.bin_flux(flux), rd.merge_binned(reversed(pieces))
    for name in SUMS:
        for suffix in ("", "_by_pitch_angle"):
            if name != "exposure":  # the exposure of zeros is that of the piece's other samples
                np.testing.assert_allclose(merged[name + suffix], at_once[name + suffix], rtol=1e-12, atol=1e-9)
    for name in RECORDS:
        assert merged[name].dtype == np.int32
        np.testing.assert_array_equal(merged[name], at_once[name])
    np.testing.assert_array_equal(merged["time"], at_once["time"])


def test_merging_does_not_depend_on_the_order():
    pieces = [
        rd.bin_flux(random_flux(200, seed, start, probe))
        for seed, (start, probe) in enumerate([("2015-03-01", "a"), ("2015-03-02", "a"), ("2015-03-01", "b")])
    ]
    merged = [rd.merge_binned(order) for order in (pieces, pieces[::-1], [pieces[1], pieces[0], pieces[2]])]
    assert len({rd.content_hash(ds) for ds in merged}) == 1
    # Months first and then the probes gives the same as all at once.
    stepwise = rd.merge_binned([rd.merge_binned(pieces[:2]), pieces[2]])
    for name in (*SUMS, *RECORDS):
        np.testing.assert_array_equal(stepwise[name], merged[0][name])


def test_probes_add_up(tmp_path):
    pieces = [rd.bin_flux(random_flux(200, 1, probe="a")), rd.bin_flux(random_flux(200, 2, probe="b"))]
    both = rd.merge_binned(pieces)
    assert both["probe"].values.tolist() == ["a", "b"]
    merged = rd.merge_probes(both)
    assert merged["probe"].values.tolist() == ["merged"]
    for name in (*SUMS, *RECORDS):
        np.testing.assert_allclose(merged[name][0], both[name][0] + both[name][1])
    write_dataset(both, tmp_path / "both.nc")
    three = with_merged_probe(open_dataset(tmp_path / "both.nc"))
    assert three["probe"].values.tolist() == ["a", "b", "merged"]
    for name in ("sum_flux", "n_records_by_MLT"):
        np.testing.assert_array_equal(three[name].sel(probe="merged"), merged[name][0])


def test_the_same_files_give_the_same_hash_on_every_scheduler(tmp_path):
    files = [
        pap_file(tmp_path / f"rbsp-a-rbspice_lev-3-pap_tofxeh_201507{day:02d}_v1.cdf", start=f"2015-07-{day:02d}", records=700)[0]
        for day in range(1, 5)
    ]
    hashes = set()
    for scheduler, workers in (("synchronous", 1), ("threads", 3), ("processes", 2)):
        with dask.config.set(scheduler=scheduler, num_workers=workers):
            hashes.add(rd.content_hash(rd.bin_flux(files, product="rbspice-pap-tofxeh")))
    hashes.add(rd.content_hash(rd.bin_flux(files[::-1], product="rbspice-pap-tofxeh")))
    assert len(hashes) == 1
    # and months, that is groups of files, merge to the same values bit by bit
    whole = rd.bin_flux(files, product="rbspice-pap-tofxeh")
    halves = rd.merge_binned([rd.bin_flux(files[2:], product="rbspice-pap-tofxeh"), rd.bin_flux(files[:2], product="rbspice-pap-tofxeh")])
    assert rd.content_hash(whole) == rd.content_hash(halves)


def steady_decay(period_hours, days=40, tau=3.0, latitude=0.0):
    """Flux of a noise-free decay, seen on an eccentric orbit that crosses each L-shell twice a period."""
    time = times(days * 1440 // 2, step_minutes=2)
    t = (time - time[0]) / np.timedelta64(1, "D")
    phase = (t * 24 / period_hours) % 1
    L = 1.1 + 4.7 * np.sin(np.pi * phase) ** 1.2
    return make_flux(time, L, 1e4 * np.exp(-t / tau)[:, None, None], MLAT=latitude)


def residual(binned, L, *, at_sample_time):
    """Largest departure of ln(mean flux) from a straight line in time."""
    one = binned.sel(L=L, method="nearest").isel(probe=0, energy=0)
    days = (one["time"].to_numpy() - one["time"].to_numpy()[0]) / np.timedelta64(1, "D")
    if at_sample_time:
        days = days + sample_time(one).to_numpy() / 86400
    y = np.log(mean_flux(one).to_numpy())
    sound = np.isfinite(y)
    sound[[*np.flatnonzero(sound)[[0, -1]]]] = False  # the first and last bin are cut by the ends of the data
    line = np.polynomial.Polynomial.fit(days[sound], y[sound], 1)
    return np.abs(y[sound] - line(days[sound])).max()


@pytest.mark.parametrize("period", [8.97, 9.05])
@pytest.mark.parametrize("hours", [8.97, 24.0])
def test_no_saw_tooth_of_orbit_against_bin_is_left(hours, period):
    flux = steady_decay(period)
    for L in (2.55, 3.55, 4.55, 5.55):
        binned = rd.bin_flux(flux, Grid(time_bin_hours=hours))
        # The flux falls by 13 % in an orbit and 28 % in a day; what is left is the curvature of the exponential within a bin.
        assert residual(binned, L, at_sample_time=True) < 0.004


def test_twelve_hours_against_the_bins_centre_do_make_a_saw_tooth():
    # Otherwise the test before could not fail.
    binned = rd.bin_flux(steady_decay(8.97), Grid(time_bin_hours=12))
    assert residual(binned, 4.55, at_sample_time=False) > 0.02
    assert residual(binned, 4.55, at_sample_time=True) < 0.002


def test_flux_of_a_known_pitch_angle_distribution_lands_in_its_equatorial_bin():
    # j = sin^4 of the equatorial pitch angle, seen from 15 degrees of latitude.
    latitude = 15.0
    ratio = np.cos(np.deg2rad(latitude)) ** 6 / np.sqrt(1 + 3 * np.sin(np.deg2rad(latitude)) ** 2)
    j = (np.sin(np.deg2rad(PITCH_ANGLES)) ** 2 * ratio) ** 2
    binned = rd.bin_flux(make_flux(times(50), 4.05, j[None, None, :], MLAT=latitude))
    # Too far from the equator for omnidirectional flux, but not for resolved flux.
    assert binned["n_samples"].sum() == 0
    for angle in (10.0, 40.0, 55.0):
        chosen = select_flux(binned, angle)
        low, high = (np.sin(np.deg2rad(edge)) ** 4 for edge in (angle // 15 * 15, angle // 15 * 15 + 15))
        values = mean_flux(chosen).to_numpy()
        values = values[np.isfinite(values)]
        assert values.size
        assert ((low <= values) & (values <= high)).all()
    # At this latitude no particle of more than 58 degrees at the equator is seen.
    assert select_flux(binned, 80.0)["n_samples"].sum() == 0


def test_exclusions_mask_what_they_name_and_are_counted():
    flux = random_flux()
    rule = Exclusion("noisy", "a note", probe="a", energy=(40, 60), L=(3, 4), start="2015-03-02", stop="2015-03-03")
    binned, plain = rd.bin_flux(flux, exclude=[rule]), rd.bin_flux(flux)
    day = (flux["time"] >= np.datetime64("2015-03-02")) & (flux["time"] < np.datetime64("2015-03-03"))
    named = day & (flux["L"] >= 3) & (flux["L"] <= 4)
    expected = int(np.isfinite(flux["flux"].isel(energy=0)).where(named, other=False).sum())
    assert binned["file_values_excluded"].item() == expected > 0
    assert binned["n_samples"].isel(energy=0).sum() < plain["n_samples"].isel(energy=0).sum()
    np.testing.assert_array_equal(binned["n_samples"].isel(energy=1), plain["n_samples"].isel(energy=1))
    other = Exclusion("noisy", "a note", probe="b")
    np.testing.assert_array_equal(rd.bin_flux(flux, exclude=[other])["n_samples"], plain["n_samples"])
    assert "noisy (a note)" in binned.attrs["excluded"]


def test_a_bad_day_is_refused_and_counted_not_raised(tmp_path):
    name = "rbsp-a-rbspice_lev-3-pap_tofxeh_201507{:02d}_v1.cdf"
    good, _ = pap_file(tmp_path / name.format(1), start="2015-07-01", records=100)
    html = tmp_path / name.format(2)
    html.write_text("<html>404</html>")
    cut = tmp_path / name.format(3)
    cut.write_bytes(good.read_bytes()[:-100])
    other, _ = pap_file(tmp_path / name.format(4), start="2015-07-04", energies=np.array([0.0447 * 1.22**i for i in range(14)]) * 1.03)
    last, _ = pap_file(tmp_path / name.format(5), start="2015-07-05", records=100)
    binned = rd.bin_flux([good, html, cut, other, last], product="rbspice-pap-tofxeh")
    assert binned["file_status"].values.tolist() == ["used", "refused", "refused", "refused", "used"]
    for reason, word in zip(binned["file_reason"].values[1:4], ("HTML", "cut short", "energy table"), strict=True):
        assert word in reason
        assert str(tmp_path) not in reason
    assert binned["file_records"].values.tolist() == [100, 0, 0, 0, 100]
    lost, _ = pap_file(tmp_path / name.format(6), start="2015-07-06", leave_out=("Position_SM",))
    assert "a position" in rd.bin_flux([lost], product="rbspice-pap-tofxeh")["file_reason"].item()
    only_good = rd.bin_flux([good, last], product="rbspice-pap-tofxeh")
    assert binned["n_samples_by_pitch_angle"].sum() == only_good["n_samples_by_pitch_angle"].sum() > 0


def test_a_file_is_never_counted_twice(tmp_path):
    name = "rbsp-a-rbspice_lev-3-pap_tofxeh_20150701_v{}.cdf"
    one, _ = pap_file(tmp_path / name.format("1.2.3"), start="2015-07-01")
    newer, _ = pap_file(tmp_path / name.format("1.2.4"), start="2015-07-01")
    for files in ([one, one], [one, newer]):
        with pytest.raises(InputError, match="same day"):
            rd.bin_flux(files, product="rbspice-pap-tofxeh")
    binned = rd.bin_flux([one], product="rbspice-pap-tofxeh")
    with pytest.raises(InputError, match="counted twice"):
        rd.merge_binned([binned, binned])


def test_a_file_under_a_wrong_name_is_refused(tmp_path):
    # Copied over the name of another day, or of the other probe.
    day, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150702_v1.cdf", start="2015-07-01")
    assert "records of 2015-07-01" in rd.bin_flux([day], product="rbspice-pap-tofxeh")["file_reason"].item()
    name = tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150701_v1.cdf"
    probe, _ = pap_file(name, start="2015-07-01", source="rbsp-b-rbspice_lev-3-pap_tofxeh")
    assert "data of probe b" in rd.bin_flux([probe], product="rbspice-pap-tofxeh")["file_reason"].item()


def test_no_usable_file_gives_an_empty_result_that_merges(tmp_path):
    html = tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150702_v1.cdf"
    html.write_text("<html>404</html>")
    good, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150701_v1.cdf", start="2015-07-01")
    empty, none = rd.bin_flux([html], product="rbspice-pap-tofxeh"), rd.bin_flux([], product="rbspice-pap-tofxeh", probe="a")
    assert empty.sizes["time"] == none.sizes["time"] == 0
    assert empty["file_status"].values.tolist() == ["refused"]
    filled = rd.bin_flux([good], product="rbspice-pap-tofxeh")
    merged = rd.merge_binned([none, empty, filled])
    np.testing.assert_array_equal(merged["sum_flux"], filled["sum_flux"])
    assert sorted(merged["file_status"].values.tolist()) == ["refused", "used"]
    assert rd.merge_binned([none, empty]).sizes["time"] == 0


def test_what_does_not_fit_is_said():
    flux = random_flux(50)
    for call, message in (
        (lambda: Grid(time_bin_hours=48), "at most 24"),
        (lambda: Grid(L_min=6, L_max=2), "do not make sense"),
        (lambda: Grid(L_definition="Lstar"), "did you mean 'L_star'"),
        (lambda: Grid(pitch_angle_width=7), "divide 90"),
        (lambda: rd.bin_flux(["x.cdf"]), "product's name"),
        (lambda: Exclusion("r", "s", start="2015-02-01", stop="2015-01-01"), "wrong way round"),
        (lambda: rd.merge_binned([]), "nothing to merge"),
        (lambda: rd.merge_binned([rd.bin_flux(flux), rd.bin_flux(flux, Grid(L_width=0.2))]), "differ in L"),
        (lambda: rd.merge_binned([rd.bin_flux(flux), rd.bin_flux(flux, Grid(time_bin_hours=24))]), "time_bin_hours"),
        (lambda: select_flux(rd.bin_flux(flux), 95.0), "no bin"),
        (lambda: rd.merge_binned([rd.bin_flux(flux), rd.bin_flux(flux).drop_dims(["MLT", "MLAT"])]), "differ in MLT"),
    ):
        with pytest.raises(InputError, match=message):
            call()


def test_a_binned_dataset_survives_its_file(tmp_path):
    binned = rd.bin_flux(random_flux())
    write_dataset(binned, tmp_path / "b.nc")
    again = open_dataset(tmp_path / "b.nc")
    assert rd.content_hash(again) == rd.content_hash(binned)
    assert [path.name for path in tmp_path.iterdir()] == ["b.nc"]


def test_binned_data_go_all_the_way_to_a_table():
    flux = steady_decay(8.97, days=20, tau=5.0)
    storms = pd.DataFrame({"onset": ["2015-02-28"], "minimum": ["2015-02-28T12:00"], "recovery_end": ["2015-03-03"], "depth": [-100.0]})
    storms = storms.assign(storm=1, last_minimum=storms["minimum"], storm_class="intense", n_dips=1)
    for column in ("onset", "minimum", "last_minimum", "recovery_end"):
        storms[column] = pd.to_datetime(storms[column])
    for mode in ("calibrated", "paper"):
        decays = rd.fit_decays(with_merged_probe(select_flux(rd.bin_flux(flux))), storms, mode=mode)
        result = rd.lifetimes(decays)
        assert decay_table(decays)["probe"].unique().tolist() == ["a", "merged"]
        assert lifetime_table(result)["tau"].median() == pytest.approx(5, rel=0.02)
        assert result.attrs["flux"] == "omnidirectional"


def test_the_result_says_how_L_was_found(tmp_path):
    own, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150629_v1.0.0-00.cdf", start="2015-06-29")
    lacks, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.0.0-00.cdf", leave_out=("L",))
    one, other = (bin_flux(path, product="rbspice-pap-tofxeh") for path in (own, lacks))
    assert one.attrs["L_method"] == "L of the file"
    assert other.attrs["L_method"] == "dipole, from Position_SM (SM)"
    merged = merge_binned([one, other])
    assert merged.attrs["L_method"] == "L of the file; dipole, from Position_SM (SM)"
    assert file_table(merged)["L_method"].tolist() == ["L of the file", "dipole, from Position_SM (SM)"]
    assert file_table(merged)["MLAT_method"].tolist() == ["dipole, from Position_SM (SM)"] * 2
