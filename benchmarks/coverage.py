"""Measure over simulated worlds how often the intervals hold the truth, and print it as a Markdown table.

Every third L-shell of each world is binned, fitted and averaged, from `simulate.binned_series` to `lifetimes`, both probes together.
"""

from __future__ import annotations

from itertools import pairwise

import click
import numpy as np
import pandas as pd
import xarray as xr

import ringdecay as rd
from ringdecay.decays import FLAGS
from ringdecay.decays.fit import MODES, Mode

TAU_EDGES = (0, 2, 4, 8, 15, 30, 60, 120, 250)  # days
# Column -> what it counts, and of what.
CALIBRATED = {
    "fitted": ("fits", "storms"),
    "resolved": ("resolved", "fits"),
    "single fits": ("fits_held", "fits"),
    "mean over storms": ("means_held", "means"),
}
PAPER = {"paper mode: single fits": ("fits_held", "fits")}


def measure(seed: int, mode: Mode) -> pd.DataFrame:
    """Fit one world; a row for each energy and L, with what can be counted there.

    `tau` is the population's, days. Of the `storms`, so many gave `fits`; of these are `resolved` those that claim a decay, and `fits_held`
    those whose interval holds the rate of their own storm. `means` (calibrated mode) are cells with a mean over storms, `means_held` those
    whose interval holds the rate of the population. `bias` is that of the mean tau, relative; in paper mode of the accepted fits.
    """
    truth = rd.simulate.make_truth(seed)
    binned = rd.merge_probes(rd.simulate.binned_series(truth)).isel(L=slice(0, None, 3))
    decays = rd.fit_decays(binned, rd.simulate.storms(truth), mode=mode)
    mean, single = rd.lifetimes(decays), decays.isel(probe=0)
    known = rd.simulate.truth_dataset(truth).sel(L=decays["L"], method="nearest")
    tau = 1.0 / values(known, "population_rate")
    fitted = np.isfinite(values(single, "rate_low"))
    table = {
        "tau": tau,
        "storms": np.full(tau.shape, len(fitted)),
        "fits": fitted.sum(axis=0),
        "resolved": (fitted & (values(single, "flag") & FLAGS["not_resolved"] == 0)).sum(axis=0),
        "fits_held": holds(single, values(known, "storm_rate")).sum(axis=0),
        "bias": values(mean, "tau") / tau - 1.0,
    }
    if mode == "calibrated":
        table |= {"means": np.isfinite(values(mean, "rate_low")), "means_held": holds(mean, 1.0 / tau)}
    return pd.DataFrame({name: column.ravel() for name, column in table.items()})


def values(dataset: xr.Dataset, name: str) -> np.ndarray:
    """Give a variable as an array that ends in (energy, L)."""
    return dataset[name].transpose(..., "energy", "L").to_numpy()


def holds(dataset: xr.Dataset, rate: np.ndarray) -> np.ndarray:
    """Tell which intervals hold a rate; one that is not there holds none."""
    return (values(dataset, "rate_low") <= rate) & (rate <= values(dataset, "rate_high"))


def summary(cells: pd.DataFrame, mode: Mode) -> dict[str, str]:
    """Say the shares of one row of the table."""
    columns = CALIBRATED if mode == "calibrated" else PAPER
    row = {name: f"{cells[part].sum() / cells[whole].sum():.3f}" if cells[whole].sum() else "" for name, (part, whole) in columns.items()}
    name = "bias of tau" if mode == "calibrated" else "paper mode: bias of tau"
    return row | {name: f"{100 * cells['bias'].median():+.0f} %" if cells["bias"].notna().any() else ""}


@click.command()
@click.option("--seeds", default=40, show_default=True, help="Number of worlds.")
@click.option("--first-seed", default=20_000, show_default=True, help="Seed of the first; the others follow it.")
@click.option("--mode", type=click.Choice([*MODES, "both"]), default="both", show_default=True)
def main(seeds: int, first_seed: int, mode: str) -> None:
    """Print coverage and bias by decay time (days); the bias is the median over the cells."""
    runs = {name: pd.concat([measure(first_seed + k, name) for k in range(seeds)]) for name in MODES if mode in (name, "both")}
    first = next(iter(runs.values()))
    ranges = {f"{low}-{high}": (low, high) for low, high in pairwise(TAU_EDGES)}
    lines = []
    for name, (low, high) in (ranges | {"all": (0, np.inf), "all, tau <= 30": (0, 30)}).items():
        # A tau that is the edge itself belongs to the range below it.
        chosen = {key: cells[cells["tau"].gt(low) & cells["tau"].le(high)] for key, cells in runs.items()}
        row = {f"tau (d), {seeds} seeds": name, "cells": str(round(first["tau"].between(low, high, inclusive="right").sum() / seeds))}
        for key, cells in chosen.items():
            row |= summary(cells, key)
        lines.append(row)
    click.echo("| " + " | ".join(lines[0]) + " |")
    click.echo("|---" * len(lines[0]) + "|")
    for row in lines:
        click.echo("| " + " | ".join(row.values()) + " |")


if __name__ == "__main__":
    main()
