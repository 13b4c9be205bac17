"""Files of the World Data Center for Geomagnetism, Kyoto: hourly Dst, and one-minute SYM-H and ASY-H.

Formats: https://wdc.kugi.kyoto-u.ac.jp/dstae/format/dstformat.html for the 120-byte Dst record, and IAGA-2002 for the others.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ringdecay.errors import FileError
from ringdecay.indices import vintage
from ringdecay.indices.series import Series
from ringdecay.indices.text import AGAIN, dates, fixed_lines, floats, integers

_DST_RECORD = "120-byte Dst records of WDC Kyoto"
_DST_MISSING = 9999

# IAGA-2002: date, time and day of the year in 30 characters, then four fields of ten.
_IAGA_WIDTH = 70
_IAGA_FIRST_FIELD, _IAGA_FIELD, _IAGA_FIELDS = 30, 10, 4
# 99999 is "missing", 88888 "not recorded" in IAGA-2002.
_IAGA_NO_VALUE = 88888.0


def read_dst(path: Path, content: bytes, name: str) -> Series:
    """Read hourly Dst in the WDC exchange format.

    Parameters
    ----------
    path : Path
        For the message of an error.
    content : bytes
        The file.
    name : {"Dst"}
        The index.

    Returns
    -------
    Series
        nT. The value of an hour stands at the start of that hour.

    Raises
    ------
    FileError
        If a record is cut short, or a field is not what it should be.
    """
    if name != "Dst":
        raise FileError(path, f"a file with {name}", "hourly Dst of WDC Kyoto", f"give a file that has {name}, or ask for Dst")
    table = fixed_lines(path, content, 120, 1, _DST_RECORD)
    year = integers(path, table[:, 3:5], 1, "the last two digits of the year")
    month = integers(path, table[:, 5:7], 1, "the month")
    # Days below ten may be padded with a blank.
    day = floats(path, table[:, 8:10], 1, "the day of the month").astype(np.int64)
    # A blank century is 19, says the format.
    century_field = np.where((table[:, 14:16] == ord(" ")).all(axis=1)[:, None], np.frombuffer(b"19", dtype=np.uint8), table[:, 14:16])
    century = integers(path, century_field, 1, "the first two digits of the year")
    base = floats(path, table[:, 16:20], 1, "a base value")
    hourly = np.ascontiguousarray(table[:, 20:116]).reshape(-1, 4)
    values = floats(path, hourly, 1, "24 hourly values of four characters", per_line=24).reshape(-1, 24)
    values = np.where(values == _DST_MISSING, np.nan, values + 100.0 * base[:, None])
    codes = np.repeat(vintage.of_dst_versions(table[:, 13]), 24)
    days = dates(path, 100 * century + year, month, day, 1)
    time = (days[:, None] + np.arange(24).astype("timedelta64[h]")).astype("datetime64[ns]")
    source = "WDC Kyoto, hourly Dst exchange format"
    return Series(time.ravel(), values.ravel(), codes, source, "start of the hour", vintage.DST_RULE)


def read_iaga(path: Path, content: bytes, name: str) -> Series:
    """Read one-minute SYM-H or ASY-H in the IAGA-2002 format.

    Parameters
    ----------
    path : Path
        For the message of an error.
    content : bytes
        The file, unpacked.
    name : {"SYM-H", "ASY-H"}
        The column to read.

    Returns
    -------
    Series
        nT.

    Raises
    ------
    FileError
        If the header or a line is not what it should be, or the file has no such column.
    """
    end_of_header = content.find(b"\nDATE") + 1
    start = content.find(b"\n", end_of_header) + 1
    if not end_of_header or not start:
        raise FileError(path, "an IAGA-2002 header that ends with a line DATE TIME DOY", "no such line", AGAIN)
    header = content[:end_of_header].decode("ascii", errors="replace")
    columns = content[end_of_header:start].decode("ascii", errors="replace").replace("|", " ").split()[3:]
    if name not in columns:
        raise FileError(path, f"a column {name}", f"columns {', '.join(columns)}", f"give a file that has {name}")
    if len(columns) != _IAGA_FIELDS:
        raise FileError(path, f"{_IAGA_FIELDS} columns of values, as in IAGA-2002", f"{len(columns)}: {', '.join(columns)}", AGAIN)
    first_line = header.count("\n") + 2
    table = fixed_lines(path, content[start:], _IAGA_WIDTH, first_line, "IAGA-2002 lines of 70 characters")

    def number(begin: int, end: int, meaning: str) -> np.ndarray:
        return integers(path, table[:, begin:end], first_line, meaning)

    days = dates(path, number(0, 4, "the year"), number(5, 7, "the month"), number(8, 10, "the day"), first_line)
    seconds = number(11, 13, "the hour") * 3600 + number(14, 16, "the minute") * 60 + number(17, 19, "the second")
    milliseconds = seconds * 1000 + number(20, 23, "milliseconds")
    time = days.astype("datetime64[ns]") + milliseconds.astype("timedelta64[ms]")
    begin = _IAGA_FIRST_FIELD + _IAGA_FIELD * columns.index(name)
    values = floats(path, table[:, begin : begin + _IAGA_FIELD], first_line, f"{name} as a number")
    values[values >= _IAGA_NO_VALUE] = np.nan
    codes = vintage.same(vintage.of_iaga_header(header), values.size)
    return Series(time, values, codes, "WDC Kyoto, IAGA-2002", "start of the minute, as in the file", vintage.IAGA_RULE)
