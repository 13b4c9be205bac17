"""The table of storms: its columns, its classes, and its CSV file, which may also be written by hand."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringdecay.errors import FileError, InputError
from ringdecay.store import SIMULATED_NOTE, is_simulated, iso_times, written_whole

# Class -> the depth (nT) it begins at: small, moderate and intense as in Gonzalez et al. (1994), J. Geophys. Res. 99, 5771, and
# the class at -250 nT of the same school. The five classes of Loewe and Proelss (1997) use other names and are not mixed in.
STORM_CLASSES = {"small": -30.0, "moderate": -50.0, "intense": -100.0, "super-intense": -250.0}
_SHALLOWER = "below small"

COLUMNS = {
    "storm": "int64",
    "onset": "datetime64[ns]",
    "minimum": "datetime64[ns]",
    "last_minimum": "datetime64[ns]",
    "recovery_end": "datetime64[ns]",
    "depth": "float64",
    "storm_class": "object",
    "n_dips": "int64",
    "complete": "bool",
}
TIMES = ("onset", "minimum", "last_minimum", "recovery_end")
# A table that begins with this holds simulated storms.
_SIMULATED = "# SIMULATED"
_REQUIRED = ("onset", "minimum", "recovery_end", "depth")
_FIX = "correct the table, or find storms from an index instead"


def classify(depth: float) -> str:
    """Name the class of a storm by its depth.

    Parameters
    ----------
    depth : float
        Index at the minimum, nT.

    Returns
    -------
    str
        The deepest of `STORM_CLASSES` that `depth` reaches, or "below small". The limits were made for Dst.
    """
    reached = [name for name, limit in STORM_CLASSES.items() if depth <= limit]
    return reached[-1] if reached else _SHALLOWER


def write_storms(storms: pd.DataFrame, path: str | PathLike[str]) -> None:
    """Write a table of storms as CSV, whole or not at all.

    Times are ISO 8601 in UTC ("2015-03-17T22:47:00Z"), with as many decimals as they need, so that `read_storms` gives back exactly
    what was written.

    Parameters
    ----------
    storms : DataFrame
        As from `find_storms` or `read_storms`; further columns are written too.
    path : path-like
        The file to write.

    Raises
    ------
    InputError
        If a column of `COLUMNS` is missing.
    """
    missing = [name for name in COLUMNS if name not in storms]
    if missing:
        raise InputError(f"a table of storms needs the columns {', '.join(COLUMNS)}; missing: {', '.join(missing)}")
    table = storms.copy()
    for name in TIMES:
        table[name] = iso_times(storms[name].to_numpy().astype("datetime64[ns]"))
    with written_whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        if is_simulated(storms):
            file.write(f"# {SIMULATED_NOTE}\n")
        table.to_csv(file, index=False, lineterminator="\n")


def read_storms(path: str | PathLike[str]) -> pd.DataFrame:
    """Read a table of storms from CSV and check it.

    A table of one's own needs the columns `onset`, `minimum`, `recovery_end` (ISO 8601; without a zone they are UTC) and `depth` (nT,
    negative). Left out, `storm` counts from 1 in the order of time, `last_minimum` is `minimum`, `n_dips` is 1, `complete` is true
    and `storm_class` follows from `depth`. Further columns are kept.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    DataFrame
        As from `find_storms`, sorted by time.

    Raises
    ------
    FileError
        If the file is missing or no table, lacks a column, has a value that is none, dates the wrong way round, storms that overlap,
        or a storm number twice.
    """
    source = Path(path)
    if not source.is_file():
        raise FileError(source, "a CSV table of storms", "no file", "check the path")
    try:
        # Text first, so that a wrong value can be named as it stands in the file.
        raw = pd.read_csv(source, dtype=str, keep_default_na=False, skipinitialspace=True, comment="#")
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise FileError(source, "a CSV table of storms", f"something else ({error})", _FIX) from error
    missing = [name for name in _REQUIRED if name not in raw]
    if missing:
        raise FileError(source, f"the columns {', '.join(_REQUIRED)}", f"no {' and no '.join(missing)}", _FIX)
    table = raw.copy()
    for name in TIMES:
        if name in raw:
            times = pd.to_datetime(raw[name].str.strip(), format="ISO8601", utc=True, errors="coerce")
            _refuse(source, raw, name, times.isna().to_numpy(), "a time such as 2015-03-17T22:47:00Z")
            table[name] = times.dt.tz_localize(None).astype("datetime64[ns]")
    for name, least, most, whole in (("depth", -np.inf, 0.0, False), ("storm", 0, np.inf, True), ("n_dips", 1, np.inf, True)):
        if name in raw:
            numbers = pd.to_numeric(raw[name], errors="coerce").to_numpy(dtype=np.float64)
            with np.errstate(invalid="ignore"):  # the remainder of an infinite number
                wrong = ~np.isfinite(numbers) | (numbers < least) | (numbers > most) | (whole & (numbers % 1 != 0))
            _refuse(source, raw, name, wrong, "a whole number" if whole else "a number of nT, not above 0")
            table[name] = numbers.astype(np.int64) if whole else numbers
    if "complete" in raw:
        words = raw["complete"].str.strip().str.lower()
        _refuse(source, raw, "complete", ~words.isin(["true", "false"]).to_numpy(), "True or False")
        table["complete"] = words == "true"

    table = table.sort_values("onset", kind="stable").reset_index(drop=True)
    defaults: dict[str, Any] = {"storm": np.arange(1, len(table) + 1), "last_minimum": table["minimum"], "n_dips": 1, "complete": True}
    for name, default in defaults.items():
        if name not in table:
            table[name] = default
    if "storm_class" not in table:
        table["storm_class"] = [classify(depth) for depth in table["depth"]]
    table = table[[*COLUMNS, *(name for name in table if name not in COLUMNS)]].astype(COLUMNS)
    _check_order(source, table)
    table.attrs["simulated"] = "yes" if source.read_text(encoding="utf-8").startswith(_SIMULATED) else "no"
    return table


def check_number(storms: pd.DataFrame, number: int | None, setting: str) -> None:
    """Refuse the number of a storm that is not in a table; None names none.

    Raises
    ------
    InputError
        If `setting`, which is what the message calls the number, names another.
    """
    there = sorted(storms["storm"])
    if number is None or number in there:
        return
    listed = ", ".join(map(str, there)) if len(there) <= 12 else f"{there[0]} to {there[-1]}"
    has = f"the storms {listed}" if there else "no storm"
    raise InputError(f"{setting} is {number}, but the run has {has}; name one that is there, or null for the deepest with a resolved decay")


def _refuse(path: Path, raw: pd.DataFrame, name: str, wrong: npt.NDArray[np.bool_], expected: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise FileError(path, f"{expected} as {name}", f"{raw[name].iloc[row]!r} in row {row + 1}", _FIX)


def _check_order(path: Path, table: pd.DataFrame) -> None:
    for earlier, later, either in (("onset", "minimum", False), ("minimum", "last_minimum", True), ("last_minimum", "recovery_end", False)):
        wrong = (table[earlier] > table[later]) if either else (table[earlier] >= table[later])
        if wrong.any():
            row = table[wrong].iloc[0]
            found = f"{earlier} {row[earlier]} and {later} {row[later]} in storm {row['storm']}"
            raise FileError(path, f"{earlier} before {later}", found, _FIX)
    overlap = table["recovery_end"].to_numpy()[:-1] > table["onset"].to_numpy()[1:]
    if overlap.any():
        first = int(np.argmax(overlap))
        found = f"storm {table['storm'].iloc[first]} lasting beyond the onset of storm {table['storm'].iloc[first + 1]}"
        raise FileError(path, "storms that do not overlap", found, _FIX)
    twice = table["storm"][table["storm"].duplicated()]
    if len(twice):
        raise FileError(path, "each number of a storm once", f"{twice.iloc[0]} twice", _FIX)
