"""The additive sums of one piece of flux: arrays in, arrays out, no files, no labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ringdecay.binned.kernels import add_records, look_at_records
from ringdecay.flux.pitch_angle import MIN_COVERAGE

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
_N_ZERO, _EXPOSURE = (list(SUMS).index(name) for name in ("n_zero", "exposure"))
# Records are worked on so many at a time: with 14 energies and 17 pitch angles each of the arrays in between takes 0.25 MB, and all
# of them stay in the second-level cache of a core (1 MB or more). One piece of a day would go through main memory several times.
_AT_ONCE = 128


class FluxSums(NamedTuple):
    """Sums of one piece of flux, float64, in the order of `SUMS`.

    Attributes
    ----------
    omnidirectional : ndarray, shape (len(SUMS), cells, energies)
        Of the omnidirectional flux of records near the equator.
    resolved : ndarray, shape (len(SUMS), cells, energies, equatorial pitch angles)
        Of the flux by equatorial pitch angle.
    measured : ndarray of bool, shape (n,)
        Which records in the grid have a flux in any channel and direction.
    """

    omnidirectional: npt.NDArray[np.float64]
    resolved: npt.NDArray[np.float64]
    measured: npt.NDArray[np.bool_]


def sum_flux(
    flux: npt.NDArray[np.floating],
    counting_error: npt.NDArray[np.floating] | None,
    seconds: npt.NDArray[np.float64],
    cell: npt.NDArray[np.int64],
    n_cells: int,
    near_equator: npt.NDArray[np.bool_],
    angle: npt.NDArray[np.int8],
    n_angles: int,
    solid_angle: npt.NDArray[np.float64],
) -> FluxSums:
    """Sum flux by cell: omnidirectional, and by equatorial pitch angle.

    Parameters
    ----------
    flux : ndarray, shape (n, energies, pitch angles)
        A NaN flux is no sample.
    counting_error : ndarray, shape (n, energies, pitch angles), or None
        Percent, 100 / sqrt(counts); NaN where the counts are not known, None if they are known nowhere.
    seconds : ndarray, shape (n,)
        Time of each record from the centre of its time bin.
    cell : ndarray of int64, shape (n,)
        Number of the cell of each record, below 0 for a record outside the grid.
    n_cells : int
        Number of cells.
    near_equator : ndarray of bool, shape (n,)
        Which records count for the omnidirectional flux.
    angle : ndarray of int8, shape (n, pitch angles)
        Number of the bin of equatorial pitch angle of each direction, below 0 for none.
    n_angles : int
        Number of these bins.
    solid_angle : ndarray, shape (pitch angles,)
        Share of the sphere of each direction; the omnidirectional flux is the mean with these weights over the directions that were
        measured, and there is none if they make up less than `MIN_COVERAGE` of the sphere.

    Returns
    -------
    FluxSums
        Samples are added in the order of the records, so the result depends on nothing else.

    Notes
    -----
    Exposure is counts per flux. A sample of zero flux has no counting error in the file and therefore no exposure; it gets that of the
    channel's other samples in the grid (all their counts over all their flux), without which a zero would carry no information.
    """
    n, n_energies, n_directions = flux.shape
    width = n_energies * n_directions
    values = np.ascontiguousarray(flux).reshape(n, width)
    error = np.full((1, width), np.nan) if counting_error is None else np.ascontiguousarray(counting_error).reshape(n, width)
    omni = np.zeros((len(SUMS), n_cells, n_energies))
    resolved = np.zeros((len(SUMS), n_cells, n_energies, n_angles))
    # Counts, and the flux of which they are counted, by channel: of single directions, and of all together.
    resolved_totals, omni_totals = np.zeros((2, width)), np.zeros((2, n_energies))
    measured = np.zeros(n, dtype=np.bool_)
    counts, logs = np.empty((2, _AT_ONCE, width))
    mean, mean_counts, mean_logs = np.empty((3, _AT_ONCE, n_energies))
    for begin in range(0, n, _AT_ONCE):
        part = slice(begin, min(begin + _AT_ONCE, n))
        size = part.stop - begin
        if not (cell[part] >= 0).any():
            continue
        look_at_records(
            values[part], error if counting_error is None else error[part], cell[part], near_equator[part], solid_angle, MIN_COVERAGE,
            counts, logs, mean, mean_counts, mean_logs, measured[part], resolved_totals, omni_totals,
        )  # fmt: skip
        # What is no sample above zero is 1, whose logarithm is 0.
        np.log(logs[:size], out=logs[:size])
        np.log(mean_logs[:size], out=mean_logs[:size])
        add_records(
            values[part], counts, logs, mean, mean_counts, mean_logs, seconds[part], cell[part], near_equator[part], angle[part],
            omni, resolved,
        )  # fmt: skip
    by_channel = resolved_totals.reshape(2, n_energies, n_directions).sum(axis=2)
    for sums, (total_counts, total_flux) in ((omni, omni_totals), (np.moveaxis(resolved, 3, 2), by_channel)):
        typical = np.divide(total_counts, total_flux, where=total_flux > 0, out=np.zeros(n_energies))
        sums[_EXPOSURE] += sums[_N_ZERO] * typical
    return FluxSums(omni, resolved, measured)
