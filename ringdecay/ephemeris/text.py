"""The text form of MagEphem files: a JSON description in comment lines, then a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ringdecay.cdf import CdfVariable, looks_like_html
from ringdecay.errors import FileError

_AGAIN = "delete it and fetch it again"


def read_text(path: Path) -> tuple[npt.NDArray[np.datetime64], dict[str, CdfVariable]]:
    """Read a MagEphem text file.

    Its first lines begin with ``#``. They hold one JSON object, a member a variable, with START_COLUMN and DIMENSION or with VALUES,
    and after that object other text that is no JSON. The table that follows is separated by blanks.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    time : ndarray of datetime64[ns], shape (n,)
        UTC.
    variables : dict of str to CdfVariable
        All numeric variables by their names in the header, shape (n, *DIMENSION) or that of VALUES; texts as `str`.

    Raises
    ------
    FileError
        If the file is missing, empty, a web page, or cut short, or the header is damaged; the message names the line.
    """
    if not path.is_file():
        raise FileError(path, "a MagEphem file", "no file", "check the path, or fetch it")
    content = path.read_bytes()
    if looks_like_html(content[:512]):
        raise FileError(path, "a MagEphem file", "a web page (HTML or XML)", _AGAIN)
    lines = content.decode("utf-8", errors="replace").splitlines()
    n_header = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    if n_header == 0:
        raise FileError(
            path, "a MagEphem text file with a header in '#' lines", f"a file that begins with {content[:40]!r}", "check the file"
        )
    header = _header(path, lines[:n_header])
    columns = {name: entry for name, entry in header.items() if _is_column(entry)}
    if "DateTime" not in columns:
        raise FileError(
            path, "a header that describes DateTime with its START_COLUMN", f"{', '.join(header) or 'nothing'}", "report this file"
        )
    table = _table(path, lines, n_header, max(entry["START_COLUMN"] + _width(entry) for entry in columns.values()))
    variables = {name: _variable(path, name, entry, table) for name, entry in columns.items()}
    for name, entry in header.items():
        if isinstance(entry, dict) and "VALUES" in entry and name not in variables:
            values = np.asarray(entry["VALUES"])
            variables[name] = CdfVariable(name, "text", values, _attributes(entry), record_varying=False)
    return _times(path, table[:, columns["DateTime"]["START_COLUMN"]]), variables


def _header(path: Path, lines: list[str]) -> dict[str, Any]:
    """Find the JSON object in the comment lines; what stands before and after it is not ours."""
    text = "\n".join(line[1:] for line in lines)
    start = text.find("{")
    if start < 0:
        raise FileError(path, "a JSON object in the '#' lines", "none", _AGAIN)
    try:
        content, _ = json.JSONDecoder().raw_decode(text[start:])
    except json.JSONDecodeError as error:
        line = text[:start].count("\n") + error.lineno
        found = f"{error.msg} in or before line {line}, {lines[line - 1].strip('# ')[:60]!r}"
        raise FileError(path, "a header in JSON", found, _AGAIN) from error
    return dict(content)


def _is_column(entry: Any) -> bool:
    """Tell whether a member of the header describes columns; the table's width shows later if one is missed."""
    if not isinstance(entry, dict):
        return False
    numbers = [entry.get("START_COLUMN", -1), *np.atleast_1d(entry.get("DIMENSION", 1)).tolist()]
    return all(isinstance(number, int) and number >= least for number, least in zip(numbers, [0, *[1] * len(numbers)], strict=False))


def _width(entry: dict[str, Any]) -> int:
    return int(np.prod(entry.get("DIMENSION", [1])))


def _table(path: Path, lines: list[str], first: int, n_columns: int) -> npt.NDArray[np.str_]:
    rows = []
    for number, line in enumerate(lines[first:], start=first + 1):
        cells = line.split()
        if not cells:
            continue
        if len(cells) != n_columns:
            raise FileError(path, f"{n_columns} columns as the header says", f"{len(cells)} in line {number}", _AGAIN)
        rows.append(cells)
    if not rows:
        raise FileError(path, "rows below the header", "none", _AGAIN)
    return np.array(rows)


def _variable(path: Path, name: str, entry: dict[str, Any], table: npt.NDArray[np.str_]) -> CdfVariable:
    start, width = entry["START_COLUMN"], _width(entry)
    cells = table[:, start : start + width]
    values: npt.NDArray[Any] = cells if width > 1 or "DIMENSION" in entry else cells[:, 0]
    # Texts have neither a unit nor a fill in the header, so the cells themselves must say whether they are numbers.
    try:
        values = values.astype(np.float64)
    except ValueError as error:
        if "FILL_VALUE" in entry:
            raise FileError(path, f"numbers for {name} in columns {start} to {start + width - 1}", str(error), _AGAIN) from error
    return CdfVariable(name, "text", values, _attributes(entry), record_varying=True)


def _attributes(entry: dict[str, Any]) -> dict[str, Any]:
    """Give the header's words in those of CDF files, so that one reader serves both."""
    words = {"UNITS": "UNITS", "FILL_VALUE": "FILLVAL", "VALID_MIN": "VALIDMIN", "VALID_MAX": "VALIDMAX", "DESCRIPTION": "CATDESC"}
    return {ours: entry[theirs] for theirs, ours in words.items() if theirs in entry}


def _times(path: Path, cells: npt.NDArray[np.str_]) -> npt.NDArray[np.datetime64]:
    try:
        return np.array([cell.rstrip("Z") for cell in cells], dtype="datetime64[ns]")
    except ValueError as error:
        raise FileError(path, "times like 2013-02-18T00:05:00.0000Z", str(error), _AGAIN) from error
