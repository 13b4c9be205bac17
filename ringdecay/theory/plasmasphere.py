"""Equatorial electron density of the plasmasphere and the trough outside it: Carpenter and Anderson (1992, J. Geophys. Res. 97, 1097).

The coefficients, and the evening and night sectors of the trough that the paper does not cover (it has 00 to 15 MLT), are those of
RAM-SCB (ModRamPlasmasphere).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ringdecay.errors import InputError
from ringdecay.theory.ranges import Floats, Range, positive

CARPENTER_ANDERSON_RANGE = Range(2.25, 8.0)

# Trough density is (first + second * MLT) L^-4.5 from the hour given on; above 19 h RAM-SCB joins evening to night.
_TROUGH_FROM = np.array([0.0, 6.0, 19.0, 20.0])
_TROUGH_FIRST = np.array([5800.0, -800.0, 428600.0, -1400.0])
_TROUGH_SECOND = np.array([300.0, 1400.0, -21200.0, 300.0])

# The middles of the hours average a function that is linear within whole hours exactly.
_ALL_MLT = np.arange(24, dtype=np.float64) + 0.5


def plasmapause(kp_max: ArrayLike) -> Floats:
    """L of the inner edge of the plasmapause, 5.6 - 0.46 Kp.

    Parameters
    ----------
    kp_max : array_like
        Highest Kp of the 24 hours before, 0 to 9.

    Raises
    ------
    InputError
        If a Kp is not from 0 to 9.
    """
    kp_max = np.asarray(kp_max, dtype=np.float64)
    if ((kp_max < 0.0) | (kp_max > 9.0)).any():
        raise InputError(f"Kp is from 0 to 9, but kp_max is from {np.nanmin(kp_max):g} to {np.nanmax(kp_max):g}.")
    return 5.6 - 0.46 * kp_max


def saturated(
    L: ArrayLike, *, day_of_year: ArrayLike | None = None, sunspot_number: ArrayLike | None = None, extrapolate: bool = False
) -> Floats:
    """Electron density of the saturated plasmasphere.

    Parameters
    ----------
    L : array_like
        L-shell.
    day_of_year, sunspot_number : array_like, optional
        Day of the year and 13-month mean sunspot number (in the Zuerich numbering of the time of the paper) for the terms of season
        and solar cycle; both or neither, which leaves the terms out.
    extrapolate : bool
        Give values outside L 2.25 to 8 too, which are NaN otherwise.

    Returns
    -------
    ndarray of float64
        Density in cm-3.

    Raises
    ------
    InputError
        If only one of the two is given.
    """
    if (day_of_year is None) != (sunspot_number is None):
        raise InputError("day_of_year and sunspot_number go together: give both or neither.")
    L = positive(L)
    logarithm = -0.3145 * L + 3.9043
    if day_of_year is not None and sunspot_number is not None:
        phase = 2.0 * np.pi * (np.asarray(day_of_year, dtype=np.float64) + 9.0) / 365.0
        season = 0.15 * (np.cos(phase) - 0.5 * np.cos(2.0 * phase))
        cycle = 0.00127 * np.asarray(sunspot_number, dtype=np.float64) - 0.0635
        logarithm = logarithm + (season + cycle) * np.exp(-(L - 2.0) / 1.5)
    return CARPENTER_ANDERSON_RANGE.keep(10.0**logarithm, L, extrapolate=extrapolate)


def trough(L: ArrayLike, *, MLT: ArrayLike | None = None, extrapolate: bool = False) -> Floats:
    """Electron density outside the plasmasphere.

    Parameters
    ----------
    L : array_like
        L-shell.
    MLT : array_like, optional
        Magnetic local time in hours, broadcast against `L`; without it the average over all local times, as a drifting ion meets it.
    extrapolate : bool
        Give values outside L 2.25 to 8 too, which are NaN otherwise.

    Returns
    -------
    ndarray of float64
        Density in cm-3.
    """
    L = positive(L)
    if MLT is None:
        return np.asarray(trough(L[..., None], MLT=_ALL_MLT, extrapolate=extrapolate).mean(axis=-1))
    MLT = np.asarray(MLT, dtype=np.float64) % 24.0
    sector = np.searchsorted(_TROUGH_FROM, MLT, side="right") - 1
    density = (_TROUGH_FIRST[sector] + _TROUGH_SECOND[sector] * MLT) * L**-4.5 + 1.0 - np.exp((2.0 - L) / 10.0)
    return CARPENTER_ANDERSON_RANGE.keep(density, L, extrapolate=extrapolate)


def electron_density(L: ArrayLike, kp_max: ArrayLike, *, MLT: ArrayLike | None = None, extrapolate: bool = False) -> Floats:
    """Electron density inside and outside a plasmapause set by Kp.

    Inside it is the saturated plasmasphere; outside it falls by a decade in 0.1 L (more slowly on the dayside) until it meets the
    trough.

    Parameters
    ----------
    L, kp_max : array_like
        L-shell, and the highest Kp of the 24 hours before; broadcast against each other.
    MLT : array_like, optional
        Magnetic local time in hours, broadcast against both; without it the average over all local times.
    extrapolate : bool
        Give values outside L 2.25 to 8 too, which are NaN otherwise.

    Returns
    -------
    ndarray of float64
        Density in cm-3.

    Raises
    ------
    InputError
        If a Kp is not from 0 to 9.
    """
    L, edge = np.broadcast_arrays(positive(L), plasmapause(kp_max))
    if MLT is None:
        return np.asarray(_with_plasmapause(L[..., None], edge[..., None], _ALL_MLT, extrapolate=extrapolate).mean(axis=-1))
    return _with_plasmapause(L, edge, np.asarray(MLT, dtype=np.float64) % 24.0, extrapolate=extrapolate)


def _with_plasmapause(L: Floats, edge: Floats, MLT: Floats, *, extrapolate: bool) -> Floats:
    inside = saturated(L, extrapolate=extrapolate)
    # Width in L of a decade: 0.1 at night, growing by 0.011 an hour from 06 MLT, brought back to 0.1 from 19 to 20 MLT.
    width = np.where(
        (MLT >= 6.0) & (MLT <= 19.0), 0.1 + 0.011 * (MLT - 6.0), np.where((MLT > 19.0) & (MLT < 20.0), 0.1 + 0.143 * (20.0 - MLT), 0.1)
    )
    fallen = inside * 10.0 ** np.minimum((edge - L) / width, 0.0)
    return np.where(edge >= L, inside, np.maximum(fallen, trough(L, MLT=MLT, extrapolate=extrapolate)))
