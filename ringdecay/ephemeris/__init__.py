"""Where the probes were: MagEphem files, and positions turned into magnetic local time, latitude, L and L*."""

from ringdecay.ephemeris.dipole import (
    dipole_axis_geo,
    dipole_L,
    dipole_moment,
    geo_to_sm,
    magnetic_latitude,
    magnetic_local_time,
    sun_direction_geo,
)
from ringdecay.ephemeris.drift_shell import along_orbit, drift_shells
from ringdecay.ephemeris.interpolation import at_times, interpolate
from ringdecay.ephemeris.opening import FIELD_MODELS, open_ephemeris

__all__ = [
    "FIELD_MODELS",
    "along_orbit",
    "at_times",
    "dipole_L",
    "dipole_axis_geo",
    "dipole_moment",
    "drift_shells",
    "geo_to_sm",
    "interpolate",
    "magnetic_latitude",
    "magnetic_local_time",
    "open_ephemeris",
    "sun_direction_geo",
]
