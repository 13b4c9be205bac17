"""CDF's three kinds of time, held against NASA's own library through spacepy.pycdf, and against cdflib."""

from __future__ import annotations

import datetime as dt

import cdflib
import numpy as np
import pytest

from ringdecay.cdf import read_cdf, to_datetime64
from ringdecay.cdf.epochs import _LEAP_UTC
from ringdecay.errors import InputError

# The first seconds of the days before which a leap second was inserted (IERS Bulletin C), and the day on which leap seconds began.
LEAP_DAYS = [
    "1972-01-01", "1972-07-01", "1973-01-01", "1974-01-01", "1975-01-01", "1976-01-01", "1977-01-01", "1978-01-01", "1979-01-01",
    "1980-01-01", "1981-07-01", "1982-07-01", "1983-07-01", "1985-07-01", "1988-01-01", "1990-01-01", "1991-01-01", "1992-07-01",
    "1993-07-01", "1994-07-01", "1996-01-01", "1997-07-01", "1999-01-01", "2006-01-01", "2009-01-01", "2012-07-01", "2015-07-01",
    "2017-01-01",
]  # fmt: skip
OFFSETS = [-1.5, -1.0, -0.5, -0.016, -0.001, -0.0001, -0.000001, 0.0, 0.000001, 0.001, 0.5, 1.0, 61.0]


@pytest.fixture(scope="module")
def lib():
    return pytest.importorskip("spacepy.pycdf").lib


@pytest.fixture(scope="module")
def times() -> list[dt.datetime]:
    """Both sides of every leap second, midnights that have none, and random times of 1972 to 2040."""
    rng = np.random.default_rng(0)
    start = dt.datetime(1972, 1, 1)
    found = [start + dt.timedelta(microseconds=int(count)) for count in rng.integers(0, int(68 * 365.25 * 86400e6), 1500)]
    for day in (*LEAP_DAYS, "2000-01-01", "2000-02-29", "2016-03-01", "2015-12-31", "2013-05-06"):
        found += [dt.datetime.fromisoformat(day) + dt.timedelta(seconds=offset) for offset in OFFSETS]
    return [time for time in found if time >= start]


def test_the_leap_seconds_are_those_of_cdflib():
    table = np.array(cdflib.cdfepoch.LTS)
    dates = [f"{int(year):04d}-{int(month):02d}-{int(day):02d}" for year, month, day in table[:, :3] if year >= 1972]
    assert dates == LEAP_DAYS == [str(day)[:10] for day in _LEAP_UTC]


def test_tt2000_equals_nasas_library_and_cdflib(lib, times):
    values = np.array([lib.datetime_to_tt2000(time) for time in times], dtype=np.int64)
    found = to_datetime64(values, "CDF_TIME_TT2000")
    np.testing.assert_array_equal(found, np.array(times, dtype="datetime64[ns]"))
    np.testing.assert_array_equal(found, np.array([lib.tt2000_to_datetime(int(value)) for value in values], dtype="datetime64[ns]"))
    np.testing.assert_array_equal(found, cdflib.cdfepoch.to_datetime(values))


@pytest.mark.parametrize("day", LEAP_DAYS[1:])
def test_tt2000_within_a_leap_second_is_the_end_of_the_day(day, lib):
    midnight = dt.datetime.fromisoformat(day)
    start = lib.datetime_to_tt2000(midnight - dt.timedelta(seconds=5))
    # Eleven and a half seconds in steps of 0.1 s, the leap second among them.
    values = start + np.arange(0, 11_500_000_000, 100_000_000, dtype=np.int64)
    found = to_datetime64(values, "CDF_TIME_TT2000")
    expected = np.array([lib.tt2000_to_datetime(int(v)) for v in values], dtype="datetime64[us]")
    assert np.abs(found - expected).max() <= np.timedelta64(1, "us")
    assert (np.diff(found) >= np.timedelta64(0, "ns")).all()
    # The second after the leap second is the first of the new day.
    assert (found >= np.datetime64(midnight)).sum() == len(values) - 60


def test_tt2000_keeps_nanoseconds_in_all_eras():
    years = np.arange(1973, 2031)
    values = np.array([cdflib.cdfepoch.compute_tt2000([int(y), 3, 4, 5, 6, 7, 8, 9, 10]) for y in years], dtype=np.int64)
    expected = np.array([f"{y}-03-04T05:06:07.008009010" for y in years], dtype="datetime64[ns]")
    np.testing.assert_array_equal(to_datetime64(values, "CDF_TIME_TT2000"), expected)


def test_cdf_epoch_of_whole_milliseconds_equals_nasas_library_and_cdflib(lib, times):
    values = np.array([lib.datetime_to_epoch(time) for time in times])
    found = to_datetime64(values, "CDF_EPOCH")
    np.testing.assert_array_equal(found, np.array([lib.epoch_to_datetime(value) for value in values], dtype="datetime64[ns]"))
    np.testing.assert_array_equal(found, cdflib.cdfepoch.to_datetime(values))
    # NASA's own writing rounds to milliseconds.
    assert np.abs(found - np.array(times, dtype="datetime64[ns]")).max() <= np.timedelta64(500, "us")


