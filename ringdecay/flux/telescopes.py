"""Files that hold flux by telescope, several records a spin: RBSPICE level 3, combined to flux by pitch angle, spin by spin.

Each of the six telescopes looks along its own pitch angle, and the spacecraft turns them. The result has the bins of the PAP files
(pitch angle and pressure), which the mission makes from the same records.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ringdecay.errors import FileError
from ringdecay.flux.coordinates import Found, coordinates_of
from ringdecay.flux.energies import Channels
from ringdecay.flux.expected import check_sizes, no_good_flags, order_of_axes, unit_factor
from ringdecay.flux.kernels import add_samples, count_missing, refuse_flags
from ringdecay.flux.values import Coordinates, Measured, measured, measured_error, measured_flux
from ringdecay.products import Product

# The bins of PA_Midpoint and PA_Range in NASA's PAP records.
EDGES = np.array([0.0, *range(15, 166, 10), 180.0])
CENTRES = (EDGES[:-1] + EDGES[1:]) / 2
# Cadence of NASA's PAP records, one record a spin.
SPIN_SECONDS = 10.9
# A day has 8,000 spins, and 90,000 records of six telescopes and up to 32 channels. So many are worked on while they are in the
# second-level cache of a core (0.5 MB of flux with 14 channels), and copies stay small beside what was read.
_SPINS_AT_ONCE = 64
# Roles of the variables that are as large as the flux.
_BY_RECORD = ("flux", "quality", "counting_error")


def read_telescopes(path: Path, found: Found, product: Product, channels: Channels, time: npt.NDArray[np.datetime64]) -> Measured:
    """Combine the telescopes and records of each spin to flux by pitch angle.

    The flux of a bin is the mean of the samples whose pitch angle lies in it, weighted with the records' durations; their counts,
    (100 / error in percent) squared, add up to those of the bin. Its time is that of the spin's first record, a start as in PAP files;
    its coordinates are the mean over the spin. The halves of a spin that midnight cuts are one record each, in their own files.

    Parameters
    ----------
    path : Path
        For messages.
    found : mapping of str to CdfVariable
        The file's variables by role.
    product : Product
        Its description.
    channels : Channels
        From `find_channels`.
    time : ndarray of datetime64, shape (n,)
        Record times.

    Returns
    -------
    Measured
        One record a spin, 17 pitch angles.

    Raises
    ------
    FileError
        If unit, axes or flags are not those of the description, or no record has a time and a pitch angle.
    """
    telescopes = product.sizes["telescope"]
    factor = unit_factor(path, found["flux"], "flux")
    order = order_of_axes(path, found["flux"], [("the telescopes", telescopes), ("the channels", channels.size)])

    for role in ("quality", "counting_error"):
        if role in found:
            check_sizes(path, found[role], found["flux"].values.shape)
    for role in ("spin", "duration"):
        if role in found:
            check_sizes(path, found[role], (time.size,), (time.size, 1))

    angle = _pitch_angles(path, found, (time.size, telescopes))
    usable = ~np.isnat(time) & np.isfinite(angle).any(axis=1)
    if not usable.any():
        raise FileError(path, "records with a time and a pitch angle", "none", "leave this file out")
    duration = _durations(path, found, time.size)
    group = np.full(time.size, -1)
    group[usable] = number_spins(time[usable], found["spin"].values.ravel()[usable], duration[usable])
    with np.errstate(invalid="ignore"):
        bins = np.minimum(np.searchsorted(EDGES, angle, side="right") - 1, CENTRES.size - 1)
    cell = np.where(np.isfinite(angle) & (group >= 0)[:, None], group[:, None] * CENTRES.size + bins, -1)
    weight = np.where(np.isnan(duration), np.nanmedian(duration) if np.isfinite(duration).any() else 1.0, duration)

    n_spins = int(group.max()) + 1
    first = np.flatnonzero(usable)[np.r_[True, np.diff(group[usable]) > 0]]
    flux = np.full((n_spins, channels.energy.size, CENTRES.size), np.nan)
    error = np.full(flux.shape, np.nan) if "counting_error" in found else None
    n_fill, n_bad, n_good = 0, 0, 0

    def canonical(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        values = np.transpose(values, (0, *(axis + 1 for axis in order)))
        return np.ascontiguousarray(values if channels.index.size == channels.size else values[:, :, channels.index])

    for begin in range(0, n_spins, _SPINS_AT_ONCE):
        spins = slice(begin, min(begin + _SPINS_AT_ONCE, n_spins))
        # Records of no spin are counted with those after which they come, or before.
        records = slice(first[begin] if begin else 0, first[spins.stop] if spins.stop < n_spins else time.size)
        part = {role: replace(found[role], values=found[role].values[records]) for role in _BY_RECORD if role in found}
        samples = canonical(measured_flux(part["flux"]))
        rows = samples.reshape(samples.shape[0], -1)  # the same memory
        n_fill += count_missing(rows)
        samples[channels.other_table[records]] = np.nan
        refused, left = refuse_flags(rows, canonical(part["quality"].values).reshape(rows.shape), np.asarray(product.good_quality))
        n_bad, n_good = n_bad + refused, n_good + left
        its_error = measured_error(part)
        its_weight = np.repeat(weight[records], telescopes).reshape(-1, telescopes)
        its_cell = np.where(cell[records] >= 0, cell[records] - begin * CENTRES.size, -1)
        means, errors = combine(
            its_cell, (spins.stop - begin) * CENTRES.size, samples, None if its_error is None else canonical(its_error), its_weight
        )
        shape = (spins.stop - begin, CENTRES.size, channels.energy.size)
        flux[spins] = means.reshape(shape).swapaxes(1, 2) * factor
        if error is not None and errors is not None:
            error[spins] = errors.reshape(shape).swapaxes(1, 2)
    if n_bad and not n_good:
        known = np.isfinite(measured_flux(found["flux"]))
        raise no_good_flags(path, found["quality"].name, found["quality"].values[known], product)
    return Measured(
        time[first],
        flux,
        error,
        CENTRES,
        np.stack([EDGES[:-1], EDGES[1:]], axis=-1),
        _mean_coordinates(coordinates_of(path, found, time), group, weight, n_spins),
        n_fill,
        n_bad,
        int((~usable).sum()),
    )


def number_spins(time: npt.NDArray[np.datetime64], spin: npt.NDArray[Any], duration: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Tell which spin each record belongs to.

    A new spin begins where the file's spin number changes (it is cyclical, 0 to 65535), where more than one and a half spins passed
    since the record before, or that long after the spin's own first record, should the number stand still. A record that was
    accumulated over several spins is as long as it says, and a spin of its own if its number is.

    Parameters
    ----------
    time : ndarray of datetime64, shape (n,)
        Starts of the records, in the file's order.
    spin : ndarray, shape (n,)
        Spin numbers of the file.
    duration : ndarray, shape (n,)
        Seconds; NaN where not known.

    Returns
    -------
    ndarray of int, shape (n,)
        From 0, without gaps.
    """
    start = time.astype("datetime64[ns]").astype(np.int64) / 1e9
    known = duration[np.isfinite(duration)]
    limit = 1.5 * SPIN_SECONDS + (float(np.median(known)) if known.size else 0.0)
    passed = np.diff(start) - np.where(np.isfinite(duration[:-1]), duration[:-1], 0.0)
    new = np.r_[True, (spin[1:] != spin[:-1]) | (passed > 1.5 * SPIN_SECONDS) | (np.diff(start) < -1.5 * SPIN_SECONDS)]
    run = np.cumsum(new) - 1
    part = np.floor((start - start[np.flatnonzero(new)][run]) / limit)
    return np.asarray(np.cumsum(new | np.r_[False, np.diff(part) != 0]) - 1)


