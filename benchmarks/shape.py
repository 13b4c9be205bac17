"""Measure what a floor does to the rate, and how often curvature and two stages are called where there are none, as Markdown tables.

Series are exponentials with an Ornstein-Uhlenbeck fluctuation of 0.15, given by its correlation `rho` at the spacing of the bins, and 1000
counts in a bin of the first flux. Each entry is a run of its own, so that the error model is pooled over its series, floors included.
"""

from __future__ import annotations

from itertools import product

import click
import numpy as np

from ringdecay.decays.cells import Cut, cut, fit_calibrated, pool_cuts
from ringdecay.decays.error_models import pool_models
from ringdecay.decays.floor import highest_floor
from ringdecay.decays.result import FLAGS
from ringdecay.decays.shape import with_shape

SIGMA, COUNTS, SPACING = 0.15, 1000.0, 0.374
EFOLDS, POINTS, RHO = (3.0, 4.0, 5.0), (24, 36, 60), (0.0, 0.4, 0.8)
FLOOR = 0.1  # of the first flux


def draw(seed: int, series: int, points: int, log_flux: np.ndarray, rho: float, floor: float, known: float = np.nan) -> tuple[Cut, float]:
    """Draw series around a log flux, shape (point,), with a floor that is known or not (NaN); and the highest floor that they allow."""
    rng = np.random.default_rng(seed)
    t = (np.arange(points) + rng.uniform(-0.1, 0.1, (series, points))) * SPACING
    u = np.empty(t.shape)
    u[:, 0] = rng.normal(size=series)
    for k in range(1, points):
        u[:, k] = rho * u[:, k - 1] + np.sqrt(1 - rho**2) * rng.normal(size=series)
    mean = np.stack([np.interp(row, np.arange(points) * SPACING, log_flux) for row in t])
    counts = rng.poisson(COUNTS * (np.exp(mean + SIGMA * u) + floor)).astype(float)
    flux, exposure = counts / COUNTS, np.full(t.shape, COUNTS)
    y = np.log((counts + 0.5) / COUNTS)
    inside = np.ones(t.shape, dtype=bool)
    return cut(y, t, flux, counts, exposure, inside, np.full(series, known), 5.0, 5.0), highest_floor(flux, counts, exposure)


def fit(one: Cut, highest: float) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Fit one run as `fit_decays` does; its straight fits, and its results."""
    pooled = pool_cuts([one], 5)
    values = fit_calibrated(one, pooled, 5, 0.95)
    allowed = np.full(len(values["rate"]), highest)
    pools = pool_models([one], [values], pooled, 5)
    found = with_shape(one, values, pools, highest_floor=allowed, fit_floor="auto", confidence=0.95, stages=True, bin_days=SPACING)
    return values, found


def flagged(values: dict[str, np.ndarray], name: str) -> float:
    """Share of the fits with a flag."""
    return float(((values["flag"] & FLAGS[name]) > 0).mean())


def floors(series: int, efolds: float, points: int, rho: float, floor: float, known: float) -> str:
    """Give one row of the table of floors."""
    log_flux = -efolds * np.linspace(0, 1, points)
    rate = efolds / ((points - 1) * SPACING)
    one, highest = draw(int(1e4 * efolds + 10 * points + 10 * rho), series, points, log_flux, rho, floor, known)
    row = [f"{efolds:g}", str(points), f"{rho:g}", f"{floor:g}", "no" if np.isnan(known) else f"{known / floor:.2f} of it"]
    for values in fit(one, highest):
        fitted = np.isfinite(values["rate"])
        held = (values["rate_low"] <= rate) & (rate <= values["rate_high"])
        row += [f"{100 * (np.median(values['rate'][fitted]) / rate - 1):+.1f}", f"{held[fitted].mean():.3f}"]
    row += [f"{100 * (values['rate'][fitted].mean() / rate - 1):+.1f}", f"{np.median(values['rate_se'][fitted]) / rate:.3f}"]
    row += [f"{flagged(values, 'floor_fitted'):.3f}", f"{flagged(values, 'floor_not_separable'):.3f}"]
    return "| " + " | ".join(row) + " |"


def stages(series: int, efolds: float, points: int, rho: float, ratio: float) -> str:
    """Give one row of the table of curvature and stages: the first 40 % of the window falls `ratio` times as fast as the rest."""
    x = np.linspace(0, 1, points)
    log_flux = -efolds * (ratio * np.minimum(x, 0.4) + np.maximum(x - 0.4, 0)) / (0.4 * ratio + 0.6)
    one, _ = draw(int(1e4 * efolds + 10 * points + 10 * rho), series, points, log_flux, rho, 0.0)
    _, values = fit(one, np.nan)
    row = [f"{efolds:g}", str(points), f"{rho:g}", f"{ratio:g}", f"{flagged(values, 'curved'):.3f}", f"{flagged(values, 'two_stages'):.3f}"]
    for name, stage in (("rate_fast", ratio), ("rate_slow", 1.0)):
        true = efolds * stage / (0.4 * ratio + 0.6) / ((points - 1) * SPACING)
        held = np.abs(values[name] - true) < 1.96 * values[f"{name}_se"]
        row += [f"{100 * (np.nanmedian(values[name]) / true - 1):+.0f}", f"{held[np.isfinite(values[name])].mean():.3f}"]
    return "| " + " | ".join(row) + " |"


@click.command()
@click.option("--series", default=1000, show_default=True, help="Series of each entry.")
@click.option("--part", type=click.Choice(["floor", "known", "stages", "all"]), default="all", show_default=True)
def main(series: int, part: str) -> None:
    """Print the tables: rates in percent of the true one, shares of the fits for the rest."""
    head = (
        "| e-folds | bins | rho | floor | known | no floor fitted: median (%) | coverage | as fit_decays: median (%) | coverage | mean (%) "
    )
    head += "| rate_se / rate | floor_fitted | floor_not_separable |"
    if part in ("floor", "all"):
        click.echo(head + "\n" + "|---" * 13 + "|")
        for efolds, points, rho, floor in product(EFOLDS, POINTS, RHO, (0.0, FLOOR)):
            click.echo(floors(series, efolds, points, rho, floor, np.nan))
    if part in ("known", "all"):
        click.echo(head + "\n" + "|---" * 13 + "|")
        for efolds, points, rho, share in product((1.0, 3.0), (24, 60), (0.0, 0.8), (np.nan, 1.0, 1.05)):
            click.echo(floors(series, efolds, points, rho, FLOOR, share * FLOOR))
    if part in ("stages", "all"):
        click.echo(
            "| e-folds | bins | rho | rate_fast / rate_slow | curved | two_stages | fast: median (%) | held | slow: median (%) | held |"
        )
        click.echo("|---" * 10 + "|")
        for ratio, efolds, points, rho in product((1.0, 3.0), (1.0, 3.0), (8, 12, 24, 60), RHO):
            click.echo(stages(series, efolds, points, rho, ratio))


if __name__ == "__main__":
    main()
