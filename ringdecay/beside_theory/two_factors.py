"""Least squares for two factors, with errors from what each storm as a whole does to them.

Cells of one storm share their fluctuations, so the storm is the unit, as it is in a mean over storms (`ringdecay.lifetime.mean`); nothing
is asked of how the cells go together. Weights do not depend on the single rate: every storm counts the same in a cell, unless its
variance is far above that of the cell's median storm.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringdecay.lifetime.fits import Fits
from ringdecay.lifetime.mean import limited_weights
from ringdecay.surface.smoothing import relative_scatter

Floats = NDArray[np.float64]

#: A storm with more than this share in a factor leaves nothing to see its own deviation against.
DECIDES = 0.9
_STEPS = 4
# How many of its errors the mean of a cell is to be for the cell to tell the scatter between storms.
_CLEAR = 5.0


class Estimate(NamedTuple):
    """Factors with their errors; arrays end in the two processes.

    Attributes
    ----------
    factor, se, df : ndarray, shape (..., 2)
        NaN where the two cannot be computed; `se` and `df` also where one storm decides.
    covariance : ndarray, shape (...)
        Of the errors of a and b.
    collinearity : ndarray, shape (...)
        Cosine of the angle between the two predictions over the cells, as weighted.
    share : ndarray, shape (..., 2)
        Largest share of any one storm.
    """

    factor: Floats
    se: Floats
    df: Floats
    covariance: Floats
    collinearity: Floats
    share: Floats


def two_factors(fits: Fits, exchange: Floats, drag: Floats) -> Estimate:
    """Fit rate = a exchange + b drag to rates over storms and cells.

    Parameters
    ----------
    fits : Fits
        Rates over (storm, cell).
    exchange, drag : ndarray, shape (cell,)
        Predicted rates of the two processes, 1/day.

    Returns
    -------
    Estimate
    """
    weight, _ = weights(fits, exchange, drag)
    return clustered(*sums(fits, weight, exchange, drag))


def clustered(design: Floats, pull: Floats) -> Estimate:
    """Solve for two factors from the sums of each storm.

    Parameters
    ----------
    design : ndarray, shape (..., storm, 2, 2)
        Of each storm, the sums over its cells of weight times the products of the two predictions.
    pull : ndarray, shape (..., storm, 2)
        Sums of weight times prediction times rate.

    Returns
    -------
    Estimate
    """
    total, whole = design.sum(-3), pull.sum(-2)
    size = np.sqrt(np.einsum("...pp->...p", total))
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = total[..., 0, 1] / (size[..., 0] * size[..., 1])
    able = (size > 0).all(-1) & (np.abs(cosine) < 1 - 1e-9)
    # In units in which each process has size one and the whole design is the unit matrix, C C' = design.
    unit = np.where(able[..., None], np.where(size > 0, size, 1.0), 1.0)
    scaled = np.where(able[..., None, None], total / (unit[..., :, None] * unit[..., None, :]), np.eye(2))
    inverse = np.linalg.inv(np.linalg.cholesky(scaled)) / unit[..., None, :]
    back = np.swapaxes(inverse, -1, -2)
    factor = np.einsum("...pq,...qr,...r->...p", back, inverse, whole)
    share = np.einsum("...pq,...sqr,...rt->...spt", inverse, design, back)
    part = np.einsum("...pq,...sq->...sp", inverse, pull - np.einsum("...spq,...q->...sp", design, factor))
    values, vectors = np.linalg.eigh(share)
    root = 1 / np.sqrt(np.maximum(1 - values, 1 - DECIDES))
    adjusted = np.einsum("...spk,...sk,...sqk,...sq->...sp", vectors, root, vectors, part)
    own = np.einsum("...pq,...sq->...sp", back, adjusted)
    variance = np.einsum("...sp,...sq->...pq", own, own)
    # Share of each storm in the variance that equally uncertain cells would give each factor; they add up to one.
    shares = np.einsum("...pq,...sqr,...pr->...sp", back, share, back) / (back**2).sum(-1)[..., None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        df = 1 / (shares**2).sum(-2) - 1
    largest = shares.max(-2, initial=0.0)
    known = able[..., None] & (largest <= DECIDES)
    se = np.where(known, np.sqrt(np.einsum("...pp->...p", variance)), np.nan)
    covariance = np.where(known.all(-1), variance[..., 0, 1], np.nan)
    return Estimate(np.where(able[..., None], factor, np.nan), se, np.where(known, df, np.nan), covariance, cosine, largest)


def weights(fits: Fits, x: Floats, z: Floats) -> tuple[Floats, float]:
    """Weights over (storm, cell), and the relative scatter between storms that is in them."""
    scatter = _scatter(fits)
    mean = np.nan_to_num(x + z)
    for _ in range(_STEPS):
        weight = limited_weights(fits, (scatter * mean) ** 2)
        a, b = clustered(*sums(fits, weight, x, z)).factor
        if not np.isfinite(a + b):
            break
        mean = np.nan_to_num(a * x + b * z)
    return weight, scatter


def _scatter(fits: Fits) -> float:
    """Scatter between storms relative to the mean, from cells whose mean is well known; at most one."""
    count = np.maximum(fits.use.sum(0), 1)
    mean = np.where(fits.use, fits.rate, 0.0).sum(0) / count
    error = np.sqrt(np.where(fits.use, fits.variance, 0.0).sum(0)) / count
    # Where noise outweighs the rate, what a storm's cells share by chance could only be had from a scatter without end.
    clear = (fits.use.sum(0) > 1) & (np.abs(mean) > _CLEAR * error)
    if not clear.any():
        return 0.0
    return min(1.0, relative_scatter(fits.rate[:, clear], fits.variance[:, clear], fits.use[:, clear]))


def sums(fits: Fits, weight: Floats, x: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Design (storm, 2, 2) and pull (storm, 2) of one choice of models."""
    both = np.nan_to_num(np.stack([x, z]))
    rate = np.where(fits.use, fits.rate, 0.0)
    return np.einsum("sc,pc,qc->spq", weight, both, both), np.einsum("sc,sc,pc->sp", weight, rate, both)
