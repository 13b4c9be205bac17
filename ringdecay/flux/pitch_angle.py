"""Pitch angles: their bins, the average over them, and their values at the equator."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.products import ion_name

# Least share of the sphere that must have been measured for a flux of all directions: a few directions do not stand for all.
MIN_COVERAGE = 0.5


def edges_of_centres(centres: npt.NDArray[np.floating]) -> npt.NDArray[np.float64] | None:
    """Bin edges from the centres of pitch-angle bins that cover 0 to 180 degrees.

    A centre is the middle of its bin and the first bin begins at 0, which fixes all others. (Taking the midpoints of the centres
    instead is wrong at the ends, where bins have another width: on a real HOPE file it changes the omnidirectional flux by 3 %.)

    Returns
    -------
    ndarray, shape (n + 1,), or None
        Degrees; None if the last bin does not end at 180, so that the rule does not hold.
    """
    edges = [0.0]
    for centre in np.asarray(centres, dtype=np.float64):
        edges.append(2.0 * centre - edges[-1])
    result = np.asarray(edges)
    return result if abs(result[-1] - 180.0) < 0.5 and np.all(np.diff(result) > 0) else None


def solid_angle(bounds: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Share of the sphere that each pitch-angle bin covers.

    Parameters
    ----------
    bounds : ndarray, shape (n, 2)
        Lower and upper edge of each bin, degrees.

    Returns
    -------
    ndarray, shape (n,)
        Integral of sin(alpha) / 2 over the bin; they add up to 1 if the bins cover 0 to 180 degrees.
    """
    cosine = np.cos(np.deg2rad(np.asarray(bounds, dtype=np.float64)))
    return np.asarray((cosine[:, 0] - cosine[:, 1]) / 2.0)


def omnidirectional(flux: xr.Dataset, min_coverage: float = MIN_COVERAGE) -> xr.DataArray:
    """Average flux over all directions.

    The integral of j sin(alpha) over the integral of sin(alpha), over the pitch-angle bins that were measured. For the real HOPE
    file this is the file's own `FPDO` to 2e-7.

    Parameters
    ----------
    flux : Dataset
        From `open_flux`: `flux` over (time, energy, pitch_angle) and `pitch_angle_bounds`.
    min_coverage : float
        Least share of the sphere that must have been measured; below it the result is NaN.

    Returns
    -------
    DataArray, dims (time, energy), float64
        In the unit of `flux`, per steradian.
    """
    values = flux["flux"].transpose("time", "energy", "pitch_angle").to_numpy()
    mean, coverage = average_over_sphere(values, solid_angle(flux["pitch_angle_bounds"].to_numpy()))
    return xr.DataArray(
        np.where(coverage >= min_coverage, mean, np.nan),
        coords={"time": flux["time"], "energy": flux["energy"]},
        dims=("time", "energy"),
        name="omnidirectional_flux",
        attrs={**flux["flux"].attrs, "long_name": f"omnidirectional {ion_name(flux.attrs)} flux (average over the sphere)"},
    )


def average_over_sphere(
    values: npt.NDArray[np.floating], weight: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Average over the last axis with the solid angle as weight, leaving NaN out.

    Returns
    -------
    mean, coverage : ndarray
        The average (NaN where nothing was measured) and the share of the sphere it rests on.
    """
    measured = np.isfinite(values)
    coverage = measured @ weight
    # A matrix product is several times faster here than a sum over the product.
    total = np.where(measured, values, 0.0).astype(np.float64) @ weight
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(coverage > 0, total / coverage, np.nan), coverage


def equatorial_pitch_angle(pitch_angle: npt.NDArray[np.floating], latitude: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Pitch angle that a particle has at the equator of a dipole field line.

    sin^2(equatorial) = sin^2(local) B_eq / B, and B / B_eq = sqrt(1 + 3 sin^2(lat)) / cos^6(lat) in a dipole.

    Parameters
    ----------
    pitch_angle : ndarray, shape (m,)
        Local pitch angle, degrees, 0 to 180.
    latitude : ndarray, shape (n,)
        Magnetic latitude, degrees.

    Returns
    -------
    ndarray, shape (n, m)
        Degrees, 0 to 90: a trapped particle passes the equator with both alpha and 180 - alpha.
    """
    return np.asarray(np.rad2deg(np.arcsin(np.sqrt(np.clip(_squared_sine(pitch_angle, latitude), 0.0, 1.0)))))


def equatorial_bin(
    pitch_angle: npt.NDArray[np.floating], latitude: npt.NDArray[np.floating], edges: npt.NDArray[np.float64]
) -> npt.NDArray[np.int8]:
    """Tell in which bin of equatorial pitch angle each direction lies.

    Parameters
    ----------
    pitch_angle, latitude : ndarray, shape (m,) and (n,)
        As in `equatorial_pitch_angle`.
    edges : ndarray, shape (k + 1,)
        Edges of the bins from 0 to 90 degrees. A lower edge belongs to its bin, and 90 degrees to the last one.

    Returns
    -------
    ndarray of int8, shape (n, m)
        From 0; -1 where the latitude is not known.
    """
    # The squared sine rises with the angle, so that bins are found without an arc sine for each record.
    sine = _squared_sine(pitch_angle, latitude)
    number = np.zeros(sine.shape, dtype=np.int8)
    for edge in np.sin(np.deg2rad(edges[1:-1])) ** 2:
        number += sine >= edge
    number[~np.isfinite(sine)] = -1
    return number


def _squared_sine(pitch_angle: npt.NDArray[np.floating], latitude: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Squared sine of the equatorial pitch angle, shape (n, m)."""
    sine = np.sin(np.deg2rad(np.asarray(latitude, dtype=np.float64)))
    field_ratio = (1.0 - sine**2) ** 3 / np.sqrt(1.0 + 3.0 * sine**2)  # B_eq / B
    local = np.sin(np.deg2rad(np.asarray(pitch_angle, dtype=np.float64))) ** 2
    return np.asarray(field_ratio[:, None] * local[None, :])
