"""Indices: each reader against the provider's other copies of the same values, and against files that are not what they should be."""

from __future__ import annotations

import bz2
import gzip
import logging
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from ringdecay.errors import FileError, InputError
from ringdecay.indices import NAMES, open_index


def dst_line(date: str, values: list[int], *, version: str = "2", base: int = 0) -> str:
    """A record of the Kyoto format, by its description: columns 1-20 the head, then 24 hours and the mean in four characters."""
    year, month, day = date.split("-")
    hours = "".join(f"{value:4d}" for value in values)
    return f"DST{year[2:]}{month}*{day}  X{version}{year[:2]}{base:4d}{hours}{0:4d}\n"


def iaga_text(start: str, values: list[float], *, vintage: str = "Provisional", column: str = "SYM-H") -> str:
    head = [
        " Format                 IAGA-2002",
        " Source of Data         WDC for Geomagnetism, Kyoto",
        f" Data Type              {vintage}",
    ]
    lines = [f"{line:<69}|" for line in head] + [f"DATE       TIME         DOY     ASY-D     ASY-H     SYM-D     {column}  |"]
    times = np.datetime64(start, "m") + np.arange(len(values))
    for time, value in zip(times, values, strict=True):
        date, minute = str(time).split("T")
        lines.append(f"{date} {minute}:00.000 001   {1.0:10.2f}{2.0:10.2f}{3.0:10.2f}{value:10.2f}")
    return "\n".join(lines) + "\n"


def omni2_line(year: int, day: int, hour: int, dst: int, *, kp: int = 33, f107: float = 120.5) -> str:
    words = [str(year), str(day), str(hour), "2448"] + ["0"] * 51
    words[38], words[40], words[50] = str(kp), str(dst), str(f107)
    return " ".join(words) + "\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def five_minute_means(minutes: xr.DataArray, five: xr.DataArray) -> np.ndarray:
    """Mean of the five minutes from each time of `five` on."""
    last = five["time"][-1] + np.timedelta64(4, "m")
    return minutes.sel(time=slice(five["time"][0], last)).to_numpy().reshape(-1, 5).mean(axis=1)


# --- against the world ---------------------------------------------------------------------------------------------------------


def test_kyoto_dst_is_final_to_2020_and_provisional_after(shared_data: Path) -> None:
    dst = open_index(shared_data / "dst_kyoto" / "WDC_Kyoto.dat", "Dst")
    assert dst.dims == ("time",)
    assert dst.dtype == np.float64
    assert dst.sizes["time"] == 149_016  # 6209 days, 2006 to 2022
    assert np.all(np.diff(dst["time"]) == np.timedelta64(1, "h"))
    assert dst.attrs["vintage"] == "mixed"
    assert "final: 131496 values from 2006-01-01T00:00 to 2020-12-31T23:00" in dst.attrs["vintage_spans"]
    assert (dst.attrs["units"], dst.attrs["cadence"], dst.attrs["time_label"]) == ("nT", "1 h", "start of the hour")
    # The published final minimum of St Patrick's day 2015, -234 nT in the 23rd hour.
    assert dst.sel(time="2015-03-17T22:00").item() == -234


def test_omni2_dst_is_that_of_kyoto_until_2014_and_an_older_one_after(shared_data: Path) -> None:
    kyoto = open_index(shared_data / "dst_kyoto" / "WDC_Kyoto.dat", "Dst")
    omni = open_index(sorted((shared_data / "omni2_hourly").glob("omni2_*.dat")), "Dst")
    early = omni.sel(time=slice("2012", "2014"))
    assert early.sizes["time"] == 26_304
    np.testing.assert_array_equal(early, kyoto.sel(time=early["time"]))
    storm = slice("2015-03-17", "2015-03-18")
    assert (kyoto.sel(time=storm).min(), omni.sel(time=storm).min()) == (-234, -223)
    assert omni.attrs["vintage"] == "unknown"


