"""Files that hold flux by pitch angle: RBSPICE PAP, HOPE, MagEIS."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ringdecay.cdf import CdfVariable
from ringdecay.errors import FileError
from ringdecay.flux.coordinates import Found, coordinates_of
from ringdecay.flux.energies import Channels
from ringdecay.flux.expected import check_sizes, no_good_flags, order_of_axes, unit_factor
from ringdecay.flux.kernels import count_missing
from ringdecay.flux.pitch_angle import edges_of_centres
from ringdecay.flux.values import Measured, Piece, Stored, Tally, error_cleaner, flux_cleaner, measured
from ringdecay.products import Product

# About so many bytes of the flux are worked on at a time, so that what is made of them stays in the second-level cache of a core.
_BYTES_AT_ONCE = 2**19
# A multiple of the records that binning works on at a time.
_RECORDS_AT_ONCE = 128


def read_resolved(
    path: Path,
    found: Found,
    stored: Stored,
    product: Product,
    channels: Channels,
    time: npt.NDArray[np.datetime64],
) -> Measured:
    """Give the flux of each record by energy and pitch angle.

    Parameters
    ----------
    path : Path
        For messages.
    found : mapping of str to CdfVariable
        The file's small variables by role.
    stored : mapping of str to StoredVariable
        Those that are as large as the flux.
    product : Product
        What is expected.
    channels : Channels
        From `find_channels`.
    time : ndarray of datetime64, shape (n,)
        Record times.

    Raises
    ------
    FileError
        If unit, axes, pitch angles or flags are not those of the description.
    """
    factor = unit_factor(path, stored["flux"], "flux")
    angles, places, n_angles = _pitch_angles(path, found["pitch_angle"])
    bounds = _bounds(path, found, angles, places)
    wanted = [(found["energy"].name, channels.size), (found["pitch_angle"].name, n_angles)]
    order = order_of_axes(path, stored["flux"], wanted)
    records, all_values = time.size, stored["flux"].shape
    if "quality" in stored:
        check_sizes(path, stored["quality"], all_values, (records,), (records, 1))
    for role in ("counting_error", "counts"):
        if role in stored:
            check_sizes(path, stored[role], all_values)

    def canonical(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Give values over (record, energy, pitch angle), of the ion's channels and the angles in use."""
        values = np.transpose(values, (0, *(axis + 1 for axis in order)))
        if channels.index.size < channels.size:
            values = values[:, channels.index]
        return np.ascontiguousarray(values if places.size == n_angles else values[:, :, places])

    clean_flux, clean_error = flux_cleaner(stored["flux"]), error_cleaner(stored)
    good = np.asarray(product.good_quality)
    tally = Tally()

    def pieces() -> Iterator[Piece]:
        step = _BYTES_AT_ONCE // (math.prod(all_values[1:]) * stored["flux"].dtype.itemsize) // _RECORDS_AT_ONCE * _RECORDS_AT_ONCE
        step = max(step, _RECORDS_AT_ONCE)
        kinds: set[int] = set()
        for begin in range(0, records, step):
            end = min(begin + step, records)
            part = {role: variable.read(begin, end) for role, variable in stored.items()}
            flux = canonical(clean_flux(part["flux"]))
            rows = flux.reshape(end - begin, -1)  # the same memory
            tally.fill += count_missing(rows)
            flux[channels.other_table[begin:end]] = np.nan
            if factor != 1.0:
                flux *= np.asarray(factor, dtype=flux.dtype)
            if "quality" in part:
                # One flag a record, or one a value.
                flags = (canonical(part["quality"]) if part["quality"].ndim == 3 else part["quality"]).reshape(end - begin, -1)
                kinds |= tally.refuse(rows, flags, good)
            error = clean_error(part)
            yield Piece(slice(begin, end), flux, None if error is None else canonical(error))
        if tally.refused and not tally.left:
            raise no_good_flags(path, stored["quality"].name, kinds, product)

    return Measured(time, angles, bounds, coordinates_of(path, found, time), pieces(), tally)


def _pitch_angles(path: Path, variable: CdfVariable) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], int]:
    """Centres in use, where they stand, and how long the file's axis is: MagEIS has room for 32 and uses 15."""
    unit_factor(path, variable, "angle")
    values = measured(variable).astype(np.float64)
    if variable.record_varying and values.ndim == 2:
        first = values[0]
        if not np.array_equal(values, np.broadcast_to(first, values.shape), equal_nan=True):
            raise FileError(path, f"the same {variable.name} in all records", "different ones", "report this file")
        values = first
    values = values.ravel()
    places = np.flatnonzero(np.isfinite(values))
    return values[places], places, values.size


def _bounds(path: Path, found: Found, centres: npt.NDArray[np.float64], places: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    if "pitch_angle_range" in found:
        bounds = measured(found["pitch_angle_range"]).astype(np.float64)
        bounds = bounds.T if bounds.ndim == 2 and bounds.shape[0] == 2 and bounds.shape[1] != 2 else bounds
        bounds = bounds[places] if bounds.ndim == 2 and bounds.shape[0] > places.max(initial=-1) else bounds
        if bounds.shape == (centres.size, 2) and np.all(bounds[:, 0] < centres) and np.all(centres < bounds[:, 1]):
            return np.ascontiguousarray(bounds)
        raise FileError(path, "pitch-angle ranges around their midpoints", f"{bounds.tolist()}", "report this file")
    edges = edges_of_centres(centres)
    if edges is None:
        raise FileError(path, "pitch-angle bins that cover 0 to 180 degrees", f"centres {centres.tolist()}", "report this file")
    return np.stack([edges[:-1], edges[1:]], axis=-1)
