"""MagEphem files: the real text file, its damaged copy, the same as CDF, and values at the times of records."""

from __future__ import annotations

import re

import numpy as np
import pytest
from cdflib import cdfwrite
from pap_file import pap_file

import ringdecay as rd
from ringdecay.cdf import to_datetime64
from ringdecay.ephemeris import at_times, open_ephemeris
from ringdecay.errors import FileError, InputError
from ringdecay.products import PRODUCTS, get_product

NAME = "rbsp-a_mag-ephem_def-1min-op77q_20130218_v01.cdf"
ANGLES = np.arange(90.0, 0.0, -5.0)
MIDNIGHT = 414417667184000000  # 2013-02-18T00:00:00 UTC as TT2000: 67.184 s of leap seconds after midnight of terrestrial time


@pytest.fixture(scope="module")
def real(shared_data):
    return shared_data / "magephem_txt/20130218_rbspa_MagEphem.txt"


def cdf_file(path, *, start=MIDNIGHT, records=5, step=60, leave_out=(), change=None):
    """Write a file with MagEphem's variables, as far as they are known, and units as LANLGeoMag spells them, which writes these files."""
    minutes = np.arange(records) / 60 * step / 60
    L = 4.0 + minutes[:, None] + np.zeros(18)
    L_star = L - 0.3
    L_star[0, -1] = -1e31
    position = np.tile([5.0, -2.0, 0.5], (records, 1))
    data = {
        "Epoch": (33, start + np.arange(records) * step * 10**9, {}),
        "Alpha": (45, ANGLES, {"UNITS": "Degrees"}),
        "Lstar": (45, L_star, {"UNITS": "OP77 Lstar, Dimensionless"}),
        "L": (45, L, {"UNITS": "Dimensionless"}),
        "Lm_eq": (45, L[:, 0], {"UNITS": "Dimless"}),
        "I": (45, L / 3, {"UNITS": "R!IE!N"}),
        "K": (45, L / 50, {"UNITS": "Re G^.5"}),
        "CDMAG_MLT": (45, np.mod(23.95 + minutes, 24.0), {"UNITS": "Deg."}),
        "CDMAG_MLAT": (45, np.full(records, 10.0), {"UNITS": "Deg."}),
        "Rgeo": (45, position, {"UNITS": "R!BE!N"}),
        "Rsm": (45, position, {"UNITS": "Re"}),
        "Bsc_gsm": (45, np.tile([1.0, 2.0, 3.0, 150.0], (records, 1)), {"UNITS": "nT"}),
    } | (change or {})
    writer = cdfwrite.CDF(path, cdf_spec={"Majority": "row_major"})
    for name, (kind, values, attributes) in data.items():
        if name not in leave_out:
            varies = name != "Alpha"
            sizes = list(np.shape(values)[1:] if varies else np.shape(values))
            spec = {"Variable": name, "Data_Type": kind, "Num_Elements": 1, "Rec_Vary": varies, "Var_Type": "zVariable", "Dim_Sizes": sizes}
            fill = {} if kind == 33 else {"FILLVAL": -1e31}
            writer.write_var(spec | {"Compress": 1}, var_attrs=attributes | fill, var_data=values)
    writer.close()
    return path


