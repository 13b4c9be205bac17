"""Which files a span of time needs: the days, months or years that it touches."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd

from ringdecay.errors import InputError
from ringdecay.products import Period

When = str | datetime.date | np.datetime64

_MONTHS: dict[Period, int] = {"month": 1, "half-year": 6, "year": 12}


def periods(start: When, stop: When, period: Period) -> pd.DatetimeIndex:
    """First instants of all periods that touch the span.

    Parameters
    ----------
    start, stop : str, date, datetime or datetime64
        The span in UTC, `start` inclusive and `stop` exclusive; times with a zone are converted.
    period : {"day", "month", "half-year", "year"}
        How much time one file holds.

    Returns
    -------
    pandas.DatetimeIndex
        datetime64[ns], increasing, not empty.

    Raises
    ------
    InputError
        If a time cannot be understood or the span is empty or the wrong way round.
    """
    first, last = _instant("start", start), _instant("stop", stop)
    if last <= first:
        raise InputError(f"start {start} and stop {stop} are the wrong way round: stop is exclusive and must be later than start")
    return period_starts(pd.date_range(first.floor("D"), last - pd.Timedelta(1, "ns"), freq="D", unit="ns"), period).unique()


def period_starts(times: pd.DatetimeIndex, period: Period) -> pd.DatetimeIndex:
    """First instants of the periods that times lie in, one for each time."""
    if period == "day":
        return times.floor("D")
    months = times.to_numpy().astype("datetime64[M]").astype(np.int64)
    return pd.DatetimeIndex((months - months % _MONTHS[period]).astype("datetime64[M]").astype("datetime64[ns]"))


def period_of_name(date: str, period: Period) -> pd.Timestamp | None:
    """First instant of the period that a date in a file name (YYYYMMDD or YYYY) belongs to; None if there is no such date."""
    try:
        day = datetime.datetime.strptime(date, "%Y%m%d" if len(date) == 8 else "%Y")
    except ValueError:
        return None
    return period_starts(pd.DatetimeIndex([day]).as_unit("ns"), period)[0]


def _instant(which: str, given: When) -> pd.Timestamp:
    problem = InputError(f"{which} {given!r} is not a time; give a date or a time such as '2013-01-26' or '2013-01-26T12:00'")
    if not isinstance(given, str | datetime.date | np.datetime64):
        raise problem
    try:
        instant = pd.Timestamp(given)
        if pd.isna(instant):
            raise problem
        if instant.tzinfo is not None:
            instant = instant.tz_convert("UTC").tz_localize(None)
        return instant.as_unit("ns")
    except ValueError as error:
        raise problem from error
