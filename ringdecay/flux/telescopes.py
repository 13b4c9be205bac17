"""Files that hold flux by telescope, several records a spin: RBSPICE level 3, combined to flux by pitch angle, spin by spin.

Each of the six telescopes looks along its own pitch angle, and the spacecraft turns them. The result has the bins of the PAP files
(pitch angle and pressure), which the mission makes from the same records.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ringdecay.errors import FileError
from ringdecay.flux.coordinates import Found, coordinates_of
from ringdecay.flux.energies import Channels
from ringdecay.flux.expected import check_sizes, no_good_flags, order_of_axes, unit_factor
from ringdecay.flux.kernels import add_samples, count_missing, mean_of_samples
from ringdecay.flux.values import Coordinates, Measured, Piece, Stored, Tally, error_cleaner, flux_cleaner, measured
from ringdecay.products import Product

# The bins of PA_Midpoint and PA_Range in NASA's PAP records.
EDGES = np.array([0.0, *range(15, 166, 10), 180.0])
CENTRES = (EDGES[:-1] + EDGES[1:]) / 2
# Cadence of NASA's PAP records, one record a spin.
SPIN_SECONDS = 10.9
# A day has 8,000 spins, and 90,000 records of six telescopes and up to 32 channels. So many are worked on while they are in the
# second-level cache of a core (1 MB of flux with 14 channels), and copies stay small beside what was read.
_SPINS_AT_ONCE = 128


def read_telescopes(
    path: Path,
    found: Found,
    stored: Stored,
    product: Product,
    channels: Channels,
    time: npt.NDArray[np.datetime64],
) -> Measured:
    """Combine the telescopes and records of each spin to flux by pitch angle.

    The flux of a bin is the mean of the samples whose pitch angle lies in it, weighted with the records' durations; their counts,
    (100 / error in percent) squared, add up to those of the bin. Its time is that of the spin's first record, a start as in PAP files;
    its coordinates are the mean over the spin. The halves of a spin that midnight cuts are one record each, in their own files.

    Parameters
    ----------
    path : Path
        For messages.
    found : mapping of str to CdfVariable
        The file's small variables by role.
    stored : mapping of str to StoredVariable
        Those that are as large as the flux.
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
    factor = unit_factor(path, stored["flux"], "flux")
    order = order_of_axes(path, stored["flux"], [("the telescopes", telescopes), ("the channels", channels.size)])
    for role in ("quality", "counting_error"):
        if role in stored:
            check_sizes(path, stored[role], stored["flux"].shape)
    for role in ("spin", "duration"):
        if role in found:
            check_sizes(path, found[role], (time.size,), (time.size, 1))

    angle = _pitch_angles(path, found, (time.size, telescopes))
    known_angle = np.isfinite(angle)
    usable = ~np.isnat(time) & known_angle.any(axis=1)
    if not usable.any():
        raise FileError(path, "records with a time and a pitch angle", "none", "leave this file out")
    duration = _durations(path, found, time.size)
    group = np.full(time.size, -1)
    group[usable] = number_spins(time[usable], found["spin"].values.ravel()[usable], duration[usable])
    weight = np.where(np.isnan(duration), np.nanmedian(duration) if np.isfinite(duration).any() else 1.0, duration)
    n_spins = int(group.max()) + 1
    first = np.flatnonzero(usable)[np.r_[True, np.diff(group[usable]) > 0]]

    def canonical(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        values = np.transpose(values, (0, *(axis + 1 for axis in order)))
        return np.ascontiguousarray(values if channels.index.size == channels.size else values[:, :, channels.index])

    clean_flux, clean_error = flux_cleaner(stored["flux"]), error_cleaner(stored)
    good = np.asarray(product.good_quality)
    tally = Tally()

    def pieces() -> Iterator[Piece]:
        kinds: set[int] = set()
        for begin in range(0, n_spins, _SPINS_AT_ONCE):
            spins = slice(begin, min(begin + _SPINS_AT_ONCE, n_spins))
            # Records of no spin are counted with those after which they come, or before.
            records = slice(int(first[begin]) if begin else 0, int(first[spins.stop]) if spins.stop < n_spins else time.size)
            part = {role: variable.read(records.start, records.stop) for role, variable in stored.items()}
            samples = canonical(clean_flux(part["flux"]))
            rows = samples.reshape(samples.shape[0], -1)  # the same memory
            tally.fill += count_missing(rows)
            samples[channels.other_table[records]] = np.nan
            kinds |= tally.refuse(rows, canonical(part["quality"]).reshape(rows.shape), good)
            error = clean_error(part)
            yield Piece(
                spins,
                *combine(
                    np.where(group[records] >= 0, group[records] - begin, -1),
                    spins.stop - begin,
                    angle[records],
                    samples,
                    None if error is None else canonical(error),
                    weight[records],
                    factor,
                ),
            )
        if tally.refused and not tally.left:
            raise no_good_flags(path, stored["quality"].name, kinds, product)

    return Measured(
        time[first],
        CENTRES,
        np.stack([EDGES[:-1], EDGES[1:]], axis=-1),
        _mean_coordinates(coordinates_of(path, found, time), group, weight, n_spins),
        pieces(),
        tally,
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
    group: npt.NDArray[np.int64],
    n_groups: int,
    angle: npt.NDArray[np.float64],
    flux: npt.NDArray[Any],
    error: npt.NDArray[Any] | None,
    weight: npt.NDArray[np.float64],
    factor: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """Average the samples of each group of records by pitch angle, and add their counts.

    Parameters
    ----------
    group : ndarray of int, shape (records,)
        Group of each record; below 0 for none.
    n_groups : int
        Number of groups.
    angle : ndarray, shape (records, telescopes)
        Pitch angle, degrees; NaN if it is not known.
    flux, error : ndarray, shape (records, telescopes, energies)
        NaN is no sample. The error is in percent, NaN where it says nothing; None if there is none.
    weight : ndarray, shape (records,)
        Weight of each record's samples, its duration.
    factor : float
        Factor to the unit of the result.

    Returns
    -------
    flux, error : ndarray, shape (n_groups, energies, pitch angles)
        NaN where no sample is. The error is NaN, too, where a sample above zero has none: its counts are not known.
    """
    sums = np.zeros((n_groups, CENTRES.size, 4, flux.shape[2]))
    add_samples(group, angle, EDGES, flux, flux if error is None else error, weight, sums)
    means, errors = np.empty((2, n_groups, flux.shape[2], CENTRES.size))
    mean_of_samples(sums, factor, means, errors)
    return means, None if error is None else errors


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
