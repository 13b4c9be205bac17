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
from ringdecay.flux.coordinates import Found, coordinates_of
from ringdecay.flux.pitch_angle import edges_of_centres
from ringdecay.flux.units import energy_to_kev, flux_to_per_kev
from ringdecay.products import Product, get_product

logger = logging.getLogger(__name__)

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
    if description.kind != "flux":
        raise InputError(f"{product!r} is not a flux product; use open_{description.kind} for it")
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
    datasets = [_open_one(path, description) for _, path in dated]
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


def _open_one(path: Path, product: Product) -> xr.Dataset:
    required = [variable.name for variable in product.variables.values() if variable.required]
    optional = [variable.name for variable in product.variables.values() if not variable.required]
    content = read_cdf(path, required, optional=optional)
    absent = [name for name in optional if name not in content]
    found = {role: content[variable.name] for role, variable in product.variables.items() if variable.name in content}
    if absent:
        logger.info("%s has no %s; what depends on them is left out", path.name, ", ".join(absent))
    if not found["flux"].values.size:
        raise FileError(path, "records", "none", "leave this file out")
    energy, wrong_table = _energies(path, found, product)
    bounds = _pitch_angle_bounds(path, found)
    pitch_angle = found["pitch_angle"].values.astype(np.float64).ravel()
    axes = _axes(path, found, energy.size, pitch_angle.size)

    factor = flux_to_per_kev(found["flux"].units)
    if factor is None:
        raise FileError(
            path,
            f"{found['flux'].name} in counts or particles per cm2, s, sr and energy",
            f"the unit {found['flux'].units!r}",
            "check the product",
        )
    flux = _canonical(found["flux"], axes)
    n_fill = int(np.isnan(flux).sum())
    flux[wrong_table] = np.nan
    if factor != 1.0:
        flux *= np.asarray(factor, dtype=flux.dtype)
    n_bad_quality = _apply_quality(flux, path, found, product, axes)
    counting_error = _counting_error(found, axes)

    time, sound = _times(path, found)
    _check_origin(content, product, time[sound])
    coordinates = {
        name: (("time", "component")[: array.ndim], array[sound], attributes)
        for name, (array, attributes) in coordinates_of(path, found, time).items()
    }
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
            "time": ("time", time[sound], {"long_name": f"UTC of the record's {product.time_is}"}),
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


