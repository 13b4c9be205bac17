"""CelesTrak's space weather file (SW-All.txt, SW-Last5Years.txt): F10.7 and Kp by the day, observed days only.

Format: https://celestrak.org/SpaceData/SpaceWx-format.php; the columns are those of the FORMAT line that each file carries.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np

from ringdecay.errors import FileError
from ringdecay.indices import vintage
from ringdecay.indices.kp import exact_thirds
from ringdecay.indices.series import DAILY_F107, Series
from ringdecay.indices.text import AGAIN, dates, fixed_lines, floats, integers

logger = logging.getLogger(__name__)

# FORMAT(I4,I3,I3,I5,I3,8I3,I4,8I4,I4,F4.1,I2,I4,F6.1,I2,5F6.1), counted from 0.
_WIDTH = 130
_KP = slice(18, 42)
_F107_ADJUSTED, _QUALIFIER = slice(92, 98), slice(99, 100)
# 0: measured; 1: corrected for a burst in progress; 2: interpolated or extrapolated; 3: no observation; 4: interpolated by CSSI.
# A value of 2, 3 or 4 was not measured. (OMNI2 has fills on the days of 4 in 2012-2018: 2012-01-01 and 2015-01-13.)
_MEASURED = (0, 1)
_SOURCE = "CelesTrak space weather file"

_UPDATED = re.compile(rb"^UPDATED +(\d{4}) (\w{3}) +(\d{1,2}) ([\d:]{8})", re.MULTILINE)
_COUNT = re.compile(rb"^NUM_OBSERVED_POINTS +(\d+) *$", re.MULTILINE)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def read_celestrak(path: Path, content: bytes, name: str) -> Series:
    """Read F10.7 (adjusted to 1 AU) or Kp of the observed days; the predicted days and months behind them are never read.

    F10.7 that was not measured but interpolated is NaN; how many is logged.

    Parameters
    ----------
    path : Path
        For the message of an error.
    content : bytes
        The file.
    name : {"Kp", "F10.7"}
        The index.

    Returns
    -------
    Series
        Kp every three hours, in exact thirds; F10.7 a day, in sfu.

    Raises
    ------
    FileError
        If the section of observed days has no end or another number of days than the file says, if days are not one after another,
        or a line is not what it should be.
    """
    if name not in ("Kp", "F10.7"):
        raise FileError(path, f"a file with {name}", "CelesTrak's Kp and F10.7", f"give a file that has {name}")
    begin = content.find(b"\nBEGIN OBSERVED\n")
    end = content.find(b"\nEND OBSERVED", begin)
    count = _COUNT.search(content)
    if begin < 0 or end < 0 or count is None:
        lacking = "BEGIN OBSERVED" if begin < 0 else "END OBSERVED" if end < 0 else "NUM_OBSERVED_POINTS"
        raise FileError(path, "NUM_OBSERVED_POINTS, BEGIN OBSERVED and END OBSERVED", f"no {lacking} (cut short?)", AGAIN)
    first_line = content.count(b"\n", 0, begin + 1) + 2
    body = content[begin + len(b"\nBEGIN OBSERVED\n") : end + 1]
    table = fixed_lines(path, body, _WIDTH, first_line, "lines of 130 characters")
    if len(table) != int(count[1]):
        raise FileError(path, f"{int(count[1])} observed days, as it says", f"{len(table)}", AGAIN)
    year = integers(path, table[:, 0:4], first_line, "the year")
    month, day = (floats(path, table[:, column], first_line, "the date").astype(np.int64) for column in (slice(5, 7), slice(8, 10)))
    days = dates(path, year, month, day, first_line)
    gaps = np.diff(days) != np.timedelta64(1, "D")
    if gaps.any():
        line = int(np.argmax(gaps)) + 1
        raise FileError(path, f"{days[line - 1] + 1} after {days[line - 1]}", f"{days[line]} in line {first_line + line}", AGAIN)
    updated = _updated(content)
    if name == "Kp":
        tenths = floats(path, np.ascontiguousarray(table[:, _KP]).reshape(-1, 3), first_line, "Kp as a number", per_line=8, blank=True)
        time = (days[:, None] + np.arange(0, 24, 3).astype("timedelta64[h]")).astype("datetime64[ns]").ravel()
        unknown = vintage.same("unknown", time.size)
        kp = exact_thirds(path, tenths / 10.0, 0.05)
        return Series(time, kp, unknown, _SOURCE, "start of the three hours", vintage.CELESTRAK_RULE, updated)
    values = floats(path, table[:, _F107_ADJUSTED], first_line, "F10.7 as a number", blank=True)
    qualifier = floats(path, table[:, _QUALIFIER], first_line, "the qualifier of F10.7", blank=True)
    not_measured = np.isfinite(values) & ~np.isin(qualifier, _MEASURED)
    if not_measured.any():
        logger.info("%s: %d of %d days of F10.7 were not measured and are left out", path.name, not_measured.sum(), values.size)
    values[not_measured] = np.nan
    unknown = vintage.same("unknown", values.size)
    return Series(days.astype("datetime64[ns]"), values, unknown, _SOURCE, DAILY_F107, vintage.CELESTRAK_RULE, updated)


def _updated(content: bytes) -> str:
    """Give the time of the file's last update as an ISO date, or an empty string."""
    found = _UPDATED.search(content)
    if found is None or found[2].decode() not in _MONTHS:
        return ""
    return f"{found[1].decode()}-{_MONTHS.index(found[2].decode()) + 1:02d}-{int(found[3]):02d}T{found[4].decode()}"
