"""Position and field coordinates that a file gives at other times than its flux, brought to the times of the flux."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ringdecay.cdf import to_datetime64
from ringdecay.ephemeris import interpolate
from ringdecay.errors import FileError
from ringdecay.flux.coordinates import Found
from ringdecay.flux.expected import EPHEMERIS_ROLES
from ringdecay.flux.values import measured

# Between two points further apart nothing is interpolated. A straight line over 300 s is off by g t^2 / 8 at most: with 8 m/s2 near the
# perigee at 600 km that is 90 km, 0.014 Earth radii.
MAX_GAP_SECONDS = 300.0


def on_flux_times(path: Path, found: Found, time: npt.NDArray[np.datetime64]) -> Found:
    """Interpolate coordinates that have their own times to those of the flux.

    Linear in time; magnetic local time along the shorter way round the clock. Nothing is interpolated over a missing value or over a
    gap of more than `MAX_GAP_SECONDS`, and nothing is extrapolated.

    Parameters
    ----------
    path : Path
        For messages.
    found : mapping of str to CdfVariable
        The file's variables by role; the coordinates' times have the role "ephemeris_time".
    time : ndarray of datetime64, shape (n,)
        Times of the flux.

    Returns
    -------
    mapping of str to CdfVariable
        The same with interpolated coordinates; `found` itself if it has no "ephemeris_time".

    Raises
    ------
    FileError
        If a coordinate has not as many records as there are times.
    """
    if "ephemeris_time" not in found:
        return found
    own = to_datetime64(found["ephemeris_time"].values, found["ephemeris_time"].type)
    order = np.argsort(own, kind="stable")  # NaT last
    order = order[: int((~np.isnat(own)).sum())]
    known, first = np.unique(own[order], return_index=True)
    order = order[first]
    result = dict(found)
    for role in EPHEMERIS_ROLES:
        if role not in found:
            continue
        variable = found[role]
        values = measured(variable).astype(np.float64)
        if values.shape[0] != own.size:
            expected = f"{own.size} records of {variable.name}, as of {found['ephemeris_time'].name}"
            raise FileError(path, expected, f"{values.shape[0]}", "report this file")
        units = {"UNITS": variable.attributes["UNITS"]} if "UNITS" in variable.attributes else {}
        at = interpolate(known, values[order], time, MAX_GAP_SECONDS, 24.0 if role == "MLT" else None)
        result[role] = replace(variable, values=at, type="CDF_DOUBLE", attributes=units, record_varying=True)
    return result
