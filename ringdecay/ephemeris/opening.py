"""Opening MagEphem files, as CDF or as text, as one Dataset with canonical names and units."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.cdf import CdfVariable, is_cdf, read_cdf, strictly_increasing, to_datetime64
from ringdecay.ephemeris.dipole import dipole_L
from ringdecay.ephemeris.text import read_text
from ringdecay.errors import FileError, InputError, unknown
from ringdecay.products import get_product

logger = logging.getLogger(__name__)

#: Field models of MagEphem files, in the words of their names.
FIELD_MODELS = ("OP77Q", "T89D", "T89Q", "TS04D")

# Earth radii of MagEphem, 6378.137 km (the height of the real rows above the ellipsoid fits it to 0.1 km), to ours of 6371.2 km.
_EARTH_RADII = 6378.137 / 6371.2
# Names of the text files of 2012 -> those of later files.
_OLD_NAMES = {"CD_MLT": "CDMAG_MLT", "CD_MLAT": "CDMAG_MLAT"}
_LENGTH = {"re": _EARTH_RADII, "earthradii": _EARTH_RADII, "km": 1.0 / 6371.2}
# L has no unit, and files give it any: "Dimensionless", "Dimless", or a sentence with the field model in it.
_NUMBER: dict[str, float] = {}
# MLT in hours is called degrees in files of this mission; the range of its values decides.
_HOURS = dict.fromkeys(("hours", "hour", "h", "hr", "hrs", "degrees", "degree", "deg"), 1.0)
# Our name -> units that a file may give (spelled without marks and blanks) with their factors, our unit, what it is.
_QUANTITIES: dict[str, tuple[Mapping[str, float], str, str]] = {
    "L_star": (_NUMBER, "1", "Roederer L*"),
    "L_m": (_NUMBER, "1", "McIlwain L of the pitch angle"),
    "L_eq": (_NUMBER, "1", "McIlwain L of the equator"),
    "I": (_LENGTH, "R_E", "integral invariant"),
    "K": (dict.fromkeys(("reg05", "reg5", "reg1/2"), _EARTH_RADII), "R_E G^0.5", "second invariant, I sqrt(B at the mirror point)"),
    "MLT": (_HOURS, "h", "magnetic local time"),
    "MLAT": (dict.fromkeys(("degrees", "degree", "deg"), 1.0), "degree", "magnetic latitude"),
    "position": (_LENGTH, "R_E", "geographic position"),
    "position_SM": (_LENGTH, "R_E", "solar magnetic position"),
    "B": ({"nt": 1.0}, "nT", "magnetic field strength of the model"),
}


def open_ephemeris(files: str | PathLike[str] | Iterable[str | PathLike[str]], model: str | None = None) -> xr.Dataset:
    """Open MagEphem files of one probe and one field model as one Dataset.

    Parameters
    ----------
    files : path-like or iterable of path-like
        CDF or text files, in any order. What a file is, is seen from its content.
    model : {"OP77Q", "T89D", "T89Q", "TS04D"}, optional
        Field model the files must be of; needed only where a file's name does not say it.

    Returns
    -------
    Dataset
        Dimensions `time` (datetime64[ns], UTC, strictly increasing), `pitch_angle` (degrees, local, rising) and `component`.
        Variables, float64, as far as the files have them: `L_star`, `L_m` (McIlwain L), `I` (R_E) and `K` (R_E G^0.5) over time and
        pitch angle; `L_eq` (McIlwain L at the equator), `L` (dipole, from radius and latitude), `MLT` (h) and `MLAT` (degrees) of the
        centred dipole, `radius` (R_E), `B` (nT) over time; `position` (geographic) and `position_SM`, R_E. All lengths are turned
        from MagEphem's Earth radii of 6378.137 km into 6371.2 km. Fills are NaN. Attributes: `field_model`, `internal_model` where
        the file names it, `probe`, `source_files`, `simulated`.

    Raises
    ------
    InputError
        If no file is given or `model` is not known.
    FileError
        If a file is missing, damaged, or not like a MagEphem file, or of another probe, model or pitch angles than the others; the
        message names the file and what differs.

    Examples
    --------
    L* of MagEphem in place of one computed here, at the times of a flux:

    >>> ephemeris = open_ephemeris(paths)  # doctest: +SKIP
    >>> flux = flux.assign_coords(L_star=at_times(ephemeris, flux.time)["L_star"])  # doctest: +SKIP
    """
    if model is not None and model.upper() not in FIELD_MODELS:
        raise unknown("field model", model, FIELD_MODELS)
    paths = [Path(files)] if isinstance(files, str | PathLike) else [Path(file) for file in files]
    if not paths:
        raise InputError("no file was given to open")
    datasets = [_open_one(path, model) for path in sorted(paths, key=str)]
    if len(datasets) == 1:
        return datasets[0]
    datasets.sort(key=lambda dataset: dataset["time"].to_numpy()[0])
    return _concatenate(datasets)


def _open_one(path: Path, model: str | None) -> xr.Dataset:
    time, variables, simulated = _read(path)
    found = {_OLD_NAMES.get(name, name): variable for name, variable in variables.items()}
    described = get_product("magephem-op77q").variables  # the same for all four models
    roles = {role: found[variable.name] for role, variable in described.items() if variable.name in found}
    sound = strictly_increasing(time)
    if not sound.any():
        raise FileError(path, "record times", "none", "leave this file out")
    pitch_angle = _pitch_angle(path, roles.get("pitch_angle"))
    contents: dict[str, Any] = {}
    for name in _QUANTITIES:
        axes = ("time", *described[name].axes) if name != "B" else ("time",)
        if name in roles and ("pitch_angle" not in axes or pitch_angle.size):
            values = _canonical(path, name, roles[name], time.size, pitch_angle.size if "pitch_angle" in axes else None)
            if values is not None:
                units, long_name = _QUANTITIES[name][1:]
                attributes = {"units": units, "long_name": long_name, "method": f"{roles[name].name} of the file"}
                contents[name] = (axes, values[sound], attributes)
    if not contents:
        raise FileError(
            path, f"MagEphem's variables, such as {', '.join(variable.name for variable in described.values())}",
            f"only {', '.join(variables)}", "check that it is a MagEphem file",
        )  # fmt: skip
    if absent := [name for name in _QUANTITIES if name not in contents]:
        logger.info("%s has no %s; they are left out", path.name, ", ".join(absent))
    # CDMAG_R, the same in degrees by the word of the program that writes these files, is not needed for this.
    place = next((contents[name] for name in ("position", "position_SM") if name in contents), None)
    if place is not None:
        radius, method = np.linalg.norm(place[1], axis=-1), place[2]["method"]
        contents["radius"] = (("time",), radius, {"units": "R_E", "long_name": "distance from the Earth's centre", "method": method})
        if "MLAT" in contents:
            L, method = dipole_L(radius, contents["MLAT"][1]), f"dipole, from {method} and its MLAT"
            contents["L"] = (("time",), L, {"units": "1", "long_name": "dipole L-shell", "method": method})
    result = xr.Dataset(contents, coords={"time": ("time", time[sound], {"long_name": "UTC"})})
    if pitch_angle.size:
        result = result.assign_coords(pitch_angle=("pitch_angle", pitch_angle, {"units": "degree", "long_name": "local pitch angle"}))
        result = result.sortby("pitch_angle")
    return result.assign_attrs(
        field_model=_field_model(path, model, found),
        **({"internal_model": str(found["IntModel"].values[0])} if _is_text(found.get("IntModel")) else {}),
        probe=_probe(path),
        source_files=path.name,
        simulated="yes" if simulated else "no",
    )


def _read(path: Path) -> tuple[npt.NDArray[np.datetime64], dict[str, CdfVariable], bool]:
    if path.is_file():
        with path.open("rb") as stream:
            head = stream.read(8)
        if is_cdf(head):
            described = get_product("magephem-op77q").variables
            names = [variable.name for variable in described.values() if not variable.required]
            content = read_cdf(path, [described["time"].name], optional=[*names, *_OLD_NAMES, "IntModel", "ExtModel"])
            epoch = content[described["time"].name]
            return to_datetime64(epoch.values, epoch.type), content.variables, content.simulated
    return *read_text(path), False


def _canonical(path: Path, name: str, variable: CdfVariable, n_times: int, n_angles: int | None) -> npt.NDArray[np.float64] | None:
    """Values in our unit over time (and pitch angle or component), NaN where missing; None if the unit is not known."""
    factors, units, _ = _QUANTITIES[name]
    # IDL's codes for super- and subscripts, such as R!IE!N, are no part of the unit.
    spelled = re.sub(r"![A-Za-z]|[\s._^]", "", variable.units).lower()
    factor = 1.0 if not factors else factors.get(spelled) if spelled else next(iter(factors.values()))
    if factor is None:
        logger.warning("%s: the unit %r of %s is not known (expected %s); it is left out", path.name, variable.units, variable.name, units)
        return None
    values = variable.masked().astype(np.float64) * factor
    expected = {"position": (3,), "position_SM": (3,), "B": (4,)}.get(name, () if n_angles is None else (n_angles,))
    if values.shape != (n_times, *expected):
        raise FileError(path, f"{variable.name} of shape {(n_times, *expected)}", f"{values.shape}", "report this file")
    if name == "MLT" and np.any((values < 0) | (values > 24)):
        raise FileError(path, f"{variable.name} from 0 to 24 hours", f"{np.nanmin(values)} to {np.nanmax(values)}", "report this file")
    return values[:, 3] if name == "B" else values


def _pitch_angle(path: Path, variable: CdfVariable | None) -> npt.NDArray[np.float64]:
    if variable is None:
        return np.empty(0)
    values = variable.masked().astype(np.float64)
    if values.ndim == 2 and len(values) and np.array_equal(values, np.broadcast_to(values[0], values.shape)):
        values = values[0]
    if values.ndim != 1 or not np.all((values >= 0) & (values <= 180)) or np.unique(values).size != values.size:
        raise FileError(path, f"pitch angles {variable.name} from 0 to 180 degrees, the same at all times", f"{values}", "report this file")
    return values


def _field_model(path: Path, model: str | None, found: Mapping[str, CdfVariable]) -> str:
    named = re.search("|".join(FIELD_MODELS), path.name, flags=re.IGNORECASE)
    if named and model and named[0].upper() != model.upper():
        raise FileError(path, f"field model {model.upper()}", f"{named[0].upper()} in its name", "open files of one field model")
    if named or model:
        return (named[0] if named else str(model)).upper()
    variable = found.get("ExtModel")
    return "unknown" if variable is None or not _is_text(variable) else ", ".join(sorted(set(variable.values.ravel().tolist())))


def _is_text(variable: CdfVariable | None) -> bool:
    return variable is not None and variable.values.dtype.kind == "U" and variable.values.size > 0


def _probe(path: Path) -> str:
    named = re.search(r"rbsp-?([ab])(?![a-z])", path.name, flags=re.IGNORECASE)
    return named[1].lower() if named else "unknown"


def _concatenate(datasets: list[xr.Dataset]) -> xr.Dataset:
    first = datasets[0]
    for other in datasets[1:]:
        for key in ("probe", "field_model"):
            if other.attrs[key] != first.attrs[key]:
                raise FileError(
                    other.attrs["source_files"], f"{key} {first.attrs[key]!r} like {first.attrs['source_files']}",
                    f"{other.attrs[key]!r}", "open files of one probe and one field model",
                )  # fmt: skip
        if not np.array_equal(first.get("pitch_angle", []), other.get("pitch_angle", [])):
            raise FileError(other.attrs["source_files"], f"the pitch angles of {first.attrs['source_files']}", "others", "open it alone")
    common = set.intersection(*(set(map(str, dataset.variables)) for dataset in datasets))
    lost = sorted(set.union(*(set(map(str, dataset.variables)) for dataset in datasets)) - common)
    if lost:
        logger.warning("%s are not in every file and are left out", ", ".join(lost))
    result = xr.concat([dataset.drop_vars(lost, errors="ignore") for dataset in datasets], dim="time", data_vars="minimal", join="override")
    result = result.isel(time=np.flatnonzero(strictly_increasing(result["time"].to_numpy())))
    result.attrs["source_files"] = ", ".join(dataset.attrs["source_files"] for dataset in datasets)
    result.attrs["simulated"] = "yes" if any(dataset.attrs["simulated"] == "yes" for dataset in datasets) else "no"
    return result
