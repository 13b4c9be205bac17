"""Files of NASA's OMNI data set: high-resolution CDF files (1 and 5 min) and the hourly OMNI2 text files.

Formats: the variable attributes of the CDF files, and SPDF's description of the OMNI2 yearly files
(https://spdf.gsfc.nasa.gov/pub/data/omni/low_res_omni/omni2.text).
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd

from ringdecay.cdf import read_cdf, to_datetime64
from ringdecay.errors import FileError
from ringdecay.indices.series import VINTAGES, Series
from ringdecay.indices.text import AGAIN

_CDF_VARIABLES = {"SYM-H": "SYM_H", "ASY-H": "ASY_H"}
# The fill of the index variables, for a file that has lost its FILLVAL attribute.
_CDF_FILL = 99999

# Index -> its word of the record counted from 0, and its fill, from SPDF's format description (words 39, 41 and 51).
_WORDS = {"Kp": (38, 99.0), "Dst": (40, 99999.0), "F10.7": (50, 999.9)}
# 55 words; the extended files have two more (Lyman alpha and a solar-wind index) behind them.
_WORD_COUNTS = (55, 57)


def read_hro(path: Path, name: str) -> Series:
    """Read SYM-H or ASY-H of an OMNI high-resolution CDF file.

    Parameters
    ----------
    path : Path
        The file.
    name : {"SYM-H", "ASY-H"}
        The index.

    Returns
    -------
    Series
        nT. A 5-min value is the mean of the minutes from its time on (measured against the one-minute values of WDC Kyoto).

    Raises
    ------
    FileError
        If the file is damaged or has no such variable.
    """
    if name not in _CDF_VARIABLES:
        raise FileError(path, f"a file with {name}", "a CDF file", f"{name} is read from OMNI2 or WDC Kyoto text files")
    content = read_cdf(path, ["Epoch", _CDF_VARIABLES[name]])
    epoch, variable = content["Epoch"], content[_CDF_VARIABLES[name]]
    time = to_datetime64(epoch.values, epoch.type)
    values = np.array(variable.values, dtype=np.float64)
    if time.size == 0 or time.shape != values.shape:
        raise FileError(path, "a value a time", f"{time.size} times and {values.size} values", AGAIN)
    if np.isnat(time).any():
        raise FileError(path, "a time in each record", f"{int(np.isnat(time).sum())} records without one", AGAIN)
    values[values == float(variable.attributes.get("FILLVAL", _CDF_FILL))] = np.nan
    # OMNI does not say of which vintage the values were that it took from Kyoto.
    vintage = np.full(time.size, VINTAGES.index("unknown"), dtype=np.int8)
    logical = [str(entry) for entry in content.attributes.get("Logical_source", [])]
    source = f"OMNI high-resolution CDF ({logical[0]})" if logical else "OMNI high-resolution CDF"
    source += ", SIMULATED" if content.simulated else ""
    return Series(time, values, vintage, source, "start of the interval")


def read_omni2(path: Path, content: bytes, name: str) -> Series:
    """Read hourly Dst, Kp or F10.7 of an OMNI2 yearly text file.

    Kp stands in the file as ten times its value with a third rounded (33 is 3+); here it is exact (10/3).

    Parameters
    ----------
    path : Path
        For the message of an error.
    content : bytes
        The file, unpacked.
    name : {"Dst", "Kp", "F10.7"}
        The index.

    Returns
    -------
    Series
        nT, 1 and sfu. The value of an hour stands at the start of that hour.

    Raises
    ------
    FileError
        If a line has not 55 (or 57) numbers, or a date is wrong.
    """
    if name not in _WORDS:
        raise FileError(path, f"a file with {name}", "hourly OMNI2 values", f"{name} is read from WDC Kyoto or OMNI high-resolution files")
    expected = "lines of 55 numbers (57 in extended files), as SPDF describes OMNI2"
    try:
        table = pd.read_csv(io.BytesIO(content), sep=r"\s+", header=None, engine="c", dtype=np.float64)
    except (ValueError, pd.errors.ParserError) as error:
        raise FileError(path, expected, str(error).strip().splitlines()[-1], AGAIN) from error
    words = table.to_numpy()
    if words.shape[1] not in _WORD_COUNTS:
        raise FileError(path, expected, f"{words.shape[1]} in line 1", AGAIN)
    short = np.isnan(words).any(axis=1)
    if short.any():
        line = int(np.argmax(short))
        raise FileError(path, expected, f"{int(np.isfinite(words[line]).sum())} in line {line + 1} (cut short?)", AGAIN)

    year, day, hour = words[:, :3].astype(np.int64).T
    wrong = (day < 1) | (day > 366) | (hour < 0) | (hour > 23)
    if wrong.any():
        line = int(np.argmax(wrong))
        raise FileError(path, "day 1-366 and hour 0-23", f"day {day[line]} and hour {hour[line]} in line {line + 1}", AGAIN)
    days = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + (day - 1)
    time = (days + hour.astype("timedelta64[h]")).astype("datetime64[ns]")

    word, fill = _WORDS[name]
    values = words[:, word].copy()
    values[values == fill] = np.nan
    if name == "Kp":
        values = np.round(values * 0.3) / 3.0
    vintage = np.full(values.size, VINTAGES.index("unknown"), dtype=np.int8)
    return Series(time, values, vintage, "OMNI2 yearly text (SPDF)", "start of the hour")
