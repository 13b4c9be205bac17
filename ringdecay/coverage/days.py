"""Every product, probe and day of a run: whether a file was there, what became of it, how much of it was used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.archive.periods import period_starts
from ringdecay.errors import FileError, InputError
from ringdecay.products import get_product
from ringdecay.store import SIMULATED_NOTE

# Column -> type and meaning, as the head of the table says it.
COLUMNS: dict[str, tuple[str, str]] = {
    "product": ("str", "flux product, or the product of the storm index (own file: files named in the config)"),
    "probe": ("str", "a or b; empty for the index"),
    "date": ("str", "day, UTC"),
    "fetched": ("bool", "whether the run has a file that holds the day; a file that is listed but cannot be fetched stops the run"),
    "status": ("str", "flux: used, refused or no file; index: known (a part of the day at least), unknown or no file"),
    "reason": ("str", "why the file was refused"),
    "file": ("str", "name of the file; files of the index hold many days"),
    "version": ("str", "version in the file's name"),
    "bytes": ("Int64", "size of the file"),
    "records": ("Int64", "records in the file"),
    "records_used": ("Int64", "records inside the grid with a flux in any channel"),
    "values_bad_quality": ("Int64", "flux values left out for their quality flag"),
    "values_excluded": ("Int64", "flux values left out by the exclude table of the config"),
    "share_known": ("Float64", "index: share of the day for which it is known"),
}
_COUNTS = ["records", "records_used", "values_bad_quality", "values_excluded"]
# Column of the totals -> what it counts.
_STATUS = {"used": ["used", "known"], "refused": ["refused"], "unknown": ["unknown"], "no_file": ["no file"]}
_OWN_FILE = "own file"


def coverage_days(
    files: pd.DataFrame,
    lock: pd.DataFrame,
    index: xr.DataArray,
    start: str,
    stop: str,
    *,
    product: str,
    probes: Sequence[str],
    index_product: str | None,
) -> pd.DataFrame:
    """Make the table of every product, probe and day.

    Parameters
    ----------
    files : DataFrame
        From `ringdecay.binned.file_table`: a row a flux file.
    lock : DataFrame
        From `ringdecay.archive.read_lock`: a row a fetched file, of the index too.
    index : DataArray
        From `open_index`.
    start, stop : str
        First day, and the day after the last.
    product : str
        The flux product.
    probes : sequence of str
        Probes that were asked for.
    index_product : str or None
        The product of the index; None if it was read from a user's own files.

    Returns
    -------
    DataFrame
        The columns of `COLUMNS`. A row a probe and day, then a row a day for the index. Days without a file are rows like any other, with 0
        records; what does not apply is missing (NA).

    Raises
    ------
    InputError
        If a locked flux file is not in the table of files: the two are not of one run.
    """
    days = pd.date_range(start, stop, inclusive="left", unit="ns")
    tables = [_flux_days(days, files, lock, product, probe) for probe in probes]
    return _typed(pd.concat([*tables, _index_days(days, lock, index, index_product)], ignore_index=True))


def coverage_totals(days: pd.DataFrame) -> pd.DataFrame:
    """Add the days up by product and probe.

    Parameters
    ----------
    days : DataFrame
        From `coverage_days`.

    Returns
    -------
    DataFrame
        A row a product and probe: `days`, `used` (of the index: known), `refused`, `unknown`, `no_file`, `files`, `megabytes`, and
        the sums of records and values (NA for the index).
    """
    # A file of the index holds many days and is counted once.
    each = days.drop_duplicates(["product", "probe", "file"])
    by = ["product", "probe"]
    sizes = each[each["file"] != ""].groupby(by, sort=False)["bytes"].agg(files="size", megabytes="sum")
    table = _added(days, by).join(sizes)
    table["files"] = table["files"].fillna(0).astype(int)
    table["megabytes"] = (table["megabytes"].fillna(0).astype(float) / 1e6).round(1)
    return table[["days", "used", "refused", "unknown", "no_file", "files", "megabytes", *_COUNTS]].reset_index()


def coverage_months(days: pd.DataFrame) -> pd.DataFrame:
    """Add the days up by product, probe and month.

    Parameters
    ----------
    days : DataFrame
        From `coverage_days`.

    Returns
    -------
    DataFrame
        A row a product, probe and month, with the columns of `coverage_totals` but the files and their size.
    """
    return _added(days.assign(month=days["date"].str[:7]), ["product", "probe", "month"]).reset_index()


def day_ranges(dates: Iterable[str]) -> list[str]:
    """Write days as ranges, such as "2015-05-03 to 2015-05-05", in the order of time."""
    days = np.unique(np.array(list(dates), dtype="datetime64[D]"))
    if days.size == 0:
        return []
    groups = np.split(days, np.flatnonzero(np.diff(days) > np.timedelta64(1, "D")) + 1)
    return [f"{group[0]} to {group[-1]}" if group.size > 1 else f"{group[0]}" for group in groups]


def days_header(*, simulated: bool) -> list[str]:
    """Say what the table of days is, for `write_csv`."""
    head = [SIMULATED_NOTE] if simulated else []
    return [
        *head,
        "What was there, product by product, probe by probe, day by day",
        "read with pandas.read_csv(path, comment='#')",
        "columns:",
        *(f"  {name}: {meaning}" for name, (_, meaning) in COLUMNS.items()),
    ]


def read_coverage(path: str | PathLike[str]) -> pd.DataFrame:
    """Read the table of days that a run wrote.

    Returns
    -------
    DataFrame
        As from `coverage_days`; its `attrs` say whether it is `simulated`.

    Raises
    ------
    FileError
        If there is no such file or it is another table.
    """
    source = Path(path)
    if not source.is_file():
        raise FileError(source, "a table of days", "no file", "run the workflow first")
    text = {name: kind for name, (kind, _) in COLUMNS.items() if kind == "str"}
    table = pd.read_csv(
        source, comment="#", dtype=text, keep_default_na=False, na_values={name: [""] for name in COLUMNS if name not in text}
    )
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise FileError(source, f"the columns {', '.join(COLUMNS)}", f"no {', '.join(missing)}", "make it again with the workflow")
    table = _typed(table)
    table.attrs["simulated"] = "yes" if source.read_text(encoding="utf-8").startswith(f"# {SIMULATED_NOTE}") else "no"
    return table


def _flux_days(days: pd.DatetimeIndex, files: pd.DataFrame, lock: pd.DataFrame, product: str, probe: str) -> pd.DataFrame:
    table = _with_files(days, lock, product, probe)
    facts = files.loc[files["probe"] == probe, ["name", "status", "reason", *_COUNTS]].rename(columns={"name": "file"})
    table = table.merge(facts, on="file", how="left")
    lost = table["fetched"] & table["status"].isna()
    if lost.any():
        raise InputError(f"{table.loc[lost, 'file'].iloc[0]} is in the lock, but not in the table of files; both must be of one run")
    table["status"] = table["status"].where(table["fetched"], "no file")
    return table.fillna({"reason": "", **dict.fromkeys(_COUNTS, 0)})


def _index_days(days: pd.DatetimeIndex, lock: pd.DataFrame, index: xr.DataArray, product: str | None) -> pd.DataFrame:
    if product is not None:
        table = _with_files(days, lock, product, "")
    else:
        # A user's own files are there, or the run would not have begun; which days they hold only the series tells.
        table = pd.DataFrame({"product": _OWN_FILE, "probe": "", "date": days, "fetched": True, "file": "", "version": ""})
    share = _share_known(index, days)
    status = np.where(share > 0, "known", np.where(table["fetched"], "unknown", "no file"))
    return table.assign(status=status, reason="", share_known=share)


def _with_files(days: pd.DatetimeIndex, lock: pd.DataFrame, product: str, probe: str) -> pd.DataFrame:
    """Give each day the fetched file that holds it."""
    locked = lock.loc[(lock["product"] == product) & (lock["probe"] == probe), ["date", "version", "size", "path"]]
    locked = locked.rename(columns={"date": "period", "size": "bytes", "path": "file"})
    period = period_starts(days, get_product(product).period)
    table = pd.DataFrame({"product": product, "probe": probe, "date": days, "period": period}).merge(locked, on="period", how="left")
    table["fetched"] = table["file"].notna()
    table["file"] = [PurePosixPath(path).name for path in table["file"].fillna("")]
    return table.drop(columns="period").fillna({"version": "", "bytes": 0})


def _share_known(index: xr.DataArray, days: pd.DatetimeIndex) -> pd.Series:
    """Share of each day for which the index is known; a value stands for one step."""
    time = pd.DatetimeIndex(index["time"].to_numpy())
    if len(time) < 2:
        return pd.Series(0.0, index=range(len(days)))
    step = np.median(np.diff(time.to_numpy()).astype(np.float64)) / 86_400e9
    known = pd.Series(np.isfinite(index.to_numpy()), index=time.floor("D")).groupby(level=0).sum()
    return (known.reindex(days, fill_value=0) * step).clip(upper=1.0).reset_index(drop=True)


def _added(days: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    is_of = {name: days["status"].isin(words).astype(int) for name, words in _STATUS.items()}
    # With min_count the index, which has no records, gets none instead of 0.
    return days.assign(days=1, **is_of).groupby(by, sort=False)[["days", *_STATUS, *_COUNTS]].sum(min_count=1)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    if table["date"].dtype.kind == "M":
        table = table.assign(date=table["date"].dt.strftime("%Y-%m-%d"))
    return table.astype({name: kind for name, (kind, _) in COLUMNS.items()})[list(COLUMNS)]
