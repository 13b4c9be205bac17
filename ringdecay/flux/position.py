"""Where in the dipole field a spacecraft is, from its position."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# First three Gauss coefficients of IGRF-13 (Alken et al. 2021, doi:10.1186/s40623-020-01288-x), nT.
_IGRF_YEAR = np.array([2010.0, 2015.0, 2020.0])
_IGRF_DIPOLE = np.array([[-29496.57, -1586.42, 4944.26], [-29441.46, -1501.77, 4795.99], [-29404.8, -1450.9, 4652.5]])  # g10, g11, h11


def dipole_axis_geo(time: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    """Give the unit vector of the northern end of the Earth's dipole axis in geographic coordinates.

    Parameters
    ----------
    time : ndarray of datetime64, shape (n,)
        UTC.

    Returns
    -------
    ndarray, shape (n, 3)
        From IGRF-13, linear in time; before 2010 and after 2020 the end value.
    """
    year = 1970.0 + time.astype("datetime64[s]").astype(np.int64) / (365.25 * 86400.0)
    # The field's g10 < 0 means that the northern pole of the axis is along -(g11, h11, g10).
    axis = -np.stack([np.interp(year, _IGRF_YEAR, _IGRF_DIPOLE[:, i]) for i in (1, 2, 0)], axis=-1)
    return np.asarray(axis / np.linalg.norm(axis, axis=-1, keepdims=True))


def magnetic_latitude(position: npt.NDArray[np.floating], axis: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Latitude above the dipole equator.

    Parameters
    ----------
    position : ndarray, shape (n, 3)
        Any unit, in the same frame as `axis`.
    axis : ndarray, shape (3,) or (n, 3)
        Unit vector of the dipole axis; (0, 0, 1) in solar magnetic (SM) coordinates.

    Returns
    -------
    ndarray, shape (n,)
        Degrees, positive north.
    """
    position = np.asarray(position, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        sine = np.sum(position * axis, axis=-1) / np.linalg.norm(position, axis=-1)
    return np.asarray(np.rad2deg(np.arcsin(np.clip(sine, -1.0, 1.0))))


def dipole_L(radius: npt.NDArray[np.floating], latitude: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:  # noqa: N802 - L is the symbol
    """Dipole L-shell, r / cos^2(magnetic latitude).

    Parameters
    ----------
    radius : ndarray
        Geocentric distance, Earth radii.
    latitude : ndarray
        Magnetic latitude, degrees.
    """
    return np.asarray(np.asarray(radius, dtype=np.float64) / np.cos(np.deg2rad(latitude)) ** 2)
