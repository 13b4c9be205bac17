"""The table of a checked file as text that can be read, and pasted into an issue."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pandas as pd

from ringdecay import __version__
from ringdecay.check.expectation import Row, iso_day
from ringdecay.errors import printable

_WIDTH = 100
_MOST_UNKNOWN = 60
_TITLES = {"fails": "FAILS", "differs": "DIFFERS", "unknown": "NOT KNOWN", "holds": "HOLDS"}


def report(table: pd.DataFrame) -> str:
    """Write the report of one file: what fails and differs first, and the verdict at the end.

    Parameters
    ----------
    table : DataFrame
        From `check_file`.

    Returns
    -------
    str
        At most 100 columns wide; what cannot be printed of the file's words is escaped.
    """
    about = table.attrs
    mark = "   SIMULATED" if about["simulated"] else ""
    what = [about["product"] or "no product", f"probe {about['probe']}" if about["probe"] else "", iso_day(about["date"])]
    lines = [Path(about["file"]).name + mark, f"{', '.join(part for part in what if part)}; ringdecay {__version__}"]
    for verdict, title in _TITLES.items():
        # The reader's refusal is the verdict.
        rows = table[(table["verdict"] == verdict) & ((table["group"] != "reader") | (verdict != "fails"))]
        if len(rows):
            lines += ["", title, *_lines(rows[:_MOST_UNKNOWN], with_expected=verdict in ("fails", "differs"))]
            if len(rows) > _MOST_UNKNOWN:
                lines.append(f"  and {len(rows) - _MOST_UNKNOWN} more (--json has them all)")
    return printable("\n".join([*lines, "", *textwrap.wrap(f"VERDICT: {about['sentence']}", _WIDTH, break_on_hyphens=False)]))


def _lines(rows: pd.DataFrame, *, with_expected: bool) -> list[str]:
    width = min(24, max(len(name) for name in rows["expectation"])) + 2
    lines, group = [], ""
    for row in _together([Row(*values) for values in rows.itertuples(index=False)]):
        start = f"  {'' if row.group == group else row.group:<11}{row.expectation:<{width}}"
        group = row.group
        wrapped = textwrap.TextWrapper(_WIDTH, initial_indent=start, subsequent_indent=" " * (13 + width), break_on_hyphens=False)
        lines += wrapped.wrap(row.found) or [start]
        if with_expected and row.expected and row.group != "reader":
            wrapped.initial_indent = wrapped.subsequent_indent
            lines += wrapped.wrap(f"(expected {row.expected})")
    return lines


def _together(rows: list[Row]) -> list[Row]:
    """Make one row of those of a group that found the same."""
    alike: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        same = row.found if row.group in ("structure", "variables", "units") else row.expectation
        alike.setdefault((row.group, same, row.expected if row.verdict != "holds" else ""), []).append(row)
    return [
        of[0] if len(of) == 1 else of[0]._replace(found=f"{of[0].found}; so {', '.join(row.expectation for row in of[1:])}")
        for of in alike.values()
    ]


def one_line(table: pd.DataFrame) -> str:
    """Write name, product and verdict on one line."""
    return printable(f"{Path(table.attrs['file']).name}  {table.attrs['product'] or '-'}  {table.attrs['sentence']}")


def to_record(table: pd.DataFrame, *, rows: bool = True) -> dict[str, Any]:
    """Give the table as plain values for JSON; without its rows if these are not wanted."""
    record = {str(name): value for name, value in table.attrs.items()}
    return {**record, "expectations": table.to_dict("records")} if rows else record
