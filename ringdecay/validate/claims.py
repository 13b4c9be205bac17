"""What is claimed, the goals, and the worlds in which each is measured.

The one place to change when an estimator is added: a case is a line of `cases`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from ringdecay.decays.fit import MODES, Mode
from ringdecay.validate.measures import Row, claims, floors, lone_fits, means, single_fits
from ringdecay.validate.worlds import ORBIT_DAYS, World, bins_of

# Trials of an entry; of a claim on means a trial is a mean over storms.
TRIALS = {"quick": 100, "full": 2000}
FEWEST_TRIALS = 100
# With fewer trials than this an entry says little, and only some of the worlds are drawn.
WHOLE_GRID = 1000
# Runs that an entry of single fits is split into.
RUNS = 5
# Missions of ten storms for so many trials.
TRIALS_A_MISSION = 50
DEFAULT_SEED = 20150415
# How a floor can be treated: keywords of `fit_decays`, where "known" stands for the true floor and "none" for None.
FLOORS: dict[str, dict[str, Any]] = {
    "known, followed to 5 floors (default)": {"floor": "known"},
    "known, followed to 2 floors": {"floor": "known", "floor_factor": 2.0},
    "not known (default)": {"floor": "auto"},
    "not known, one for each series": {"floor": "free"},
    "not looked for": {"floor": "none"},
}


@dataclass(frozen=True)
class Claim:
    """A claim: what is said, for each quantity that decides the goal (lowest, highest), and what its table says of the worlds."""

    title: str
    goals: dict[str, tuple[float, float]]
    columns: tuple[str, ...]


CLAIMS: dict[str, Claim] = {
    "single fits": Claim("95 % intervals of single fits cover 93 to 97 %", {"coverage": (0.93, 0.97)}, ("points", "gaps", "rho")),
    "single fits, wide": Claim("the same, with the correlation of the cells within +- 0.15", {"coverage": (0.93, 0.97)}, ("points", "rho")),
    "single fits, noisy": Claim(
        "the same, with twice as much counting noise as fluctuation", {"coverage": (0.93, 0.97)}, ("points", "rho")
    ),
    "single fits, few": Claim("the same, with only 100 series to pool over", {"coverage": (0.93, 0.97)}, ("points", "rho", "case")),
    "one series": Claim(
        "`fit_decay` on one series covers at least 88 % and says that it could not pool",
        {"coverage": (0.88, 1.0), "says not_pooled": (1.0, 1.0)},
        ("points", "rho"),
    ),
    "mean over storms": Claim("95 % intervals of the mean over storms cover 91 to 98 %", {"coverage of the mean": (0.91, 0.98)}, ("case",)),
    "bias": Claim("the mean rate is biased by less than 5 %, tau 1 to 60 d", {"bias of the mean rate": (-0.05, 0.05)}, ("tau", "points")),
    "bias, slow": Claim(
        "the mean rate is biased by less than 10 %, or it is a limit, tau 60 to 250 d",
        {"bias of the mean rate": (-0.1, 0.1)},
        ("tau", "points"),
    ),
    "floor": Claim(
        "a floor of 10 % of the first flux changes the median rate by less than 5 %",
        {"bias of the median rate": (-0.05, 0.05)},
        ("points", "case"),
    ),
    "no decay": Claim(
        "a decay is claimed in at most 5 % of flat and growing series", {"decay claimed": (0.0, 0.05)}, ("tau", "points", "rho")
    ),
    "missions": Claim("whole simulated archives: single fits cover 93 to 97 %", {"coverage": (0.93, 0.97)}, ("case",)),
    "missions, means": Claim(
        "whole simulated archives: means over storms cover 91 to 98 %", {"coverage of the mean": (0.91, 0.98)}, ("case",)
    ),
    "missions, bias": Claim(
        "whole simulated archives: the mean rate is biased by less than 5 %, tau 1 to 60 d",
        {"bias of the mean rate": (-0.05, 0.05)},
        ("case",),
    ),
}


@dataclass(frozen=True)
class Case:
    """One world to measure for one claim, in one mode; `columns` says in the table what is special about it."""

    claim: str
    mode: Mode
    world: World
    seed: tuple[int, ...]
    measure: Callable[[World, tuple[int, ...], Mode], list[Row]]
    columns: dict[str, str] = field(default_factory=dict)


def cases(trials: int, seed: int) -> Iterator[Case]:
    """List the cases of all claims but those on whole archives; both modes see the same worlds."""
    for number, (claim, measure, world, columns) in enumerate(_worlds(trials)):
        for mode in MODES:
            yield Case(claim, mode, world, (seed, number), measure, columns)


def _worlds(trials: int) -> Iterator[tuple[str, Callable[[World, tuple[int, ...], Mode], list[Row]], World, dict[str, str]]]:
    storms, cells = _layout(trials)

    def window(points: int, gaps: float) -> float:
        return ORBIT_DAYS * bins_of(points, gaps)

    # Fits of a run have the pooled distribution in common; several runs show how much that moves their coverage.
    whole = trials >= WHOLE_GRID
    several = RUNS if whole else 1
    each, rest = _layout(trials // several)
    fits = partial(single_fits, runs=several)
    # Decays of one e-folding time in the window.
    all_points, all_rho, all_gaps = ((12, 16, 24, 48), (0.0, 0.2, 0.4, 0.6, 0.8), (0.0, 0.3)) if whole else ((12, 24), (0.0, 0.8), (0.3,))
    some_points, some_rho = ((12, 24), (0.0, 0.4, 0.8)) if whole else ((12,), (0.0, 0.8))
    for points, rho, gaps in product(all_points, all_rho, all_gaps):
        yield "single fits", fits, World(each, rest, points, window(points, gaps), rho, gaps=gaps), {}
    for points, rho in product(some_points, some_rho):
        yield "single fits, wide", fits, World(each, rest, points, window(points, 0.3), rho, 0.15, gaps=0.3), {}
    for points, rho in product(some_points, some_rho):
        world = World(each, rest, points, window(points, 0.3), rho, gaps=0.3, size=0.1, noise=2.0)
        yield "single fits, noisy", fits, world, {}
    runs = max(trials // 100, 2)
    for points, rho, (some, other) in product(some_points, some_rho, ((100, 1), (10, 10))):
        world = World(some, other, points, window(points, 0.0), rho)
        yield "single fits, few", partial(single_fits, runs=runs), world, {"storms": f"{some} x {other} cells, {runs} runs"}
    for points, rho in product(some_points, some_rho):
        yield "one series", lone_fits, World(max(trials // 5, 50), 1, points, window(points, 0.0), rho), {}
    for n_storms, scatter in product((5, 10, 20) if whole else (5, 10), (0.0, 0.2, 0.5) if whole else (0.0, 0.5)):
        world = World(n_storms, trials, 24, 10.0, 0.5, 0.15, gaps=0.3, scatter=scatter)
        yield "mean over storms", means, world, {"storms": str(n_storms), "scatter": f"{scatter:.1f}"}
    # Windows of 12 days between storms, or of 4 e-folds where those are shorter; of 30 days for slow decays.
    for tau in (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0) if whole else (1.0, 15.0):
        width = min(ORBIT_DAYS, tau / 6)
        world = World(10, trials // 2, round(min(12.0, 4 * tau) / width), tau, 0.5, 0.15, scatter=0.2, bin_days=width)
        yield "bias", means, world, {"storms": "10", "scatter": "0.2"}
    for tau in (60.0, 120.0, 250.0) if whole else (120.0,):
        world = World(10, trials, round(30.0 / ORBIT_DAYS), tau, 0.5, 0.15, scatter=0.2)
        yield "bias, slow", means, world, {"storms": "10", "scatter": "0.2"}
    for points, (says, settings) in product((24, 48) if whole else (24,), FLOORS.items()):
        world = World(storms, cells, points, window(points, 0.0) / 3, 0.4, floor=0.1, noise=0.05)
        yield "floor", partial(floors, settings=settings), world, {"floor": says}
    for tau, points, rho in product((np.inf, -30.0), some_points, some_rho):
        yield "no decay", claims, World(storms, cells, points, tau, rho), {}


def _layout(trials: int) -> tuple[int, int]:
    """Storms and cells of a run: many storms, because the series of one are taken to share their fluctuations."""
    storms = max(100, trials // 8)
    return storms, -(-trials // storms)
