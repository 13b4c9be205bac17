"""Files of NASA's OMNI data set: high-resolution CDF files (1 and 5 min), hourly CDF files, and the hourly OMNI2 text files.

Formats: the variable attributes of the CDF files, and SPDF's description of the OMNI2 yearly files
(https://spdf.gsfc.nasa.gov/pub/data/omni/low_res_omni/omni2.text).
"""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringdecay.cdf import CdfFile, read_cdf, to_datetime64
from ringdecay.errors import FileError
from ringdecay.indices import vintage
from ringdecay.indices.kp import exact_thirds
from ringdecay.indices.series import Series
from ringdecay.indices.text import AGAIN, FIRST_YEAR, LAST_YEAR

logger = logging.getLogger(__name__)

# Index -> variable and fill: of the high-resolution files, and of the hourly ones, which have the fills of the OMNI2 text.
_SOLAR_WIND = {"Pdyn": ("Pressure", 99.99), "Ey": ("E", 999.99)}
_HRO_VARIABLES = {"SYM-H": ("SYM_H", 99999.0), "ASY-H": ("ASY_H", 99999.0), **_SOLAR_WIND}
_HOURLY_VARIABLES = {"Dst": ("DST", 99999.0), "Kp": ("KP", 99.0), "F10.7": ("F10_INDEX", 999.9), **_SOLAR_WIND}
_HOUR = np.timedelta64(1, "h")

# Index -> its word of the record counted from 0, and its fill, from SPDF's format description (words 29, 36, 39, 41 and 51).
_WORDS = {"Pdyn": (28, 99.99), "Ey": (35, 999.99), "Kp": (38, 99.0), "Dst": (40, 99999.0), "F10.7": (50, 999.9)}
# 55 words; the extended files have two more (Lyman alpha and a solar-wind index) behind them.
_WORD_COUNTS = (55, 57)

# Far outside what was ever measured (Dst -589 nT in 1989, F10.7 below 500): such a value is a fill that is not known, or of another unit.
# Those of the solar wind are about twice the valid ranges in OMNI's own files.
_LIMITS = {
    "SYM-H": (-3000.0, 1000.0),
    "ASY-H": (0.0, 3000.0),
    "Dst": (-3000.0, 1000.0),
    "F10.7": (40.0, 900.0),
    "Pdyn": (0.0, 200.0),
    "Ey": (-200.0, 200.0),
}


def read_omni_cdf(path: Path, name: str) -> Series:
    """Read an index of an OMNI CDF file: SYM-H and ASY-H of the 1 and 5 min files, Dst, Kp and F10.7 of the hourly ones, or the solar wind.

    Parameters
    ----------
    path : Path
        The file.
    name : {"SYM-H", "ASY-H", "Dst", "Kp", "F10.7", "Pdyn", "Ey"}
        The index.

    Returns
    -------
    Series
        nT, nT, nT, 1 (in exact thirds), sfu, nPa and mV/m. A 5-min value is the mean of the minutes from its time on (measured against the
        one-minute values of WDC Kyoto). In hourly files, `Epoch` is the start of the hour and `Epoch_1800`, which files made by
        CDAWeb have, its centre; `time_label` says which it is.

    Raises
    ------
    FileError
        If the file is damaged, has no such variable, or its times or values are not what they should be.
    """
    if name in _HRO_VARIABLES:
        variable, fill = _HRO_VARIABLES[name]
        # The solar wind has the same names in both kinds of file.
        both = name in _SOLAR_WIND
        content = read_cdf(path, [], optional=["Epoch", variable]) if both else read_cdf(path, ["Epoch", variable])
        if both and not any(source.lower().startswith("omni_hro") for source in _logical_source(content)):
            return _read_hourly(path, name)
        if variable not in content:
            raise FileError(path, f"the variable {variable}", "none", "give OMNI's files as SPDF hands them out, which have the solar wind")
        time, values = _time_and_values(content, "Epoch", variable, fill, name)
        return _omni_series(content, time, values, "OMNI high-resolution CDF", "start of the interval")
    return _read_hourly(path, name)


def _read_hourly(path: Path, name: str) -> Series:
    """Read an hourly file (data set OMNI2_H0_MRG1HR).

    No real file was at hand when this was written: variables, fills and the place of Epoch are from CDAWeb's description of the data
    set and from what other programs read. So what is expected is checked, and what differs is said.
    """
    variable, fill = _HOURLY_VARIABLES[name]
    epoch = "Epoch"
    content = read_cdf(path, [], optional=[epoch, variable])
    if epoch not in content or variable not in content:
        # CDAWeb hands out the same values at the centre of the hour under names that end in 1800 (seconds).
        wanted = f"{variable} over Epoch, or {variable}1800 over Epoch_1800, as in OMNI2_H0_MRG1HR"
        epoch, variable = "Epoch_1800", f"{variable}1800"
        content = read_cdf(path, [], optional=[epoch, variable])
        if epoch not in content or variable not in content:
            found = " ".join(_logical_source(content)) or "another CDF file"
            raise FileError(
                path, wanted, found, f"give a file that has {name}: OMNI's high-resolution files have SYM-H, ASY-H and the solar wind only"
            )
    depends = content[variable].attributes.get("DEPEND_0", epoch)
    if str(depends).strip() != epoch:
        raise FileError(
            path, f"{variable} over {epoch}", f"{variable} over {depends}", "tell the developers: this kind of file is not known"
        )
    time, values = _time_and_values(content, epoch, variable, fill, name)
    past_hour = np.unique(time - time.astype("datetime64[h]"))
    labels = {0: "start of the hour", 30: "centre of the hour"}
    minutes = past_hour / np.timedelta64(1, "m")
    if minutes.size > 1 or float(minutes[0]) not in labels:
        found = f"{', '.join(f'{minute:g}' for minute in minutes[:3])} minutes past it"
        raise FileError(path, "all times at the start of an hour, or all half past it", found, AGAIN)
    steps = np.diff(time)
    if np.any(steps != _HOUR):
        at = int(np.argmax(steps != _HOUR))
        counts = f"{int((steps != _HOUR).sum())} of {steps.size} steps are not 1 h"
        found = f"a step of {steps[at] / _HOUR:g} h after {np.datetime_as_string(time[at], unit='m')} ({counts})"
        raise FileError(path, "times exactly one hour apart", found, AGAIN)
    return _omni_series(content, time, values, "OMNI2 hourly CDF", labels[int(minutes[0])])