def test_the_real_text_file_is_what_spacepy_reads_of_it(real):
    datamodel = pytest.importorskip("spacepy.datamodel")
    expected = datamodel.readJSONheadedASCII(str(real))
    found = open_ephemeris(real)
    assert found["time"].to_numpy().tolist() == np.array(["2013-02-18T00:00", "2013-02-18T00:05"], dtype="datetime64[ns]").tolist()
    assert found["pitch_angle"].to_numpy().tolist() == sorted(ANGLES)
    earth = 6378.137 / 6371.2
    for ours, theirs, factor in (("L_star", "Lstar", 1), ("L_m", "L", 1), ("I", "I", earth), ("K", "K", earth)):
        assert found[ours].dims == ("time", "pitch_angle")
        np.testing.assert_allclose(found[ours], np.asarray(expected[theirs])[:, ::-1] * factor, rtol=1e-12)
    for ours, theirs in (("MLT", "CD_MLT"), ("MLAT", "CD_MLAT"), ("L_eq", "Lm_eq")):
        np.testing.assert_array_equal(found[ours], expected[theirs])
    for ours, theirs in (("position", "Rgeo"), ("position_SM", "Rsm"), ("radius", "CD_R")):
        np.testing.assert_allclose(found[ours], np.asarray(expected[theirs]) * earth, rtol=1e-6 if ours == "radius" else 1e-12)
    np.testing.assert_array_equal(found["B"], np.asarray(expected["Bsc_gsm"])[:, 3])
    assert (found.attrs["field_model"], found.attrs["internal_model"], found.attrs["probe"]) == ("T89", "IGRF", "a")


def test_lengths_of_the_real_file_are_in_radii_of_the_equator(real):
    # The height above the ellipsoid of WGS 84, which the file has as well in km, tells what its Earth radius is.
    datamodel = pytest.importorskip("spacepy.datamodel")
    file = datamodel.readJSONheadedASCII(str(real))
    latitude = np.deg2rad(np.asarray(file["Rgeod_LatLon"])[:, 0])
    a, e2 = 6378.137, 0.00669437999014
    normal = a / np.sqrt(1 - e2 * np.sin(latitude) ** 2)
    height = np.asarray(file["Rgeod_Height"])
    km = np.hypot((normal + height) * np.cos(latitude), (normal * (1 - e2) + height) * np.sin(latitude))
    np.testing.assert_allclose(open_ephemeris(real)["radius"] * 6371.2, km, atol=0.1)


def test_a_damaged_header_is_refused_and_says_where(real, tmp_path):
    with pytest.raises(FileError, match=r"header in JSON, found .*delimiter in or before line 3"):
        open_ephemeris(real.with_name("20130218_rbspa_MagEphem_bad.txt"))
    text = real.read_text()
    for damage, message in (
        (lambda: text.replace("{", "("), "a JSON object"),
        (lambda: text[: text.index("} end JSON")], "header in JSON"),
        (lambda: text[:-200], "201 columns .* in line 818"),
        (lambda: text.replace("5.87364", "5.8x364"), "numbers for Lstar in columns 111 to 128"),
        (lambda: text.replace("2013-02-18T00:05:00", "2013-02-18T00:65:00"), "times like"),
        (lambda: "\n".join(line for line in text.splitlines() if line.startswith("#")), "rows below the header"),
        (lambda: "<html><body>not found</body></html>", "web page"),
        (lambda: "", "header"),
        (
            lambda: re.sub(r'"DIMENSION": \[ 18 \],\n#( +)"START_COLUMN": 183', r'"DIMENSION": "x",\n#\1"START_COLUMN": 183', text),
            "183 columns",
        ),
        (lambda: text.replace('"DateTime"', '"Moment"'), "DateTime"),
    ):
        path = tmp_path / "rbspa.txt"
        path.write_text(damage())
        with pytest.raises(FileError, match=message):
            open_ephemeris(path)
    with pytest.raises(FileError, match="no file"):
        open_ephemeris(tmp_path / "absent.txt")


def test_a_cdf_file_gives_the_same_names_and_units_as_a_text_file(tmp_path, real):
    found, text = open_ephemeris(cdf_file(tmp_path / NAME)), open_ephemeris(real)
    assert set(found.variables) == set(text.variables)
    for name in found.data_vars:
        assert found[name].dims == text[name].dims, name
        assert {key: found[name].attrs[key] for key in ("units", "long_name")} == {
            key: text[name].attrs[key] for key in ("units", "long_name")
        }
    assert found.attrs["field_model"] == "OP77Q"
    assert found["time"].to_numpy()[0] == to_datetime64(np.array([MIDNIGHT]), "CDF_TIME_TT2000")[0] == np.datetime64("2013-02-18")
    # The fill of the first record is at the smallest pitch angle, which now stands first.
    assert np.argwhere(np.isnan(found["L_star"].to_numpy())).tolist() == [[0, 0]]
    np.testing.assert_allclose(found["L"], found["radius"] / np.cos(np.deg2rad(10)) ** 2)
    np.testing.assert_array_equal(found["B"], 150.0)


