"""Opening files of a product as one Dataset with canonical names and units."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.cdf import read_cdf, strictly_increasing, to_datetime64
from ringdecay.errors import FileError, InputError
from ringdecay.flux.coordinates import Found
from ringdecay.flux.energies import dates_of_change, find_channels, same_energies
from ringdecay.flux.expected import check_origin, check_shapes, date_and_probe
from ringdecay.flux.resolved import read_resolved
from ringdecay.flux.telescopes import read_telescopes
from ringdecay.flux.time_base import on_flux_times
from ringdecay.products import Product, get_product, ion_name

logger = logging.getLogger(__name__)

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
        is in the attributes `n_fill`, `n_bad_quality`, `n_records_dropped`. Records taken with another energy table than most of
        their file are NaN too and counted in `n_records_other_energies`. `ion` says which ion it is. Files by telescope (RBSPICE
        level 3) come out like those by pitch angle, one record a spin; their counts are of the records and telescopes of the file.

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


def _open_one(path: Path, product: Product) -> xr.Dataset:
    required = [variable.name for variable in product.variables.values() if variable.required]
    optional = [variable.name for variable in product.variables.values() if not variable.required]
    content = read_cdf(path, required, optional=optional)
    absent = [name for name in optional if name not in content]
    found: Found = {role: content[variable.name] for role, variable in product.variables.items() if variable.name in content}
    if absent:
        logger.info("%s has no %s; what depends on them is left out", path.name, ", ".join(absent))
    if not found["flux"].values.size:
        raise FileError(path, "records", "none", "leave this file out")
    check_shapes(path, found, product)
    time = _times(path, found)
    channels = find_channels(path, found, product, time)
    found = on_flux_times(path, found, time)
    by_telescope = "telescope" in product.variables["flux"].axes
    result = (read_telescopes if by_telescope else read_resolved)(path, found, product, channels, time)
    sound = strictly_increasing(result.time)
    if not sound.any():
        raise FileError(path, "record times", "only fill values", "leave this file out")
    if not sound.all():
        logger.info("%s: %d of %d records have no time or do not follow the one before", path.name, (~sound).sum(), sound.size)
    check_origin(content, product, result.time[sound])

    ion = product.ion or "unknown"
    dims = ("time", "energy", "pitch_angle")
    # All records are sound in most files; then nothing is copied.
    kept: Any = slice(None) if sound.all() else sound
    variables: dict[str, Any] = {
        "flux": (dims, result.flux[kept], {"units": "cm-2 s-1 sr-1 keV-1", "long_name": f"differential {ion_name({'ion': ion})} flux"})
    }
    if result.counting_error is not None:
        about = {"units": "percent", "long_name": "counting error, 100 / sqrt(counts)"}
        variables["counting_error"] = (dims, result.counting_error[kept], about)
    coordinates = {
        name: (("time", "component")[: values.ndim], values[kept], attributes) for name, (values, attributes) in result.coordinates.items()
    }
    return xr.Dataset(
        variables,
        coords={
            "time": ("time", result.time[kept], {"long_name": f"UTC of the {'spin' if by_telescope else 'record'}'s {product.time_is}"}),
            "energy": ("energy", channels.energy, {"units": "keV", "long_name": "channel energy"}),
            "pitch_angle": ("pitch_angle", result.pitch_angle, {"units": "degree", "long_name": "local pitch angle"}),
            "pitch_angle_bounds": (("pitch_angle", "bound"), result.bounds, {"units": "degree"}),
            **coordinates,
        },
        attrs={
            "product": product.name,
            "title": product.title,
            "ion": ion,
            "source_files": path.name,
            "simulated": "yes" if content.simulated else "no",
            "n_fill": result.n_fill,
            "n_bad_quality": result.n_bad_quality,
            "n_records_dropped": result.n_dropped + int(sound.size - sound.sum()),
            "n_records_other_energies": int(channels.other_table.sum()),
        },
    )


def _times(path: Path, found: Found) -> npt.NDArray[np.datetime64]:
    """UTC of each record."""
    variable = found["time"]
    time = to_datetime64(variable.values, variable.type)
    if time.shape[0] != found["flux"].values.shape[0]:
        raise FileError(path, "a time a record", f"{time.shape[0]} times for {found['flux'].values.shape[0]} records", "report it")
    if np.isnat(time).all():
        raise FileError(path, "record times", "only fill values", "leave this file out")
    return time


def _concatenate(datasets: list[xr.Dataset]) -> xr.Dataset:
    first = datasets[0]
    for other in datasets[1:]:
        if not same_energies(first.energy.to_numpy(), other.energy.to_numpy()):
            raise FileError(
                other.attrs["source_files"],
                f"the energy table of {first.attrs['source_files']} ({first.energy.values.tolist()} keV)",
                f"another one ({other.energy.values.tolist()} keV)",
                f"open files of one energy table at a time{_split_at(first)}",
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


def _split_at(flux: xr.Dataset) -> str:
    dates = dates_of_change(str(flux.attrs["product"]))
    return f": the tables of {flux.attrs['product']} changed at {dates}" if dates else ""
