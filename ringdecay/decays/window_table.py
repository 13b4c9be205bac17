"""Windows of the user's own: a CSV table of when each decay begins and ends, for all cells or some."""

from __future__ import annotations

import csv
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from ringdecay.decays.result import FLAGS
from ringdecay.decays.windows import check_storms, storm_coords, windows_of_cells
from ringdecay.errors import FileError, InputError

COLUMNS = ("start", "stop", "storm", "probe", "energy_min", "energy_max", "L_min", "L_max")
_EXPECTED = "a CSV table of windows with the columns start and stop, and if wanted storm, probe, energy_min, energy_max, L_min, L_max"
_FIX = "correct the table"


def read_windows(path: str | PathLike[str]) -> pd.DataFrame:
    """Read a table of windows from CSV and check it.

    Needed are the columns `start` and `stop` (ISO 8601; without a zone they are UTC). `storm` is the number in the catalogue of storms;
    left out or empty, it is the last storm whose onset is not after `start`. `probe` (a, b or merged), `energy_min` and `energy_max`
    (keV), `L_min` and `L_max` narrow a window to some cells, ends included; left out or empty, it is for all of them. Lines that begin
    with # are passed over.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    DataFrame
        All of `COLUMNS`: `start`, `stop` datetime64[ns]; `storm` and the ranges float, NaN where they are open; `probe` text, empty for
        all. Rows as in the file.

    Raises
    ------
    FileError
        If the file is missing or no table, has no row or a column that is not known, or a value that is none; the row is named,
        the first below the names of the columns being 1.
    """
    source = Path(path)
    if not source.is_file():
        raise FileError(source, _EXPECTED, "no file", "check the path")
    try:
        content = source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(source, _EXPECTED, f"something else ({error})", _FIX) from error
    lines = [line for line in content.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    head, *rows = list(csv.reader(lines, skipinitialspace=True)) or [[]]
    head = [name.strip() for name in head]
    unknown = [name for name in head if name not in COLUMNS or head.count(name) > 1]
    missing = [name for name in ("start", "stop") if name not in head]
    if unknown or missing:
        found = f"no column {missing[0]!r}" if missing else f"a column {unknown[0]!r}" + (" twice" if unknown[0] in COLUMNS else "")
        raise FileError(source, _EXPECTED, found, _FIX)
    if not rows:
        raise FileError(source, _EXPECTED, "no row", _FIX)
    for number, row in enumerate(rows, 1):
        if len(row) != len(head):
            raise FileError(source, f"{len(head)} values, one for each column", f"{len(row)} in row {number}", _FIX)
    raw = pd.DataFrame(rows, columns=head, dtype=str)
    text = pd.DataFrame({name: raw[name].str.strip() if name in raw else "" for name in COLUMNS}, index=raw.index)
    table = pd.DataFrame(index=raw.index)
    for name in ("start", "stop"):
        times = pd.to_datetime(text[name], format="ISO8601", utc=True, errors="coerce")
        wrong = (times.isna() | (times.dt.year < 1900) | (times.dt.year > 2200)).to_numpy()
        _refuse(source, text[name], wrong, "a time such as 2015-03-18T22:47:00Z")
        table[name] = times.dt.tz_localize(None).astype("datetime64[ns]")
    _refuse(source, text["stop"], (table["stop"] <= table["start"]).to_numpy(), "a time after the start")
    for name in COLUMNS[2:]:
        if name == "probe":
            table[name] = text[name]
            continue
        numbers = pd.to_numeric(text[name], errors="coerce").to_numpy(dtype=np.float64)
        given = (text[name] != "").to_numpy()
        wrong = given & ~(np.isfinite(numbers) & (numbers > 0))
        if name == "storm":
            wrong |= given & (np.nan_to_num(numbers) % 1 != 0)
        _refuse(source, text[name], wrong, "the number of a storm" if name == "storm" else "a positive number")
        table[name] = numbers
    for low, high in (("energy_min", "energy_max"), ("L_min", "L_max")):
        _refuse(source, text[high], (table[high] < table[low]).to_numpy(), f"a number not below {low}")
    return table


def table_windows(binned: xr.Dataset, storms: pd.DataFrame, table: pd.DataFrame) -> xr.Dataset:
    """Give every storm and cell the window that a table has for it.

    A cell that no row covers has no window. A window that reaches past the onset of the next storm ends there (`new_injection`).

    Parameters
    ----------
    binned : xarray.Dataset
        From `bin_flux`; its cells.
    storms : pandas.DataFrame
        Catalogue from `find_storms`.
    table : pandas.DataFrame
        From `read_windows`.

    Returns
    -------
    xarray.Dataset
        `start`, `stop` (datetime64[ns], NaT for none) and `flag` over storm, probe, energy, L.

    Raises
    ------
    InputError
        If a row has a storm or a probe that is not there, or cells of none; if a window begins before its storm or after the next
        one; if two rows have a window for the same storm and cell. The row is named.
    """
    onset, _ = check_storms(storms)
    lacking = [name for name in COLUMNS if name not in table]
    if lacking:
        raise InputError(f"the table of windows lacks the column {lacking[0]!r}; write it as CSV and read it with read_windows")
    next_onset = np.append(onset[1:], np.datetime64("2262-01-01", "ns"))
    probes, numbers = [str(p) for p in binned["probe"].to_numpy()], storms["storm"].to_numpy().astype(int)
    energy, L = binned["energy"].to_numpy(), binned["L"].to_numpy()
    shape = (len(storms), len(probes), len(energy), len(L))
    start, stop = np.full(shape, np.datetime64("NaT", "ns")), np.full(shape, np.datetime64("NaT", "ns"))
    flag, owner = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.int64)
    begins, ends = (table[name].to_numpy("datetime64[ns]") for name in ("start", "stop"))
    for row in range(len(table)):
        one = table.iloc[row]
        said = f"row {row + 1} of the table of windows"
        begin, end = begins[row], ends[row]
        if np.isnan(one["storm"]):
            k = int(np.searchsorted(onset, begin, "right")) - 1
            if k < 0:
                raise InputError(f"{said} begins at {begin}, before the first storm; give it a later start, or the storm a row of its own")
        elif int(one["storm"]) in numbers:
            k = int(np.flatnonzero(numbers == int(one["storm"]))[0])
        else:
            raise InputError(f"{said} has storm {int(one['storm'])}, which the catalogue lacks; see storms.csv for the numbers")
        if not onset[k] <= begin < next_onset[k]:
            raise InputError(
                f"{said} begins at {begin}, which is not between the onset of its storm {numbers[k]} and that of the next; "
                "correct start or storm"
            )
        if one["probe"] and one["probe"] not in probes:
            raise InputError(f"{said} has probe {one['probe']!r}; the data have {', '.join(probes)}")
        chosen = np.ix_(
            np.array([one["probe"] in ("", probe) for probe in probes]),
            _within(energy, one["energy_min"], one["energy_max"]),
            _within(L, one["L_min"], one["L_max"]),
        )
        own = np.zeros(shape[1:], dtype=bool)
        own[chosen] = True
        if not own.any():
            raise InputError(f"{said} covers no cell: no energy or L of the data lies in its range")
        taken = owner[k][own]
        if taken.any():
            raise InputError(
                f"{said} has a window for storm {numbers[k]} in cells for which row {int(taken.max())} has one; "
                "a storm and cell can have one window"
            )
        owner[k][own] = row + 1
        start[k][own] = begin
        stop[k][own] = min(end, next_onset[k])
        flag[k][own] |= FLAGS["new_injection"] if end > next_onset[k] else 0
    return windows_of_cells(start, stop, flag, binned, storm_coords(storms), {"window": "table"})


def _within(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.bool_]:
    """Whether values lie in a range, ends included; NaN is an open end."""
    out: NDArray[np.bool_] = ~((values < low) | (values > high))
    return out


def _refuse(path: Path, text: pd.Series[str], wrong: NDArray[np.bool_], expected: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise FileError(path, f"{expected} as {text.name}", f"{text.iloc[row]!r} in row {row + 1}", _FIX)
