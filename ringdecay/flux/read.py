"""Opening files of a product as one Dataset with canonical names and units."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.cdf import CdfFile, CdfVariable, read_cdf, to_datetime64
from ringdecay.errors import FileError, InputError
from ringdecay.flux.pitch_angle import edges_of_centres
from ringdecay.flux.position import dipole_axis_geo, dipole_L, magnetic_latitude
from ringdecay.flux.units import energy_to_kev, flux_to_per_kev, length_to_earth_radii
from ringdecay.products import FluxVariables, Product, get_product

logger = logging.getLogger(__name__)

_COORDINATES = {
    "L": ("1", "dipole L-shell"),
    "L_eq": ("1", "McIlwain L of the equator"),
    "L_star": ("1", "Roederer L*"),
    "MLT": ("h", "magnetic local time"),
}
# Two energy tables are the same if they differ by less than this; it is far below the width of a channel and far above float32.
_SAME_ENERGY = 1e-4
Path_ = str | PathLike[str]


def open_flux(files: Path_ | Iterable[Path_], product: str, *, probe: str | None = None) -> xr.Dataset:
    """Open flux files of one product as one Dataset with canonical names and units.

    Parameters
    ----------
    files : path-like or iterable of path-like
        Files of one product and one probe; they are put in the order of their dates.
    product : str
        Name of the product, such as "rbspice-pap-tofxeh" or "hope-pa".
    probe : str, optional
        Probe, "a" or "b"; found from the file names if not given.

    Returns
    -------
    Dataset
        Dimensions `time` (datetime64[ns], UTC, strictly increasing), `energy` (keV) and `pitch_angle` (degrees, centres).
        Variables: `flux` (time, energy, pitch_angle) in cm-2 s-1 sr-1 keV-1 and `counting_error` in percent, 100 / sqrt(counts).
        Coordinates over time, where the file has them or a position to make them from: `L`, `L_eq`, `L_star`, `MLT` (h),
        `MLAT` (degrees). Fill values, values out of the valid range and values whose quality flag is not good are NaN; how many
        is in the attributes `n_fill`, `n_bad_quality`, `n_records_dropped`.

    Raises
    ------
    InputError
        If no file is given, the product is not known or is not a flux product, or two files are of the same day.
    FileError
        If a file is missing, cut short, damaged, not a CDF, or not like the product's description; the message names the file and
        what differs.
    """
    description = get_product(product)
    if description.flux is None:
        raise InputError(f"{product!r} is not a flux product; use open_index for it")
    paths = [Path(files)] if isinstance(files, str | PathLike) else [Path(file) for file in files]
    if not paths:
        raise InputError("no file was given to open")
    # A file that is not named like the product's has no date and comes first, by its name.
    dated = sorted(((date_and_probe(path, description), path) for path in paths), key=lambda item: (item[0][0] or "", str(item[1])))
    for ((date, who), first), (other, second) in pairwise(dated):
        if date is not None and (date, who) == other:
            raise InputError(f"{first} and {second} are of the same day; give only the newest version")
    probes = {who for (_, who), _ in dated if who} if probe is None else {probe}
    if len(probes) > 1:
        raise InputError(f"the files are of more than one probe ({', '.join(sorted(probes))}); open one probe at a time")
    datasets = [_open_one(path, description, description.flux) for _, path in dated]
    result = datasets[0] if len(datasets) == 1 else _concatenate(datasets)
    result.attrs["probe"] = probes.pop() if probes else "unknown"
    return result


def date_and_probe(path: Path_, product: Product) -> tuple[str | None, str | None]:
    """Date (YYYYMMDD) and probe that a file's name says, or None each if it is not named like the product's files."""
    name = Path(path).name
    for probe in product.probes or ("",):
        match = re.fullmatch(product.filename.format(probe=probe), name, flags=re.IGNORECASE)
        if match:
            return match["date"], probe or None
    return None, None


def _open_one(path: Path, product: Product, names: FluxVariables) -> xr.Dataset:
    # Flux without the flags that its product has would be used unfiltered.
    required = [name for name in (names.time, names.flux, names.energy, names.pitch_angle, names.quality) if name is not None]
    optional = [
        name
        for name in (
            names.pitch_angle_range, names.counting_error, names.counts, names.quality, names.L, names.L_eq, names.L_star,
            names.MLT, names.position_SM, names.position, names.position_quality,
        )
        if name is not None
    ]  # fmt: skip
    content = read_cdf(path, required, optional=optional)
    absent = [name for name in optional if name not in content]
    if absent:
        logger.info("%s has no %s; what depends on them is left out", path.name, ", ".join(absent))
    if not content[names.flux].values.size:
        raise FileError(path, "records", "none", "leave this file out")
    energy, wrong_table = _energies(content, names, product)
    bounds = _pitch_angle_bounds(content, names)
    pitch_angle = content[names.pitch_angle].values.astype(np.float64).ravel()
    axes = _axes(content, names, energy.size, pitch_angle.size)

    factor = flux_to_per_kev(content[names.flux].units)
    if factor is None:
        raise FileError(
            path,
            f"{names.flux} in counts or particles per cm2, s, sr and energy",
            f"the unit {content[names.flux].units!r}",
            "check the product",
        )
    flux = _canonical(content[names.flux], axes)
    n_fill = int(np.isnan(flux).sum())
    flux[wrong_table] = np.nan
    if factor != 1.0:
        flux *= np.asarray(factor, dtype=flux.dtype)
    n_bad_quality = _apply_quality(flux, content, names, axes)
    counting_error = _counting_error(content, names, axes)

    time, sound = _times(content, names)
    _check_origin(content, product, time[sound])
    coordinates = _coordinates(content, names, time, sound)
    variables: dict[str, Any] = {
        "flux": (("time", "energy", "pitch_angle"), flux[sound], {"units": "cm-2 s-1 sr-1 keV-1", "long_name": "differential proton flux"})
    }
    if counting_error is not None:
        variables["counting_error"] = (
            ("time", "energy", "pitch_angle"),
            counting_error[sound],
            {"units": "percent", "long_name": "counting error, 100 / sqrt(counts)"},
        )
    return xr.Dataset(
        variables,
        coords={
            "time": ("time", time[sound], {"long_name": f"UTC of the record's {names.time_is}"}),
            "energy": ("energy", energy, {"units": "keV", "long_name": "channel energy"}),
            "pitch_angle": ("pitch_angle", pitch_angle, {"units": "degree", "long_name": "local pitch angle"}),
            "pitch_angle_bounds": (("pitch_angle", "bound"), bounds, {"units": "degree"}),
            **coordinates,
        },
        attrs={
            "product": product.name,
            "title": product.title,
            "source_files": path.name,
            "simulated": "yes" if content.simulated else "no",
            "n_fill": n_fill,
            "n_bad_quality": n_bad_quality,
            "n_records_dropped": int(sound.size - sound.sum()),
            "n_records_other_energies": int(wrong_table.sum()),
        },
    )


def _energies(content: CdfFile, names: FluxVariables, product: Product) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Channel energies in keV, and which records have another table than the file's most common one."""
    variable = content[names.energy]
    factor = energy_to_kev(variable.units)
    if factor is None:
        raise FileError(content.path, f"{names.energy} in MeV, keV or eV", f"the unit {variable.units!r}", "check the product")
    # Five digits: float32 MeV to keV would otherwise leave 44.70000118.
    table = _significant(variable.masked().astype(np.float64) * factor, 5)
    records = content[names.flux].values.shape[0]
    wrong = np.zeros(records, dtype=bool)
    if variable.record_varying and table.ndim == 2:
        # HOPE changes its energies near perigee: only records of one table can share an axis.
        tables, which = np.unique(table, axis=0, return_inverse=True)
        common = Counter(which.ravel().tolist()).most_common(1)[0][0]
        wrong = np.any(np.abs(table / tables[common] - 1.0) > _SAME_ENERGY, axis=1)
        table = tables[common]
        if wrong.any():
            logger.warning("%s: %d of %d records have another energy table and are left out", content.path.name, wrong.sum(), records)
    table = table.ravel()
    if not np.all(np.isfinite(table)) or np.any(table <= 0) or np.any(np.diff(table) <= 0):
        raise FileError(content.path, "rising positive channel energies", f"{names.energy} = {table.tolist()} keV", "report this file")
    if product.energies and table.size != len(product.energies):
        raise FileError(content.path, f"{len(product.energies)} energy channels", f"{table.size}", "check that the file is of this product")
    if product.energies and np.any(np.abs(table / np.asarray(product.energies) - 1.0) > product.energy_tolerance):
        raise FileError(
            content.path, f"channel energies {list(product.energies)} keV within {product.energy_tolerance:.0%}",
            f"{table.tolist()} keV", "check that the file is of this product; if it is, its energy table has changed: report it",
        )  # fmt: skip
    return table, wrong


