"""Where each record was taken: L, MLT and magnetic latitude, from the file or from its position."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ringdecay.cdf import CdfVariable
from ringdecay.flux.position import dipole_axis_geo, dipole_L, magnetic_latitude
from ringdecay.flux.units import length_to_earth_radii

logger = logging.getLogger(__name__)

#: The variables of a file by their roles in the product's description.
Found = Mapping[str, CdfVariable]
_FROM_FILE = {
    "L": ("1", "dipole L-shell"),
    "L_eq": ("1", "McIlwain L of the equator"),
    "L_star": ("1", "Roederer L*"),
    "MLT": ("h", "magnetic local time"),
}


def coordinates_of(path: Path, found: Found, time: npt.NDArray[np.datetime64]) -> dict[str, tuple[npt.NDArray[np.float64], dict[str, str]]]:
    """Give the coordinates of all records that the file has or that its position gives, and how each was found.

    Parameters
    ----------
    path : Path
        For messages.
    found : mapping of str to CdfVariable
        The file's variables by role.
    time : ndarray of datetime64, shape (n,)
        Record times, UTC; NaT is allowed.

    Returns
    -------
    dict
        Name to values (float64, shape (n,), NaN where not known) and attributes: `units`, `long_name`, `method`.
    """
    result: dict[str, tuple[npt.NDArray[np.float64], dict[str, str]]] = {}
    bad_position = np.zeros(time.size, dtype=bool)
    if "position_quality" in found:
        bad_position = found["position_quality"].values.ravel() != 0  # 0 is good, 1 is bad, in NASA's description
    for name, (units, long_name) in _FROM_FILE.items():
        if name in found:
            values = found[name].masked().astype(np.float64).ravel()
            values = np.where(bad_position | (values <= 0 if name != "MLT" else values < 0), np.nan, values)
            result[name] = (values, {"units": units, "long_name": long_name, "method": f"{found[name].name} of the file"})
    position, axis, frame = _position(path, found, time)
    if position is not None and axis is not None:
        latitude = np.where(bad_position, np.nan, magnetic_latitude(position, axis))
        method = f"dipole, from {frame}"
        result["MLAT"] = (latitude, {"units": "degree", "long_name": "magnetic latitude", "method": method})
        if "L" not in result:
            L = dipole_L(np.linalg.norm(position, axis=-1), latitude)
            result["L"] = (L, {"units": "1", "long_name": "dipole L-shell", "method": method})
            logger.info("%s has no L; it is computed from %s in a dipole field", path.name, frame)
    elif "L" not in result:
        logger.warning("%s has neither L nor a position: it can be looked at, but not binned in L", path.name)
    return result


def _position(
    path: Path, found: Found, time: npt.NDArray[np.datetime64]
) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.float64] | None, str]:
    """Position in Earth radii, the dipole axis in the same frame, and which frame that is."""
    for role, is_sm in (("position_SM", True), ("position", False)):
        if role not in found:
            continue
        variable = found[role]
        factor = length_to_earth_radii(variable.units)
        if factor is None:
            # The real HOPE and RBSPICE records give "km" and "Earth radii"; without a known unit the length is not usable.
            logger.warning("%s: the unit %r of %s is not known; it is not used", path.name, variable.units, variable.name)
            continue
        position = variable.masked().astype(np.float64) * factor
        axis = np.array([0.0, 0.0, 1.0]) if is_sm else dipole_axis_geo(np.where(np.isnat(time), np.datetime64("2015-01-01"), time))
        return position, axis, f"{variable.name} ({'SM' if is_sm else 'GEO and the dipole of IGRF-13'})"
    return None, None, ""
