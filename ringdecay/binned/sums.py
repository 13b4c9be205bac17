"""The additive sums of one piece of flux: arrays in, arrays out, no files, no labels."""

from __future__ import annotations

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


class FluxSums:
    """Sums of the flux of one file, to which its records are added piece by piece.

    Parameters
    ----------
    n_cells, n_angles : int
        Number of cells, and of bins of equatorial pitch angle.
    solid_angle : ndarray, shape (directions,)
        Share of the sphere of each direction; the omnidirectional flux is the mean with these weights over the directions that were
        measured, and there is none if they make up less than `MIN_COVERAGE` of the sphere.
    n_energies : int
        Number of channels.

    Notes
    -----
    Exposure is counts per flux. A sample of zero flux has no counting error in the file and therefore no exposure; it gets that of the
    channel's other samples in the grid (all their counts over all their flux), without which a zero would carry no information.
    """

    def __init__(self, n_cells: int, n_energies: int, solid_angle: npt.NDArray[np.float64], n_angles: int) -> None:
        width = n_energies * solid_angle.size
        self._solid_angle = solid_angle
        self._omni = np.zeros((len(SUMS), n_cells, n_energies))
        self._resolved = np.zeros((len(SUMS), n_cells, n_energies, n_angles))
        # Counts, and the flux of which they are counted, by channel: of single directions, and of all together.
        self._resolved_totals, self._omni_totals = np.zeros((2, width)), np.zeros((2, n_energies))
        self._counts, self._logs = np.empty((2, _AT_ONCE, width))
        self._mean, self._mean_counts, self._mean_logs = np.empty((3, _AT_ONCE, n_energies))

    def add(
        self,
        flux: npt.NDArray[np.floating],
        counting_error: npt.NDArray[np.floating] | None,
        seconds: npt.NDArray[np.float64],
        cell: npt.NDArray[np.int64],
        near_equator: npt.NDArray[np.bool_],
        angle: npt.NDArray[np.int8],
    ) -> npt.NDArray[np.bool_]:
        """Add records.

        Parameters
        ----------
        flux : ndarray, shape (n, energies, directions)
            A NaN flux is no sample.
        counting_error : ndarray, shape (n, energies, directions), or None
            Percent, 100 / sqrt(counts); NaN where the counts are not known, None if they are known nowhere.
        seconds : ndarray, shape (n,)
            Time of each record from the centre of its time bin.
        cell : ndarray of int64, shape (n,)
            Number of the cell of each record, below 0 for a record outside the grid.
        near_equator : ndarray of bool, shape (n,)
            Which records count for the omnidirectional flux.
        angle : ndarray of int8, shape (n, directions)
            Number of the bin of equatorial pitch angle of each direction, below 0 for none.

        Returns
        -------
        ndarray of bool, shape (n,)
            Which records in the grid have a flux in any channel and direction.
        """
        n = flux.shape[0]
        values = np.ascontiguousarray(flux).reshape(n, -1)
        unknown = np.full((1, values.shape[1]), np.nan)
        error = unknown if counting_error is None else np.ascontiguousarray(counting_error).reshape(n, -1)
        measured = np.zeros(n, dtype=np.bool_)
        for begin in range(0, n, _AT_ONCE):
            part = slice(begin, min(begin + _AT_ONCE, n))
            if not (cell[part] >= 0).any():
                continue
            logs, mean_logs = self._logs[: part.stop - begin], self._mean_logs[: part.stop - begin]
            look_at_records(
                values[part], unknown if counting_error is None else error[part], cell[part], near_equator[part], self._solid_angle,
                MIN_COVERAGE, self._counts, logs, self._mean, self._mean_counts, mean_logs, measured[part],
                self._resolved_totals, self._omni_totals,
            )  # fmt: skip
            # What is no sample above zero is 1, whose logarithm is 0.
            np.log(logs, out=logs)
            np.log(mean_logs, out=mean_logs)
            add_records(
                values[part], self._counts, logs, self._mean, self._mean_counts, mean_logs,
                seconds[part], cell[part], near_equator[part], angle[part], self._omni, self._resolved,
            )  # fmt: skip
        return measured

    def finish(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Complete the exposure when all records have been added.

        Returns
        -------
        omnidirectional : ndarray, shape (len(SUMS), cells, energies)
            Sums of the omnidirectional flux of records near the equator, in the order of `SUMS`.
        resolved : ndarray, shape (len(SUMS), cells, energies, angles)
            Sums of the flux by equatorial pitch angle.
        """
        by_channel = self._resolved_totals.reshape(2, -1, self._solid_angle.size).sum(axis=2)
        for sums, (counts, flux) in ((self._omni, self._omni_totals), (np.moveaxis(self._resolved, 3, 2), by_channel)):
            typical = np.divide(counts, flux, where=flux > 0, out=np.zeros(flux.size))
            sums[_EXPOSURE] += sums[_N_ZERO] * typical
        return self._omni, self._resolved
