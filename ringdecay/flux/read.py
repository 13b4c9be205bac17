"""Opening files of a product as one Dataset with canonical names and units."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.cdf import READERS, CdfVariable, StoredVariable, reading_cdf, strictly_increasing, to_datetime64
from ringdecay.errors import FileError, InputError
from ringdecay.flux.coordinates import Found
from ringdecay.flux.energies import dates_of_change, find_channels, same_energies
from ringdecay.flux.expected import check_origin, check_shapes, date_and_probe
from ringdecay.flux.resolved import read_resolved
from ringdecay.flux.telescopes import read_telescopes
from ringdecay.flux.time_base import on_flux_times
from ringdecay.flux.values import Measured
from ringdecay.products import Product, get_product, ion_name

logger = logging.getLogger(__name__)

# Roles of the variables that are read piece by piece.
_AS_LARGE_AS_FLUX = ("flux", "quality", "counting_error", "counts")

Path_ = str | PathLike[str]


def open_flux(files: Path_ | Iterable[Path_], product: str, *, probe: str | None = None, reader: str = READERS[0]) -> xr.Dataset:
    """Open flux files of one product as one Dataset with canonical names and units.

    Parameters
    ----------
    files : path-like or iterable of path-like
        Files of one product and one probe; they are put in the order of their dates.
    product : str
        Name of the product, such as "rbspice-pap-tofxeh" or "hope-pa".
    probe : str, optional
        Probe, "a" or "b"; found from the file names if not given.
    reader : {"ringdecay", "cdflib"}
        Who reads the files; cdflib is slower, and there for a file that the reader of this package gets wrong.

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
    datasets = [_open_one(path, description, reader) for _, path in dated]
    result = datasets[0] if len(datasets) == 1 else _concatenate(datasets)
    result.attrs["probe"] = probes.pop() if probes else "unknown"
    return result


@dataclass(frozen=True)
class FluxFile:
    """A flux file that is being read: all but its flux, which comes piece by piece.

    Attributes
    ----------
    path : Path
        The file.
    product : Product
        Its description.
    measured : Measured
        What it has measured.
    energy : ndarray, shape (m,)
        Channel energies, keV.
    sound : ndarray of bool, shape (n,)
        Which records have a time later than all before them; others are left out.
    simulated : bool
        Whether the file says so.
    n_records_other_energies : int
        How many of the file's records were taken with another energy table.
    """

    path: Path
    product: Product
    measured: Measured
    energy: npt.NDArray[np.float64]
    sound: npt.NDArray[np.bool_]
    simulated: bool
    n_records_other_energies: int

    @property
    def ion(self) -> str:
        """Which ion it is, or "unknown"."""
        return self.product.ion or "unknown"

    def coordinates(self) -> dict[str, xr.Variable]:
        """Give the coordinates over the sound records, with units and how each was found."""
        return {
            name: xr.Variable(("time", "component")[: values.ndim], values[self.kept], attributes)
            for name, (values, attributes) in self.measured.coordinates.items()
        }

    @property
    def kept(self) -> slice | npt.NDArray[np.bool_]:
        """What takes the sound records out of all; most files have no others, and then nothing is copied."""
        return slice(None) if self.sound.all() else self.sound


@contextmanager
def reading_flux(path: Path, product: Product, reader: str = READERS[0]) -> Iterator[FluxFile]:
    """Open a flux file, check it, and hold it open for its flux to be read.

    Raises
    ------
    FileError
        As `open_flux`; also while the pieces are read.
    """
    names = {role: variable.name for role, variable in product.variables.items()}
    required = [variable.name for variable in product.variables.values() if variable.required]
    optional = [variable.name for variable in product.variables.values() if not variable.required]
    later = {names[role] for role in _AS_LARGE_AS_FLUX if role in names}
    with reading_cdf(path, required, optional=optional, later=later, reader=reader) as (content, waiting):
        absent = [name for name in optional if name not in content and name not in waiting]
        found: Found = {role: content[name] for role, name in names.items() if name in content}
        stored = {role: waiting[name] for role, name in names.items() if name in waiting}
        if absent:
            logger.info("%s has no %s; what depends on them is left out", path.name, ", ".join(absent))
        together: dict[str, CdfVariable | StoredVariable] = {**found, **stored}
        if not math.prod(together["flux"].shape):
            raise FileError(path, "records", "none", "leave this file out")
        check_shapes(path, together, product)
        time = _times(path, found["time"], stored["flux"])
        channels = find_channels(path, found, product, time)
        found = on_flux_times(path, found, time)
        by_telescope = "telescope" in product.variables["flux"].axes
        measured = (read_telescopes if by_telescope else read_resolved)(path, found, stored, product, channels, time)
        sound = strictly_increasing(measured.time)
        if not sound.any():
            raise FileError(path, "record times", "only fill values", "leave this file out")
        if not sound.all():
            logger.info("%s: %d of %d records have no time or do not follow the one before", path.name, (~sound).sum(), sound.size)
        check_origin(content, product, measured.time[sound])
        yield FluxFile(path, product, measured, channels.energy, sound, content.simulated, int(channels.other_table.sum()))


def _open_one(path: Path, product: Product, reader: str) -> xr.Dataset:
    with reading_flux(path, product, reader) as file:
        pieces = list(file.measured.pieces)
    measured, kept = file.measured, file.kept
    flux = np.concatenate([piece.flux for piece in pieces])[kept]
    errors = [piece.counting_error for piece in pieces if piece.counting_error is not None]
    by_telescope = "telescope" in product.variables["flux"].axes
    dims = ("time", "energy", "pitch_angle")
    about = {"units": "cm-2 s-1 sr-1 keV-1", "long_name": f"differential {ion_name({'ion': file.ion})} flux"}
    variables: dict[str, Any] = {"flux": (dims, flux, about)}
    if errors:
        about = {"units": "percent", "long_name": "counting error, 100 / sqrt(counts)"}
        variables["counting_error"] = (dims, np.concatenate(errors)[kept], about)
    return xr.Dataset(
        variables,
        coords={
            "time": ("time", measured.time[kept], {"long_name": f"UTC of the {'spin' if by_telescope else 'record'}'s {product.time_is}"}),
            "energy": ("energy", file.energy, {"units": "keV", "long_name": "channel energy"}),
            "pitch_angle": ("pitch_angle", measured.pitch_angle, {"units": "degree", "long_name": "local pitch angle"}),
            "pitch_angle_bounds": (("pitch_angle", "bound"), measured.bounds, {"units": "degree"}),
            **file.coordinates(),
        },
        attrs={
            "product": product.name,
            "title": product.title,
            "ion": file.ion,
            "source_files": path.name,
            "simulated": "yes" if file.simulated else "no",
            "n_fill": measured.tally.fill,
            "n_bad_quality": measured.tally.refused,
            "n_records_dropped": measured.n_dropped + int(file.sound.size - file.sound.sum()),
            "n_records_other_energies": file.n_records_other_energies,
        },
    )


def _times(path: Path, variable: CdfVariable, flux: StoredVariable | CdfVariable) -> npt.NDArray[np.datetime64]:
    """UTC of each record."""
    time = to_datetime64(variable.values, variable.type)
    if time.shape[0] != flux.records:
        raise FileError(path, "a time a record", f"{time.shape[0]} times for {flux.records} records", "report it")
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
