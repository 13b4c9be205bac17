"""CDF's three kinds of time to `datetime64[ns]`, vectorised.

cdflib converts CDF_EPOCH one value at a time (a million take 16 s); here the same is a few array operations.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ringdecay.errors import InputError

# TAI - UTC in seconds from the given UTC date on (IERS Bulletin C; no leap second has been added since 2017).
_LEAP_SECONDS = (
    ("1972-01-01", 10), ("1972-07-01", 11), ("1973-01-01", 12), ("1974-01-01", 13), ("1975-01-01", 14), ("1976-01-01", 15),
    ("1977-01-01", 16), ("1978-01-01", 17), ("1979-01-01", 18), ("1980-01-01", 19), ("1981-07-01", 20), ("1982-07-01", 21),
    ("1983-07-01", 22), ("1985-07-01", 23), ("1988-01-01", 24), ("1990-01-01", 25), ("1991-01-01", 26), ("1992-07-01", 27),
    ("1993-07-01", 28), ("1994-07-01", 29), ("1996-01-01", 30), ("1997-07-01", 31), ("1999-01-01", 32), ("2006-01-01", 33),
    ("2009-01-01", 34), ("2012-07-01", 35), ("2015-07-01", 36), ("2017-01-01", 37),
)  # fmt: skip
_NS = 1_000_000_000
_LEAP_UTC = np.array([np.datetime64(date, "ns") for date, _ in _LEAP_SECONDS])
_TAI_MINUS_UTC = np.array([seconds for _, seconds in _LEAP_SECONDS], dtype=np.int64) * _NS
# TT2000 counts nanoseconds of Terrestrial Time from 2000-01-01T12:00 TT, and TT = TAI + 32.184 s.
_J2000_TT = np.datetime64("2000-01-01T12:00:00", "ns")
_TT_MINUS_TAI = 32_184_000_000
# The TT2000 value at which each offset begins to hold.
_LEAP_TT2000 = (_LEAP_UTC - _J2000_TT).astype(np.int64) + _TAI_MINUS_UTC + _TT_MINUS_TAI
# datetime64[ns] ends on 2262-04-11.
_END = np.datetime64("2262-01-01", "ns")
_END_TT2000 = (_END - _J2000_TT).astype(np.int64) + _TAI_MINUS_UTC[-1] + _TT_MINUS_TAI
# The UTC at which each offset ceases to hold.
_ERA_END = np.append(_LEAP_UTC[1:], _END)
# CDF_EPOCH and EPOCH16 count from 0000-01-01T00:00 (proleptic Gregorian), 719,528 days before 1970.
_MS_TO_1970 = 719_528 * 86_400_000
_S_TO_1970 = 719_528 * 86_400
# 291.5 years: datetime64[ns] reaches from 1677 to 2262; anything further from 1970 than this is a fill or nonsense.
_MAX_MS = 9.2e12
NaT = np.datetime64("NaT", "ns")


def to_datetime64(values: npt.NDArray[np.generic], cdf_type: str) -> npt.NDArray[np.datetime64]:
    """Convert CDF times to UTC.

    Parameters
    ----------
    values : ndarray, shape (...) or, for EPOCH16, (...) complex or (..., 2)
        As stored: milliseconds (CDF_EPOCH), seconds and picoseconds (CDF_EPOCH16) since year 0, or nanoseconds since J2000 (TT2000).
    cdf_type : {"CDF_EPOCH", "CDF_EPOCH16", "CDF_TIME_TT2000"}
        The CDF data type.

    Returns
    -------
    ndarray of datetime64[ns], shape (...)
        UTC. Fill and pad values are NaT, and so are times that datetime64[ns] cannot hold (before 1678, from 2261 on) and TT2000 times
        before 1972, when UTC had no whole leap seconds. `datetime64` has no
        23:59:60: a time within a leap second becomes the last nanosecond before it ends, so that the order of times is kept (NASA's
        library clamps likewise, to its microsecond).

    Raises
    ------
    InputError
        If `cdf_type` is none of the three.
    """
    if cdf_type == "CDF_TIME_TT2000":
        return _from_tt2000(np.asarray(values, dtype=np.int64))
    if cdf_type == "CDF_EPOCH":
        milliseconds = np.asarray(values, dtype=np.float64) - _MS_TO_1970
        valid = np.abs(milliseconds) < _MAX_MS
        # A double holds today's value to 8 microseconds, so whole microseconds are what the file can say; the scaling to
        # nanoseconds is done on integers.
        whole = np.floor(np.where(valid, milliseconds, 0.0))
        fraction = np.rint((np.where(valid, milliseconds, 0.0) - whole) * 1e6).astype(np.int64)
        return np.where(valid, (whole.astype(np.int64) * 1_000_000 + fraction).astype("datetime64[ns]"), NaT)
    if cdf_type == "CDF_EPOCH16":
        stored = np.asarray(values)
        seconds, picoseconds = (stored.real, stored.imag) if np.iscomplexobj(stored) else (stored[..., 0], stored[..., 1])
        seconds = seconds - _S_TO_1970
        valid = (np.abs(seconds) < _MAX_MS / 1000.0) & (picoseconds >= 0) & (picoseconds < 1e12)
        nanoseconds = np.where(valid, seconds, 0).astype(np.int64) * _NS + (np.where(valid, picoseconds, 0) // 1000).astype(np.int64)
        return np.where(valid, nanoseconds.astype("datetime64[ns]"), NaT)
    raise InputError(f"{cdf_type!r} is not a CDF time type (CDF_EPOCH, CDF_EPOCH16 or CDF_TIME_TT2000)")


def _from_tt2000(values: npt.NDArray[np.int64]) -> npt.NDArray[np.datetime64]:
    # The fill value is the smallest integer, the pad value the next one; both lie long before 1972. A count can go on to 2292.
    valid = (values >= _LEAP_TT2000[0]) & (values < _END_TT2000)
    inside = np.where(valid, values, 0)
    era = np.searchsorted(_LEAP_TT2000, inside, side="right") - 1
    utc = _J2000_TT + (inside - _TT_MINUS_TAI - _TAI_MINUS_UTC[era]).astype("timedelta64[ns]")
    return np.where(valid, np.minimum(utc, _ERA_END[era] - np.timedelta64(1, "ns")), NaT)


def strictly_increasing(time: npt.NDArray[np.datetime64]) -> npt.NDArray[np.bool_]:
    """Which times are later than every valid one before them; the two halves of a leap second are one such case."""
    value = np.where(np.isnat(time), np.iinfo(np.int64).min, time.astype(np.int64))
    before = np.concatenate([[np.iinfo(np.int64).min], np.maximum.accumulate(value)[:-1]])
    return np.asarray(value > before)