def _time_and_values(
    content: CdfFile, epoch: str, name: str, fill: float, index: str
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.float64]]:
    """Give the times and the values of a variable, its fill as NaN, and Kp in thirds."""
    path, variable = content.path, content[name]
    time = to_datetime64(content[epoch].values, content[epoch].type)
    values = np.array(variable.values, dtype=np.float64)
    if time.size == 0 or time.shape != values.shape:
        raise FileError(path, "a value a time", f"{time.size} times and {values.size} values", AGAIN)
    if np.isnat(time).any():
        raise FileError(path, "a time in each record", f"{int(np.isnat(time).sum())} records without one", AGAIN)
    said = variable.attributes.get("FILLVAL", fill)
    said = float(said) if np.ndim(said) == 0 and np.asarray(said).dtype.kind in "fiu" else np.nan
    # Fills of real numbers are in the precision of the variable: 999.9 is 999.90002 in 4 bytes.
    if not np.isclose(said, fill, rtol=1e-6):
        logger.warning("%s: the fill of %s is %s, expected was %g; both are taken as missing", path.name, name, said, fill)
    values[np.isclose(values, fill, rtol=1e-6) | np.isclose(values, said, rtol=1e-6)] = np.nan
    if index == "Kp":
        return time, exact_thirds(path, values / 10.0, 0.05)
    _refuse_wild(path, values, index, said)
    return time, values


def _refuse_wild(path: Path, values: npt.NDArray[np.float64], index: str, fill: float) -> None:
    """Raise FileError for a value that an index cannot have."""
    low, high = _LIMITS[index]
    wild = (values < low) | (values > high)
    if wild.any():
        found = f"{values[int(np.argmax(wild))]:g} (in {int(wild.sum())} of {values.size} values)"
        raise FileError(path, f"{index} from {low:g} to {high:g}, or the fill {fill:g}", found, AGAIN)


def _omni_series(content: CdfFile, time: npt.NDArray[np.datetime64], values: npt.NDArray[np.float64], kind: str, time_label: str) -> Series:
    logical = _logical_source(content)
    source = f"{kind} ({logical[0]})" if logical else kind
    source += ", SIMULATED" if content.simulated else ""
    # In the files at hand, Generation_date is "Ongoing": that is no date.
    stamps = [str(entry).strip() for entry in content.attributes.get("Generation_date", [])]
    source_date = next((stamp for stamp in stamps if re.search(r"\d", stamp)), "")
    return Series(time, values, vintage.same("unknown", time.size), source, time_label, vintage.OMNI_RULE, source_date)


def _logical_source(content: CdfFile) -> list[str]:
    return [str(entry) for entry in content.attributes.get("Logical_source", [])]


def read_omni2(path: Path, content: bytes, name: str) -> Series:
    """Read hourly Dst, Kp, F10.7 or solar wind of an OMNI2 yearly text file.

    Kp stands in the file as ten times its value with a third rounded (33 is 3+); here it is exact (10/3).

    Parameters
    ----------
    path : Path
        For the message of an error.
    content : bytes
        The file, unpacked.
    name : {"Dst", "Kp", "F10.7", "Pdyn", "Ey"}
        The index.

    Returns
    -------
    Series
        nT, 1, sfu, nPa and mV/m. The value of an hour stands at the start of that hour.

    Raises
    ------
    FileError
        If a line has not 55 (or 57) numbers, a date is wrong, or Kp is no Kp.
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
    short = ~np.isfinite(words).all(axis=1)
    if short.any():
        line = int(np.argmax(short))
        raise FileError(path, expected, f"{int(np.isfinite(words[line]).sum())} in line {line + 1} (cut short?)", AGAIN)

    year, day, hour = words[:, :3].astype(np.int64).T
    wrong = (year < FIRST_YEAR) | (year > LAST_YEAR) | (day < 1) | (day > 366) | (hour < 0) | (hour > 23)
    if wrong.any():
        line = int(np.argmax(wrong))
        found = f"year {year[line]}, day {day[line]} and hour {hour[line]} in line {line + 1}"
        raise FileError(path, f"a year from {FIRST_YEAR} to {LAST_YEAR}, day 1-366 and hour 0-23", found, AGAIN)
    days = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + (day - 1)
    time = (days + hour.astype("timedelta64[h]")).astype("datetime64[ns]")

    word, fill = _WORDS[name]
    values = words[:, word].copy()
    values[values == fill] = np.nan
    if name == "Kp":
        values = exact_thirds(path, values / 10.0, 0.05)
    else:
        _refuse_wild(path, values, name, fill)
    unknown = vintage.same("unknown", values.size)
    return Series(time, values, unknown, "OMNI2 yearly text (SPDF)", "start of the hour", vintage.OMNI_RULE)
