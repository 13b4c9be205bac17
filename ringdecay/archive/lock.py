"""The lock: which bytes a result was made from, as a table of one row a file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import pandas as pd

from ringdecay.errors import FileError, InputError
from ringdecay.store import SIMULATED_NOTE, is_simulated, written_whole

COLUMNS = ("product", "probe", "date", "version", "size", "sha256", "modified", "path", "url")
# What stands as the product of files that no archive has.
OWN = "own file"
_ADVICE = "make it again with fetch"


def make_lock(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Make the table from its rows: typed columns, in the order product, probe, date."""
    return _typed(pd.DataFrame(rows, columns=list(COLUMNS)))


def lock_files(files: Iterable[str | PathLike[str]]) -> pd.DataFrame:
    """Make the lock of files that were not fetched but are a user's own.

    Raises
    ------
    FileError
        If one is missing.
    """
    rows: list[dict[str, object]] = []
    for path in map(Path, files):
        if not path.is_file():
            raise FileError(path, "a file", "none", "check the path")
        content = path.read_bytes()
        modified = pd.Timestamp(path.stat().st_mtime, unit="s").floor("s")
        digest = hashlib.sha256(content).hexdigest()
        rows.append({"product": OWN, "probe": "", "date": modified.floor("D"), "version": "", "size": len(content), "sha256": digest,
                     "modified": modified, "path": path.name, "url": ""})  # fmt: skip
    return make_lock(rows)


def join_locks(locks: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Join locks into one, which is simulated if one of them is."""
    given = list(locks)
    joined = _typed(pd.concat([lock for lock in given if len(lock)] or [make_lock([])], ignore_index=True))
    joined.attrs = {"simulated": "yes"} if is_simulated(*given) else {}
    return joined


def check_same_bytes(made: pd.DataFrame, earlier: pd.DataFrame) -> None:
    """Check that every file of a lock is in an earlier one with the same bytes.

    Raises
    ------
    InputError
        If not; all files that differ are named.
    """
    known = set(zip(earlier["product"], earlier["sha256"], strict=True))
    differ = made[[pair not in known for pair in zip(made["product"], made["sha256"], strict=True)]]
    if len(differ):
        names = ", ".join(str(path).rpartition("/")[2] for path in differ["path"])
        raise InputError(
            f"{len(differ)} of {len(made)} input files are not those of the lock: {names}; restore them, or run without the lock"
        )


def write_lock(lock: pd.DataFrame, path: str | PathLike[str]) -> None:
    """Write a lock as a TSV file, whole or not at all; equal locks give equal bytes.

    Parameters
    ----------
    lock : pandas.DataFrame
        From `fetch`; several are joined with `join_locks`. If it is marked as simulated, the first line of the file says so.
    path : path-like
        The file.
    """
    with written_whole(path) as beside:
        text = _typed(lock).assign(
            date=lambda table: table["date"].dt.strftime("%Y-%m-%d"),
            modified=lambda table: table["modified"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        note = f"# {SIMULATED_NOTE}\n" if is_simulated(lock) else ""
        beside.write_text(note + text.to_csv(sep="\t", index=False, lineterminator="\n"), encoding="utf-8", newline="\n")


def read_lock(path: str | PathLike[str]) -> pd.DataFrame:
    """Read a lock that `write_lock` wrote.

    Returns
    -------
    pandas.DataFrame
        Columns `product`, `probe` (empty for none), `date` (datetime64, UTC), `version`, `size` (bytes), `sha256`, `modified`
        (datetime64, UTC), `path` (below the root of the archive) and `url`. `attrs["simulated"]` is "yes" if the files are.

    Raises
    ------
    FileError
        If the file is missing or is not a lock.
    """
    source = Path(path)
    expected = f"a lock: a TSV file with the columns {', '.join(COLUMNS)}"
    if not source.is_file():
        raise FileError(source, expected, "no file", _ADVICE)
    try:
        text = source.read_text(encoding="utf-8")
        note = text.startswith(f"# {SIMULATED_NOTE}\n")
        text = text.partition("\n")[2] if note else text
        table = pd.read_csv(io.StringIO(text), sep="\t", dtype=str, keep_default_na=False)
        # The last line of a file that was cut has no end; a row that is cut elsewhere has empty cells.
        if tuple(table.columns) != COLUMNS or not text.endswith("\n") or table.isna().any(axis=None):
            raise FileError(source, expected, "other columns or a line that is cut", _ADVICE)
        table["modified"] = table["modified"].str.removesuffix("Z")
        table = _typed(table)
    except ValueError as error:  # pandas' parser errors are ValueErrors too
        raise FileError(source, expected, f"something else ({error})", _ADVICE) from error
    if table[table["product"] != OWN].duplicated(["product", "probe", "date"]).any():
        raise FileError(source, expected, "two lines for one file", _ADVICE)
    table.attrs = {"simulated": "yes"} if note else {}
    return table


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    table = table.loc[:, list(COLUMNS)].astype(
        {name: "datetime64[ns]" if name in {"date", "modified"} else "int64" if name == "size" else str for name in COLUMNS}
    )
    return table.sort_values(["product", "probe", "date"], kind="stable", ignore_index=True)
