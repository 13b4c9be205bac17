"""Tables over energy and L-shell, a cell each, and what the cells say together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ringdecay.products import ion_name
from ringdecay.store import is_simulated
from ringdecay.summaries.flags import flag_table, marks_of
from ringdecay.summaries.page import Cell, Kind, Summary, Table
from ringdecay.tables import confidence_text, grows, nearest, tau_text

# So many rows and columns can be read at once, and the columns fit on a terminal.
MOST_ENERGIES, MOST_SHELLS = 16, 5
NOTHING = "\N{EN DASH}"
KINDS: dict[Kind, str] = {"found": "a decay time", "limit": "a lower limit on it", "opposite": "growing flux", "none": "no result"}
_SAID = ("L_definition", "mode", "estimator", "floor_from")
_WINDOWS = {"index": "the storm index", "flux": "the flux of each cell", "table": "a table", "given": "the series itself, all of it"}
_WINDOW_SETTINGS = (
    "start_delay_days", "max_days", "max_gap_days", "injection_dip", "average_days", "search_days", "rise", "min_days", "min_fall",
    "window_min_points", "window_r_max",
)  # fmt: skip


def about(result: xr.Dataset) -> list[tuple[str, str]]:
    """Say of what data a result is and how it was found, as far as its attributes know."""
    attrs = result.attrs
    data = [str(attrs[name]) for name in ("product", "flux") if attrs.get(name)]
    said = [("data", ", ".join(data))] if data else []
    said += [(name, str(attrs[name])) for name in _SAID if name in attrs]
    if "window" in attrs:
        settings = [f"{name} {_plain(attrs[name])}" for name in attrs if name in _WINDOW_SETTINGS]
        said.append(("windows from", "; ".join([_WINDOWS.get(str(attrs["window"]), str(attrs["window"])), *settings])))
    if "confidence" in attrs:
        said.append(("intervals", f"{confidence_text(result)}, two-sided; limits one-sided"))
    return said


def tau_summary(result: xr.Dataset, energies: Sequence[float] | None, L: Sequence[float] | None) -> Summary:
    """Summarise decay times over energy and L: lifetimes, a surface, or the fits of one storm and probe."""
    cells = over_cells(result)
    kinds = kinds_of(cells)
    what = "fits" if "n_storms" not in result else "cells"
    counts = {name: int((kinds == kind).sum()) for kind, name in KINDS.items()}
    facts = about(result)
    if "storm" in result.coords and not result["storm"].ndim:
        facts.insert(0, ("storm", storm_text(result)))
    probe = result.attrs.get("probe", result.coords.get("probe"))
    facts += [("probe", str(probe.item() if isinstance(probe, xr.DataArray) else probe))] if probe is not None else []
    if "n_storms" in result and result["n_storms"].size:
        facts.append(("storms in a cell", f"at most {int(result['n_storms'].max())}"))
    facts.append((what, f"{kinds.size}: " + ", ".join(f"{count} with {name}" for name, count in counts.items())))
    spread = "the standard deviation of the accepted fits" if "tau_sd" in result else f"its {confidence_text(result)} interval"
    table = cell_table(
        cells,
        f"Decay time tau in days with {spread}, against energy and L",
        lambda cell, kind: Cell(tau_text(cell) or NOTHING, kind),
        kinds,
        energies,
        L,
    )
    flags = flag_table(cells["flag"], what)
    notes = (f"> is a lower limit: no decay is resolved there, and that is a result. {NOTHING} is no result.",)
    title = str(result.attrs.get("title", f"Decay times of the {ion_name(result.attrs)} flux"))
    return Summary(title, is_simulated(result), tuple(facts), (table, *([flags] if flags else [])), notes)


def cell_table(
    cells: xr.Dataset,
    caption: str,
    say: Callable[[xr.Dataset, Kind], Cell],
    kinds: NDArray[Any],
    energies: Sequence[float] | None,
    L: Sequence[float] | None,
) -> Table:
    """Make a table with a row for each chosen energy and a column for each chosen L.

    Parameters
    ----------
    cells : Dataset
        Over energy and L.
    caption : str
        What the table is.
    say : callable
        Makes the cell from a Dataset without dimensions and its kind; marks for flags are added here.
    kinds : ndarray of str, shape (energy, L)
        Kind of each cell.
    energies, L : sequence of float or None
        Which to show, the nearest; None spreads some evenly over those that have a result.
    """
    there = kinds != "none"
    rows = _shown(cells["energy"].to_numpy(), energies, there.any(1), MOST_ENERGIES)
    columns = _shown(cells["L"].to_numpy(), L, there.any(0), MOST_SHELLS)
    # One cell at a time, because each has its own number of digits; there are at most some eighty.
    shown = cells.isel(energy=rows, L=columns)
    flag = shown["flag"]
    marks, notes = marks_of(flag.where(xr.DataArray(there[np.ix_(rows, columns)], dims=("energy", "L")), 0))
    lines = []
    for i, row in enumerate(rows):
        line = [Cell(f"{float(cells['energy'][row]):.4g} keV")]
        for j, column in enumerate(columns):
            one = say(shown.isel(energy=i, L=j), kinds[row, column])
            bits = int(flag.isel(energy=i, L=j)) if there[row, column] else 0
            line.append(Cell(one.text, one.kind, ",".join(letter for letter, bit in marks.items() if bits & bit)))
        lines.append(tuple(line))
    sizes = [(len(rows), cells.sizes["energy"], "energies"), (len(columns), cells.sizes["L"], "L-shells")]
    left = " and ".join(f"{some} of {all_} {name}" for some, all_, name in sizes if some < all_)
    heads = ("energy", *(f"L {float(value):.4g}" for value in shown["L"].to_numpy()))
    return Table(caption + (f" (shown: {left})" if left else ""), heads, tuple(lines), notes)


def kinds_of(cells: xr.Dataset) -> NDArray[Any]:
    """Give the kind of every cell, shape (energy, L): "found", "limit", "opposite" for growing flux, "none"."""
    ordered = cells.transpose("energy", "L", ...)
    limit = ordered["tau_limit"].notnull().to_numpy() if "tau_limit" in ordered else np.zeros(ordered["tau"].shape, dtype=bool)
    found = np.isfinite(ordered["tau"].to_numpy())
    return np.select([grows(ordered).to_numpy(), limit, found], ["opposite", "limit", "found"], "none")


def over_cells(result: xr.Dataset) -> xr.Dataset:
    """Give a result over energy and L, both of them dimensions, in this order."""
    missing = [name for name in ("energy", "L") if name not in result.dims]
    return result.expand_dims(missing).transpose("energy", "L", ...)


def storm_text(one: xr.Dataset) -> str:
    """Name a storm by its number, onset and depth."""
    text = str(int(one["storm"]))
    if {"onset", "depth"} <= set(one.coords):
        text += f", onset {minute(one['onset'].to_numpy())}, {float(one['depth']):g} nT"
    return text


def minute(time: Any) -> str:
    """Write a time to the minute; empty for none."""
    value = np.asarray(time, dtype="datetime64[ns]")
    return "" if np.isnat(value) else str(np.datetime_as_string(value, unit="m")).replace("T", " ")


def _shown(values: NDArray[Any], wanted: Sequence[float] | None, there: NDArray[np.bool_], most: int) -> list[int]:
    if wanted is not None:
        return nearest(values, wanted)
    some = np.flatnonzero(there) if there.any() else np.arange(len(values))
    chosen: list[int] = some[np.unique(np.linspace(0, len(some) - 1, min(most, len(some))).round().astype(int))].tolist()
    return chosen


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value)
