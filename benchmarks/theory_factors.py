"""Measure on simulated rates how often the intervals of the factors a and b hold the truth, and print it as a Markdown table.

Rates are drawn as fits would give them: a times predicted charge exchange plus b times predicted Coulomb drag, with a scatter between
storms that neighbouring cells share, and errors that a whole storm shares, of other size in every storm.
"""

from __future__ import annotations

from typing import NamedTuple

import click
import numpy as np
from scipy.special import stdtrit

from ringdecay.beside_theory.two_factors import two_factors
from ringdecay.lifetime.fits import Fits, t_variance
from ringdecay.theory import loss_rate

ENERGY = np.geomspace(45.0, 598.0, 14)


class World(NamedTuple):
    """What is simulated; `low`, `high` the range of the storms' errors (1/day), `common` the part of their variance that cells share."""

    name: str
    shells: tuple[float, ...] = (2.5, 3.25, 4.0, 4.75, 5.5)
    storms: int = 10
    a: float = 1.0
    b: float = 1.0
    scatter: float = 0.2
    low: float = 0.002
    high: float = 0.02
    common: float = 0.75
    lost: float = 0.1


WORLDS = [
    *(World(f"{n} storms", storms=n) for n in (5, 7, 10, 20)),
    World("scatter of 50 %", scatter=0.5),
    World("no scatter", scatter=0.0),
    World("errors of cells apart", common=0.0),
    World("errors twentyfold apart", low=0.001, high=0.02),
    World("a = 3, b = 0.3", a=3.0, b=0.3),
    World("a = 0.5, b = 5", a=0.5, b=5.0),
    World("half of the cells lost", lost=0.5),
    World("L = 3, 5 storms", shells=(3.0,), storms=5),
    World("L = 3, 10 storms", shells=(3.0,)),
    World("L = 5, 10 storms", shells=(5.0,)),
]


def predictions(shells: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Charge exchange and Coulomb drag over the cells (energies within L), for a spectrum that rises at low and falls at high energy."""
    both = [loss_rate(ENERGY, L, spectral_index=0.0) for L in shells]
    g = 3.0 * np.log(ENERGY / 100.0)
    x = np.concatenate([one["rate_charge_exchange"].to_numpy() for one in both])
    return x, np.concatenate([one["rate_coulomb"].to_numpy() * (g + 1) for one in both])


def draw(rng: np.random.Generator, world: World, x: np.ndarray, z: np.ndarray) -> Fits:
    """Rates of the world's storms with their stated errors."""
    along_L, along_energy = (
        axis.ravel() for axis in np.meshgrid(np.linspace(-1, 1, len(world.shells)), np.linspace(-1, 1, len(ENERGY)), indexing="ij")
    )
    place = np.column_stack([np.ones(len(x)), along_energy, along_L])
    place /= np.sqrt((place**2).sum(1, keepdims=True))
    sigma = np.sqrt(np.log1p(world.scatter**2))
    own = (world.a * x + world.b * z) * np.exp(sigma * rng.normal(size=(world.storms, 3)) @ place.T - sigma**2 / 2)
    size = np.exp(rng.uniform(np.log(world.low), np.log(world.high), (world.storms, 1)))
    shared = rng.normal(size=(world.storms, 3)) @ place.T
    error = size * (np.sqrt(world.common) * shared + np.sqrt(1 - world.common) * rng.normal(size=own.shape))
    use = rng.random(own.shape) >= world.lost
    se, df = np.broadcast_to(size, own.shape), np.full(own.shape, 20.0)
    return Fits(own + error, se, df, t_variance(se, df, use), use)


def measure(world: World, trials: int, seed: int) -> dict[str, np.ndarray]:
    """Tell of each trial and factor whether the interval held the truth, how far the factor was off, and how wide the interval was."""
    rng = np.random.default_rng(seed)
    x, z = predictions(world.shells)
    truth = np.array([world.a, world.b])
    found = [two_factors(draw(rng, world, x, z), x, z) for _ in range(trials)]
    factor, se, df = (np.array([getattr(one, name) for one in found]) for name in ("factor", "se", "df"))
    half = stdtrit(df, 0.975) * se
    return {"held": np.abs(factor - truth) <= half, "error": factor - truth, "half": half, "df": df}


@click.command()
@click.option("--trials", default=2000, show_default=True, help="Simulated runs a row.")
@click.option("--seed", default=45, show_default=True)
def main(trials: int, seed: int) -> None:
    """Print coverage of the 95 % intervals, bias and width of a and b."""
    click.echo(f"| world, {trials} runs | coverage of a | of b | bias of a | of b | rms error of a | of b | half width of a | of b |")
    click.echo("|---" * 9 + "|")
    for world in WORLDS:
        found = measure(world, trials, seed)
        cells = [f"{value:.3f}" for value in found["held"].mean(0)]
        cells += [f"{value:+.3f}" for value in found["error"].mean(0)]
        cells += [f"{value:.3f}" for value in np.sqrt((found["error"] ** 2).mean(0))]
        cells += [f"{value:.3f}" for value in np.median(found["half"], axis=0)]
        click.echo(f"| {world.name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
