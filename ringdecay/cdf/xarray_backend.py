"""CDF files for `xarray.open_dataset(..., engine="ringdecay")`: lazy, so that Dask reads only the blocks that a chunk needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

from ringdecay.cdf.content import mask_values
from ringdecay.cdf.epochs import to_datetime64
from ringdecay.cdf.read import StoredFile, StoredVariable, open_cdf
from ringdecay.cdf.signature import is_cdf
from ringdecay.cdf.types import TIME_TYPES
from ringdecay.errors import unknown

# What these say of milliseconds since year 0 is not true of a datetime64.
_OF_RAW_TIMES = ("UNITS", "FILLVAL", "VALIDMIN", "VALIDMAX", "SCALEMIN", "SCALEMAX")


class CdfBackend(BackendEntrypoint):
    """Opens CDF files as datasets. Install the package, and xarray finds it as the engine "ringdecay"."""

    description = "NASA Common Data Format files, lazily"
    open_dataset_parameters = ("filename_or_obj", "drop_variables", "variables", "mask")

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Tell whether a path ends in .cdf and its file begins like a CDF."""
        if not isinstance(filename_or_obj, str | PathLike) or Path(filename_or_obj).suffix.lower() != ".cdf":
            return False
        try:
            with Path(filename_or_obj).open("rb") as stream:
                return is_cdf(stream.read(8))
        except OSError:
            return False

    def open_dataset(  # type: ignore[override]
        self,
        filename_or_obj: str | PathLike[str],
        *,
        drop_variables: str | Iterable[str] | None = None,
        variables: str | Iterable[str] | None = None,
        mask: bool = True,
    ) -> xr.Dataset:
        """Open one CDF file.

        Parameters
        ----------
        filename_or_obj : path-like
            The file.
        drop_variables : str or iterable of str, optional
            Variables to leave out, their axes not.
        variables : str or iterable of str, optional
            Take these only, and the variables that are their axes.
        mask : bool
            Whether floating point values that equal FILLVAL, are at or below -1e30, or lie outside VALIDMIN and VALIDMAX become NaN
            (when they are read).

        Returns
        -------
        Dataset
            Times are datetime64[ns] in UTC. The axis of the records has the name of the variable's DEPEND_0, the others that of
            DEPEND_1 and so on where it is of one axis, does not vary by record and has the right size; it is then the axis's
            coordinate. An axis whose DEPEND varies by record, such as the energies of a HOPE file, is called <that variable>_dim_1,
            any other <variable>_dim_0, _dim_1 and so on. So the names do not depend on what else is opened.

        Raises
        ------
        FileError
            If the file cannot be read.
        InputError
            If `variables` has a name that the file has not.

        Notes
        -----
        A file with two time axes (HOPE: ions and electrons; MagEIS) is opened with `variables` of one of them before several are put
        together: by itself `xr.open_mfdataset` joins the days along both, and fills the corners, where no day is, with NaN.
        """
        stored = open_cdf(filename_or_obj)
        axes = _axes(stored)
        wanted = _with_axes(axes, [variables] if isinstance(variables, str) else variables)
        dropped = {drop_variables} if isinstance(drop_variables, str) else set(drop_variables or ())
        data = {name: _to_xarray(stored[name], axes[name], mask=mask) for name in wanted if name not in dropped}
        coordinates = {name for name in data if axes[name] == (name,)}
        dataset = xr.Dataset(
            {name: variable for name, variable in data.items() if name not in coordinates},
            coords={name: data[name] for name in data if name in coordinates},
            attrs={name: entries[0] if len(entries) == 1 else _together(entries) for name, entries in stored.attributes.items()},
        )
        dataset.encoding["source"] = str(filename_or_obj)
        return dataset


@dataclass
class _Lazy(BackendArray):
    """The values of one variable, read when an index asks for some."""

    variable: StoredVariable
    mask: bool

    def __post_init__(self) -> None:
        records = (self.variable.records,) if self.variable.record_varying else ()
        self.shape = (*records, *self.variable.sizes)
        self.dtype = np.dtype("datetime64[ns]") if self.variable.type in TIME_TYPES else self.variable.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, key: tuple[Any, ...]) -> Any:
        if not self.variable.record_varying:
            return self._decoded(self.variable.read())[key]
        first, rest = key[0], key[1:]
        if not isinstance(first, slice):
            at = int(first) % self.shape[0]
            return self._decoded(self.variable.read(at, at + 1))[(0, *rest)]
        start, stop, step = first.indices(self.shape[0])
        taken = range(start, stop, step)
        if not taken:
            return self._decoded(self.variable.read(0, 0))[(slice(0), *rest)]
        least, most = min(taken[0], taken[-1]), max(taken[0], taken[-1])
        back = slice(None, None, step)
        return self._decoded(self.variable.read(least, most + 1))[(back, *rest)]

    def _decoded(self, values: Any) -> Any:
        if self.variable.type in TIME_TYPES:
            return to_datetime64(values, self.variable.type)
        return mask_values(values, self.variable.attributes) if self.mask else values


def _to_xarray(variable: StoredVariable, axes: tuple[str, ...], *, mask: bool) -> xr.Variable:
    attributes = variable.attributes
    if variable.type in TIME_TYPES:
        attributes = {name: value for name, value in attributes.items() if name not in _OF_RAW_TIMES}
    return xr.Variable(axes, indexing.LazilyIndexedArray(_Lazy(variable, mask)), attributes)


def _with_axes(axes: dict[str, tuple[str, ...]], names: Iterable[str] | None) -> list[str]:
    """Give the variables asked for and those that are their axes, in the order of the file."""
    if names is None:
        return list(axes)
    asked = set(names)
    for name in asked - set(axes):
        raise unknown("variable", name, axes)
    return [name for name in axes if name in asked or any(name in axes[other] for other in asked)]


def _axes(stored: StoredFile) -> dict[str, tuple[str, ...]]:
    """Name of each axis of each variable, the records first."""
    depended = {
        (_depend(variable, number), size) for variable in stored.variables.values() for number, size in enumerate(variable.sizes, start=1)
    }
    found: dict[str, tuple[str, ...]] = {}
    for variable in stored.variables.values():
        names = [_record_axis(stored, variable)] if variable.record_varying else []
        for number, size in enumerate(variable.sizes, start=1):
            axis = stored.variables.get(_depend(variable, number))
            own = not variable.record_varying and len(variable.sizes) == 1 and axis is None and (variable.name, size) in depended
            name = variable.name if own else _free(stored, f"{variable.name}_dim_{number}")
            if axis is not None and axis.sizes == (size,):
                name = _free(stored, f"{axis.name}_dim_1") if axis.record_varying else axis.name
            # An axis may not be twice in one variable.
            names.append(name if name not in names else _free(stored, f"{variable.name}_dim_{number}"))
        found[variable.name] = tuple(names)
    return found


def _depend(variable: StoredVariable, number: int) -> str:
    return str(variable.attributes.get(f"DEPEND_{number}", "")).strip()


def _record_axis(stored: StoredFile, variable: StoredVariable) -> str:
    depend = stored.variables.get(_depend(variable, 0))
    if depend is not None and depend.record_varying and not depend.sizes and depend.records == variable.records:
        return depend.name
    if variable.type in TIME_TYPES and not variable.sizes:
        return variable.name
    return _free(stored, f"{variable.name}_dim_0")


def _free(stored: StoredFile, name: str) -> str:
    while name in stored:
        name += "_"
    return name


def _together(entries: list[Any]) -> Any:
    return entries if all(isinstance(entry, str) for entry in entries) else [str(entry) for entry in entries]
