"""The innermost loops of reading flux, compiled: what is missing, what has a bad flag, and the telescopes of a spin together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ringdecay.compiled import compiled

Array = npt.NDArray[Any]


@compiled()
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


@compiled()
def count_missing(flux: Array) -> int:
    """Count the NaN."""
    missing = 0
    for i in range(flux.shape[0]):
        for j in range(flux.shape[1]):
            missing += 1 if np.isnan(flux[i, j]) else 0
    return missing


@compiled()
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


@compiled(error_model="numpy")
def add_samples(group: Array, angle: Array, edges: Array, flux: Array, error: Array, weight: Array, sums: Array) -> None:
    """Add samples to the sums of their group of records and bin of pitch angle, in the order of the records.

    Parameters
    ----------
    group, weight : ndarray, shape (n,)
        Group of each record, below 0 for none, and its weight.
    angle : ndarray, shape (n, telescopes)
        Pitch angle; NaN for none.
    edges : ndarray, shape (bins + 1,)
        Edges of the bins; the last one belongs to the last bin.
    flux, error : ndarray, shape (n, telescopes, energies)
        NaN is no sample; an error that is NaN says nothing.
    sums : ndarray, shape (groups, bins, 4, energies)
        To these are added the weights, weight times flux, the counts, and how many samples above zero have no error.
    """
    for i in range(group.size):
        if group[i] < 0:
            continue
        w = weight[i]
        for t in range(angle.shape[1]):
            if np.isnan(angle[i, t]):
                continue
            at = 0
            for k in range(1, edges.size - 1):
                at += 1 if angle[i, t] >= edges[k] else 0
            target = sums[group[i], at]
            for e in range(flux.shape[2]):
                f = np.float64(flux[i, t, e])
                percent = np.float64(error[i, t, e])
                valid = np.abs(f) < np.inf
                known = percent == percent
                f = f if valid else np.float64(0.0)
                q = 100.0 / (percent if known else 1.0)
                target[0, e] += w if valid else 0.0
                target[1, e] += w * f
                target[2, e] += q * q if valid & known else 0.0
                target[3, e] += 1.0 if (not known) & (f > 0.0) else 0.0


@compiled(error_model="numpy")
def mean_of_samples(sums: Array, factor: float, flux: Array, error: Array) -> None:
    """Find the mean flux of each group and bin, and the error of its counts in percent.

    Parameters
    ----------
    sums : ndarray, shape (groups, bins, 4, energies)
        From `add_samples`.
    factor : float
        Factor to the unit of the result.
    flux, error : ndarray, shape (groups, energies, bins)
        Set; NaN where there is no sample, or not all counts are known.
    """
    for g in range(sums.shape[0]):
        for b in range(sums.shape[1]):
            for e in range(sums.shape[3]):
                covered, counts = sums[g, b, 0, e], sums[g, b, 2, e]
                flux[g, e, b] = sums[g, b, 1, e] / covered * factor if covered > 0.0 else np.nan
                error[g, e, b] = 100.0 / np.sqrt(counts) if (counts > 0.0) & (sums[g, b, 3, e] == 0.0) else np.nan
