"""The innermost loops of binning, compiled: each value of a file is looked at once, while it is in the cache.

The same in numpy goes through main memory some thirty times.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from ringdecay.compiled import compiled

Array = npt.NDArray[Any]


@compiled(error_model="numpy")
def look_at_records(
    flux: Array,
    error: Array,
    cell: Array,
    near_equator: Array,
    solid_angle: Array,
    min_coverage: float,
    counts: Array,
    positive: Array,
    mean: Array,
    mean_counts: Array,
    positive_mean: Array,
    measured: Array,
    resolved_totals: Array,
    omni_totals: Array,
) -> None:
    """Find the counts of each record that is in the grid, and its mean over the sphere if it is near the equator.

    Parameters
    ----------
    flux : ndarray, shape (n, energies * directions)
        NaN is no sample.
    error : ndarray, of the same shape, or of one row for all
        Percent.
    cell, near_equator : ndarray, shape (n,)
        As in `sum_flux`.
    solid_angle : ndarray, shape (directions,)
        Weights of the mean.
    min_coverage : float
        Least sum of the weights of the directions that were measured.
    counts, positive : ndarray, shape (at least n, energies * directions)
        In the grid set to the counts (NaN if not known) and to the flux where it is above zero; all else of `positive` is set to 1.
    mean, mean_counts, positive_mean : ndarray, shape (at least n, energies)
        In the grid near the equator set to the mean (NaN where too little was measured), the counts in it (0 if not known), and the
        mean where it is above zero; all else of `positive_mean` is set to 1.
    measured : ndarray of bool, shape (n,)
        Set to whether there is a sample at all.
    resolved_totals, omni_totals : ndarray, shape (2, energies * directions) and (2, energies)
        To these are added the counts of samples above zero, and the flux of those of which they are known.
    """
    n, width = flux.shape
    for i in range(n):
        positive_mean[i] = 1.0
        if cell[i] < 0:
            positive[i] = 1.0
            continue
        row = i if error.shape[0] > 1 else 0
        seen = 0
        for j in range(width):
            f = np.float64(flux[i, j])
            e = np.float64(error[row, j])
            seen += 1 if np.abs(f) < np.inf else 0
            above = (f > 0.0) & (f < np.inf)
            c = 1e4 / (e * e) if e > 0.0 else np.nan
            counts[i, j] = c
            positive[i, j] = f if above else 1.0
            known = above & (c > 0.0)
            resolved_totals[0, j] += c if known else 0.0
            resolved_totals[1, j] += f if known else 0.0
        measured[i] = seen > 0
        if near_equator[i]:
            _average(flux[i], counts[i], solid_angle, min_coverage, mean[i], mean_counts[i], positive_mean[i], omni_totals)


# Sums over directions may be made several at a time ("reassoc"), which no one but the compiler decides; NaN stays NaN.
@compiled(error_model="numpy", fastmath={"reassoc"})
def _average(
    flux: Array,
    counts: Array,
    solid_angle: Array,
    min_coverage: float,
    mean: Array,
    mean_counts: Array,
    positive_mean: Array,
    totals: Array,
) -> None:
    """Average one record over the sphere, and add its counts up; parameters as in `look_at_records`."""
    n_directions = solid_angle.size
    for e in range(mean.size):
        total = covered = together = some = 0.0
        for d in range(n_directions):
            f = np.float64(flux[e * n_directions + d])
            c = counts[e * n_directions + d]
            valid = np.abs(f) < np.inf
            counted = valid & (c > 0.0)
            w = solid_angle[d] if valid else 0.0
            covered += w
            total += w * (f if valid else 0.0)
            together += c if counted else 0.0
            some += 1.0 if counted else 0.0
        m = total / covered if (covered > 0.0) & (covered >= min_coverage) else np.nan
        above = m > 0.0
        c = together if above & (some > 0.0) else 0.0
        mean[e] = m
        mean_counts[e] = c
        positive_mean[e] = m if above else 1.0
        totals[0, e] += c
        totals[1, e] += m if above & (some > 0.0) else 0.0


@compiled(error_model="numpy")
def add_records(
    flux: Array,
    counts: Array,
    logs: Array,
    mean: Array,
    mean_counts: Array,
    mean_logs: Array,
    seconds: Array,
    cell: Array,
    near_equator: Array,
    angle: Array,
    omni: Array,
    resolved: Array,
) -> None:
    """Add records to the sums of their cells.

    Parameters
    ----------
    flux, counts, logs : ndarray, shape (at least n, energies * directions)
        Flux, counts (NaN if not known) and ln(flux) (0 where the flux is not above zero).
    mean, mean_counts, mean_logs : ndarray, shape (at least n, energies)
        The same of the mean over the sphere.
    seconds, cell, near_equator : ndarray, shape (n,)
        As in `sum_flux`.
    angle : ndarray of int, shape (n, directions)
        As in `sum_flux`.
    omni : ndarray, shape (sums, cells, energies)
        Added to, in the order of `SUMS`.
    resolved : ndarray, shape (sums, cells, energies, angles)
        Added to.
    """
    n, width = flux.shape
    # Records that follow each other mostly share their cell and the bins of their directions. They are added up direction by direction,
    # whole rows at a time, and only the result is distributed.
    rows = np.zeros((omni.shape[0], width))
    first = 0
    while first < n:
        last = first + 1
        while last < n and _same(cell, angle, first, last):
            last += 1
        if cell[first] >= 0:
            for i in range(first, last):
                _add_one(flux[i], counts[i], logs[i], seconds[i], rows)
                if near_equator[i]:
                    _add_mean(mean[i], mean_counts[i], mean_logs[i], seconds[i], omni[:, cell[i]])
            _distribute(rows, cell[first], angle[first], resolved)
        first = last


@compiled()
def _same(cell: Array, angle: Array, one: int, other: int) -> bool:
    """Tell whether two records belong to the same sums."""
    same = cell[one] == cell[other]
    for d in range(angle.shape[1]):
        same = same & (angle[one, d] == angle[other, d])
    return bool(same)


@njit(inline="always")
def _terms(flux: Any, counts: float, log: float, seconds: float) -> tuple[float, ...]:
    """Give what one sample adds to each of the sums, in the order of `SUMS`."""
    f = np.float64(flux)
    valid = np.abs(f) < np.inf
    f = f if valid else np.float64(0.0)
    one = 1.0 if valid else 0.0
    above = f > 0.0
    c = counts if above & (counts > 0.0) else 0.0
    return one, 0.0 if above else one, f, f * f, log, log * log, c, c / (f if above else 1.0), seconds * one


@compiled(error_model="numpy")
def _add_one(flux: Array, counts: Array, logs: Array, seconds: float, rows: Array) -> None:
    """Add one record to the sums by direction."""
    # Each sum by name: the compiler makes vector instructions of this, and not of a loop over the sums.
    for j in range(flux.size):
        t = _terms(flux[j], counts[j], logs[j], seconds)
        rows[0, j] += t[0]
        rows[1, j] += t[1]
        rows[2, j] += t[2]
        rows[3, j] += t[3]
        rows[4, j] += t[4]
        rows[5, j] += t[5]
        rows[6, j] += t[6]
        rows[7, j] += t[7]
        rows[8, j] += t[8]


@compiled(error_model="numpy")
def _add_mean(mean: Array, counts: Array, logs: Array, seconds: float, sums: Array) -> None:
    """Add the mean of one record over the sphere to the sums of its cell, shape (sums, energies)."""
    for e in range(mean.size):
        f = mean[e]
        if not np.isnan(f):
            t = _terms(f, counts[e], logs[e], seconds)
            sums[0, e] += t[0]
            sums[1, e] += t[1]
            sums[2, e] += t[2]
            sums[3, e] += t[3]
            sums[4, e] += t[4]
            sums[5, e] += t[5]
            sums[6, e] += t[6]
            sums[7, e] += t[7]
            sums[8, e] += t[8]


@compiled()
def _distribute(rows: Array, cell: int, angle: Array, resolved: Array) -> None:
    """Add the sums by direction to those by equatorial pitch angle, and empty them."""
    for k in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            e, d = divmod(j, angle.size)
            if angle[d] >= 0:
                resolved[k, cell, e, angle[d]] += rows[k, j]
    rows[:] = 0.0
