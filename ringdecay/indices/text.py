"""Numbers in columns of fixed width, read as arrays of bytes: a year of one-minute values takes a fraction of a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ringdecay.errors import FileError

AGAIN = "delete the file and get it again from the provider"
# No index is older or comes from further ahead, and datetime64[ns], which ends in 1677 and 2262, would wrap without a word.
FIRST_YEAR, LAST_YEAR = 1800, 2200


def fixed_lines(path: Path, body: bytes, width: int, first_line: int, expected: str) -> npt.NDArray[np.uint8]:
    """Lay lines of one width out as a table of bytes.

    Parameters
    ----------
    path : Path
        For the message of an error.
    body : bytes
        The lines; a line ends with LF.
    width : int
        Characters a line, without its end.
    first_line : int
        Number of the body's first line within the file, for the message.
    expected : str
        What a line should be, for the message.

    Returns
    -------
    ndarray of uint8, shape (lines, width)

    Raises
    ------
    FileError
        If a line has another width.
    """
    body = body.rstrip(b"\n\x1a") + b"\n"  # 0x1a ended text files on older systems
    if body == b"\n":
        raise FileError(path, expected, "no line of data", AGAIN)
    step = width + 1
    if len(body) % step == 0:
        table = np.frombuffer(body, dtype=np.uint8).reshape(-1, step)
        if np.all(table[:, width] == ord("\n")) and np.count_nonzero(table == ord("\n")) == len(table):
            return table[:, :width]
    for number, line in enumerate(body[:-1].split(b"\n"), start=first_line):
        if len(line) != width:
            raise FileError(path, expected, f"{len(line)} characters in line {number} instead of {width} (cut short?)", AGAIN)
    raise FileError(path, expected, "lines that cannot be told apart", AGAIN)


def integers(path: Path, table: npt.NDArray[np.uint8], first_line: int, meaning: str) -> npt.NDArray[np.int64]:
    """Read columns of digits as whole numbers without a sign.

    Parameters
    ----------
    table : ndarray of uint8, shape (lines, digits)
        ASCII digits.

    Returns
    -------
    ndarray of int64, shape (lines,)

    Raises
    ------
    FileError
        If a character is no digit.
    """
    wrong = ((table < ord("0")) | (table > ord("9"))).any(axis=1)
    if wrong.any():
        line = int(np.argmax(wrong))
        raise FileError(path, f"{meaning} in digits", f"{table[line].tobytes()!r} in line {first_line + line}", AGAIN)
    powers: npt.NDArray[np.int64] = 10 ** np.arange(table.shape[1] - 1, -1, -1)
    numbers: npt.NDArray[np.int64] = (table.astype(np.int64) - ord("0")) @ powers
    return numbers


def floats(
    path: Path, table: npt.NDArray[np.uint8], first_line: int, meaning: str, *, per_line: int = 1, blank: bool = False
) -> npt.NDArray[np.float64]:
    """Read fields of one width as numbers.

    Parameters
    ----------
    table : ndarray of uint8, shape (fields, characters)
    per_line : int
        Fields of a line, for the number of the line in the message.
    blank : bool
        Whether a blank field is a missing value.

    Returns
    -------
    ndarray of float64, shape (fields,)
        NaN where a field is blank, if that is allowed.

    Raises
    ------
    FileError
        If a field is no number, or no finite one.
    """
    column = np.ascontiguousarray(table)
    fields = column.view(f"S{column.shape[1]}")[:, 0]
    missing = (table == ord(" ")).all(axis=1) if blank else np.zeros(len(fields), dtype=bool)
    try:
        values = np.where(missing, b"0", fields).astype(np.float64)
    except ValueError:
        for number, field in enumerate(fields):
            try:
                float(b"0" if missing[number] else field)
            except ValueError as error:
                raise FileError(path, meaning, f"{bytes(field)!r} in line {first_line + number // per_line}", AGAIN) from error
        raise
    if not np.isfinite(values).all():
        number = int(np.argmin(np.isfinite(values)))
        raise FileError(path, meaning, f"{bytes(fields[number])!r} in line {first_line + number // per_line}", AGAIN)
    values[missing] = np.nan
    return values


def dates(
    path: Path, year: npt.NDArray[np.int64], month: npt.NDArray[np.int64], day: npt.NDArray[np.int64], first_line: int
) -> npt.NDArray[np.datetime64]:
    """Make days of year, month and day of the month.

    Raises
    ------
    FileError
        If a date is not in the calendar, or a year is not from 1800 to 2200.
    """
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    day_one = months.astype("datetime64[D]")
    days_in_month = ((months + 1).astype("datetime64[D]") - day_one).astype(np.int64)
    wrong = (year < FIRST_YEAR) | (year > LAST_YEAR) | (month < 1) | (month > 12) | (day < 1) | (day > days_in_month)
    if wrong.any():
        line = int(np.argmax(wrong))
        found = f"{year[line]:04d}-{month[line]:02d}-{day[line]:02d} in line {first_line + line}"
        raise FileError(path, f"a date of the calendar from {FIRST_YEAR} to {LAST_YEAR}", found, AGAIN)
    days: npt.NDArray[np.datetime64] = day_one + (day - 1).astype("timedelta64[D]")
    return days
