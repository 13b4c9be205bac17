"""The additive sums of one piece of flux: plain numpy, no files, no labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]

# What is kept of the samples in a bin. All of it adds up, so bins of days, months and probes merge exactly; a median would not.
SUMS: dict[str, tuple[str, str]] = {
    "n_samples": ("1", "number of samples"),
    "n_zero": ("1", "number of samples in which the flux is zero"),
    "sum_flux": ("cm-2 s-1 sr-1 keV-1", "sum of the flux"),
    "sum_flux_squared": ("cm-4 s-2 sr-2 keV-2", "sum of the squared flux"),
    "sum_log_flux": ("1", "sum of ln(flux) over the samples above zero"),
    "sum_log_flux_squared": ("1", "sum of the square of ln(flux) over the samples above zero"),
    "counts": ("1", "sum of the counts; 0 with an exposure of 0 where the file gives no counting error"),
    "exposure": ("cm2 s sr keV", "sum of counts per flux"),
    "sum_time": ("s", "sum of the samples' times from the centre of the time bin"),
}


def sums_by_cell(
    cell: npt.NDArray[np.int64], n_cells: int, flux: Floats, counts: Floats, exposure: Floats, seconds: Floats
) -> npt.NDArray[np.float64]:
    """Sum samples by cell.

    Parameters
    ----------
    cell : ndarray of int, shape (n,)
        Number of the cell of each sample, below 0 for a sample outside the grid.
    n_cells : int
        Number of cells.
    flux, counts, exposure : ndarray, shape (n, energies)
        A NaN flux is no sample. Unknown counts and exposure are 0.
    seconds : ndarray, shape (n,)
        Time of each sample from the centre of its time bin.

    Returns
    -------
    ndarray, shape (len(SUMS), n_cells, energies), float64
        In the order of `SUMS`. Samples of a cell are added in their given order, so the result does not depend on anything else.
    """
    result = np.zeros((len(SUMS), n_cells, flux.shape[1]))
    inside = np.flatnonzero(cell >= 0)
    if inside.size == 0:
        return result
    order = inside[np.argsort(cell[inside], kind="stable")]
    ordered = cell[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    values = flux[order].astype(np.float64)
    valid = np.isfinite(values)
    values = np.where(valid, values, 0.0)
    positive = values > 0
    log = np.log(values, where=positive, out=np.zeros_like(values))
    quantities = (
        valid.astype(np.float64),
        (valid & ~positive).astype(np.float64),
        values,
        values**2,
        log,
        log**2,
        np.where(valid, counts[order], 0.0),
        np.where(valid, exposure[order], 0.0),
        np.where(valid, seconds[order, None], 0.0),
    )
    for i, quantity in enumerate(quantities):
        result[i, ordered[first]] = np.add.reduceat(quantity, first, axis=0)
    return result


def counts_and_exposure(flux: Floats, counts: Floats) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Complete the counts, and find the exposure (counts per flux) of every sample.

    A sample of zero flux has no counting error in the file and therefore no exposure; it gets that of the channel's other samples
    (all counts over all flux), without which a zero would carry no information.

    Parameters
    ----------
    flux, counts : ndarray, shape (n, energies)
        Flux, and counts with NaN where they are not known.

    Returns
    -------
    counts, exposure : ndarray, shape (n, energies)
        Both 0 where nothing is known.
    """
    known = np.isfinite(counts) & np.isfinite(flux) & (flux > 0)
    some = np.where(known, counts, 0.0)
    total_flux = np.sum(np.where(known, flux, 0.0), axis=0, dtype=np.float64)
    typical = np.divide(some.sum(axis=0, dtype=np.float64), total_flux, where=total_flux > 0, out=np.zeros(flux.shape[1]))
    exposure = np.divide(some, flux, where=known, out=np.broadcast_to(typical, flux.shape).astype(np.float64))
    exposure = np.where(known | (flux == 0), exposure, 0.0)
    return some.astype(np.float64), exposure
