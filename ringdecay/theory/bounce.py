"""Average over the bounce of a trapped ion along a dipole field line.

With u the squared sine of the magnetic latitude, a dipole field line has r = L (1 - u), field B / B_eq = sqrt(1 + 3u) / (1 - u)^3 and
length ds = L sqrt(1 + 3u) d(sqrt u). The time spent in ds goes as ds / sqrt(1 - B/B_m), which is singular at the mirror point (m).
Putting sqrt(u) = sqrt(u_m) sin(theta) takes the singularity away: what is left is a smooth function of sin^2(theta), and the midpoint
rule over a quarter period of such a function converges exponentially.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ringdecay.errors import InputError
from ringdecay.theory.ranges import Floats, positive

# Ions that mirror below 100 km altitude are lost to the atmosphere within a bounce; 6371.2 km is the geomagnetic reference radius.
LOWEST_MIRROR = 1.0 + 100.0 / 6371.2

# On L = 6 with the Rairden geocorona 24 points agree with 400 to 3e-15 at all pitch angles that mirror above the exobase.
_NODES = 48


def mirror_latitude(equatorial_pitch_angle: ArrayLike) -> Floats:
    """Magnetic latitude of the mirror point on a dipole field line.

    Parameters
    ----------
    equatorial_pitch_angle : array_like
        In degrees, 0 to 180, any shape.

    Returns
    -------
    ndarray of float64
        Latitude in degrees, 0 for 90 degrees of pitch angle.

    Raises
    ------
    InputError
        If a pitch angle is not from 0 to 180 degrees.
    """
    return np.degrees(np.arcsin(np.sqrt(_mirror_u(equatorial_pitch_angle))))


def loss_cone(L: ArrayLike) -> Floats:
    """Equatorial pitch angle in degrees below which an ion on dipole shell `L` mirrors less than 100 km above ground.

    Parameters
    ----------
    L : array_like
        Dipole L-shell; NaN where L is below that altitude at the equator.
    """
    y = LOWEST_MIRROR / positive(L)
    y = np.where(y > 1.0, np.nan, y)
    return np.degrees(np.arcsin(np.sqrt(y**3 / np.sqrt(4.0 - 3.0 * y))))


def bounce_average(quantity: Callable[[Floats], Floats], L: ArrayLike, equatorial_pitch_angle: ArrayLike) -> Floats:
    """Average of a function of geocentric distance over the bounce motion in a dipole field.

    Parameters
    ----------
    quantity : callable
        Takes distances in Earth radii (any shape) and gives values of the same shape.
    L, equatorial_pitch_angle : array_like
        Dipole L-shell, and pitch angle at the equator in degrees; broadcast against each other.

    Returns
    -------
    ndarray of float64
        The average, of the broadcast shape; NaN inside the loss cone, and where `quantity` is NaN anywhere from the equator to the
        mirror point, that is where a model is left.

    Raises
    ------
    InputError
        If a pitch angle is not from 0 to 180 degrees.
    """
    L = np.asarray(L, dtype=np.float64)
    u_mirror = _mirror_u(equatorial_pitch_angle)
    u, weight = _points(u_mirror)
    # Below the lowest mirror point the answer is NaN whatever the model gives there, which may be beyond floating point.
    mean = (quantity(np.maximum(L[..., None] * (1.0 - u), LOWEST_MIRROR)) * weight).sum(axis=-1)
    # The outermost point lies short of the mirror point, so ask there too whether the model still holds.
    r_mirror = L * (1.0 - u_mirror)
    return np.where((r_mirror < LOWEST_MIRROR) | np.isnan(quantity(np.maximum(r_mirror, LOWEST_MIRROR))), np.nan, mean)


def mean_field(equatorial_pitch_angle: ArrayLike) -> Floats:
    """Bounce average of B / B_eq in a dipole field; it does not depend on L.

    Parameters
    ----------
    equatorial_pitch_angle : array_like
        In degrees, above 0 and below 180, any shape.
    """
    u, weight = _points(_mirror_u(equatorial_pitch_angle))
    return np.asarray((np.sqrt(1.0 + 3.0 * u) / (1.0 - u) ** 3 * weight).sum(axis=-1))


def _mirror_u(equatorial_pitch_angle: ArrayLike) -> Floats:
    """Squared sine of the mirror latitude: with y = 1 - u, y^6 = sin^4(alpha) (4 - 3y)."""
    angle = np.asarray(equatorial_pitch_angle, dtype=np.float64)
    if ((angle < 0.0) | (angle > 180.0)).any():
        raise InputError(
            f"equatorial pitch angles are from 0 to 180 degrees, but these are from {np.nanmin(angle):g} to {np.nanmax(angle):g}."
        )
    s4 = np.sin(np.radians(angle)) ** 4
    # The function is convex and rises for y > 0, so Newton's method from y = 1 comes down to the root without overshooting.
    y = np.ones_like(s4)
    for _ in range(100):
        y = y - (y**6 + 3.0 * s4 * y - 4.0 * s4) / (6.0 * y**5 + 3.0 * s4 + 1e-300)
    return np.clip(1.0 - y, 0.0, 1.0)


def _points(u_mirror: Floats) -> tuple[Floats, Floats]:
    """Points along the field line (as u) and their share of the bounce time, on a new last axis."""
    theta = (np.arange(_NODES) + 0.5) * (np.pi / 2.0 / _NODES)
    # A mirror point exactly at the equator is the limit of one just beside it.
    u_m = np.maximum(u_mirror, 1e-300)[..., None]
    u = u_m * np.sin(theta) ** 2
    below = u_m * np.cos(theta) ** 2
    # 1 - B/B_m from the logarithm of the ratio, every term of one sign, so that nothing cancels near 90 degrees.
    log_ratio = 0.5 * np.log1p(-3.0 * below / (1.0 + 3.0 * u_m)) - 3.0 * np.log1p(below / np.maximum(1.0 - u_m, 1e-12))
    weight = np.sqrt(1.0 + 3.0 * u) * np.sqrt(below / -np.expm1(log_ratio))
    return u, weight / weight.sum(axis=-1, keepdims=True)
