"""Times of the records: whether they are of the right day, rise, and have gaps."""

from __future__ import annotations

import numpy as np

from ringdecay.check.expectation import Row, Subject, holds_if, iso_day, minute, share

_GAP = np.timedelta64(10, "m")
_DAY = np.timedelta64(1, "D")


def time_rows(subject: Subject) -> list[Row]:
    """Say the span, the order and the gaps of the record times."""
    time = subject.time
    known = time[~np.isnat(time)]
    if not known.size:
        found = f"{time.size:,} records, none with a time" if "time" in subject.present else "no times"
        return [Row("times", "records", "times", found, "fails")]
    value = known.astype(np.int64)
    later = value[1:] > np.maximum.accumulate(value)[:-1]
    rows = [
        Row("times", "no time", "none", share(time.size - known.size, time.size), holds_if(known.size == time.size)),
        Row("times", "order", "strictly increasing", _order(int((~later).sum())), holds_if(later.all())),
    ]
    ordered = np.unique(known)
    steps = np.diff(ordered)
    usual = f", step {np.median(steps.astype(np.int64)) / 1e9:.4g} s" if steps.size else ""
    found = f"{time.size:,} records, {minute(ordered[0])} to {minute(ordered[-1])}{usual}"
    day = subject.date if subject.product.period == "day" else None
    if day is None:
        rows.insert(0, Row("times", "records", "times", found, "holds"))
    else:
        begin = np.datetime64(iso_day(day), "ns") if _is_date(day) else np.datetime64("NaT", "ns")
        outside = int((~((ordered >= begin) & (ordered < begin + _DAY))).sum())
        # A record that begins before midnight belongs to a daily file of some products: a few are no other day.
        verdict = "holds" if outside <= max(1, ordered.size // 100) else "differs" if outside < ordered.size / 2 else "fails"
        found += f"; {outside:,} of another day" if outside else ""
        rows.insert(0, Row("times", "records", f"of {begin.astype('datetime64[D]')}", found, verdict))  # type: ignore[arg-type]
    wide = steps[steps > _GAP]
    found = "none"
    if wide.size:
        at = ordered[int(np.argmax(steps))]
        number = "1 gap" if wide.size == 1 else f"{wide.size:,} gaps"
        hours, longest = wide.sum().astype(np.int64) / 3.6e12, wide.max().astype(np.int64) / 6e10
        found = f"{number}, {hours:.1f} h; the longest {longest:.0f} min from {minute(at)}"
    rows.append(Row("times", "gaps", "none above 10 min", found, holds_if(not wide.size)))
    # `to_datetime64` puts all of a leap second into the last nanosecond before its end.
    leap = int(((known + np.timedelta64(1, "ns")).astype("datetime64[D]") != known.astype("datetime64[D]")).sum())
    if leap and subject.present["time"].type == "CDF_TIME_TT2000":
        rows.append(Row("times", "leap second", "", f"{leap:,} {'record lies' if leap == 1 else 'records lie'} in one", "holds"))
    return rows


def _order(n: int) -> str:
    return "strictly increasing" if not n else f"{n:,} {'record does' if n == 1 else 'records do'} not come after those before"


def _is_date(text: str) -> bool:
    try:
        np.datetime64(iso_day(text))
    except ValueError:
        return False
    return True