def combine(
    cell: npt.NDArray[np.int64],
    n_cells: int,
    flux: npt.NDArray[Any],
    error: npt.NDArray[Any] | None,
    weight: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """Average samples by cell, and add their counts.

    Parameters
    ----------
    cell : ndarray of int, shape (records, telescopes)
        Cell of each sample; below 0 for none.
    n_cells : int
        Number of cells.
    flux, error : ndarray, shape (records, telescopes, energies)
        NaN is no sample. The error is in percent, NaN where it says nothing; None if there is none.
    weight : ndarray, shape (records, telescopes)
        Weight of each sample, its duration.

    Returns
    -------
    flux, error : ndarray, shape (n_cells, energies)
        NaN where no sample is. The error is NaN, too, where a sample above zero has none: its counts are not known.
    """
    n_energies = flux.shape[2]
    covered, total, counts = np.zeros((3, n_cells, n_energies))
    lost = np.zeros((n_cells, n_energies), dtype=np.bool_)
    errors = np.full((1, n_energies), np.nan) if error is None else error.reshape(-1, n_energies)
    add_samples(cell.ravel(), flux.reshape(-1, n_energies), errors, weight.ravel(), covered, total, counts, lost)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.where(covered > 0, total / covered, np.nan)
        return means, None if error is None else np.where((counts > 0) & ~lost, 100.0 / np.sqrt(counts), np.nan)


def _pitch_angles(path: Path, found: Found, shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Pitch angle of each telescope and record, NaN where it is missing or its quality is not 0."""
    variable = found["pitch_angle"]
    unit_factor(path, variable, "angle")
    angle = measured(variable).astype(np.float64)
    check_sizes(path, variable, shape)
    check_sizes(path, found["pitch_angle_quality"], shape[:1], (shape[0], 1), shape)
    bad = found["pitch_angle_quality"].values.reshape(shape[0], -1) != 0
    return np.where(bad | ~((angle >= 0) & (angle <= 180)), np.nan, angle)


def _durations(path: Path, found: Found, records: int) -> npt.NDArray[np.float64]:
    """Seconds each record was accumulated; NaN where not known."""
    if "duration" not in found:
        return np.full(records, np.nan)
    seconds = measured(found["duration"]).astype(np.float64).ravel() * unit_factor(path, found["duration"], "seconds")
    return np.where(seconds > 0, seconds, np.nan)


def _mean_coordinates(coordinates: Coordinates, group: npt.NDArray[np.int64], weight: npt.NDArray[np.float64], n: int) -> Coordinates:
    """Weighted means over the records of each group; a vector's components one by one."""

    def mean(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        known = np.isfinite(values) & (group >= 0)
        at, w = group[known], weight[known]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.bincount(at, w * values[known], n) / np.bincount(at, w, n))

    result = {}
    for name, (values, attributes) in coordinates.items():
        if name == "MLT":
            # Round the clock: the mean of 23.9 h and 0.1 h is 0 h.
            turn = mean(np.cos(values * np.pi / 12)) + 1j * mean(np.sin(values * np.pi / 12))
            of_spin = np.angle(turn) * 12 / np.pi % 24
        elif values.ndim == 2:
            of_spin = np.stack([mean(component) for component in values.T], axis=-1)
        else:
            of_spin = mean(values)
        result[name] = (of_spin, attributes)
    return result