def test_what_a_cdf_file_lacks_or_has_otherwise_is_said(tmp_path, caplog):
    with caplog.at_level("INFO"):
        found = open_ephemeris(
            cdf_file(tmp_path / NAME, leave_out=("K", "CDMAG_MLT"), change={"Rgeo": (45, np.ones((5, 3)), {"UNITS": "mi"})})
        )
    assert not {"K", "MLT", "position"} & set(found.variables)
    assert "the unit 'mi' of Rgeo is not known (expected R_E)" in caplog.text
    assert "has no K, MLT, position" in caplog.text
    for change, message in (
        ({"Lstar": (45, np.ones((5, 17)), {})}, r"Lstar of shape \(5, 18\), found \(5, 17\)"),
        ({"CDMAG_MLT": (45, np.full(5, 200.0), {"UNITS": "Degrees"})}, "CDMAG_MLT from 0 to 24 hours"),
        ({"Alpha": (45, np.full(18, 90.0), {})}, "pitch angles Alpha"),
    ):
        (tmp_path / NAME).unlink()
        with pytest.raises(FileError, match=message):
            open_ephemeris(cdf_file(tmp_path / NAME, change=change))
    (tmp_path / NAME).unlink()
    with pytest.raises(FileError, match="Epoch"):
        open_ephemeris(cdf_file(tmp_path / NAME, leave_out=("Epoch",)))


def test_days_follow_each_other_and_share_midnight_once(tmp_path):
    # The last record of a day is midnight, and so is the first of the next.
    one = cdf_file(tmp_path / NAME, start=MIDNIGHT - 240 * 10**9)
    other = cdf_file(tmp_path / NAME.replace("0218", "0219"))
    found = open_ephemeris([other, one])
    assert (np.diff(found["time"].to_numpy()) == np.timedelta64(60, "s")).all()
    assert found.sizes["time"] == 9
    assert found.attrs["source_files"] == f"{one.name}, {other.name}"
    # The time counts, not the place: here the later file comes first in the alphabet.
    for folder, file in (("a", other), ("b", one)):
        (tmp_path / folder).mkdir()
        file.rename(tmp_path / folder / file.name)
    again = open_ephemeris([tmp_path / "b" / one.name, tmp_path / "a" / other.name])
    np.testing.assert_array_equal(again["time"], found["time"])
    one = (tmp_path / "b" / one.name).rename(one)
    with pytest.raises(FileError, match="field_model 'OP77Q'"):
        open_ephemeris([one, cdf_file(tmp_path / NAME.replace("op77q", "t89d"))])
    with pytest.raises(FileError, match="probe 'a'"):
        open_ephemeris([one, cdf_file(tmp_path / NAME.replace("rbsp-a", "rbsp-b"))])
    with pytest.raises(FileError, match="field model T89D"):
        open_ephemeris(one, "T89D")
    with pytest.raises(InputError, match="did you mean 'OP77Q'"):
        open_ephemeris(one, "OP77")
    with pytest.raises(InputError, match="no file"):
        open_ephemeris([])


