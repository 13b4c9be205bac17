"""The error models of a run: about straight lines, about parabolas, and about exponentials with a floor of their own.

Whoever asks whether a series bends must not take the error model of straight fits, which explains every bend as slow fluctuation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ringdecay.decays.cells import Asked, Cut, asked, pool_asked, pool_cuts
from ringdecay.decays.curvature import parabola_likelihood
from ringdecay.decays.free_floor import floor_likelihood
from ringdecay.decays.pooling import Pool

# A floor of its own is given to a series of so many bins, in which the straight line falls by so many e-folds. Three e-folds of the
# signal on a floor of a tenth of the first flux fall by 2.0 for a line; the rest is for chance. The line's rate is used for the choice
# because it is well known; a choice by the rate above the floor would prefer the steep ones.
FLOOR_POINTS = 24
FLOOR_EFOLDS = 1.7


@dataclass(frozen=True)
class ErrorModels:
    """Distributions of the error's parameters over the series of a run, about three curves."""

    line: Pool
    parabola: Pool
    floor: Pool


def pool_models(cuts: list[Cut], straight: list[dict[str, np.ndarray]], line: Pool, min_points: int) -> ErrorModels:
    """Pool the error's parameters about parabolas, and about free floors where these can be told from the decay.

    Parameters
    ----------
    cuts, straight : list
        Series of every storm, and their straight fits.
    line : Pool
        Error model about lines; it stands for that about floors where too few series of the run could have one.
    min_points : int
        Fewest points of a series.
    """
    floor = pool_asked(asked_for_floor(cuts, straight), floor_likelihood)
    return ErrorModels(line, pool_cuts(cuts, min_points, parabola_likelihood), floor if floor.n_series else line)


def asked_for_floor(cuts: list[Cut], straight: list[dict[str, np.ndarray]]) -> Asked:
    """Choose the series of a run that are asked for the error about free floors, from the straight fits; arguments as above."""
    able = [np.flatnonzero(separable(values) & ~np.isfinite(c.floor)) for c, values in zip(cuts, straight, strict=True)]
    some = [replace(c, series=c.series.take(rows)) for c, rows in zip(cuts, able, strict=True)]
    return asked(some, FLOOR_POINTS)


def separable(values: dict[str, np.ndarray]) -> NDArray[np.bool_]:
    """Whether a series is long enough for a floor of its own."""
    with np.errstate(invalid="ignore"):
        out: NDArray[np.bool_] = (values["n"] >= FLOOR_POINTS) & (values["rate"] * (values["t_last"] - values["t_first"]) >= FLOOR_EFOLDS)
    return out
