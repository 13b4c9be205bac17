"""Where in the dipole field a spacecraft is, from its position: solar magnetic coordinates, magnetic latitude, local time and L."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# First three Gauss coefficients of IGRF-13 (Alken et al. 2021, doi:10.1186/s40623-020-01288-x), nT.
_IGRF_YEAR = np.array([2010.0, 2015.0, 2020.0])
_IGRF_DIPOLE = np.array([[-29496.57, -1586.42, 4944.26], [-29441.46, -1501.77, 4795.99], [-29404.8, -1450.9, 4652.5]])  # g10, g11, h11
_J2000 = np.datetime64("2000-01-01T12:00", "ns")


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
    # The field's g10 < 0 means that the northern pole of the axis is along -(g11, h11, g10).
    axis = -_dipole_coefficients(time)[:, [1, 2, 0]]
    return np.asarray(axis / np.linalg.norm(axis, axis=-1, keepdims=True))


def dipole_moment(time: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    """Field of the Earth's dipole at its equator at one Earth radius (6371.2 km), nT, from IGRF-13.

    Parameters
    ----------
    time : ndarray of datetime64, shape (n,)
        UTC.
    """
    return np.asarray(np.linalg.norm(_dipole_coefficients(time), axis=-1))


def _dipole_coefficients(time: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    year = 1970.0 + time.astype("datetime64[s]").astype(np.int64) / (365.25 * 86400.0)
    return np.stack([np.interp(year, _IGRF_YEAR, _IGRF_DIPOLE[:, i]) for i in range(3)], axis=-1)


def sun_direction_geo(time: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    """Give the unit vector from the Earth to the Sun in geographic coordinates.

    Parameters
    ----------
    time : ndarray of datetime64, shape (n,)
        UTC; taken as universal time, from which it differs by less than 0.9 s (0.004 deg).

    Returns
    -------
    ndarray, shape (n, 3)
        The Sun's position is the Astronomical Almanac's low-precision one (section C, "good to 0.01 deg from 1950 to 2050"), the
        Earth's rotation the mean sidereal time of the IAU 1982 (Aoki et al. 1982) to first order.
    """
    days = (time.astype("datetime64[ns]") - _J2000).astype(np.int64) / 86400e9
    anomaly = np.deg2rad(357.528 + 0.9856003 * days)
    longitude = np.deg2rad(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2.0 * anomaly))
    obliquity = np.deg2rad(23.439 - 4.0e-7 * days)
    right_ascension = np.arctan2(np.cos(obliquity) * np.sin(longitude), np.cos(longitude))
    declination = np.arcsin(np.sin(obliquity) * np.sin(longitude))
    east = right_ascension - np.deg2rad(280.46061837 + 360.98564736629 * days)
    return np.stack([np.cos(declination) * np.cos(east), np.cos(declination) * np.sin(east), np.sin(declination)], axis=-1)


def geo_to_sm(position: npt.NDArray[np.floating], time: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    """Turn geographic into solar magnetic (SM) coordinates.

    SM has its z axis along the northern end of the dipole, and the Sun in the half plane of its x axis (Russell 1971).

    Parameters
    ----------
    position : ndarray, shape (n, 3)
        Geographic, Cartesian, any unit.
    time : ndarray of datetime64, shape (n,)
        UTC; NaT gives NaN.

    Returns
    -------
    ndarray, shape (n, 3)
        In the unit of `position`.
    """
    known = ~np.isnat(time)
    result = np.full(np.shape(position), np.nan)
    z = dipole_axis_geo(time[known])
    y = np.cross(z, sun_direction_geo(time[known]))
    y /= np.linalg.norm(y, axis=-1, keepdims=True)
    axes = np.stack([np.cross(y, z), y, z], axis=1)
    result[known] = np.einsum("nij,nj->ni", axes, np.asarray(position, dtype=np.float64)[known])
    return result


def magnetic_local_time(position_SM: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Magnetic local time of the centred dipole: 0 at midnight, 12 where the Sun is.

    Parameters
    ----------
    position_SM : ndarray, shape (n, 3)
        Solar magnetic coordinates, any unit.

    Returns
    -------
    ndarray, shape (n,)
        Hours, from 0 to below 24.
    """
    position_SM = np.asarray(position_SM, dtype=np.float64)
    return np.asarray(np.mod(12.0 + np.arctan2(position_SM[:, 1], position_SM[:, 0]) * (12.0 / np.pi), 24.0))


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
