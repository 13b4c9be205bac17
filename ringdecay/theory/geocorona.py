"""Density of atomic hydrogen in the geocorona."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import ArrayLike

from ringdecay.theory.ranges import Floats, Range, positive

# The polynomial has its minimum at 6.40 Earth radii and rises beyond; its lower end is the exobase, 500 km above ground.
RAIRDEN_RANGE = Range(1.08, 6.4)
# The IMAGE observations behind the fit are above 3.5 Earth radii (from memory of the paper; the paper was not read for this).
OSTGAARD_RANGE = Range(3.5, 10.0)
# TWINS observations above 3 Earth radii; similar to other dayside profiles out to 8 (Zoennchen et al. 2022, Ann. Geophys. 40, 271).
ZOENNCHEN_RANGE = Range(3.0, 8.0)

# log10(density in m-3) as a polynomial of the distance in Earth radii, constant term first; RAM-SCB, ModRamScb.
_RAIRDEN_POLYNOMIAL = (13.326, -3.6908, 1.1362, -0.16984, 0.009553)
_CM3_PER_M3 = 1e-6

# Ostgaard et al. (2003): two exponentials, n in cm-3 and scale length in Earth radii, by solar zenith angle in degrees.
_OSTGAARD_ANGLES = np.arange(90.0, 181.0, 10.0)
_OSTGAARD_N1 = np.array([10000, 10100, 10300, 10600, 10900, 11300, 11600, 11800, 12000, 12000], dtype=np.float64)
_OSTGAARD_N2 = np.array([70, 80, 100, 130, 180, 220, 250, 280, 300, 310], dtype=np.float64)
_OSTGAARD_SCALE1 = np.array([1.02, 1.01, 0.99, 0.96, 0.93, 0.90, 0.88, 0.86, 0.85, 0.85])
_OSTGAARD_SCALE2 = np.array([8.2, 7.9, 7.1, 6.3, 5.7, 5.21, 4.9, 4.8, 4.7, 4.6])


def rairden_1986(r: ArrayLike, *, extrapolate: bool = False) -> Floats:
    """Hydrogen density after Rairden et al. (1986), by the polynomial that RAM-SCB uses.

    Parameters
    ----------
    r : array_like
        Geocentric distance in Earth radii, any shape.
    extrapolate : bool
        Give values outside 1.08 to 6.4 Earth radii too, which are NaN otherwise. The value at the end is held, because the polynomial
        itself rises with distance beyond 6.4 Earth radii.

    Returns
    -------
    ndarray of float64
        Density in cm-3.
    """
    r = positive(r)
    density = _CM3_PER_M3 * 10.0 ** polyval(np.clip(r, RAIRDEN_RANGE.low, RAIRDEN_RANGE.high), _RAIRDEN_POLYNOMIAL)
    return RAIRDEN_RANGE.keep(density, r, extrapolate=extrapolate)


def ostgaard_2003(r: ArrayLike, *, solar_zenith_angle: ArrayLike = 90.0, extrapolate: bool = False) -> Floats:
    """Hydrogen density after Ostgaard et al. (2003, J. Geophys. Res. 108, 1300).

    Parameters
    ----------
    r : array_like
        Geocentric distance in Earth radii.
    solar_zenith_angle : array_like
        Angle from the direction of the Sun in degrees, 0 to 180, broadcast against `r`. The table begins at 90; the whole dayside
        has its values, as its author advised. In between the four parameters are interpolated linearly.
    extrapolate : bool
        Give values outside 3.5 to 10 Earth radii too, which are NaN otherwise. The formula is continued; close to the Earth it is too
        low, a factor of ten below `rairden_1986` at the exobase.

    Returns
    -------
    ndarray of float64
        Density in cm-3.
    """
    r = positive(r)
    n1, n2, scale1, scale2 = (
        np.interp(np.asarray(solar_zenith_angle, dtype=np.float64), _OSTGAARD_ANGLES, table)
        for table in (_OSTGAARD_N1, _OSTGAARD_N2, _OSTGAARD_SCALE1, _OSTGAARD_SCALE2)
    )
    density = n1 * np.exp(-r / scale1) + n2 * np.exp(-r / scale2)
    return OSTGAARD_RANGE.keep(density, r, extrapolate=extrapolate)


def zoennchen_2011(r: ArrayLike, *, extrapolate: bool = False) -> Floats:
    """Hydrogen density after Zoennchen et al. (2011), averaged over all directions.

    Made from TWINS observations of June to September 2008, at F10.7 below 100. The terms that depend on direction are left out.

    Parameters
    ----------
    r : array_like
        Geocentric distance in Earth radii, any shape.
    extrapolate : bool
        Give values outside 3 to 8 Earth radii too, which are NaN otherwise. Below 3 the model's own inward continuation is used,
        which is 4 % higher at 3 than the model.

    Returns
    -------
    ndarray of float64
        Density in cm-3.
    """
    r = positive(r)
    density = np.where(r >= ZOENNCHEN_RANGE.low, 22364.7 * r**-2.99318, 70.005204 * np.exp(7.5497632 / r))
    return ZOENNCHEN_RANGE.keep(density, r, extrapolate=extrapolate)


@dataclass(frozen=True)
class Geocorona:
    """A geocorona to choose: the function of the distance in Earth radii that gives cm-3, its range and its source."""

    function: Callable[..., Floats]
    range: Range
    source: str


# Name -> model; the first is the default. Ostgaard et al. counts twice, because day and night differ by a quarter at 5 Earth radii and
# a drifting ion sees both.
GEOCORONAS: dict[str, Geocorona] = {
    "rairden_1986": Geocorona(rairden_1986, RAIRDEN_RANGE, "Rairden et al. (1986), J. Geophys. Res. 91, 13613, polynomial of RAM-SCB"),
    "ostgaard_2003_day": Geocorona(
        partial(ostgaard_2003, solar_zenith_angle=90.0), OSTGAARD_RANGE, "Ostgaard et al. (2003), J. Geophys. Res. 108, 1300, dayside"
    ),
    "ostgaard_2003_night": Geocorona(
        partial(ostgaard_2003, solar_zenith_angle=180.0), OSTGAARD_RANGE, "Ostgaard et al. (2003), J. Geophys. Res. 108, 1300, midnight"
    ),
    "zoennchen_2011": Geocorona(zoennchen_2011, ZOENNCHEN_RANGE, "Zoennchen et al. (2011), Ann. Geophys., direction average"),
}
