"""What was there, what was used, what was refused: by probe and month, for the report."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr


def coverage_table(files: pd.DataFrame, start: str, stop: str, probes: Sequence[str]) -> pd.DataFrame:
    """Count days, files and records by probe and month.

    Parameters
    ----------
    files : DataFrame
        From `ringdecay.binned.file_table`: a row a daily file.
    start, stop : str
        First day, and the day after the last.
    probes : sequence of str
        Probes that were asked for.

    Returns
    -------
    DataFrame
        A row a probe and month: `days` in the span, `days_missing` (no file), `files_used`, `files_refused`, `records`, `records_used`
        (inside the grid), `values_bad_quality` and `values_excluded`.
    """
    days = np.arange(np.datetime64(start, "D"), np.datetime64(stop, "D"))
    wanted = pd.DataFrame({"probe": np.repeat(list(probes), days.size), "date": np.tile(days.astype("datetime64[ns]"), len(probes))})
    found = files.assign(date=pd.to_datetime(files["date"], format="%Y%m%d"))
    for status in ("used", "refused"):
        found[f"files_{status}"] = (files["status"] == status).astype(int)
    counts = ["files_used", "files_refused", "records", "records_used", "values_bad_quality", "values_excluded"]
    table = wanted.merge(found[["probe", "date", "status", *counts]], on=["probe", "date"], how="left")
    table = table.assign(month=table["date"].dt.strftime("%Y-%m"), days=1, days_missing=table["status"].isna().astype(int))
    columns = ["days", "days_missing", *counts]
    return table.groupby(["probe", "month"])[columns].sum().astype(int).reset_index()


def index_sentence(index: xr.DataArray, start: str, stop: str) -> str:
    """Say what share of a span an index covers, and its longest gap.

    Parameters
    ----------
    index : DataArray
        From `open_index`.
    start, stop : str
        First day, and the day after the last.
    """
    begin, end = np.datetime64(start, "ns"), np.datetime64(stop, "ns")
    known = index["time"].to_numpy()[np.isfinite(index.to_numpy())]
    step = np.median(np.diff(index["time"].to_numpy())) if index.size > 1 else np.timedelta64(0, "ns")
    known = known[(known >= begin) & (known < end)]
    # A value stands for one step; the ends of the span count as values, so that a gap there is seen too.
    gaps = np.diff(np.concatenate([[begin - step], known, [end]])) - step
    missing = gaps[gaps > np.timedelta64(0, "ns")].sum() if known.size else end - begin
    share = 1.0 - missing / (end - begin)
    longest = max(float(gaps.max() / np.timedelta64(1, "h")), 0.0)
    return f"The index ({index.name}) covers {100 * share:.1f} % of the span; its longest gap is {longest:.1f} h."


def coverage_page(table: pd.DataFrame, files: pd.DataFrame, index: str, *, title: str, simulated: bool) -> str:
    """Make a page of the coverage, the totals, and every refused file with its reason.

    Parameters
    ----------
    table : DataFrame
        From `coverage_table`.
    files : DataFrame
        The table of files.
    index : str
        From `index_sentence`.
    title : str
        Heading.
    simulated : bool
        Whether to say SIMULATED.

    Returns
    -------
    str
        HTML that needs nothing else.
    """
    total = table.drop(columns=["probe", "month"]).sum()
    sentence = (
        f"{total['days']} days of probes asked for: {total['files_used']} files used, {total['files_refused']} refused, "
        f"{total['days_missing']} days without a file. {total['records_used']:,} of {total['records']:,} records lie inside the grid."
    )
    refused = files.loc[files["status"] == "refused", ["name", "reason"]]
    reasons = "".join(
        f"<li><code>{html.escape(name)}</code>: {html.escape(reason)}</li>" for name, reason in refused.itertuples(index=False)
    )
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{html.escape(title)}</title>"
        "<style>body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right;"
        "border-bottom:1px solid #ddd}strong{color:#b22222}</style>"
        f"<h1>{html.escape(title)}</h1>{'<p><strong>SIMULATED</strong></p>' if simulated else ''}<p>{sentence} {html.escape(index)}</p>"
        f"{table.to_html(index=False, border=0)}"
        f"<h2>Refused files</h2>{f'<ul>{reasons}</ul>' if reasons else '<p>None.</p>'}</html>\n"
    )
