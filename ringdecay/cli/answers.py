"""How a command answers: a sentence to people, a table on their terminal, an object to scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


def answer(sentence: str, record: dict[str, Any], *, as_json: bool) -> None:
    """Write the sentence for people, or the record for scripts; paths in it are written as text."""
    click.echo(json.dumps(record, indent=2, default=_plain, allow_nan=False) if as_json else sentence)


def answer_written(output: Path, data: Any, sentence: str, record: dict[str, Any], *, as_json: bool) -> None:
    """Answer that a result was written to a file, and whether it was made from simulated data."""
    from ringdecay.store import is_simulated  # noqa: PLC0415 - each command loads only what it needs

    record = {"output": output, "simulated": is_simulated(data)} | record
    answer(f"{output}: {sentence}{simulated(data)}", record, as_json=as_json)


def _plain(value: Any) -> Any:
    """Give a number of NumPy as one of Python, and anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)


def simulated(*data: Any) -> str:
    """Say what has to be said of a result made from simulated data."""
    from ringdecay.store import is_simulated  # noqa: PLC0415 - each command loads only what it needs

    return " (SIMULATED)" if is_simulated(*data) else ""


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give a table as plain rows for JSON: times in ISO 8601 (UTC), null where there is no number or an infinite one."""
    from ringdecay.store import iso_times  # noqa: PLC0415

    plain = table.copy()
    for name in plain.columns:
        if plain[name].dtype.kind == "M":
            plain[name] = iso_times(plain[name].to_numpy().astype("datetime64[ns]"))
    rows: list[dict[str, Any]] = json.loads(plain.to_json(orient="records", double_precision=15))
    return rows


def is_looked_at() -> bool:
    """Tell whether standard output is a terminal, so that a person reads it now."""
    return sys.stdout.isatty()


def show_table(title: str, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Draw a table on the terminal."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=title, title_justify="left", header_style="bold")
    for name in columns:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*map(str, row))
    Console().print(table)


def show_lifetimes(lifetimes: xr.Dataset, L: Sequence[float] = (3.0, 4.0, 5.0)) -> None:
    """Draw the decay times at some L on the terminal, a row an energy, as in the table for a paper."""
    from ringdecay.tables import confidence_text, nearest, tau_text  # noqa: PLC0415

    chosen = lifetimes.transpose(..., "energy", "L").isel(L=nearest(lifetimes["L"].to_numpy(), L))
    rows = [
        [f"{float(energy):g}", *(tau_text(chosen.isel(energy=i, L=j)) or "-" for j in range(chosen.sizes["L"]))]
        for i, energy in enumerate(chosen["energy"].to_numpy())
    ]
    title = f"Decay times (days, {confidence_text(lifetimes)} intervals; limits are one-sided){simulated(lifetimes)}"
    show_table(title, ["keV", *(f"L = {float(value):g}" for value in chosen["L"].to_numpy())], rows)