def same_energies(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> bool:
    """Tell whether two energy tables are the same but for rounding."""
    return one.size == other.size and bool(np.allclose(one, other, rtol=_SAME_ENERGY, atol=0))


def _significant(values: npt.NDArray[np.float64], digits: int) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        power = 10.0 ** (digits - 1 - np.floor(np.log10(np.abs(values))))
    # Dividing by an exact power of ten gives the double nearest to the decimal number.
    return np.where(np.isfinite(power), np.round(values * power) / power, values)


def _pitch_angle_bounds(content: CdfFile, names: FluxVariables) -> npt.NDArray[np.float64]:
    centres = content[names.pitch_angle].values.astype(np.float64).ravel()
    if names.pitch_angle_range and names.pitch_angle_range in content:
        bounds = content[names.pitch_angle_range].masked().astype(np.float64)
        bounds = bounds.T if bounds.shape == (2, centres.size) and bounds.shape != (centres.size, 2) else bounds
        if bounds.shape == (centres.size, 2) and np.all(bounds[:, 0] < centres) and np.all(centres < bounds[:, 1]):
            return np.ascontiguousarray(bounds)
        raise FileError(content.path, "pitch-angle ranges around their midpoints", f"{bounds.tolist()}", "report this file")
    edges = edges_of_centres(centres)
    if edges is None:
        raise FileError(content.path, "pitch-angle bins that cover 0 to 180 degrees", f"centres {centres.tolist()}", "report this file")
    return np.stack([edges[:-1], edges[1:]], axis=-1)


def _axes(content: CdfFile, names: FluxVariables, n_energy: int, n_pitch_angle: int) -> tuple[int, int]:
    """Find which axes of the flux are energy and pitch angle: from the file's own DEPEND attributes, else from the sizes."""
    variable = content[names.flux]
    depends = [str(variable.attributes.get(f"DEPEND_{axis}", "")) for axis in (1, 2)]
    sizes = variable.values.shape[1:]
    if depends == [names.energy, names.pitch_angle]:
        axes = (1, 2)
    elif depends == [names.pitch_angle, names.energy]:
        axes = (2, 1)
    elif n_energy != n_pitch_angle and sizes == (n_energy, n_pitch_angle):
        axes = (1, 2)
    elif n_energy != n_pitch_angle and sizes == (n_pitch_angle, n_energy):
        axes = (2, 1)
    else:
        axes = (0, 0)
    if axes == (0, 0) or (variable.values.shape[axes[0]], variable.values.shape[axes[1]]) != (n_energy, n_pitch_angle):
        raise FileError(
            content.path,
            f"{names.flux} over {n_energy} energies and {n_pitch_angle} pitch angles",
            f"sizes {sizes} that depend on {depends}",
            "report this file",
        )
    return axes


def _canonical(variable: CdfVariable, axes: tuple[int, int]) -> npt.NDArray[Any]:
    """Values with missing ones as NaN, as a new array over (record, energy, pitch angle)."""
    return np.array(np.transpose(variable.masked(), (0, *axes)), order="C")


def _apply_quality(flux: npt.NDArray[Any], content: CdfFile, names: FluxVariables, axes: tuple[int, int]) -> int:
    if names.quality is None or names.quality not in content:
        return 0
    variable = content[names.quality]
    flags = np.transpose(variable.values, (0, *axes)) if variable.values.ndim == 3 else variable.values.reshape(len(flux), *[1] * 2)
    good = np.broadcast_to(np.isin(flags, names.good_quality), flux.shape)
    measured = np.isfinite(flux)
    if measured.any() and not (good & measured).any():
        found = np.unique(np.asarray(flags))[:10].tolist()
        raise FileError(
            content.path,
            f"{names.quality} with values of {names.good_quality} for good data",
            f"only {found}: every record would be refused",
            "look up what these flags mean and report this file",
        )
    n_bad = int((measured & ~good).sum())
    flux[~good] = np.nan
    return n_bad


def _counting_error(content: CdfFile, names: FluxVariables, axes: tuple[int, int]) -> npt.NDArray[Any] | None:
    if names.counting_error and names.counting_error in content:
        return _canonical(content[names.counting_error], axes)
    if names.counts and names.counts in content:
        counts = _canonical(content[names.counts], axes)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(counts > 0, 100.0 / np.sqrt(counts), np.nan)
    return None


def _times(content: CdfFile, names: FluxVariables) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.bool_]]:
    """UTC of each record, and which records keep the time strictly increasing."""
    variable = content[names.time]
    time = to_datetime64(variable.values, variable.type)
    if time.shape[0] != content[names.flux].values.shape[0]:
        raise FileError(
            content.path, "a time a record", f"{time.shape[0]} times for {content[names.flux].values.shape[0]} records", "report it"
        )
    sound = strictly_increasing(time)
    if not sound.any():
        raise FileError(content.path, "record times", "only fill values", "leave this file out")
    if not sound.all():
        logger.info("%s: %d of %d records have no time or do not follow the one before", content.path.name, (~sound).sum(), sound.size)
    return time, sound