@pytest.mark.parametrize("end", ["59.984", "59.999", "59.9999"])
def test_cdf_epoch_just_before_midnight_stays_in_its_day(end):
    # 2015-12-31 is 736,328 days after 0000-01-01; a double holds such a number of milliseconds to 8 microseconds.
    value = 736_328 * 86_400_000.0 + (23 * 60 + 59) * 60_000.0 + float(end) * 1000.0
    found = to_datetime64(np.array([value]), "CDF_EPOCH")[0]
    expected = np.datetime64(f"2015-12-31T23:59:{end}", "ns")
    assert abs(found - expected) <= np.timedelta64(4, "us")
    assert found.astype("datetime64[D]") == np.datetime64("2015-12-31")


def test_cdf_epoch_keeps_what_nasas_library_cuts_off(lib):
    values = 63587289600000.0 + np.random.default_rng(1).uniform(0, 86400e3, 500)
    found = to_datetime64(values, "CDF_EPOCH")
    nasa = np.array([lib.epoch_to_datetime(value) for value in values], dtype="datetime64[ms]")
    np.testing.assert_array_equal(found.astype("datetime64[ms]"), nasa)
    fraction = (found - nasa) / np.timedelta64(1, "ms")
    np.testing.assert_allclose(fraction, values % 1.0, atol=1e-6)


def test_epoch16_equals_nasas_library_and_cdflib(lib, times):
    values = np.array([lib.datetime_to_epoch16(time) for time in times])
    found = to_datetime64(values, "CDF_EPOCH16")
    np.testing.assert_array_equal(found, np.array(times, dtype="datetime64[ns]"))
    np.testing.assert_array_equal(found, np.array([lib.epoch16_to_datetime(*value) for value in values], dtype="datetime64[ns]"))
    as_complex = values[:, 0] + 1j * values[:, 1]
    np.testing.assert_array_equal(to_datetime64(as_complex, "CDF_EPOCH16"), found)
    np.testing.assert_array_equal(to_datetime64(as_complex.reshape(-1, 1), "CDF_EPOCH16"), found.reshape(-1, 1))
    np.testing.assert_array_equal(found, np.asarray(cdflib.cdfepoch.to_datetime(as_complex)))


def test_epoch16_keeps_nanoseconds(lib):
    value = lib.datetime_to_epoch16(dt.datetime(2015, 3, 17, 22, 45, 6, 123456))
    found = to_datetime64(np.array([[value[0], value[1] + 789_000.0]]), "CDF_EPOCH16")
    assert found[0] == np.datetime64("2015-03-17T22:45:06.123456789")


def test_fill_pad_and_nonsense_are_not_a_time():
    smallest, largest = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    # A count of nanoseconds goes on to 2292, datetime64[ns] to 2262: it must not come round to 1707.
    assert np.isnat(to_datetime64(np.array([smallest, smallest + 1, largest, largest - 9 * 10**17]), "CDF_TIME_TT2000")).all()
    assert np.isnat(to_datetime64(np.array([-1e31, -1e30, 0.0, np.nan, np.inf, -np.inf, 1e300, 3.155378976e14]), "CDF_EPOCH")).all()
    pairs = [[-1e31, -1e31], [0.0, 0.0], [np.nan, 0.0], [6.35e10, np.nan], [6.35e10, -1e31], [6.35e10, 1e12], [np.inf, 0.0]]
    assert np.isnat(to_datetime64(np.array(pairs), "CDF_EPOCH16")).all()


def test_a_time_of_the_year_2261_is_the_last():
    assert to_datetime64(np.array([cdflib.cdfepoch.compute_tt2000([2261, 6, 1, 0, 0, 0, 0, 0, 0])]), "CDF_TIME_TT2000")[0] == np.datetime64(
        "2261-06-01"
    )


def test_a_tt2000_time_before_1972_is_not_a_time(lib):
    # TAI - UTC was no whole number of seconds then.
    first = lib.datetime_to_tt2000(dt.datetime(1972, 1, 1))
    assert np.isnat(to_datetime64(np.array([-(10**18), first - 1]), "CDF_TIME_TT2000")).all()
    assert to_datetime64(np.array([first]), "CDF_TIME_TT2000")[0] == np.datetime64("1972-01-01")


def test_cdf_epoch_before_1970_is_a_time(lib):
    for time in (dt.datetime(1958, 2, 1, 3, 48, 0, 500000), dt.datetime(1969, 12, 31, 23, 59, 59, 999000), dt.datetime(1700, 1, 1)):
        assert to_datetime64(np.array([lib.datetime_to_epoch(time)]), "CDF_EPOCH")[0] == np.datetime64(time)


def test_real_times_equal_nasas_library(shared_data, lib):  # noqa: ARG001
    pycdf = pytest.importorskip("spacepy.pycdf")
    path = next(shared_data.glob("hope_l3_pa/*.cdf"))
    variable = read_cdf(path, ["Epoch_Ion"])["Epoch_Ion"]
    with pycdf.CDF(str(path)) as reference:
        expected = np.array(reference["Epoch_Ion"][...], dtype="datetime64[us]")
    difference = np.abs(to_datetime64(variable.values, variable.type) - expected)
    assert difference.max() < np.timedelta64(1, "ms")


def test_a_type_that_is_no_time_is_refused():
    with pytest.raises(InputError, match="CDF_FLOAT"):
        to_datetime64(np.array([1.0]), "CDF_FLOAT")
