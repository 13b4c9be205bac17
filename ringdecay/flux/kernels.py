"""The innermost loops of reading flux, compiled: what is missing, what has a bad flag, and the telescopes of a spin together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True)
def keep_measured(values: Array, fill: Array, low: Array, high: Array, least: float, zero_is_measured: bool, kept: Array) -> None:
    """Copy values, those that are missing as NaN.

    Parameters
    ----------
    values : ndarray, shape (n, m)
        As they stand in the file.
    fill, low, high : ndarray, shape (m,)
        Fill value (NaN for none) and valid range of each place.
    least : float
        What is below it is NaN too.
    zero_is_measured : bool
        Whether a zero is kept whatever the valid range.
    kept : ndarray, shape (n, m)
        Set to the result.
    """
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            # In double precision, as numpy compares numbers of both precisions.
            v = np.float64(values[i, j])
            bad = (v <= -1e30) | (v == fill[j]) | (v < low[j]) | (v > high[j])
            good = (v >= least) & (~bad | (zero_is_measured & (v == 0.0)))
            kept[i, j] = values[i, j] if good else np.nan


@njit(cache=True, nogil=True)
def count_missing(flux: Array) -> int:
    """Count the NaN."""
    missing = 0
    for i in range(flux.shape[0]):
        for j in range(flux.shape[1]):
            missing += 1 if np.isnan(flux[i, j]) else 0
    return missing


@njit(cache=True, nogil=True)
def refuse_flags(flux: Array, flags: Array, good: Array) -> tuple[int, int]:
    """Set flux to NaN in place where its flag is not good.

    Parameters
    ----------
    flux : ndarray, shape (n, m)
        Changed.
    flags : ndarray, shape (n, m), or (n, 1) for one flag a row
        Quality flags.
    good : ndarray, shape (k,)
        Flags that are good, one at least.

    Returns
    -------
    refused, left : int
        How many finite values had a flag that is not good, and how many a good one.
    """
    refused, left = 0, 0
    width = flux.shape[1]
    for i in range(flux.shape[0]):
        # Nearly all rows have nothing but the first of the good flags, which is quickly seen.
        ordinary = 0
        for j in range(flags.shape[1]):
            ordinary += 1 if flags[i, j] == good[0] else 0
        if ordinary == flags.shape[1]:
            finite = 0
            for j in range(width):
                finite += 1 if np.isfinite(flux[i, j]) else 0
            left += finite
            continue
        for j in range(width):
            flag = flags[i, j if flags.shape[1] > 1 else 0]
            is_good = False
            for k in range(good.size):
                is_good |= flag == good[k]
            if np.isfinite(flux[i, j]):
                left += 1 if is_good else 0
                refused += 0 if is_good else 1
            if not is_good:
                flux[i, j] = np.nan
    return refused, left


@njit(cache=True, nogil=True)
def add_samples(cell: Array, flux: Array, error: Array, weight: Array, covered: Array, total: Array, counts: Array, lost: Array) -> None:
    """Add samples to the sums of their cells, in the order of the records.

    Parameters
    ----------
    cell : ndarray of int, shape (n,)
        Below 0 for none.
    flux : ndarray, shape (n, energies)
        NaN is no sample.
    error : ndarray, shape (n, energies) or (1, energies)
        Percent; NaN where it says nothing.
    weight : ndarray, shape (n,)
        Weight of each sample.
    covered, total, counts : ndarray, shape (cells, energies)
        To these are added the weights, weight times flux, and the counts.
    lost : ndarray of bool, shape (cells, energies)
        Set where a sample above zero has no error.
    """
    for i in range(cell.size):
        at = cell[i]
        if at < 0:
            continue
        w = weight[i]
        row = i if error.shape[0] > 1 else 0
        for k in range(flux.shape[1]):
            f = np.float64(flux[i, k])
            e = np.float64(error[row, k])
            valid = np.isfinite(f)
            known = ~np.isnan(e)
            f = f if valid else 0.0
            q = 100.0 / (e if known else 1.0)
            covered[at, k] += w if valid else 0.0
            total[at, k] += w * f
            counts[at, k] += q * q if valid & known else 0.0
            lost[at, k] |= ~known & (f > 0.0)