def _check_origin(content: CdfFile, product: Product, time: npt.NDArray[np.datetime64]) -> None:
    """Refuse a file whose records are not of the day, or whose own attributes not of the probe, that its name says."""
    date, probe = date_and_probe(content.path, product)
    middle = time[time.size // 2].astype("datetime64[D]")
    if date is not None and product.period == "day" and str(middle).replace("-", "") != date:
        raise FileError(content.path, f"records of {date}", f"records of {middle}", "see whether the file has a wrong name")
    own = " ".join(str(entry) for key in ("Logical_source", "Logical_file_id", "Source_name") for entry in content.attributes.get(key, []))
    found = {letter.lower() for letter in re.findall(r"rbsp[-_]?([ab])(?![a-z])", own, flags=re.IGNORECASE)}
    if probe is not None and found and found != {probe}:
        others = ", ".join(sorted(found))
        raise FileError(content.path, f"data of probe {probe}", f"data of probe {others}", "see whether the file has a wrong name")


def strictly_increasing(time: npt.NDArray[np.datetime64]) -> npt.NDArray[np.bool_]:
    """Which times are later than every valid one before them; the two halves of a leap second are one such case."""
    value = np.where(np.isnat(time), np.iinfo(np.int64).min, time.astype(np.int64))
    before = np.concatenate([[np.iinfo(np.int64).min], np.maximum.accumulate(value)[:-1]])
    return np.asarray(value > before)


def _coordinates(content: CdfFile, names: FluxVariables, time: npt.NDArray[np.datetime64], sound: npt.NDArray[np.bool_]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    bad_position = np.zeros(time.size, dtype=bool)
    if names.position_quality and names.position_quality in content:
        bad_position = content[names.position_quality].values.ravel() != 0  # 0 is good, 1 is bad, in NASA's description
    for name, (units, long_name) in _COORDINATES.items():
        variable_name = getattr(names, name)
        if variable_name and variable_name in content:
            values = content[variable_name].masked().astype(np.float64).ravel()
            values = np.where(bad_position | (values <= 0 if name != "MLT" else values < 0), np.nan, values)
            found[name] = ("time", values[sound], {"units": units, "long_name": long_name, "method": f"{variable_name} of the file"})
    position, axis, frame = _position(content, names, time)
    if position is not None and axis is not None:
        latitude = np.where(bad_position, np.nan, magnetic_latitude(position, axis))
        method = f"dipole, from {frame}"
        found["MLAT"] = ("time", latitude[sound], {"units": "degree", "long_name": "magnetic latitude", "method": method})
        if "L" not in found:
            L = dipole_L(np.linalg.norm(position, axis=-1), latitude)
            found["L"] = ("time", L[sound], {"units": "1", "long_name": "dipole L-shell", "method": method})
            logger.info("%s has no L; it is computed from %s in a dipole field", content.path.name, frame)
    elif "L" not in found:
        logger.warning("%s has neither L nor a position: it can be looked at, but not binned in L", content.path.name)
    return found


def _position(
    content: CdfFile, names: FluxVariables, time: npt.NDArray[np.datetime64]
) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.float64] | None, str]:
    for name, is_sm in ((names.position_SM, True), (names.position, False)):
        if name is None or name not in content:
            continue
        factor = length_to_earth_radii(content[name].units)
        if factor is None:
            # The real HOPE and RBSPICE records give "km" and "Earth radii"; without a known unit the length is not usable.
            logger.warning("%s: the unit %r of %s is not known; it is not used", content.path.name, content[name].units, name)
            continue
        position = content[name].masked().astype(np.float64) * factor
        axis = np.array([0.0, 0.0, 1.0]) if is_sm else dipole_axis_geo(np.where(np.isnat(time), np.datetime64("2015-01-01"), time))
        return position, axis, f"{name} ({'SM' if is_sm else 'GEO and the dipole of IGRF-13'})"
    return None, None, ""