def test_omni2_kp_is_in_thirds_and_fills_are_missing(shared_data: Path) -> None:
    files = sorted((shared_data / "omni2_hourly").glob("omni2_*.dat"))
    kp = open_index(files, "Kp")
    held = kp.dropna("time")
    np.testing.assert_allclose(held * 3, np.round(held * 3), atol=1e-12)
    # GFZ's Kp of 2015-03-17: 2o 5- 6- 5+ 8- 8- 7+ 8-.
    day = kp.sel(time="2015-03-17")[::3]
    np.testing.assert_allclose(day * 3, [6, 14, 17, 16, 23, 23, 22, 23])
    assert kp.isnull().any()  # the last weeks of 2018 are fills (99) in this copy
    assert open_index(files, "F10.7").max() < 400


def test_sym_h_of_omni_5_min_is_the_mean_of_kyotos_minutes(shared_data: Path) -> None:
    minutes = open_index(shared_data / "symh_kyoto_1min" / "SYM-2013.dat.txt.bz2", "SYM-H")
    five = open_index([shared_data / "omni_hro2_5min_cdf" / f"omni_hro2_5min_2013{month}01_v01.cdf" for month in ("05", "06")], "SYM-H")
    mean = five_minute_means(minutes, five)
    assert five.sizes["time"] == 61 * 288
    # Whole nT, rounded. Labels at another place of the interval would miss by far more.
    assert np.abs(five - mean).max() <= 0.5
    shifted = np.abs(five[1:].to_numpy() - mean[:-1])
    assert shifted.max() > 5
    assert five.attrs["cadence"] == "5 min"


def test_asy_h_is_read_from_both_formats(shared_data: Path) -> None:
    minutes = open_index(shared_data / "symh_kyoto_1min" / "SYM-2013.dat.txt.bz2", "ASY-H")
    five = open_index(shared_data / "omni_hro2_5min_cdf" / "omni_hro2_5min_20130601_v01.cdf", "ASY-H")
    mean = five_minute_means(minutes, five)
    assert np.abs(five - mean).max() <= 0.5


@pytest.mark.parametrize(("name", "variable"), [("SYM-H", "SYM_H"), ("ASY-H", "ASY_H")])
def test_omni_cdf_is_read_as_nasas_library_reads_it(shared_data: Path, name: str, variable: str) -> None:
    pycdf = pytest.importorskip("spacepy.pycdf")
    for path in sorted((shared_data / "omni_hro2_5min_cdf").glob("*.cdf")):
        ours = open_index(path, name)
        with pycdf.CDF(str(path)) as cdf:
            theirs, times = cdf[variable][...].astype(float), np.array(cdf["Epoch"][...], dtype="datetime64[ns]")
        theirs[theirs == 99999] = np.nan
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(ours["time"], times)


