"""What was measured, as files: tables as CSV, and the part of docs/validation.md that no one types."""

from __future__ import annotations

from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from ringdecay import __version__
from ringdecay.store import SIMULATED_NOTE, written_whole
from ringdecay.tables import write_csv
from ringdecay.validate.claims import CLAIMS
from ringdecay.validate.run import summary

ENTRIES, SUMMARY, TABLE = "entries.csv", "summary.csv", "table.md"
_NUMBERS = {"tau": "{:g}", "rho": "{:.1f}", "gaps": "{:.0%}", "noise": "{:g}", "points": "{:.0f}"}


def write_report(entries: pd.DataFrame, folder: str | PathLike[str]) -> list[Path]:
    """Write `entries.csv` (a row an entry), `summary.csv` (a row a claim and mode) and `table.md` (both, for people) into a folder.

    Parameters
    ----------
    entries : pandas.DataFrame
        From `validate`.
    folder : path-like
        Is made if it is not there.

    Returns
    -------
    list of Path
        The files.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    head = [SIMULATED_NOTE, "The proof: what the intervals, means and limits of ringdecay do where the truth is known", *_made(entries)]
    write_csv(entries, place / ENTRIES, [*head, "error: one standard error of the Monte-Carlo value"])
    write_csv(summary(entries), place / SUMMARY, head)
    with written_whole(place / TABLE) as beside:
        beside.write_text(markdown(entries), encoding="utf-8")
    return [place / name for name in (ENTRIES, SUMMARY, TABLE)]


def markdown(entries: pd.DataFrame) -> str:
    """Write what was measured in Markdown: a table a claim, both modes side by side, after one that sums up."""
    parts = ["\n".join(f"{line}  " for line in _made(entries)), "### In sum", _summary_table(summary(entries))]
    for name, claim in CLAIMS.items():
        some = entries[entries["claim"] == name]
        if len(some):
            parts += [f"### {name}", f"{claim.title}.", _claim_table(some)]
    return "\n\n".join(parts) + "\n"


def _made(entries: pd.DataFrame) -> list[str]:
    said = entries.attrs
    return [
        f"ringdecay {__version__}, {datetime.now(UTC):%Y-%m-%d}, `ringdecay validate --trials {said['trials']} --seed {said['seed']}`",
        f"{said['trials']} trials an entry if not said otherwise, {said['missions']} whole archives a mode",
    ]


def _summary_table(table: pd.DataFrame) -> str:
    head = ["claim", "calibrated", "entries reached", "from", "to", "paper mode", "entries reached", "from", "to"]
    rows = []
    for name, claim in CLAIMS.items():
        cells = [f"{name}: {claim.title}"]
        for mode in ("calibrated", "paper"):
            one = table[(table["claim"] == name) & (table["mode"] == mode)]
            if one.empty:
                cells += ["", "", "", ""]
                continue
            row = one.iloc[0]
            cells += [f"**{row['verdict']}**" if mode == "calibrated" else row["verdict"], f"{row['reached']} of {row['entries']}"]
            cells += [_value(row["lowest"]), _value(row["highest"])]
        if any(cells[1:]):
            rows.append(cells)
    return _table(head, rows)


def _claim_table(some: pd.DataFrame) -> str:
    claim = CLAIMS[str(some["claim"].iloc[0])]
    world, goals = list(claim.columns), claim.goals
    quantities = list(dict.fromkeys(some["quantity"]))
    modes = {"calibrated": "", "paper": ", paper mode"}
    columns = [
        (quantity, mode) for mode in modes for quantity in quantities if len(some[(some["quantity"] == quantity) & (some["mode"] == mode)])
    ]
    head = [*world, *(f"{quantity}{modes[mode]}" for quantity, mode in columns)]
    rows = []
    for _, group in some.groupby(world, sort=False, dropna=False):
        cells = [_NUMBERS.get(name, "{}").format(group[name].iloc[0]) for name in world]
        for quantity, mode in columns:
            one = group[(group["quantity"] == quantity) & (group["mode"] == mode)]
            cells.append(_entry(one.iloc[0], judged=quantity in goals) if len(one) else "")
        rows.append(cells)
    return _table(head, rows)


def _entry(row: pd.Series, *, judged: bool) -> str:
    text = f"{_value(row['value'])} +- {_value(row['error'])}"
    mark = {"not reached": " **x**", "open": " (x)"}.get(row["verdict"], "") if judged else ""
    return text + mark if np.isfinite(row["value"]) else f"none{mark}"


def _value(number: float) -> str:
    return f"{number:.3f}" if np.isfinite(number) else "none"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
