"""Where two spacecraft on an orbit like that of the Van Allen Probes are, in geographic and in solar magnetic coordinates.

A Kepler orbit of 8.97 h between 1.1 and 5.8 Earth radii, inclined by 10.2 deg, whose node and perigee precess at the rates that
the Earth's oblateness gives (first order in J2). The magnetic field is a centred dipole tilted by 11 deg that turns with the
Earth; the Sun goes round on a circle. The probes share the orbit and are half a period apart.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

PERIOD_HOURS = 8.97
PERIGEE, APOGEE = 1.1, 5.8  # Earth radii from the centre
INCLINATION = np.deg2rad(10.2)
# Longitude of the northern geomagnetic pole about 2015; the tilt is the 11 deg of the specification.
DIPOLE_TILT, DIPOLE_LONGITUDE = np.deg2rad(11.0), np.deg2rad(-72.6)
REFERENCE_TIME = np.datetime64("2015-01-01", "ns")
NODE_AT_REFERENCE, PERIGEE_AT_REFERENCE = 40.0, 20.0  # deg, chosen freely
_SEMI_MAJOR, _ECCENTRICITY = (PERIGEE + APOGEE) / 2.0, (APOGEE - PERIGEE) / (APOGEE + PERIGEE)
# Precession by the Earth's oblateness to first order in J2 = 1.0826e-3, deg/day: -0.45 for the node, 0.88 for the perigee.
_OBLATENESS = 1.5 * 1.0826e-3 * (360.0 * 24.0 / PERIOD_HOURS) / (_SEMI_MAJOR * (1.0 - _ECCENTRICITY**2)) ** 2
NODE_RATE = -_OBLATENESS * np.cos(INCLINATION)
PERIGEE_RATE = 0.5 * _OBLATENESS * (5.0 * np.cos(INCLINATION) ** 2 - 1.0)
PHASE = {"a": 0.0, "b": 0.5}
_OBLIQUITY = np.deg2rad(23.44)


class Ephemeris(NamedTuple):
    """Positions of a spacecraft; every field has one row a time."""

    position: Array  # (n, 3) geographic, Earth radii
    position_SM: Array  # (n, 3) solar magnetic, Earth radii
    radius: Array  # Earth radii
    L: Array  # dipole L
    MLAT: Array  # deg
    MLT: Array  # hours
    orbit: npt.NDArray[np.int64]  # number of the orbit, counted from perigee to perigee
    outbound: npt.NDArray[np.bool_]  # going away from the Earth


def eccentric_anomaly(mean_anomaly: Array, eccentricity: float) -> Array:
    """Solve Kepler's equation M = E - e sin E by Newton's method, for arrays.

    Parameters
    ----------
    mean_anomaly : ndarray
        Radians.
    eccentricity : float
        Below one.
    """
    turns = 2.0 * np.pi * np.round(mean_anomaly / (2.0 * np.pi))
    M = mean_anomaly - turns
    E = M + 0.85 * eccentricity * np.sign(np.sin(M))  # a start from which Newton's method converges for every e < 1
    for _ in range(20):
        step = (E - eccentricity * np.sin(E) - M) / (1.0 - eccentricity * np.cos(E))
        E = E - step
        if np.abs(step).max(initial=0.0) < 1e-12:
            break
    return np.asarray(E + turns)


def ephemeris(probe: str, time: npt.NDArray[np.datetime64]) -> Ephemeris:
    """Compute where a probe is.

    Parameters
    ----------
    probe : {"a", "b"}
        The spacecraft.
    time : array of datetime64, shape (n,)
        UTC. A leap second is not counted; it would move the spacecraft by less than 10 km.
    """
    days = (np.asarray(time, dtype="datetime64[ns]") - REFERENCE_TIME) / np.timedelta64(1, "ns") / 86400e9
    a, e = _SEMI_MAJOR, _ECCENTRICITY
    turns = days * 24.0 / PERIOD_HOURS + PHASE[probe]
    E = eccentric_anomaly(2.0 * np.pi * turns, e)
    in_plane = np.stack([a * (np.cos(E) - e), a * np.sqrt(1.0 - e**2) * np.sin(E), np.zeros_like(E)], axis=-1)
    node = np.deg2rad(NODE_AT_REFERENCE + NODE_RATE * days)
    perigee = np.deg2rad(PERIGEE_AT_REFERENCE + PERIGEE_RATE * days)
    inertial = _turn_z(_turn_x(_turn_z(in_plane, perigee), INCLINATION), node)

    # The Earth's rotation angle and the Sun's mean longitude, days counted from 2000-01-01 12:00.
    since_2000 = days + (REFERENCE_TIME - np.datetime64("2000-01-01T12:00", "ns")) / np.timedelta64(1, "D")
    position = _turn_z(inertial, -np.deg2rad(280.46 + 360.9856474 * since_2000))
    sun_longitude = np.deg2rad(280.46 + 0.9856474 * since_2000)
    sun = _turn_z(
        _turn_x(np.stack([np.cos(sun_longitude), np.sin(sun_longitude), np.zeros_like(days)], axis=-1), _OBLIQUITY),
        -np.deg2rad(280.46 + 360.9856474 * since_2000),
    )
    axis = np.array(
        [
            np.sin(DIPOLE_TILT) * np.cos(DIPOLE_LONGITUDE),
            np.sin(DIPOLE_TILT) * np.sin(DIPOLE_LONGITUDE),
            np.cos(DIPOLE_TILT),
        ]
    )
    y = np.cross(axis, sun)
    y /= np.linalg.norm(y, axis=-1, keepdims=True)
    x = np.cross(y, axis)
    position_SM = np.stack([(position * x).sum(axis=-1), (position * y).sum(axis=-1), position @ axis], axis=-1)
    radius = a * (1.0 - e * np.cos(E))
    sin_MLAT = position_SM[:, 2] / radius
    return Ephemeris(
        position=position,
        position_SM=position_SM,
        radius=radius,
        L=radius / (1.0 - sin_MLAT**2),
        MLAT=np.rad2deg(np.arcsin(sin_MLAT)),
        MLT=np.mod(12.0 + np.arctan2(position_SM[:, 1], position_SM[:, 0]) * 12.0 / np.pi, 24.0),
        orbit=np.floor(turns).astype(np.int64),
        outbound=np.mod(turns, 1.0) < 0.5,
    )


def field_ratio(MLAT: Any) -> Any:
    """B at the equator over B here, on the same field line of a dipole; MLAT in deg.

    Written apart from `ringdecay.flux.equatorial_pitch_angle`: a mistake in a shared formula would cancel between the simulated flux
    and its analysis, and no test would see it.
    """
    sin2 = np.sin(np.deg2rad(MLAT)) ** 2
    return (1.0 - sin2) ** 3 / np.sqrt(1.0 + 3.0 * sin2)


def _turn_z(vector: Array, angle: Any) -> Array:
    x, y, z = np.moveaxis(vector, -1, 0)
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * x - s * y, s * x + c * y, z], axis=-1)


def _turn_x(vector: Array, angle: Any) -> Array:
    x, y, z = np.moveaxis(vector, -1, 0)
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([x, c * y - s * z, s * y + c * z], axis=-1)