def test_year_files_of_sym_h_overlap_by_a_day_and_join(shared_data: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = shared_data / "symh_kyoto_1min"
    with caplog.at_level(logging.WARNING):
        sym_h = open_index([folder / "SYM-2015.dat.txt.bz2", folder / "SYM-2014.dat.txt.bz2"], "SYM-H")
    # 2014-01-01 to 2016-01-01 with both ends: 731 days once each.
    assert sym_h.sizes["time"] == 731 * 1440
    assert np.all(np.diff(sym_h["time"]) == np.timedelta64(1, "m"))
    assert sym_h.attrs["vintage"] == "provisional"
    assert sym_h.attrs["files"] == 2
    assert not caplog.records


def test_a_whole_year_of_minutes_is_read(shared_data: Path, tmp_path: Path) -> None:
    plain = tmp_path / "year.txt"
    plain.write_bytes(bz2.decompress((shared_data / "symh_kyoto_1min" / "SYM-2015.dat.txt.bz2").read_bytes()))
    assert open_index(plain, "SYM-H").sizes["time"] == 527_040


# --- small files of our own ----------------------------------------------------------------------------------------------------


def test_kyoto_base_missing_version_and_century(tmp_path: Path) -> None:
    text = dst_line("2013-01-01", [-34] * 23 + [9999], version="0", base=-1) + dst_line("1999-12-31", [5] * 24).replace("X219", "X2  ")
    dst = open_index(write(tmp_path / "a.dat", text), "Dst")
    assert dst["time"][0] == np.datetime64("1999-12-31")
    assert dst.sel(time="2013-01-01T00").item() == -134
    assert np.isnan(dst.sel(time="2013-01-01T23").item())
    assert dst.attrs["vintage"] == "mixed"
    assert "quicklook: 24 values" in dst.attrs["vintage_spans"]


@pytest.mark.parametrize(
    ("label", "vintage"), [("Definitive", "final"), ("Final", "final"), ("Quick-look", "quicklook"), ("Variation", "unknown")]
)
def test_iaga_vintage_missing_values_and_windows_line_ends(tmp_path: Path, label: str, vintage: str) -> None:
    text = iaga_text("2013-01-01T23:58", [-12, 99999, -14], vintage=label)
    sym_h = open_index(write(tmp_path / "a.txt", text.replace("\n", "\r\n")), "SYM-H")
    np.testing.assert_array_equal(sym_h, [-12, np.nan, -14])
    np.testing.assert_array_equal(sym_h["time"], np.datetime64("2013-01-01T23:58", "ns") + np.arange(3).astype("timedelta64[m]"))
    assert sym_h.attrs["vintage"] == vintage


def test_packed_files_are_unpacked(tmp_path: Path) -> None:
    text = iaga_text("2013-01-01", [1, 2, 3]).encode()
    (tmp_path / "a.gz").write_bytes(gzip.compress(text))
    (tmp_path / "a.bz2").write_bytes(bz2.compress(text))
    (tmp_path / "a.txt").write_bytes(text)
    plain = open_index(tmp_path / "a.txt", "SYM-H")
    assert plain.identical(open_index(tmp_path / "a.gz", "SYM-H"))
    assert plain.identical(open_index(tmp_path / "a.bz2", "SYM-H"))


def test_contradicting_overlaps_follow_the_rule_and_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    early = write(tmp_path / "early.txt", iaga_text("2013-01-01T00:00", [1, 2, 3, 4]))
    late = write(tmp_path / "late.txt", iaga_text("2013-01-01T00:02", [30, 99999, 50]))
    with caplog.at_level(logging.WARNING):
        merged = open_index([late, early], "SYM-H")
    # Minute 2: the file that begins later. Minute 3: a value before a fill.
    np.testing.assert_array_equal(merged, [1, 2, 30, 4, 50])
    assert "1 of 2 times" in caplog.text
    assert "27" in caplog.text

    final = write(tmp_path / "final.txt", iaga_text("2013-01-01T00:00", [1, 2, 3, 4], vintage="Final"))
    merged = open_index([final, late], "SYM-H")
    np.testing.assert_array_equal(merged, [1, 2, 3, 4, 50])
    assert merged.attrs["vintage_spans"].startswith("final: 4 values")


def test_omni2_words_and_fills(tmp_path: Path) -> None:
    text = omni2_line(2012, 366, 23, -50) + omni2_line(2013, 1, 0, 99999, kp=99, f107=999.9)
    path = write(tmp_path / "a.dat", text)
    np.testing.assert_array_equal(open_index(path, "Dst"), [-50, np.nan])
    np.testing.assert_allclose(open_index(path, "Kp"), [10 / 3, np.nan])
    np.testing.assert_array_equal(open_index(path, "F10.7"), [120.5, np.nan])
    np.testing.assert_array_equal(open_index(path, "Dst")["time"], np.array(["2012-12-31T23", "2013-01-01T00"], dtype="datetime64[ns]"))


# --- faults --------------------------------------------------------------------------------------------------------------------

DST = dst_line("2013-01-01", [-5] * 24)
IAGA = iaga_text("2013-01-01", [1, 2, 3])
OMNI2 = omni2_line(2013, 1, 0, -5) + omni2_line(2013, 1, 1, -6)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("Dst", b"", "an empty file"),
        ("Dst", b" \n\n", "an empty file"),
        ("Dst", b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        ("Dst", b"time,dst\n2013-01-01,-5\n", "begins with"),
        ("Dst", (DST + DST[:60]).encode(), "60 characters in line 2"),
        ("Dst", DST.replace("  -5", "  -x", 1).encode(), "line 1"),
        ("Dst", DST.replace("DST1301*01", "DST1302*30").encode(), "2013-02-30"),
        ("SYM-H", DST.encode(), "hourly Dst"),
        ("SYM-H", IAGA[:-20].encode(), "in line 7"),
        ("SYM-H", IAGA.replace("2013-01-01 00:01", "2013-13-01 00:01").encode(), "2013-13-01 in line 6"),
        ("SYM-H", IAGA.replace("2013-01-01 00:01", "2013-01-01 0x:01").encode(), "line 6"),
        ("SYM-H", IAGA.replace("3.00      2.00\n", "3.00          \n").encode(), "line 6"),
        ("SYM-H", IAGA.split("DATE")[0].encode(), "no such line"),
        ("SYM-H", (IAGA.split("|\n2013")[0] + "|\n").encode(), "no line of data"),
        ("Dst", IAGA.encode(), "columns ASY-D"),
        ("SYM-H", IAGA.replace("ASY-D ", "AS Y-D", 1).encode(), "AS, Y-D"),
        ("SYM-H", bz2.compress(IAGA.encode())[:-9], "damage"),
        # Without the time of day, which would be in the test's name and so differ between the processes that collect it.
        ("SYM-H", gzip.compress(IAGA.encode(), mtime=0)[:-9], "damage"),
        ("SYM-H", gzip.compress(IAGA.encode(), mtime=0)[:20] + b"\xff\xff\xff\xff", "damage"),
        ("Dst", (OMNI2[:-40]).encode(), "in line 2"),
        ("Dst", (omni2_line(2013, 1, 0, -5)[:-2] + "1 2 3 4\n" + OMNI2).encode(), "58 in line 1"),
        ("Dst", (OMNI2 + "2013 1 2 2448 " + "7 " * 60 + "\n").encode(), "line 3"),
        ("Dst", OMNI2.replace("-6", "-b").encode(), "-b"),
        ("Dst", omni2_line(2013, 367, 0, -5).encode(), "day 367"),
        ("Dst", omni2_line(9013, 1, 0, -5).encode(), "year 9013"),
        ("Dst", DST.replace("X220", "X290").encode(), "9013-01-01"),
        ("Kp", omni2_line(2013, 1, 0, -5, kp=35).encode(), "3.5"),
        ("F10.7", OMNI2.replace("120.5", "inf").encode(), "54 in line 1"),
        ("SYM-H", OMNI2.encode(), "OMNI2"),
        ("SYM-H", b"\xcd\xf3\x00\x01\x00\x00\xff\xff\x00\x00", ""),
        ("Dst", b"\xcd\xf3\x00\x01\x00\x00\xff\xff\x00\x00", ""),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named(tmp_path: Path, name: str, content: bytes, found: str) -> None:
    path = tmp_path / "bad.dat"
    path.write_bytes(content)
    with pytest.raises(FileError) as caught:
        open_index(path, name)
    assert caught.value.path == str(path)
    assert found in str(caught.value)


def test_a_bad_file_among_good_ones_is_named(tmp_path: Path) -> None:
    good, bad = write(tmp_path / "good.dat", DST), write(tmp_path / "bad.dat", DST[:-30])
    with pytest.raises(FileError, match=r"bad\.dat"):
        open_index([good, bad], "Dst")


def test_two_sources_are_not_mixed(tmp_path: Path) -> None:
    files = [write(tmp_path / "kyoto.dat", DST), write(tmp_path / "omni.dat", OMNI2)]
    with pytest.raises(FileError, match="one source"):
        open_index(files, "Dst")


def test_a_cut_cdf_is_refused(shared_data: Path, tmp_path: Path) -> None:
    whole = (shared_data / "omni_hro2_5min_cdf" / "omni_hro2_5min_20130501_v01.cdf").read_bytes()
    path = tmp_path / "cut.cdf"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match=r"cut\.cdf"):
        open_index(path, "SYM-H")


def test_wrong_calls(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'SYM-H'"):
        open_index([], "SYMH")
    with pytest.raises(InputError, match="no file"):
        open_index([], "SYM-H")
    with pytest.raises(FileError, match="no file"):
        open_index(tmp_path / "absent.dat", "Dst")
    assert set(NAMES) == {"SYM-H", "ASY-H", "Dst", "Kp", "F10.7", "Pdyn", "Ey"}
