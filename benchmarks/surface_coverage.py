"""Measure over simulated worlds how often the interval of the surface tau(E, L) holds the truth, and print it as a Markdown table.

Every third L-shell of each world is binned and fitted, as in coverage.py; the surface is compared with the population's rate at the cells.
"""

from __future__ import annotations

from itertools import pairwise

import click
import numpy as np
import pandas as pd
import xarray as xr

import ringdecay as rd

TAU_EDGES = (0, 2, 4, 8, 15, 30, 60, 120, 250)  # days


def measure(decays: xr.Dataset, population_rate: xr.DataArray) -> pd.DataFrame:
    """Fit the surface of one world; a row for each energy and L between data.

    `tau` is the population's, days. `held`: the two-sided interval of the rate holds the truth; `supported`: tau is stated; `limited`: a
    one-sided limit is given instead, which is `limit_held`. `error` and `cell_error` are those of the surface's rate and of the cell's
    own mean, relative; `cell_held`: the interval of the cell's mean holds the truth.
    """
    surface, cells = rd.fit_surface(decays), rd.lifetimes(decays).transpose("energy", "L", ...)
    at = rd.tau(decays["energy"], decays["L"], surface).transpose("energy", "L")
    rate = population_rate.transpose("energy", "L").to_numpy()
    between = np.isfinite(at["rate"].to_numpy())
    table = {
        "tau": 1 / rate,
        "supported": at["supported"].to_numpy() == 1,
        "held": (at["rate_low"].to_numpy() <= rate) & (rate <= at["rate_high"].to_numpy()),
        "limited": np.isfinite(at["tau_limit"].to_numpy()) | np.isinf(at["tau_limit"].to_numpy()),
        "limit_held": at["tau_limit"].to_numpy() <= 1 / rate,
        "error": at["rate"].to_numpy() / rate - 1,
        "cell_error": cells["rate"].to_numpy() / rate - 1,
        "cell_held": (cells["rate_low"].to_numpy() <= rate) & (rate <= cells["rate_high"].to_numpy()),
    }
    return pd.DataFrame({name: column[between] for name, column in table.items()})


def share(worlds: list[pd.DataFrame], held: str, of: str | None = None) -> str:
    """Share over all worlds, with the error from the scatter between worlds, because the cells of one share their storms."""
    hits = np.array([float((world[held] & (world[of] if of else True)).sum()) for world in worlds])
    cells = np.array([float(world[of].sum() if of else len(world)) for world in worlds])
    if not cells.sum():
        return ""
    mean = hits.sum() / cells.sum()
    return f"{mean:.3f} +- {np.sqrt(((hits - mean * cells) ** 2).sum()) / cells.sum():.3f}"


def summary(worlds: list[pd.DataFrame]) -> dict[str, str]:
    """Say the shares of one row of the table."""
    cells = pd.concat(worlds)

    def spread(name: str) -> str:
        return f"{100 * np.sqrt((cells[name] ** 2).mean()):.0f} %" if len(cells) else ""

    return {
        "points": str(round(len(cells) / len(worlds))),
        "tau stated": f"{cells['supported'].mean():.2f}" if len(cells) else "",
        "interval": share(worlds, "held"),
        "interval where stated": share(worlds, "held", "supported"),
        "limit where not": share(worlds, "limit_held", "limited"),
        "bias of rate": f"{100 * cells['error'].mean():+.0f} %" if len(cells) else "",
        "error (rms)": spread("error"),
        "cells: interval": share(worlds, "cell_held"),
        "cells: error (rms)": spread("cell_error"),
    }


def table(worlds: list[pd.DataFrame]) -> list[str]:
    """Make the lines of the Markdown table."""
    ranges = [*pairwise(TAU_EDGES), (0, 30), (0, 250)]
    rows = []
    for low, high in ranges:
        chosen = [world[world["tau"].gt(low) & world["tau"].le(high)] for world in worlds]
        rows.append({f"tau (d), {len(worlds)} seeds": f"{low}-{high}"} | summary(chosen))
    lines = ["| " + " | ".join(row.values()) + " |" for row in rows]
    return ["| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|", *lines]


@click.command()
@click.option("--seeds", default=70, show_default=True, help="Number of worlds.")
@click.option("--first-seed", default=72_000, show_default=True, help="Seed of the first; the others follow it.")
def main(seeds: int, first_seed: int) -> None:
    """Print coverage and error of the surface by decay time (days)."""
    worlds = []
    for seed in range(first_seed, first_seed + seeds):
        truth = rd.simulate.make_truth(seed)
        binned = rd.merge_probes(rd.simulate.binned_series(truth)).isel(L=slice(0, None, 3))
        decays = rd.fit_decays(binned, rd.simulate.storms(truth))
        known = rd.simulate.truth_dataset(truth)["population_rate"].sel(L=decays["L"], method="nearest")
        worlds.append(measure(decays, known))
    click.echo("\n".join(table(worlds)))


if __name__ == "__main__":
    main()
