"""Reading CDF files, held against NASA's own library through spacepy.pycdf."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import cdflib
import numpy as np
import pytest
from cdflib import cdfwrite

from ringdecay.cdf import is_cdf, looks_like_html, read_cdf, to_datetime64
from ringdecay.errors import FileError, InputError

LEAP_DAYS = ["2012-06-30", "2015-06-30", "2016-12-31"]


@pytest.fixture(scope="module")
def pycdf():
    return pytest.importorskip("spacepy.pycdf")


def small_cdf(path: Path, compress: int = 6) -> Path:
    """Write a CDF of one compressed variable over 1,000 records."""
    writer = cdfwrite.CDF(path, cdf_spec={"Majority": "row_major", "rDim_sizes": []})
    spec = {
        "Variable": "flux", "Data_Type": 44, "Num_Elements": 1, "Rec_Vary": True, "Var_Type": "zVariable", "Dim_Sizes": [3],
        "Compress": compress,
    }  # fmt: skip
    values = np.random.default_rng(1).normal(size=(1000, 3)).astype(np.float32)
    writer.write_var(spec, var_attrs={"UNITS": "1", "FILLVAL": np.float32(-1e31)}, var_data=values)
    writer.close()
    return path


def test_every_variable_of_every_real_file_equals_nasas_library(shared_data, pycdf):
    files = sorted(shared_data.glob("*/*.cdf"))
    assert len(files) >= 6
    for path in files:
        with pycdf.CDF(str(path)) as reference:
            names = [name for name in reference if reference.raw_var(name).shape[:1] != (0,)]
            content = read_cdf(path, names)
            for name in names:
                expected = reference.raw_var(name)[...]
                found = content[name].values
                if np.asarray(expected).dtype.kind in "SU":
                    assert [str(v).strip() for v in np.ravel(found)] == [
                        str(v).strip() for v in np.ravel(np.char.decode(expected) if expected.dtype.kind == "S" else expected)
                    ]
                else:
                    np.testing.assert_array_equal(np.ravel(found), np.ravel(expected), err_msg=f"{path.name} {name}")


def test_real_times_equal_nasas_library(shared_data, pycdf):
    path = next(shared_data.glob("hope_l3_pa/*.cdf"))
    variable = read_cdf(path, ["Epoch_Ion"])["Epoch_Ion"]
    with pycdf.CDF(str(path)) as reference:
        expected = np.array(reference["Epoch_Ion"][...], dtype="datetime64[us]")
    difference = np.abs(to_datetime64(variable.values, variable.type) - expected)
    assert difference.max() < np.timedelta64(1, "ms")


@pytest.mark.parametrize("day", LEAP_DAYS)
def test_tt2000_around_a_leap_second_equals_nasas_library(day, pycdf):
    midnight = dt.datetime.fromisoformat(day) + dt.timedelta(days=1)
    start = pycdf.lib.datetime_to_tt2000(midnight - dt.timedelta(seconds=5))
    # Eleven and a half seconds in steps of 0.1 s, the leap second among them.
    values = start + np.arange(0, 11_500_000_000, 100_000_000, dtype=np.int64)
    found = to_datetime64(values, "CDF_TIME_TT2000")
    expected = np.array([pycdf.lib.tt2000_to_datetime(int(v)) for v in values], dtype="datetime64[us]")
    assert np.abs(found - expected).max() <= np.timedelta64(1, "us")
    assert (np.diff(found) >= np.timedelta64(0, "ns")).all()
    # The second after the leap second is the first of the new day.
    assert (found >= np.datetime64(midnight)).sum() == len(values) - 60


def test_tt2000_of_all_eras_equals_cdflib():
    years = np.arange(1973, 2031)
    values = np.array([cdflib.cdfepoch.compute_tt2000([int(y), 3, 4, 5, 6, 7, 8, 9, 10]) for y in years], dtype=np.int64)
    expected = np.array([f"{y}-03-04T05:06:07.008009010" for y in years], dtype="datetime64[ns]")
    np.testing.assert_array_equal(to_datetime64(values, "CDF_TIME_TT2000"), expected)


def test_cdf_epoch_at_midnight_and_to_the_millisecond(pycdf):
    times = np.array(["2015-12-31T23:59:59.984", "2016-01-01", "2012-02-29T12:00:00.001", "1970-01-01"], dtype="datetime64[ms]")
    values = np.array([pycdf.lib.datetime_to_epoch(t.astype(object)) for t in times])
    found = to_datetime64(values, "CDF_EPOCH")
    assert np.abs(found - times.astype("datetime64[ns]")).max() < np.timedelta64(10, "us")


def test_epoch16_keeps_nanoseconds(pycdf):
    value = pycdf.lib.datetime_to_epoch16(dt.datetime(2015, 3, 17, 22, 45, 6, 123456))
    found = to_datetime64(np.array([[value[0], value[1] + 789_000.0]]), "CDF_EPOCH16")
    assert found[0] == np.datetime64("2015-03-17T22:45:06.123456789")


def test_fill_times_are_not_a_time():
    smallest = np.iinfo(np.int64).min
    assert np.isnat(to_datetime64(np.array([smallest, smallest + 1]), "CDF_TIME_TT2000")).all()
    assert np.isnat(to_datetime64(np.array([-1e31, 0.0]), "CDF_EPOCH")).all()
    assert np.isnat(to_datetime64(np.array([[-1e31, -1e31]]), "CDF_EPOCH16")).all()


def test_a_time_before_1972_is_not_a_time():
    # TAI - UTC was no whole number of seconds then.
    assert np.isnat(to_datetime64(np.array([-(10**18)]), "CDF_TIME_TT2000")).all()


def test_a_type_that_is_no_time_is_refused():
    with pytest.raises(InputError, match="CDF_FLOAT"):
        to_datetime64(np.array([1.0]), "CDF_FLOAT")


def test_masked_follows_fill_and_valid_range(tmp_path):
    writer = cdfwrite.CDF(tmp_path / "m.cdf", cdf_spec={"Majority": "row_major"})
    spec = {"Variable": "x", "Data_Type": 45, "Num_Elements": 1, "Rec_Vary": True, "Var_Type": "zVariable", "Dim_Sizes": [], "Compress": 0}
    writer.write_var(spec, var_attrs={"FILLVAL": [7.0, "CDF_DOUBLE"], "VALIDMIN": [0.0, "CDF_DOUBLE"], "VALIDMAX": [10.0, "CDF_DOUBLE"]},
                     var_data=np.array([1.0, 7.0, -1e31, -0.5, 10.0, 10.5]))  # fmt: skip
    writer.close()
    np.testing.assert_array_equal(np.isnan(read_cdf(tmp_path / "m.cdf", ["x"])["x"].masked()), [False, True, True, True, False, True])


def test_a_file_cut_anywhere_is_refused_by_name(tmp_path):
    whole = small_cdf(tmp_path / "whole.cdf").read_bytes()
    for share in (0.0, 0.001, 0.01, 0.2, 0.5, 0.9, 0.999):
        cut = tmp_path / "cut.cdf"
        cut.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(FileError, match=r"cut\.cdf") as caught:
            read_cdf(cut, ["flux"])
        assert "\n" not in str(caught.value)


def test_a_damaged_compressed_block_is_refused(tmp_path):
    path = small_cdf(tmp_path / "damaged.cdf")
    content = bytearray(path.read_bytes())
    block = bytes(content).index(b"\x1f\x8b\x08") + 40  # inside the gzip stream
    content[block] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(FileError, match="damage"):
        read_cdf(path, ["flux"])


def test_html_named_cdf_is_called_what_it_is(tmp_path):
    path = tmp_path / "page.cdf"
    path.write_text("<!DOCTYPE HTML><html><body>403 Forbidden</body></html>")
    with pytest.raises(FileError, match="a web page"):
        read_cdf(path, ["flux"])


@pytest.mark.parametrize(
    ("head", "cdf"),
    [
        ("cdf300010000ffff", True),  # version 3
        ("cdf30001cccc0001", True),  # compressed as a whole
        ("cdf260020000ffff", True),
        ("0000ffff0000ffff", True),  # version 2.5 and older
        ("cdf30001", False),  # cut
        ("894844460d0a1a0a", False),  # HDF5
        ("0000ffff00000000", False),
    ],
)
def test_a_cdf_is_known_by_its_first_two_words(head, cdf):
    assert is_cdf(bytes.fromhex(head)) is cdf


@pytest.mark.parametrize(
    ("head", "page"), [(b"\r\n <!doctype html>", True), (b"<?xml version='1.0'?>", True), (b"", False), (b" 2015", False)]
)
def test_a_web_page_is_known_by_its_first_sign(head, page):
    assert looks_like_html(head) is page


def test_missing_variable_and_missing_file_are_named(tmp_path):
    with pytest.raises(FileError, match="none called nothing"):
        read_cdf(small_cdf(tmp_path / "x.cdf"), ["nothing"])
    with pytest.raises(FileError, match="no file"):
        read_cdf(tmp_path / "absent.cdf", ["x"])


def test_a_file_without_records_reads_as_empty(shared_data):
    path = next(shared_data.glob("rbsp_skeleton_cdf/*.cdf"))
    epoch = read_cdf(path, ["epoch"])["epoch"]
    assert epoch.values.shape[0] == 0