def _concatenate(datasets: list[xr.Dataset]) -> xr.Dataset:
    first = datasets[0]
    for other in datasets[1:]:
        if not same_energies(first.energy.to_numpy(), other.energy.to_numpy()):
            raise FileError(
                other.attrs["source_files"],
                f"the energy table of {first.attrs['source_files']} ({first.energy.values.tolist()} keV)",
                f"another one ({other.energy.values.tolist()} keV)",
                "open files of one energy table at a time",
            )
    common = set.intersection(*(set(map(str, ds.variables)) for ds in datasets))
    lost = sorted(set.union(*(set(map(str, ds.variables)) for ds in datasets)) - common)
    if lost:
        logger.warning("%s are not in every file and are left out", ", ".join(lost))
    result = xr.concat(
        [ds.drop_vars(lost, errors="ignore") for ds in datasets], dim="time", data_vars="minimal", coords="minimal", join="override"
    )
    sound = strictly_increasing(result["time"].to_numpy())
    result = result.isel(time=np.flatnonzero(sound)) if not sound.all() else result
    for count in ("n_fill", "n_bad_quality", "n_records_dropped", "n_records_other_energies"):
        result.attrs[count] = sum(ds.attrs[count] for ds in datasets)
    result.attrs["n_records_dropped"] += int((~sound).sum())
    result.attrs["source_files"] = ", ".join(ds.attrs["source_files"] for ds in datasets)
    result.attrs["simulated"] = "yes" if any(ds.attrs["simulated"] == "yes" for ds in datasets) else "no"
    return result