def _energies(path: Path, found: Found, product: Product) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Channel energies in keV, and which records have another table than the file's most common one."""
    variable = found["energy"]
    factor = energy_to_kev(variable.units)
    if factor is None:
        raise FileError(path, f"{found['energy'].name} in MeV, keV or eV", f"the unit {variable.units!r}", "check the product")
    # Five digits: float32 MeV to keV would otherwise leave 44.70000118.
    table = _significant(variable.masked().astype(np.float64) * factor, 5)
    records = found["flux"].values.shape[0]
    wrong = np.zeros(records, dtype=bool)
    if variable.record_varying and table.ndim == 2:
        # HOPE changes its energies near perigee: only records of one table can share an axis.
        tables, which = np.unique(table, axis=0, return_inverse=True)
        common = Counter(which.ravel().tolist()).most_common(1)[0][0]
        wrong = np.any(np.abs(table / tables[common] - 1.0) > _SAME_ENERGY, axis=1)
        table = tables[common]
        if wrong.any():
            logger.warning("%s: %d of %d records have another energy table and are left out", path.name, wrong.sum(), records)
    table = table.ravel()
    if not np.all(np.isfinite(table)) or np.any(table <= 0) or np.any(np.diff(table) <= 0):
        raise FileError(path, "rising positive channel energies", f"{found['energy'].name} = {table.tolist()} keV", "report this file")
    nominal = [one.energies for one in product.energy_tables]
    if nominal and table.size not in {len(energies) for energies in nominal}:
        raise FileError(path, f"{len(nominal[0])} energy channels", f"{table.size}", "check that the file is of this product")
    if nominal and not any(np.allclose(table, energies, rtol=product.energy_tolerance, atol=0) for energies in nominal):
        raise FileError(
            path, f"channel energies {list(nominal[0])} keV within {product.energy_tolerance:.0%}", f"{table.tolist()} keV",
            "check that the file is of this product; if it is, its energy table has changed: report it",
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


def _pitch_angle_bounds(path: Path, found: Found) -> npt.NDArray[np.float64]:
    centres = found["pitch_angle"].values.astype(np.float64).ravel()
    if "pitch_angle_range" in found:
        bounds = found["pitch_angle_range"].masked().astype(np.float64)
        bounds = bounds.T if bounds.shape == (2, centres.size) and bounds.shape != (centres.size, 2) else bounds
        if bounds.shape == (centres.size, 2) and np.all(bounds[:, 0] < centres) and np.all(centres < bounds[:, 1]):
            return np.ascontiguousarray(bounds)
        raise FileError(path, "pitch-angle ranges around their midpoints", f"{bounds.tolist()}", "report this file")
    edges = edges_of_centres(centres)
    if edges is None:
        raise FileError(path, "pitch-angle bins that cover 0 to 180 degrees", f"centres {centres.tolist()}", "report this file")
    return np.stack([edges[:-1], edges[1:]], axis=-1)


def _axes(path: Path, found: Found, n_energy: int, n_pitch_angle: int) -> tuple[int, int]:
    """Find which axes of the flux are energy and pitch angle: from the file's own DEPEND attributes, else from the sizes."""
    variable = found["flux"]
    depends = [str(variable.attributes.get(f"DEPEND_{axis}", "")) for axis in (1, 2)]
    sizes = variable.values.shape[1:]
    if depends == [found["energy"].name, found["pitch_angle"].name]:
        axes = (1, 2)
    elif depends == [found["pitch_angle"].name, found["energy"].name]:
        axes = (2, 1)
    elif n_energy != n_pitch_angle and sizes == (n_energy, n_pitch_angle):
        axes = (1, 2)
    elif n_energy != n_pitch_angle and sizes == (n_pitch_angle, n_energy):
        axes = (2, 1)
    else:
        axes = (0, 0)
    if axes == (0, 0) or (variable.values.shape[axes[0]], variable.values.shape[axes[1]]) != (n_energy, n_pitch_angle):
        raise FileError(
            path,
            f"{found['flux'].name} over {n_energy} energies and {n_pitch_angle} pitch angles",
            f"sizes {sizes} that depend on {depends}",
            "report this file",
        )
    return axes


def _canonical(variable: CdfVariable, axes: tuple[int, int]) -> npt.NDArray[Any]:
    """Values with missing ones as NaN, as a new array over (record, energy, pitch angle)."""
    return np.array(np.transpose(variable.masked(), (0, *axes)), order="C")


def _apply_quality(flux: npt.NDArray[Any], path: Path, found: Found, product: Product, axes: tuple[int, int]) -> int:
    if "quality" not in found:
        return 0
    variable = found["quality"]
    flags = np.transpose(variable.values, (0, *axes)) if variable.values.ndim == 3 else variable.values.reshape(len(flux), *[1] * 2)
    good = np.broadcast_to(np.isin(flags, product.good_quality), flux.shape)
    measured = np.isfinite(flux)
    if measured.any() and not (good & measured).any():
        flags_found = np.unique(np.asarray(flags))[:10].tolist()
        raise FileError(
            path,
            f"{found['quality'].name} with values of {product.good_quality} for good data",
            f"only {flags_found}: every record would be refused",
            "look up what these flags mean and report this file",
        )
    n_bad = int((measured & ~good).sum())
    flux[~good] = np.nan
    return n_bad


def _counting_error(found: Found, axes: tuple[int, int]) -> npt.NDArray[Any] | None:
    if "counting_error" in found:
        return _canonical(found["counting_error"], axes)
    if "counts" in found:
        counts = _canonical(found["counts"], axes)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(counts > 0, 100.0 / np.sqrt(counts), np.nan)
    return None


def _times(path: Path, found: Found) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.bool_]]:
    """UTC of each record, and which records keep the time strictly increasing."""
    variable = found["time"]
    time = to_datetime64(variable.values, variable.type)
    if time.shape[0] != found["flux"].values.shape[0]:
        raise FileError(path, "a time a record", f"{time.shape[0]} times for {found['flux'].values.shape[0]} records", "report it")
    sound = strictly_increasing(time)
    if not sound.any():
        raise FileError(path, "record times", "only fill values", "leave this file out")
    if not sound.all():
        logger.info("%s: %d of %d records have no time or do not follow the one before", path.name, (~sound).sum(), sound.size)
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
