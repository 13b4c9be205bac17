"""L* and McIlwain's L from position, traced through a model of the Earth's field by IRBEM (as SpacePy carries it)."""

from __future__ import annotations

import os
import threading
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from filelock import FileLock

from ringdecay.ephemeris.dipole import dipole_L, dipole_moment, magnetic_latitude
from ringdecay.errors import InputError, unknown

# IRBEM keeps its state in Fortran common blocks, and a call lets other Python threads run: without this lock, four threads at two points
# got L* from 3.2 to 5.3 where it is 3.99 and 4.08.
_ONE_AT_A_TIME = threading.Lock()
# Our name -> IRBEM's, and what it is.
_MODELS = {"OP77Q": ("OPQUIET", "Olson-Pfitzer 1977 quiet"), "T89": ("T89", "Tsyganenko 1989")}
# Distances, Earth radii, between which a drift shell is looked for. Olson-Pfitzer holds to 15 (IRBEM's manual); below 1.03 (about
# 200 km up) a particle that mirrors here is in the atmosphere.
_LOWEST, _HIGHEST = 1.03, 15.0
# IRBEM's steps along a field line, of 1 / (2 (n + 1)) degrees, and along the drift, of 360 / (25 (m + 1)) degrees: n and m.
# Against n = 8 and m = 8, the rms error of L* on an outbound pass from L = 3.4 to 5.8 was 0.013 with n = 0, 0.006 with n = 1 and
# 0.004 with n = 2, for about one, 1.1 and 1.5 times the time; a greater m took longer and made it no better.
_FINE_ALONG_LINE, _FINE_ALONG_DRIFT = 1, 0
_NODE_SPACING = np.timedelta64(300, "s")
_NAMES = {
    "L_star": "Roederer L*",
    "L_m": "McIlwain L of the pitch angle",
    "L_eq": "McIlwain L of the equator",
    "I": "integral invariant",
    "B": "magnetic field strength of the model",
}
_UNITS = {"I": "R_E", "B": "nT"}


def drift_shells(
    time: npt.ArrayLike,
    position_SM: npt.NDArray[np.floating],
    *,
    pitch_angle: float = 90.0,
    model: str = "OP77Q",
    kp: float | npt.NDArray[np.floating] | None = None,
    names: tuple[str, ...] = ("L_star", "L_m", "L_eq", "I", "B"),
) -> xr.Dataset:
    """Compute L* and McIlwain's L at positions, with IRBEM.

    Parameters
    ----------
    time : array-like of datetime64, shape (n,)
        UTC.
    position_SM : ndarray, shape (n, 3)
        Solar magnetic coordinates, Earth radii (6371.2 km).
    pitch_angle : float
        Local pitch angle, degrees.
    model : {"OP77Q", "T89"}
        External field: Olson-Pfitzer 1977 quiet, which needs no input, or Tsyganenko 1989. The internal field is the IGRF, of the
        middle of the year.
    kp : float or ndarray, shape (n,)
        Kp, for T89.
    names : tuple of str
        What is wanted. Without L_star a point costs a fifth.

    Returns
    -------
    Dataset
        Over `time`: `L_star`; `L_m`, McIlwain's L for the pitch angle; `L_eq`, the cube root of the Earth's dipole moment over the
        smallest field on the field line (MagEphem's Lm_eq); `I`, R_E; `B`, nT. NaN where the position is not known or not between
        1.03 and 15 Earth radii, where the field line or the drift shell is open, and where it runs into the atmosphere.

    Raises
    ------
    InputError
        If a name or the model is not known, the pitch angle is out of range, or T89 lacks Kp.

    Notes
    -----
    IRBEM is called for one point at a time: in one call for several, L* depends on the point before (issue 69 of PRBEM/IRBEM), while
    each call starts afresh. Calls of several threads wait for each other; use processes to share the work.
    """
    if model not in _MODELS:
        raise unknown("field model", model, _MODELS)
    for name in names:
        if name not in _NAMES:
            raise unknown("coordinate", name, _NAMES)
    if not 0 < pitch_angle <= 180:
        raise InputError(f"pitch_angle must be above 0 and up to 180 degrees, not {pitch_angle:g}")
    if (model == "T89") != (kp is not None):
        raise InputError("the model T89 needs Kp, and no other does")
    time = np.asarray(time, dtype="datetime64[ns]")
    position = np.asarray(position_SM, dtype=np.float64)
    activity = np.broadcast_to(1.0 if kp is None else np.asarray(kp, dtype=np.float64), time.shape)
    radius = np.linalg.norm(position, axis=-1)
    with np.errstate(invalid="ignore"):
        usable = (radius >= _LOWEST) & (radius <= _HIGHEST) & ~np.isnat(time) & np.isfinite(activity)
    values = np.full((time.size, len(_NAMES)), np.nan)
    for i in np.flatnonzero(usable):
        values[i] = _one_point(time[i], position[i], pitch_angle, _MODELS[model][0], float(activity[i]), "L_star" in names)
    method = _method(model, pitch_angle)
    columns = dict(zip(_NAMES, values.T, strict=True))
    return xr.Dataset(
        {name: ("time", columns[name], {"units": _UNITS.get(name, "1"), "long_name": _NAMES[name], "method": method}) for name in names},
        coords={"time": time},
    )


