"""Where each record was taken: L, MLT and magnetic latitude, from the file or from its position."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.cdf import CdfVariable
from ringdecay.ephemeris import along_orbit, dipole_L, geo_to_sm, magnetic_latitude, magnetic_local_time
from ringdecay.flux.units import length_to_earth_radii

logger = logging.getLogger(__name__)

#: The variables of a file by their roles in the product's description.
Found = Mapping[str, CdfVariable]
# Name -> its unit, what it is, and between which values it can be.
_FROM_FILE = {
    "L": ("1", "dipole L-shell", (0.0, np.inf)),
    "L_eq": ("1", "McIlwain L of the equator", (0.0, np.inf)),
    "L_star": ("1", "Roederer L*", (0.0, np.inf)),
    "MLT": ("h", "magnetic local time", (0.0, 24.0)),
    "MLAT": ("degree", "magnetic latitude", (-90.0, 90.0)),
}
#: Coordinates that are computed only when asked for, because a point takes up to 0.1 s.
TRACED = ("L_eq", "L_star")


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
        Name to values (float64, shape (n,), NaN where not known) and attributes: `units`, `long_name`, `method`. What the file has
        is taken from it; `MLT`, `MLAT` and `L` that it lacks come from its position, in the field of a centred dipole. The position
        itself is `position_SM`, shape (n, 3), in solar magnetic coordinates and Earth radii.
    """
    result: dict[str, tuple[npt.NDArray[np.float64], dict[str, str]]] = {}
    bad_position = np.zeros(time.size, dtype=bool)
    if "position_quality" in found:
        bad_position = found["position_quality"].values.ravel() != 0  # 0 is good, 1 is bad, in NASA's description
    for name, (units, long_name, (lowest, highest)) in _FROM_FILE.items():
        if name in found:
            values = found[name].masked().astype(np.float64).ravel()
            with np.errstate(invalid="ignore"):
                impossible = (values < lowest) | (values > highest) | ((values == 0) & np.isinf(highest))  # no L is zero
            values = np.where(bad_position | impossible, np.nan, values)
            # A variable of nothing but fills is one that the file lacks.
            if np.isfinite(values).any():
                result[name] = (values, {"units": units, "long_name": long_name, "method": f"{found[name].name} of the file"})
    position, origin = _position_SM(path, found, time)
    if position is None:
        if "L" not in result:
            logger.warning("%s has neither L nor a position: it can be looked at, but not binned in L", path.name)
        return result
    position = np.where(bad_position[:, np.newaxis], np.nan, position)
    method = f"dipole, from {origin}"
    result["position_SM"] = (position, {"units": "R_E", "long_name": "solar magnetic position", "method": origin})
    latitude = magnetic_latitude(position, np.array([0.0, 0.0, 1.0]))
    computed = {
        "MLAT": latitude,
        "MLT": magnetic_local_time(position),
        "L": dipole_L(np.linalg.norm(position, axis=-1), latitude),
    }
    absent = [name for name in computed if name not in result]
    for name in absent:
        units, long_name, _ = _FROM_FILE[name]
        result[name] = (computed[name], {"units": units, "long_name": long_name, "method": method})
    if absent:
        logger.info("%s has no %s; computed from %s in a dipole field", path.name, ", ".join(absent), origin)
    return result


def with_traced(flux: xr.Dataset, name: str) -> xr.Dataset:
    """Give a flux the L* or the McIlwain L at the equator that its files lack, computed from its position.

    Parameters
    ----------
    flux : Dataset
        From `open_flux`.
    name : str
        Coordinate that is wanted.

    Returns
    -------
    Dataset
        With the coordinate, whose `method` says how it was made (IRBEM, for particles that mirror at the spacecraft, traced every
        5 min); `flux` itself if it has the coordinate, or no position, or if `name` is not "L_star" or "L_eq". To take L* of a MagEphem
        file instead, see `ringdecay.ephemeris.open_ephemeris`.
    """
    if name in flux.coords or name not in TRACED or "position_SM" not in flux.coords:
        return flux
    logger.info("%s has no %s; traced from its position", flux.attrs.get("source_files", "the flux"), name)
    position = flux["position_SM"].transpose("time", "component").to_numpy()
    values, method = along_orbit(name, flux["time"].to_numpy(), position)
    units, long_name, _ = _FROM_FILE[name]
    method = f"{method}, from {flux['position_SM'].attrs['method']}"
    return flux.assign_coords({name: ("time", values, {"units": units, "long_name": long_name, "method": method})})


def _position_SM(path: Path, found: Found, time: npt.NDArray[np.datetime64]) -> tuple[npt.NDArray[np.float64] | None, str]:  # noqa: N802
    """Solar magnetic position in Earth radii, and what it comes from."""
    for role in ("position_SM", "position"):
        if role not in found:
            continue
        variable = found[role]
        factor = length_to_earth_radii(variable.units)
        if factor is None:
            # The real HOPE and RBSPICE records give "km" and "Earth radii"; without a known unit the length is not usable.
            logger.warning("%s: the unit %r of %s is not known; it is not used", path.name, variable.units, variable.name)
            continue
        position = variable.masked().astype(np.float64) * factor
        if role == "position_SM":
            return position, f"{variable.name} (SM)"
        return geo_to_sm(position, time), f"{variable.name} (GEO, the dipole of IGRF-13)"
    return None, ""
