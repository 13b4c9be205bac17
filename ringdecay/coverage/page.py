"""The coverage as a page for the report."""

from __future__ import annotations

import html
from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.coverage.days import coverage_months, coverage_totals, day_ranges
from ringdecay.coverage.sectors import SECTORS

_STYLE = (
    "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right;"
    "border-bottom:1px solid #ddd}strong{color:#b22222}"
)


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


def coverage_page(days: pd.DataFrame, places: xr.Dataset, index: str, *, title: str, simulated: bool) -> str:
    """Make a page of the coverage: the totals, the days without a file, every refused file with its reason, and the months.

    Parameters
    ----------
    days : DataFrame
        From `coverage_days`.
    places : Dataset
        From `sector_coverage`.
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
    refused = days[days["status"] == "refused"].drop_duplicates("file")
    # The reason begins with the name, which stands before it here.
    reasons = [
        f"<code>{html.escape(name)}</code>: {html.escape(reason.removeprefix(f'{name}: '))}"
        for name, reason in zip(refused["file"], refused["reason"], strict=True)
    ]
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        "<p><strong>SIMULATED</strong></p>" if simulated else "",
        f"<p>{html.escape(_sentence(days))} {html.escape(index)}</p>",
        _table(coverage_totals(days)),
        "<p>Of the index, used is known. Day by day all this is in coverage.csv.</p>",
        "<h2>Days without a file</h2>",
        _list(_gaps(days, "no file")),
        "<h2>Days on which the index is not known</h2>",
        _list(_gaps(days, "unknown")),
        "<h2>Refused files</h2>",
        _list(reasons),
        "<h2>Records without a place</h2>",
        _list(_unplaced(places)),
        "<h2>By month</h2>",
        _table(coverage_months(days[days["probe"] != ""]).drop(columns="unknown")),
    ]
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{html.escape(title)}</title><style>{_STYLE}</style>"
        f"{''.join(parts)}</html>\n"
    )


def _sentence(days: pd.DataFrame) -> str:
    flux = coverage_totals(days[days["probe"] != ""]).drop(columns=["product", "probe"]).sum()
    return (
        f"{flux['days']:.0f} days of probes asked for: {flux['used']:.0f} used, {flux['refused']:.0f} refused, "
        f"{flux['no_file']:.0f} without a file. "
        f"{flux['records_used']:,.0f} of {flux['records']:,.0f} records lie inside the grid and have a flux."
    )


def _gaps(days: pd.DataFrame, status: str) -> list[str]:
    """Say for each product and probe which days have a status, as ranges."""
    groups = days[days["status"] == status].groupby(["product", "probe"], sort=False)["date"]
    return [
        f"{html.escape(str(product))}{f', probe {html.escape(str(probe))}' if probe else ''} ({len(dates)}): {', '.join(day_ranges(dates))}"
        for (product, probe), dates in groups
    ]


def _unplaced(places: xr.Dataset) -> list[str]:
    """Say what share of each probe's records has no MLT and no MLAT; they are in the bins, but in no sector."""
    total = places["n_records"].sum("L")
    sentences = []
    for probe in places["probe"].to_numpy():
        all_of_it = int(total.sel(probe=probe))
        known = {name: int(places[f"n_records_by_{name}"].sel(probe=probe).sum()) for name in SECTORS}
        shares = [f"{100 * (1 - count / all_of_it):.2f} % without {name}" for name, count in known.items()] if all_of_it else ["no records"]
        sentences.append(f"probe {html.escape(str(probe))}: {', '.join(shares)}")
    return sentences


def _list(items: Iterable[str]) -> str:
    lines = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{lines}</ul>" if lines else "<p>None.</p>"


def _table(table: pd.DataFrame) -> str:
    shown = table.astype(object).where(table.notna(), "").rename(columns=lambda name: name.replace("_", " "))
    text: str = shown.to_html(index=False, border=0)
    return text