def test_values_at_record_times_are_linear_and_go_round_midnight(tmp_path):
    ephemeris = open_ephemeris(cdf_file(tmp_path / NAME))
    time = np.datetime64("2013-02-18", "ns") + np.array([0, 30, 210, 240, -1, 241]) * np.timedelta64(1, "s")
    found = at_times(ephemeris, time)
    hours = np.array([0, 30, 210, 240]) / 3600
    np.testing.assert_allclose(found["L_star"][:4], 3.7 + hours)
    np.testing.assert_allclose(found["MLT"][:4], np.mod(23.95 + hours, 24))
    assert found["MLT"].to_numpy()[2] < 0.01
    # Half way between 23.98 h and 0 h.
    assert at_times(ephemeris, time[:1] + np.timedelta64(150, "s"))["MLT"].item() == pytest.approx(23.95 + 150 / 3600)
    np.testing.assert_allclose(found["position_SM"][:4], np.tile([5.0, -2.0, 0.5], (4, 1)) * 6378.137 / 6371.2)
    assert np.isnan(found["L_star"][4:]).all()
    # The one fill, at 5 degrees and the first record, is not known before the second; the loss cone beyond is never known.
    assert np.isnan(at_times(ephemeris, time[:4], 175.0)["L_star"]).to_numpy().tolist() == [True, True, False, False]
    assert np.isnan(at_times(ephemeris, time[:4], 2.0)["L_star"]).all()
    np.testing.assert_allclose(at_times(ephemeris, time[1:4], 52.0)["L_m"], 4.0 + hours[1:])
    with pytest.raises(InputError, match="pitch_angle"):
        at_times(ephemeris, time, 190.0)
    with pytest.raises(InputError, match="fewer than two"):
        at_times(ephemeris.isel(time=[0]), time)


def test_a_flux_can_be_given_the_l_star_of_an_ephemeris(tmp_path):
    start = 488894467184000000  # 2015-06-30 UTC as TT2000
    ephemeris = open_ephemeris(cdf_file(tmp_path / NAME.replace("20130218", "20150630"), start=start))
    path, _ = pap_file(tmp_path / "rbsp-a-rbspice_lev-3-pap_tofxeh_20150630_v1.2.4-03.cdf")
    flux = rd.open_flux(path, "rbspice-pap-tofxeh").isel(time=slice(0, 3))
    given = flux.assign_coords(L_star=at_times(ephemeris, flux.time)["L_star"])
    assert given["L_star"].dims == ("time",)
    assert given.sizes == flux.sizes
    assert given["L_star"].attrs["method"] == "Lstar of the file"
    assert np.isfinite(given["L_star"][:2]).all()


def test_nothing_is_interpolated_over_a_gap(tmp_path):
    ephemeris = open_ephemeris(cdf_file(tmp_path / NAME, records=20)).isel(time=[*range(8), *range(10, 13), *range(16, 20)])
    time = np.datetime64("2013-02-18", "ns") + np.array([450, 510, 750, 840, 720, 960]) * np.timedelta64(1, "s")
    # Three minutes are crossed, four are not; the records on both sides of the gap are themselves known.
    assert np.isnan(at_times(ephemeris, time)["MLT"]).to_numpy().tolist() == [False, False, True, True, False, False]


def test_ephemeris_products_name_the_files_at_spdf():
    names = [name for name, product in PRODUCTS.items() if product.kind == "ephemeris"]
    assert names == ["magephem-op77q", "magephem-t89d", "magephem-t89q", "magephem-ts04d"]
    with pytest.raises(InputError, match="use open_ephemeris"):
        rd.open_flux("x.cdf", "magephem-op77q")
    for name, file, folder in (
        ("magephem-op77q", "rbsp-a_mag-ephem_def-1min-op77q_20120831_v01.cdf", "def-1min-op77q/2012"),
        ("magephem-ts04d", "rbsp-a_mag-ephem_def-5min-ts04d_20130101_v01.cdf", "def-5min-ts04d/2013"),
    ):
        product = get_product(name)
        match = re.fullmatch(product.filename.format(probe="a"), file)
        assert match is not None
        assert product.directory.format(probe="a", year=match["date"][:4]) == f"rbsp/rbspa/ephemeris/ect-mag-ephem/cdf/{folder}"
