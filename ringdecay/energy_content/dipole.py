"""The dipole field as a vessel: the volume between its shells, and the field that plasma in it makes at the Earth's centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants

from ringdecay.errors import InputError

Floats = NDArray[np.float64]

# Geomagnetic reference radius, m.
EARTH_RADIUS = 6_371_200.0
# Dipole field at the equator of the Earth's surface, T: that of the usual constant, -3.98e-30 nT/keV. With that of IGRF-13 in 2015
# (29 868 nT, from its three dipole coefficients) the same energy gives a Dst that is 4 % deeper.
EQUATORIAL_FIELD = 31_100e-9


def volume_inside(L: ArrayLike) -> Floats:
    """Volume between the Earth's surface and a dipole shell.

    Parameters
    ----------
    L : array_like
        L-shell, 1 or more.

    Returns
    -------
    ndarray of float64
        In cubic Earth radii: (4 pi/3) (L^3 f(s) - s), with f(s) = s - s^3 + 3 s^5/5 - s^7/7 and s = sqrt(1 - 1/L) the sine of the
        latitude at which the shell meets the surface. It is the integral of r^2 cos(latitude) over r from 1 to L cos^2(latitude),
        over latitude and longitude.

    Raises
    ------
    InputError
        If an L is below 1.
    """
    L = np.asarray(L, dtype=np.float64)
    if (L < 1.0).any():
        raise InputError(f"a dipole shell of L {np.nanmin(L):g} does not leave the Earth; L must be 1 or more")
    s = np.sqrt(1.0 - 1.0 / L)
    return np.asarray(4.0 * np.pi / 3.0 * (L**3 * (s - s**3 + 0.6 * s**5 - s**7 / 7.0) - s))


def shell_volume(low: ArrayLike, high: ArrayLike) -> Floats:
    """Volume between two dipole shells, above the Earth's surface and on both sides of the equator.

    Parameters
    ----------
    low, high : array_like
        L-shells, 1 or more.

    Returns
    -------
    ndarray of float64
        m3.

    Raises
    ------
    InputError
        If an L is below 1, or `high` is below `low`.
    """
    if (np.asarray(high) < np.asarray(low)).any():
        raise InputError("the lower L of a shell comes first, but it is above the higher one")
    return (volume_inside(high) - volume_inside(low)) * EARTH_RADIUS**3


def dst_dps(energy: ArrayLike, equatorial_field: float = EQUATORIAL_FIELD) -> Floats:
    """Magnetic field that trapped particles make at the Earth's centre, after Dessler, Parker and Sckopke.

    Parameters
    ----------
    energy : array_like
        Kinetic energy of all particles, J.
    equatorial_field : float
        Dipole field at the equator of the surface, T.

    Returns
    -------
    ndarray of float64
        nT, along the dipole's own field at the equator, so negative: dB/B0 = -(2/3) W/U, where U = 4 pi B0^2 R^3/(3 mu0) is the energy
        of the dipole field above the surface; that is dB = -mu0 W/(2 pi B0 R^3), or -3.98e-30 nT for each keV. The currents that it
        induces in the Earth, which make the depression at the surface deeper, are not in it.

    References
    ----------
    Dessler and Parker (1959), J. Geophys. Res. 64, 2239; Sckopke (1966), J. Geophys. Res. 71, 3125.
    """
    tesla = -constants.mu_0 * np.asarray(energy, dtype=np.float64) / (2.0 * np.pi * equatorial_field * EARTH_RADIUS**3)
    return np.asarray(tesla * 1e9)
