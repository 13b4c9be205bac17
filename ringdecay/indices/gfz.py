"""Files of GFZ Potsdam: Kp by the day (with F10.7) and by three hours.

Formats: GFZ's own description of Kp_ap_Ap_SN_F107*.txt and Kp_ap_*.txt (Kp_ap_Ap_SN_F107_format.txt, 2021-03-11), which has the
columns. Kp: https://doi.org/10.5880/Kp.0001, CC BY 4.0.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ringdecay.errors import FileError
from ringdecay.indices import vintage
from ringdecay.indices.kp import exact_thirds
from ringdecay.indices.series import DAILY_F107, Series
from ringdecay.indices.text import AGAIN, dates, fixed_lines, floats, integers

# Characters of a line, counted from 0. The description's "156 columns" leaves out the last two, a blank and D, which it has in column 158.
_DAILY_WIDTH, _DAILY_D = 158, 157
_DAILY_DAYS, _FIRST_KP, _KP_STEP, _KP_WIDTH = slice(11, 16), 33, 7, 6
# Adjusted to 1 AU; the observed one stands before it, in 139-146. Why adjusted: see `open_index`.
_F107_ADJUSTED = slice(148, 156)
_HOURS_WIDTH, _HOURS_D = 59, 58
_HOUR, _HOURS_DAYS, _HOURS_KP = slice(11, 15), slice(22, 33), slice(46, 52)

# Days are counted from 1932-01-01 in the column `days`; to 5 digits in the three-hour files.
_DAY_ZERO = np.datetime64("1932-01-01")
_MISSING = -1.0
_KP_LABEL = "start of the three hours"


def read_gfz(path: Path, content: bytes, name: str) -> Series:
    """Read Kp or F10.7 (adjusted to 1 AU) of a GFZ text file.

    Parameters
    ----------
    path : Path
        For the message of an error.
    content : bytes
        The file.
    name : {"Kp", "F10.7"}
        The index. F10.7 is in the daily files only.

    Returns
    -------
    Series
        Kp every three hours, in exact thirds; F10.7 a day, in sfu.

    Raises
    ------
    FileError
        If the file is another one of GFZ's (such as Hp60), a line is cut short, a date or its count of days is wrong, or the file
        does not have the index.
    """
    if name not in ("Kp", "F10.7"):
        raise FileError(path, f"a file with {name}", "a file of GFZ with Kp", f"give a file that has {name}, or ask for Kp")
    lines = content.split(b"\n")
    header = next((k for k, line in enumerate(lines) if not line.startswith(b"#")), len(lines))
    columns = [line for line in lines[:header] if line.startswith(b"#YYY")][-1].decode("ascii", errors="replace").split()
    body = b"\n".join(lines[header:])
    if columns[-1] == "D" and "Kp1" in columns and "F10.7adj" in columns:
        return _read_daily(path, body, header + 1, name)
    if columns[-3:] == ["Kp", "ap", "D"]:
        return _read_three_hours(path, body, header + 1, name)
    expected = "Kp_ap_Ap_SN_F107 or Kp_ap of GFZ, with columns that end in F10.7adj D, or in Kp ap D"
    raise FileError(path, expected, f"columns that end in {' '.join(columns[-3:])}", "give a file of one of the two kinds")


def _read_daily(path: Path, body: bytes, first_line: int, name: str) -> Series:
    table = fixed_lines(path, body, _DAILY_WIDTH, first_line, "GFZ's daily lines of 158 characters")
    days = _days(path, table, first_line)
    _check_count(path, days, floats(path, table[:, _DAILY_DAYS], first_line, "days since 1932"), first_line)
    if name == "F10.7":
        values = floats(path, table[:, _F107_ADJUSTED], first_line, "F10.7 as a number")
        values[values == _MISSING] = np.nan
        time = days.astype("datetime64[ns]")
        unknown = vintage.same("unknown", time.size)
        return Series(time, values, unknown, "GFZ Potsdam, daily Kp and F10.7", DAILY_F107, vintage.GFZ_F107_RULE)
    columns = [slice(begin, begin + _KP_WIDTH) for begin in range(_FIRST_KP, _FIRST_KP + 8 * _KP_STEP, _KP_STEP)]
    kp = np.stack([floats(path, table[:, column], first_line, "Kp as a number") for column in columns], axis=1)
    time = (days[:, None] + np.arange(0, 24, 3).astype("timedelta64[h]")).astype("datetime64[ns]")
    states = vintage.of_gfz_kp(integers(path, table[:, _DAILY_D : _DAILY_D + 1], first_line, "D"))
    # The same source as of the three-hour files, because they are the same values: the two kinds may be opened together.
    return Series(time.ravel(), _kp(path, kp.ravel()), np.repeat(states, 8), "GFZ Potsdam, Kp", _KP_LABEL, vintage.GFZ_KP_RULE)


def _read_three_hours(path: Path, body: bytes, first_line: int, name: str) -> Series:
    if name != "Kp":
        raise FileError(path, f"a file with {name}", "GFZ's Kp_ap, which has Kp only", "give a file Kp_ap_Ap_SN_F107")
    table = fixed_lines(path, body, _HOURS_WIDTH, first_line, "GFZ's three-hour lines of 59 characters")
    hours = floats(path, table[:, _HOUR], first_line, "the hour as a number")
    wrong = ~np.isin(hours, np.arange(0, 24, 3))
    if wrong.any():
        line = int(np.argmax(wrong))
        raise FileError(path, "an hour of 0, 3, ... 21", f"{hours[line]:g} in line {first_line + line}", AGAIN)
    time = _days(path, table, first_line) + hours.astype(np.int64).astype("timedelta64[h]")
    _check_count(path, time, floats(path, table[:, _HOURS_DAYS], first_line, "days since 1932"), first_line)
    kp = _kp(path, floats(path, table[:, _HOURS_KP], first_line, "Kp as a number"))
    states = vintage.of_gfz_kp(integers(path, table[:, _HOURS_D : _HOURS_D + 1], first_line, "D"))
    return Series(time.astype("datetime64[ns]"), kp, states, "GFZ Potsdam, Kp", _KP_LABEL, vintage.GFZ_KP_RULE)


def _days(path: Path, table: npt.NDArray[np.uint8], first_line: int) -> npt.NDArray[np.datetime64]:
    year = integers(path, table[:, 0:4], first_line, "the year")
    month = integers(path, table[:, 5:7], first_line, "the month")
    day = integers(path, table[:, 8:10], first_line, "the day")
    return dates(path, year, month, day, first_line)


def _check_count(path: Path, time: npt.NDArray[np.datetime64], count: npt.NDArray[np.float64], first_line: int) -> None:
    """Compare the date of each line with its count of days, which tells damage in either."""
    elapsed = (time - _DAY_ZERO) / np.timedelta64(1, "D")
    wrong = ~(np.abs(elapsed - count) < 1e-4)
    if wrong.any():
        line = int(np.argmax(wrong))
        expected = f"{elapsed[line]:g} days from 1932-01-01 to {np.datetime_as_string(time[line], unit='h')}"
        raise FileError(path, expected, f"{count[line]:g} in line {first_line + line}", AGAIN)


def _kp(path: Path, kp: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    kp[kp == _MISSING] = np.nan
    return exact_thirds(path, kp, 0.0005)
