"""Time the fits of a whole mission, on simulated series, and print a Markdown table; every candidate in every round, one after the other.

`ours` is ordinary least squares for all series at once in plain numpy, `linregress` a loop over `scipy.stats.linregress` on the same
series (60 bins, a fifth of them missing at random); both start from arrays with NaN and give slope, standard error and correlation, and
the script stops if they differ. `calibrated` is `fit_decays` as the workflow calls it: every estimator, floors, curvature, two stages and
joint fits, for the storms of a mission (55, without the quiet years between them) in the simulated world.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# One thread for the linear algebra, as in the workflow; numpy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import click
import numpy as np
from scipy.stats import linregress

from ringdecay.binned import with_merged_probe
from ringdecay.decays import choose_windows, fit_decays
from ringdecay.decays.cells import packed
from ringdecay.decays.gls import Series, least_squares
from ringdecay.schedule import dask_on
from ringdecay.simulate.binned import binned_series
from ringdecay.simulate.index import index, storms
from ringdecay.simulate.truth import make_truth

POINTS, MISSING, BIN_DAYS = 60, 0.2, 8.97 / 24
# Storms x probes and their sum x energies x L-shells with data.
SERIES = 42_000
# The simulated world has a storm every fortnight: days of it that hold 55 storms.
MISSION_DAYS = 815
# Largest relative difference between ours and linregress.
SAME = 1e-12


def draw(n_series: int, seed: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Draw times (days) and log flux, NaN where a bin is missing, of shape (series, point)."""
    rng = np.random.default_rng(seed)
    t = (np.arange(POINTS) + rng.uniform(-0.25, 0.25, (n_series, POINTS))) * BIN_DAYS
    rate = 1 / rng.uniform(2, 30, (n_series, 1))
    y = 11.0 - rate * t + 0.2 * rng.normal(size=t.shape)
    return t, np.where(rng.random(t.shape) < MISSING, np.nan, y)


def ours(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Slope, its standard error and the correlation of every series, shape (3, series), for all series at once."""
    (y, t), n = packed(np.isfinite(y), y, t)
    line = least_squares(Series(y, t, np.zeros_like(y), n))
    return np.array([line.slope, line.slope_se, line.r])


def loop(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Do the same by a loop over `scipy.stats.linregress`."""
    out = np.empty((3, len(y)))
    for k, (when, values) in enumerate(zip(t, y, strict=True)):
        known = np.isfinite(values)
        found = linregress(when[known], values[known])
        out[:, k] = found.slope, found.stderr, found.rvalue
    return out


def mission(quick: bool) -> tuple[Callable[[], Any], int]:
    """Give a function that makes all calibrated fits of a mission, and the number of series that it fits."""
    truth = make_truth(days=40 if quick else MISSION_DAYS)
    binned, sym_h, catalogue = with_merged_probe(binned_series(truth)), index(truth), storms(truth)
    if quick:
        binned = binned.isel(L=slice(18, 22), energy=slice(2, 5))
    windows = choose_windows(binned, catalogue, sym_h)

    def fit() -> Any:
        return fit_decays(binned, catalogue, windows=windows, index=sym_h, joint=True, compare=True)

    return fit, len(catalogue) * 4 * binned.sizes["energy"] * binned.sizes["L"]


@click.command()
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Processes of the calibrated fits.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write all seconds to this file too.")
@click.option("--quick", is_flag=True, help="Few series and storms, to see that it runs.")
def main(rounds: int, workers: int, json_path: Path | None, quick: bool) -> None:
    """Time the fits of a mission, every candidate in every round."""
    t, y = draw(300 if quick else SERIES)
    fit, n_cells = mission(quick)
    found: dict[str, Any] = {}

    def calibrated() -> Any:
        with dask_on("processes", workers):
            return fit()

    candidates: dict[str, tuple[Callable[[], Any], int]] = {
        "ours": (lambda: ours(t, y), len(y)),
        "linregress": (lambda: loop(t, y), len(y)),
        "calibrated": (calibrated, n_cells),
    }
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, (run, _) in candidates.items():
            begin = time.perf_counter()
            found[name] = run()
            seconds[name].append(time.perf_counter() - begin)
    difference = float(np.nanmax(np.abs(found["ours"] / found["linregress"] - 1)))
    if not difference < SAME:
        raise click.ClickException(f"ordinary least squares differs from linregress by {difference:.1e}")
    report: dict[str, Any] = {
        name: {"seconds": seconds[name], "series": number, "workers": workers if name == "calibrated" else 1}
        for name, (_, number) in candidates.items()
    }
    report["calibrated"]["fits"] = int(np.isfinite(found["calibrated"]["rate"].to_numpy()).sum())
    ratios = [slow / quick_one for slow, quick_one in zip(seconds["linregress"], seconds["ours"], strict=True)]
    click.echo("| candidate | workers | series | median (s) | range (s) |")
    click.echo("|---|---|---|---|---|")
    for name, one in report.items():
        times = one["seconds"]
        click.echo(
            f"| {name} | {one['workers']} | {one['series']} | {statistics.median(times):.3f} | {min(times):.3f} to {max(times):.3f} |"
        )
    click.echo(
        f"\nlinregress / ours: {statistics.median(ratios):.0f} ({min(ratios):.0f} to {max(ratios):.0f}); "
        f"largest relative difference {difference:.1e}; {report['calibrated']['fits']} calibrated fits have a rate"
    )
    if json_path is not None:
        document = {"candidates": report, "ratio_linregress_ours": ratios, "largest_difference": difference}
        json_path.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
