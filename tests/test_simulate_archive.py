"""The simulated archive: layout, types, times, values and faults, read with independent libraries."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import cdflib
import numpy as np
import pandas as pd
import pytest

from ringdecay import simulate
from ringdecay.binned import Grid
from ringdecay.errors import ArchiveError, InputError
from ringdecay.products import get_product
from ringdecay.simulate.index_files import _HRO_VARIABLES, _OMNI2_COLUMNS, _field
from ringdecay.simulate.instrument import PITCH_ANGLE_RANGE, SOLID_ANGLE, exposure
from ringdecay.store import open_dataset

FLUX = "rbsp/rbsp{0}/l3/rbspice/pap_tofxeh/2015/rbsp-{0}-rbspice_lev-3-pap_tofxeh_{1}_v{2}.cdf"


@pytest.fixture(scope="module")
def truth() -> simulate.Truth:
    # A storm at 2015-06-30 12:00, twelve hours before the leap second.
    return simulate.make_truth(start="2015-06-22", days=20, first_storm=8.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, truth: simulate.Truth) -> Path:
    path = tmp_path_factory.mktemp("archive")
    simulate.archive(path, truth=truth, start="2015-06-29", days=4, workers=1)
    return path


def read(path: Path) -> dict[str, np.ndarray]:
    with cdflib.CDF(path) as cdf:
        return {name: cdf.varget(name) for name in cdf.cdf_info().zVariables}


def test_files_lie_and_are_named_as_the_product_says(folder: Path) -> None:
    manifest = pd.read_csv(folder / "manifest.tsv", sep="\t", dtype={"date": str}, keep_default_na=False)
    assert len(manifest) == 9 + 2 + 1
    for row in manifest.itertuples():
        product = get_product(row.product)
        path = folder / row.file
        assert path.stat().st_size == row.bytes
        assert path.parent.relative_to(folder).as_posix() == product.directory.format(probe=row.probe, year=row.date[:4])
        match = re.fullmatch(product.filename.format(probe=row.probe), path.name, re.IGNORECASE)
        assert match
        assert match["date"] == row.date
    assert {path.name for path in folder.iterdir()} == {"rbsp", "omni", "truth.nc", "manifest.tsv"}
    assert open_dataset(folder / "truth.nc").identical(open_dataset(folder / "truth.nc"))


def test_variables_are_those_of_the_spase_record(folder: Path, shared_data: Path) -> None:
    records = pd.read_csv(shared_data / "spase_metadata" / "parameters_all.csv", keep_default_na=False)
    records = records[records["file"].str.contains("RBSP/A/RBSPICE/L3/PAP/TOFXEH/")].set_index("parameter_key")
    with cdflib.CDF(folder / FLUX.format("a", "20150629", "1.2.4-03")) as cdf:
        names = cdf.cdf_info().zVariables
        assert set(names) <= set(records.index)
        for name in names:
            found, attributes = cdf.varinq(name), cdf.varattsget(name)
            assert found.Dim_Sizes == [int(size) for size in records.loc[name, "size"].split()]
            fill = records.loc[name, "fill"]
            if fill and name != "Epoch":
                assert float(attributes["FILLVAL"]) == pytest.approx(float(fill))
        assert cdf.varinq("Epoch").Data_Type_Description == "CDF_TIME_TT2000"
        assert cdf.varinq("FPDU").Compress > 0
        assert cdf.cdf_info().Majority.lower() == "row_major"
        assert "SIMULATED" in cdf.globalattsget()["TITLE"][0]
        assert cdf.varattsget("MLT")["UNITS"] == "Degrees"
    np.testing.assert_allclose(
        read(folder / FLUX.format("a", "20150629", "1.2.4-03"))["FPDU_Energy"] * 1000.0,
        get_product("rbspice-pap-tofxeh").energy_tables[0].energies,
    )


def test_nasas_library_reads_the_same_values(folder: Path) -> None:
    pycdf = pytest.importorskip("spacepy.pycdf")
    path = folder / FLUX.format("b", "20150701", "1.2.4-03")
    ours = read(path)
    with pycdf.CDF(str(path)) as cdf:
        for name, values in ours.items():
            raw = cdf.raw_var(name)[...]
            np.testing.assert_array_equal(np.char.decode(raw) if raw.dtype.kind == "S" else raw, values)


def test_times_know_the_leap_second(folder: Path) -> None:
    days = [read(folder / FLUX.format("a", f"2015{date}", "1.2.4-03")) for date in ("0629", "0630", "0701")]
    epoch = np.concatenate([day["Epoch"] for day in days])
    assert (np.diff(epoch) == 108_700_000_000).all()
    assert sum(day["Epoch"].size for day in days) == int(np.ceil((3 * 86400 + 1) / 108.7))
    for day, date, offset in zip(days, ("2015-06-29", "2015-06-30", "2015-07-01"), (67.184, 67.184, 68.184), strict=True):
        # Terrestrial Time is ahead of UTC by 32.184 s and the leap seconds: 35 before, 36 after 2015-07-01.
        utc = day["Epoch"] / 1e9 - offset
        text = [f"{t[:4]}-01-01T{t[9:]}" for t in day["UTC"]]
        day_of_year = np.array([int(t[5:8]) for t in day["UTC"]])
        stated = np.array(text, dtype="datetime64[ms]") + (day_of_year - 1).astype("timedelta64[D]")
        assert (stated.astype("datetime64[D]") == np.datetime64(date)).all()
        since_2000 = (stated - np.datetime64("2000-01-01T12:00:00", "ms")) / np.timedelta64(1, "ms") / 1e3
        np.testing.assert_allclose(utc, since_2000, atol=1.1e-3)
    np.testing.assert_allclose(days[0]["MidET"] - days[0]["ET"], days[0]["Duration"] / 2)
    np.testing.assert_allclose(days[0]["ET"], days[0]["Epoch"] / 1e9)


def test_flux_error_and_omnidirectional_flux_belong_together(folder: Path) -> None:
    day = read(folder / FLUX.format("a", "20150630", "1.2.4-03"))
    good = (day["FPDU_Quality"] == 10).all(axis=(1, 2))
    flux, error = day["FPDU"][good].astype(float), day["FPDU_Error"][good].astype(float)
    counts = flux / 1000.0 * exposure()[:, None]
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-2, rtol=1e-5)
    np.testing.assert_allclose(error[counts > 0.5], 100.0 / np.sqrt(counts[counts > 0.5]), rtol=1e-5)
    assert (error[counts < 0.5] == np.float32(-1e31)).all()
    assert (counts < 0.5).any()
    low, high = np.deg2rad(PITCH_ANGLE_RANGE)
    solid_angle = 2.0 * np.pi * (np.cos(low) - np.cos(high))
    assert solid_angle.sum() == pytest.approx(4.0 * np.pi)
    np.testing.assert_allclose(day["FPDU_OmniFlux"][good], flux @ solid_angle, rtol=1e-5)
    np.testing.assert_allclose(day["PA_Midpoint"], [7.5, *range(20, 161, 10), 172.5])


def test_counting_error_in_a_storm_is_about_2_percent_at_50_and_30_at_598_kev(folder: Path) -> None:
    day = read(folder / FLUX.format("a", "20150630", "1.2.4-03"))
    peak = (np.abs(day["L"] - 4.0) < 0.2) & (day["FPDU_Quality"][:, 0, 8] == 10) & (np.arange(day["L"].size) > 400)
    error = np.median(day["FPDU_Error"][peak][:, :, 8], axis=0)
    assert 1.5 < error[0] < error[1] < 3.0
    assert 20.0 < error[-1] < 45.0
    assert (np.diff(error) > 0).all()


def test_flux_follows_the_equatorial_pitch_angle_and_the_truth(folder: Path, truth: simulate.Truth) -> None:
    day = read(folder / FLUX.format("a", "20150702", "1.2.4-03"))
    good = (day["FPDU_Quality"] == 10).all(axis=(1, 2)) & (day["L"] > 3.0) & (day["L"] < 6.0)
    time = np.datetime64("2015-07-02", "ns") + ((day["MidET"][good] - 68.184 + 43200.0) % 86400.0 * 1e9).astype("timedelta64[ns]")
    equatorial = np.exp(simulate.log_flux(truth, time, day["L"][good]))
    # sin2 of the equatorial pitch angle of a particle that is here at 90 deg is B_eq / B, of the dipole at this latitude.
    sine = day["Position_SM"][good, 2] / np.linalg.norm(day["Position_SM"][good], axis=1)
    ratio = (1.0 - sine**2) ** 3 / np.sqrt(1.0 + 3.0 * sine**2)
    for energy, channel in enumerate(truth.floor):
        alpha = np.deg2rad(day["PA_Midpoint"][4:13])
        expected = equatorial[:, energy, None] * ratio[:, None] * np.sin(alpha) ** 2 + channel
        ratio_of_sums = (day["FPDU"][good][:, energy, 4:13] / 1000.0).sum() / expected.sum()
        assert ratio_of_sums == pytest.approx(1.0, abs=0.02)
    far = np.abs(np.rad2deg(np.arcsin(sine))) > 12.0
    assert (day["FPDU"][good][far, 4, 8] / 1000.0 / equatorial[far, 4]).mean() < 0.83


def test_archive_and_binned_series_agree(folder: Path, truth: simulate.Truth) -> None:
    binned = simulate.binned_series(truth, counting_noise=False, probes=("a",), grid=Grid(time_bin_hours=24.0))
    day = read(folder / FLUX.format("a", "20150702", "1.2.4-03"))
    MLAT = np.rad2deg(np.arcsin(day["Position_SM"][:, 2] / np.linalg.norm(day["Position_SM"], axis=1)))
    good = (day["FPDU_Quality"] == 10).all(axis=(1, 2)) & (day["Position_Quality"] == 0) & (np.abs(MLAT) <= 10.0)
    omnidirectional = day["FPDU"] @ SOLID_ANGLE / 1000.0
    for L in (3.25, 4.05, 5.05):
        inside = good & (np.abs(day["L"] - L) < 0.05)
        series = binned.isel(probe=0).sel(time="2015-07-02T12:00", L=L)
        assert inside.sum() == pytest.approx(float(series["n_samples"][0]), abs=3)
        expected = (series["sum_flux"] / series["n_samples"]).to_numpy()
        np.testing.assert_allclose(omnidirectional[inside].mean(axis=0)[:10], expected[:10], rtol=0.1)


def test_records_of_one_spin_are_ten_times_as_many_and_hold_the_same_counts(truth: simulate.Truth, tmp_path: Path) -> None:
    name = FLUX.format("a", "20150701", "1.2.4-03")
    settings = {"truth": truth, "start": "2015-07-01", "days": 1, "probes": "a", "faults": False, "workers": 1}
    days = {}
    for spins, sensitivity in ((10, 1.0), (1, 1.0), (1, 0.1)):
        simulate.archive(tmp_path, spins_per_record=spins, sensitivity=sensitivity, **settings)
        days[spins, sensitivity] = read(tmp_path / name)
    ten, one, weak = days.values()
    assert (np.diff(one["Epoch"]) == 10_870_000_000).all()
    assert one["Epoch"].size == pytest.approx(86400 / 10.87, abs=1)
    assert one["FPDU"].shape[1:] == (14, 17)
    assert one["FPDU"].dtype == np.float32
    np.testing.assert_allclose(one["Duration"], 10.87)
    assert (np.diff(one["Spin"].astype(int)) % 65536 == 1).all()
    assert (np.diff(ten["Spin"].astype(int)) % 65536 == 10).all()

    def counts(day: dict[str, np.ndarray]) -> np.ndarray:
        # The error is 100 / sqrt(counts) percent, and a fill for none.
        return np.where(day["FPDU_Error"] > 0, (100.0 / day["FPDU_Error"].astype(float)) ** 2, 0.0).sum(axis=(0, 2))

    # Mean flux and counts of each channel agree within the noise of counting, here and where the days' ends are cut differently.
    for day, share in ((one, 1.0), (weak, 0.1)):
        np.testing.assert_allclose(counts(day), share * counts(ten), rtol=0.004, atol=5.0 * np.sqrt(share * counts(ten)).max())
        np.testing.assert_allclose(day["FPDU"].mean(axis=(0, 2)), ten["FPDU"].mean(axis=(0, 2)), rtol=0.03)
    assert (weak["FPDU"] == 0).mean() > (one["FPDU"] == 0).mean() + 0.1
    with pytest.raises(InputError, match="spins_per_record"):
        simulate.archive(tmp_path, spins_per_record=0)
    with pytest.raises(InputError, match="sensitivity"):
        simulate.archive(tmp_path, sensitivity=0.0)


def test_faults_are_there_and_can_be_seen(folder: Path) -> None:
    assert not (folder / FLUX.format("b", "20150630", "1.2.4-03")).exists()
    for probe, date, old, new in (("a", "20150701", "1.2.3-00", "1.2.4-03"), ("b", "20150702", "1.1.9-00", "1.1.12-01")):
        wrong, right = (read(folder / FLUX.format(probe, date, version)) for version in (old, new))
        good = (right["FPDU_Quality"] == 10) & (right["FPDU"] > 0)
        np.testing.assert_allclose(wrong["FPDU"][good] / right["FPDU"][good], 3.0, rtol=1e-5)
        np.testing.assert_array_equal(wrong["Epoch"], right["Epoch"])
    days = [read(path) for path in sorted((folder / "rbsp").rglob("*.cdf"))]
    quality = np.concatenate([day["FPDU_Quality"] for day in days])
    flux = np.concatenate([day["FPDU"] for day in days])
    assert set(np.unique(quality)) == {-32768, 10, 20}
    assert (flux[quality == 20] >= np.float32(1e12)).all()
    assert (flux[quality == -32768] == np.float32(-1e31)).all()
    assert 0.985 < (quality == 10).mean() < 0.999
    assert flux[quality == 10].max() < 1e10
    bad_position = np.concatenate([day["Position_Quality"] for day in days]) == 1
    assert 0 < bad_position.mean() < 0.01
    assert (np.concatenate([day["L"] for day in days])[bad_position] == -1e31).all()


def test_values_do_not_depend_on_workers_or_on_the_rest_of_the_archive(folder: Path, truth: simulate.Truth, tmp_path: Path) -> None:
    simulate.archive(tmp_path, truth=truth, start="2015-06-29", days=1, probes=("a",), workers=2, compression=6)
    name = FLUX.format("a", "20150629", "1.2.4-03")
    one, two = read(folder / name), read(tmp_path / name)
    for variable, values in one.items():
        np.testing.assert_array_equal(values, two[variable])


def test_index_files_hold_the_index_in_omnis_layout(folder: Path, truth: simulate.Truth) -> None:
    sym_h = simulate.index(truth)
    june = read(folder / "omni/omni_cdaweb/hro_5min/2015/omni_hro_5min_20150601_v01.cdf")
    expected = sym_h.sel(time="2015-06")
    np.testing.assert_array_equal(cdflib.cdfepoch.to_datetime(june["Epoch"]), expected["time"].values)
    np.testing.assert_array_equal(june["SYM_H"], expected.fillna(99999).values)
    np.testing.assert_array_equal(june["Day"][[0, -1]], [152, 181])
    table = np.loadtxt(folder / "omni/low_res_omni/omni2_2015.dat")
    assert table.shape == (8760, 55)
    begin = 24 * 151  # 1 June is day 152
    np.testing.assert_array_equal(table[begin, :3], [2015, 152, 0])
    with np.errstate(invalid="ignore"):
        hourly = expected.to_numpy().reshape(-1, 12)
        complete = np.isfinite(hourly).all(axis=1)
    np.testing.assert_array_equal(table[begin : begin + 720, 40][complete], np.round(hourly.mean(axis=1))[complete])
    assert (table[:begin, 40] == 99999).all()
    assert table[begin : begin + 720, 40].min() < -100


def test_index_layout_is_that_of_the_real_files(shared_data: Path) -> None:
    with (shared_data / "omni2_hourly" / "omni2_2015.dat").open() as file:
        lines = [next(file).rstrip("\n") for _ in range(2000)]
    for line in lines[::97]:
        values = [float(value) for value in line.split()]
        assert "".join(_field(width, decimals, v) for (width, decimals, _), v in zip(_OMNI2_COLUMNS, values, strict=True)) == line
    with cdflib.CDF(shared_data / "omni_hro2_5min_cdf" / "omni_hro2_5min_20130501_v01.cdf") as real:
        for name, (cdf_type, _, fill, _, _) in _HRO_VARIABLES.items():
            assert real.varinq(name).Data_Type_Description == cdf_type
            assert float(real.varattsget(name)["FILLVAL"]) == pytest.approx(fill)


def test_what_is_done_is_logged_sparsely(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="ringdecay"):
        manifest = simulate.archive(tmp_path, days=1, probes=("b",), workers=1)
    assert 2 <= len(caplog.records) <= 3
    assert (manifest["status"] == "newest").any()


def test_wrong_settings_and_folders_give_one_sentence(tmp_path: Path, truth: simulate.Truth) -> None:
    with pytest.raises(InputError, match="probes"):
        simulate.archive(tmp_path, probes=("c",))
    with pytest.raises(InputError, match="days"):
        simulate.archive(tmp_path, days=0)
    with pytest.raises(InputError, match="within the simulated world"):
        simulate.archive(tmp_path, truth=truth, start="2015-06-21", days=2)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArchiveError, match="could not be written"):
        simulate.archive(tmp_path / "file" / "archive", days=1, workers=1)