def along_orbit(
    name: str,
    time: npt.NDArray[np.datetime64],
    position_SM: npt.NDArray[np.floating],
) -> tuple[npt.NDArray[np.float64], str]:
    """Compute L* or McIlwain's L at the records of an orbit: traced every 5 minutes, and between from the dipole's L.

    What is interpolated, linearly in time, is the ratio to the dipole's L, which changes more slowly than L itself. On a simulated
    orbit of the probes, traced points half way between two others differ from what is interpolated there by 0.010 rms (0.021 at most)
    in L* beyond L = 4 and by 0.004 from 2 to 4, which is the scatter of the tracing itself, and by 0.0005 rms in L_eq beyond 2. A
    day of records takes about 20 s for L* and 3 s for the others (measured: 0.065 s a point, at most 0.12 s; 0.011 s without L*).

    Parameters
    ----------
    name : {"L_star", "L_m", "L_eq"}
        What is wanted, for particles that mirror at the spacecraft.
    time : ndarray of datetime64, shape (n,)
        UTC, strictly increasing.
    position_SM : ndarray, shape (n, 3)
        Solar magnetic coordinates, Earth radii.

    Returns
    -------
    values : ndarray, shape (n,)
        NaN where a traced point before or after has no value.
    method : str
        How they were made.
    """
    position = np.asarray(position_SM, dtype=np.float64)
    known = np.isfinite(position).all(axis=-1)
    result = np.full(time.size, np.nan)
    time, position = time[known], position[known]
    node = _nodes(time)
    traced = drift_shells(time[node], position[node], names=(name,))[name]
    if time.size:
        dipole = dipole_L(np.linalg.norm(position, axis=-1), magnetic_latitude(position, np.array([0.0, 0.0, 1.0])))
        seconds = (time - time[0]).astype("timedelta64[ns]").astype(np.int64) / 1e9
        result[known] = dipole * np.interp(seconds, seconds[node], traced.to_numpy() / dipole[node])
    return result, f"{traced.attrs['method']}; traced every 5 min, between by its ratio to the dipole's L"


def _nodes(time: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
    """Choose the records to trace: the first of each 5 min, and the last before a gap, so that nothing is interpolated over one."""
    piece = time.astype("datetime64[ns]").astype(np.int64) // _NODE_SPACING.astype("timedelta64[ns]").astype(np.int64)
    before, after = np.diff(piece, prepend=piece[:1] - 1), np.diff(piece, append=piece[-1:] + 2)
    return np.flatnonzero((before > 0) | (after > 1))


def _one_point(
    time: np.datetime64,
    position: npt.NDArray[np.float64],
    pitch_angle: float,
    field: str,
    kp: float,
    with_L_star: bool,
) -> tuple[float, ...]:
    """L*, L_m, L_eq, I and B of one point; the order is that of `_NAMES`."""
    with _ONE_AT_A_TIME:
        irbempy, Coords, Ticktock = _spacepy()
        # Solar wind and Dst are not used by these two models, but have to be there.
        others = ("Dst", "dens", "velo", "Pdyn", "ByIMF", "BzIMF", *(f"G{i}" for i in (1, 2, 3)), *(f"W{i}" for i in range(1, 7)))
        inputs: dict[str, Any] = {"Kp": [kp], **{key: [1.0] for key in others}}
        # SpacePy looks for fill values in the whole of its buffers, where old memory may hold anything.
        with np.errstate(invalid="ignore", over="ignore"):
            found = irbempy.get_Lstar(
                Ticktock([time.astype("datetime64[us]").item()], "UTC"),
                Coords(position[np.newaxis], "SM", "car", use_irbem=True),
                alpha=[pitch_angle],
                extMag=field,
                options=[int(with_L_star), 0, _FINE_ALONG_LINE, _FINE_ALONG_DRIFT, 0],
                omnivals=inputs,
            )
    # A negative L* or L is that of a particle which is lost to the atmosphere before it has drifted or bounced once.
    L_star, L_m = (float(found[key][0, 0]) if found[key][0, 0] > 0 else np.nan for key in ("Lstar", "Lm"))
    L_eq = np.cbrt(dipole_moment(np.array([time]))[0] / found["Bmin"][0])
    B = found["Bmirr"][0, 0] * np.sin(np.deg2rad(pitch_angle)) ** 2
    return (L_star if with_L_star else np.nan, L_m, L_eq, float(found["Xj"][0, 0]), B)


@cache
def _spacepy() -> tuple[Any, Any, Any]:
    """Import SpacePy, which takes a second, and only for those who trace.

    Its first import writes settings and a table of leap seconds into a folder (SPACEPY, or else the user's home); a second process must
    not read them half written (issue 835 of spacepy/spacepy).
    """
    folder = Path(os.environ.get("SPACEPY") or Path.home())
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".spacepy-import.lock"):
        from spacepy import irbempy  # noqa: PLC0415
        from spacepy.coordinates import Coords  # noqa: PLC0415
        from spacepy.time import Ticktock  # noqa: PLC0415
    return irbempy, Coords, Ticktock


def _method(model: str, pitch_angle: float) -> str:
    name, meaning = _MODELS[model]
    options = f"1 0 {_FINE_ALONG_LINE} {_FINE_ALONG_DRIFT} 0"
    return (
        f"IRBEM of SpacePy {metadata.version('spacepy')}: external field {name} ({meaning}), internal field IGRF, options {options}, "
        f"local pitch angle {pitch_angle:g} deg"
    )
