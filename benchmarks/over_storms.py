"""Measure how often the intervals over storms hold the truth, on simulated fits with known errors, and print it as a Markdown table.

Rates of storms are lognormal about 1; a fit's error is normal and its standard error an estimate with ten degrees of freedom. Cells are
independent of each other, so a share p of n cells is known to sqrt(p (1 - p) / n).
"""

from __future__ import annotations

import click
import numpy as np

from ringdecay.decays.intervals import intervals
from ringdecay.lifetime.bootstrap import bootstrap_interval
from ringdecay.lifetime.fits import Fits
from ringdecay.lifetime.mean import hartung_knapp, mean_rate
from ringdecay.lifetime.prediction import next_storm
from ringdecay.lifetime.scatter import q_profile

SCATTERS = (0.0, 0.2, 0.5)
KINDS = ("small (0.01)", "equal (0.2)", "twentyfold (0.02 to 0.4)", "one of 0.025, others 0.5", "0.15 of the rate")
DF = 10
COLUMNS = ("mean", "REML, Hartung-Knapp", "bootstrap", "scatter", "next storm")


def rates(rng: np.random.Generator, n_storms: int, n_cells: int, scatter: float) -> np.ndarray:
    """Draw rates of arithmetic mean 1, shape (storm, cell)."""
    width = np.sqrt(np.log1p(scatter**2))
    return np.exp(width * rng.normal(size=(n_storms, n_cells)) - width**2 / 2)


def errors(rng: np.random.Generator, kind: str, rate: np.ndarray) -> np.ndarray:
    """Give the error of each fit."""
    if kind == KINDS[2]:
        return 10 ** rng.uniform(np.log10(0.02), np.log10(0.4), rate.shape)
    if kind == KINDS[3]:
        return np.where(np.arange(len(rate))[:, None] == 0, 0.025, 0.5) * np.ones(rate.shape)
    if kind == KINDS[4]:
        return 0.15 * rate
    return np.full(rate.shape, 0.01 if kind == KINDS[0] else 0.2)


def coverage(rng: np.random.Generator, n_storms: int, n_cells: int, kind: str, scatter: float) -> list[float]:
    """Give the share of the cells whose 95 % interval holds the truth, for each of the `COLUMNS`."""
    rate = rates(rng, n_storms, n_cells, scatter)
    error = errors(rng, kind, rate)
    se = error * np.sqrt(rng.chisquare(DF, rate.shape) / DF)
    found = rate + error * rng.normal(size=rate.shape)
    fits = Fits(found, se, np.full(rate.shape, float(DF)), se**2 * DF / (DF - 2), np.ones(rate.shape, bool))
    mean, usual = mean_rate(fits), hartung_knapp(fits, 0.95)
    own = intervals(mean.rate, mean.se, mean.df, 0.95)
    ends = (
        (own["rate_low"], own["rate_high"], 1.0),
        (usual["rate_reml_low"], usual["rate_reml_high"], 1.0),
        (*bootstrap_interval(fits, mean, 0.95, resamples=1000, seed=1), 1.0),
        (*q_profile(fits.rate, fits.variance, fits.use, 0.95), scatter**2),
        (*next_storm(fits, mean, 0.95), rates(rng, 1, n_cells, scatter)[0]),
    )
    return [float(((low <= truth) & (truth <= high)).mean()) for low, high, truth in ends]


@click.command()
@click.option("--cells", default=3000, show_default=True)
@click.option("--seed", default=11, show_default=True)
def main(cells: int, seed: int) -> None:
    """Print the coverage of 95 % intervals for scatters of 0, 20 and 50 %."""
    rng = np.random.default_rng(seed)
    click.echo(f"| storms | errors of the fits | {' | '.join(COLUMNS)} |")
    click.echo("|---" * (2 + len(COLUMNS)) + "|")
    for n_storms in (5, 7, 10, 20):
        for kind in KINDS:
            shares = [coverage(rng, n_storms, cells, kind, scatter) for scatter in SCATTERS]
            click.echo(
                f"| {n_storms} | {kind} | "
                + " | ".join(" / ".join(f"{s:.3f}" for s in column) for column in zip(*shares, strict=True))
                + " |"
            )


if __name__ == "__main__":
    main()
