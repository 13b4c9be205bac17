"""All series of a run: fitted in pieces of one storm each, between which only the error models of the whole run stand.

A piece depends on its storm and on those models alone, so the result is the same to the last bit however the pieces are shared out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ringdecay.decays.cells import Cut, asked, fit_calibrated, fit_paper, pool_asked
from ringdecay.decays.curvature import parabola_likelihood
from ringdecay.decays.error_models import ErrorModels, asked_for_floor
from ringdecay.decays.estimators import chosen, compared
from ringdecay.decays.free_floor import floor_likelihood
from ringdecay.decays.gls import Floats
from ringdecay.decays.joint import JOINT_POOL_SERIES, fit_joint, join
from ringdecay.decays.pooling import Pool
from ringdecay.decays.shape import FitFloor, with_shape
from ringdecay.decays.sharing import shared


@dataclass(frozen=True)
class How:
    """Settings of `ringdecay.decays.fit_decays` that say how a cut series is fitted; `compared` names the estimators side by side."""

    calibrated: bool
    estimator: str
    compared: tuple[str, ...]
    min_points: int
    confidence: float
    r_max: float
    highest_floor: Floats
    fit_floor: FitFloor
    stages: bool
    bin_days: float


@dataclass(frozen=True)
class Found:
    """What all fits of a run found.

    Attributes
    ----------
    own, beside, joint : list of dict
        For every storm, what the fits of each probe by itself found, the comparison of estimators, and the joint fits.
    pool, joint_pool : Pool or None
        Error models of the straight fits; None where nothing needs them.
    """

    own: list[dict[str, np.ndarray]]
    beside: list[dict[str, np.ndarray]]
    joint: list[dict[str, np.ndarray]]
    pool: Pool | None
    joint_pool: Pool | None


def fit_run(cuts: list[Cut], how: How, pair: tuple[int, int] | None, n_probes: int) -> Found:
    """Fit all series of a run, those of two probes jointly too.

    Parameters
    ----------
    cuts : list of Cut
        Series of every storm, of shape (probe, energy, L), raveled.
    how : How
        Settings.
    pair : tuple of int or None
        Positions of the two probes that are fitted jointly; None for no joint fits.
    n_probes : int
        Number of all probes.
    """
    both = [] if pair is None else [join(c, pair, n_probes) for c in cuts]
    joint_pool = models = None
    straight: list[dict[str, np.ndarray]] = []
    pieces: list[Callable[[], Any]] = []
    if how.calibrated and pair is not None:
        pieces.append(partial(pool_asked, asked(both, how.min_points, JOINT_POOL_SERIES)))
    if how.calibrated or how.compared:
        pieces.append(partial(pool_asked, asked(cuts, how.min_points), parabola_likelihood))
        pieces.append(partial(pool_asked, asked(cuts, how.min_points)))
        *joint_pools, parabola, line = shared(pieces, "fitting the error model")
        joint_pool = joint_pools[0] if joint_pools else None
        straight = shared([partial(fit_calibrated, c, line, how.min_points, how.confidence) for c in cuts], "fitting decays")
        pieces = [partial(pool_asked, asked_for_floor(cuts, straight), floor_likelihood)]
    # The one error model that waits for the straight fits is found beside the joint fits.
    pieces += [partial(fit_joint, c, joint_pool, how.min_points, how.confidence, how.r_max) for c in both]
    joint = shared(pieces, "fitting both probes")
    if how.calibrated or how.compared:
        floor, *joint = joint
        models = ErrorModels(line, parabola, floor if floor.n_series else line)
    own = shared(
        [partial(_of_storm, c, straight[k] if straight else None, models, how) for k, c in enumerate(cuts)], "looking at each storm"
    )
    return Found([one for one, _ in own], [beside for _, beside in own], joint, models.line if models else None, joint_pool)


def _of_storm(
    cut: Cut, straight: dict[str, np.ndarray] | None, models: ErrorModels | None, how: How
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Finish the fits of a storm: what they found, and the comparison of estimators."""
    known = {} if straight is None else {"gls": straight}
    if not how.calibrated:
        known["ols"] = fit_paper(cut, how.min_points, how.confidence, how.r_max)
    elif models is not None and how.estimator != "gls":
        found = chosen(how.estimator, cut, models, how.confidence)
        known[how.estimator] = fit_calibrated(cut, models.line, how.min_points, how.confidence, found)
    own = with_shape(
        cut,
        known[how.estimator],
        models if how.calibrated else None,
        highest_floor=how.highest_floor,
        fit_floor=how.fit_floor,
        confidence=how.confidence,
        stages=how.stages,
        bin_days=how.bin_days,
    )
    return own, {} if models is None else compared(cut, models, how.compared, known, how.min_points, how.confidence)
