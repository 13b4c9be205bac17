"""How results are stored: a file is complete or it is not there, and equal results have an equal content hash."""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.errors import FileError, InputError

# Attributes that say when and where a result was made, not what it is; they do not enter the content hash.
UNHASHED_ATTRIBUTES = frozenset({"history", "date_created", "provenance"})

# The netCDF library would keep 64 MB of unpacked values of each variable that it reads or writes, which is as much as all the values.
netCDF4.set_chunk_cache(2**20)

# First line of every table made from simulated data.
SIMULATED_NOTE = "SIMULATED data: made from a demonstration archive with known decay times, not from measurements"


def is_simulated(*data: Any) -> bool:
    """Tell whether any of the Datasets, arrays or tables says in its `attrs` that it is simulated; None is none."""
    return any(str(one.attrs.get("simulated", "no")).lower() == "yes" for one in data if one is not None)


def iso_times(times: npt.NDArray[np.datetime64]) -> list[str]:
    """Write times as ISO 8601 in UTC ("2015-06-23T04:30:00Z"), with nanoseconds if one of them needs them; NaT is empty."""
    whole = bool((np.isnat(times) | (times == times.astype("datetime64[s]"))).all())
    text = np.datetime_as_string(times, unit="s" if whole else "ns", timezone="UTC")
    return ["" if missing else str(one) for one, missing in zip(text, np.isnat(times), strict=True)]


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path beside `path` to write to, and rename it to `path` if the block succeeds.

    A reader never sees half a file: the rename is atomic on a POSIX file system, and after an error nothing is left behind.
    """
    target = Path(path)
    if target.is_dir():
        raise FileError(target, "a file to write", "a folder", "name a file")
    target.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays, because writers such as matplotlib choose their format by it.
    beside = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.partial{target.suffix}")
    try:
        yield beside
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def write_dataset(dataset: xr.Dataset, path: str | os.PathLike[str], *, fast: bool = False) -> None:
    """Write a Dataset as compressed netCDF-4, whole or not at all.

    Parameters
    ----------
    dataset : Dataset
        What to write; it is loaded.
    path : path-like
        The file.
    fast : bool
        Compress with Zstandard where the netCDF library has it: half the time (docs/performance.md), but not every program reads it.
        For files that only the later stages of the same run read.
    """
    dataset = dataset.load()
    # Without a value to tell the type by, empty text would be stored as numbers.
    empty = {name: variable.astype(str) for name, variable in dataset.data_vars.items() if variable.dtype.kind == "O" and not variable.size}
    dataset = dataset.assign(empty)
    compression: dict[str, Any] = {"compression": "zstd" if fast and _has_zstd() else "zlib", "complevel": 1}
    encoding: dict[Any, dict[str, Any]] = {
        name: compression for name, variable in dataset.variables.items() if variable.dtype.kind in "fiu" and variable.ndim
    }
    for name, variable in dataset.variables.items():
        if variable.dtype.kind == "M":
            # Nanoseconds since a fixed epoch as int64 keep every time exact.
            encoding[name] = {"units": "nanoseconds since 2012-01-01", "dtype": "int64", "calendar": "proleptic_gregorian"}
    with written_whole(path) as beside:
        dataset.to_netcdf(beside, engine="netcdf4", encoding=encoding)


@functools.cache
def _has_zstd() -> bool:
    with netCDF4.Dataset("probe", mode="w", diskless=True) as probe:
        return bool(probe.has_zstd_filter())


def open_dataset(
    path: str | os.PathLike[str],
    choose: Callable[[xr.Dataset], xr.Dataset] = lambda dataset: dataset,
    *,
    over_time: Sequence[str] | None = None,
) -> xr.Dataset:
    """Read a Dataset that `write_dataset` wrote, into memory, and close the file.

    Parameters
    ----------
    path : path-like
        The file.
    choose : callable
        What to take of it, such as `select_flux`; what it leaves out is not read.
    over_time : sequence of str, optional
        Which of the variables over time are needed, nearly all of a large file; all of them if not given. The others are read in any case.

    Raises
    ------
    FileError
        If the file is missing or is not netCDF.
    """

    def needed(source: Path) -> xr.Dataset:
        with xr.open_dataset(source, engine="netcdf4", decode_timedelta=False) as whole:
            variables = whole.data_vars.items() if over_time is not None else ()
            unneeded = [name for name, values in variables if "time" in values.dims and name not in (over_time or ())]
            return choose(whole.drop_vars(unneeded)).load()

    return _read(path, needed)


def open_array(path: str | os.PathLike[str]) -> xr.DataArray:
    """Read the one variable of a file, under its own name.

    Raises
    ------
    FileError
        If the file is missing, is not netCDF or holds more than one variable.
    """
    dataset = open_dataset(path)
    if len(dataset.data_vars) != 1:
        raise FileError(path, "one variable", f"{', '.join(map(str, dataset.data_vars))}", "open it with open_dataset")
    (array,) = dataset.data_vars.values()
    return array


def _read(path: str | os.PathLike[str], reader: Callable[[Path], xr.Dataset]) -> xr.Dataset:
    source = Path(path)
    if not source.exists():
        raise FileError(source, "a netCDF file", "no file", "run the stage that makes it first")
    try:
        return reader(source)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(
            source, "a netCDF file", f"something else ({error})", "name another, or run the stage that makes it again"
        ) from error


def content_hash(dataset: xr.Dataset) -> str:
    """Hash what a Dataset says: names, dimensions, values and attributes.

    The order of variables, the compression and the time of making do not matter, so two runs that found the same have the same
    hash whatever scheduler or machine made them.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    for name in sorted(map(str, dataset.variables)):
        variable = dataset.variables[name]
        values = np.asarray(variable.values)
        # Strings are objects in memory and fixed in width in a file.
        kind = "U" if values.dtype.kind in "OUT" else values.dtype.kind
        digest.update(f"{name}|{variable.dims}|{values.shape}|{kind}|{_stable(variable.attrs)}".encode())
        if kind == "U":
            digest.update("\x00".join(map(str, values.ravel())).encode())
        elif kind == "M":
            digest.update(values.astype("datetime64[ns]").astype("<i8").tobytes())
        elif kind == "f":
            # One bit pattern for every NaN and for both zeros, and one width.
            floats = np.where(np.isnan(values), np.nan, values.astype("<f8") + 0.0)
            digest.update(np.ascontiguousarray(floats).tobytes())
        else:
            digest.update(np.ascontiguousarray(values.astype("<i8")).tobytes())
    digest.update(_stable(dataset.attrs).encode())
    return digest.hexdigest()


def _stable(attributes: dict[Any, Any]) -> str:
    kept = {str(k): v for k, v in attributes.items() if k not in UNHASHED_ATTRIBUTES}
    return "|".join(f"{k}={np.asarray(kept[k]).tolist()!r}" for k in sorted(kept))
