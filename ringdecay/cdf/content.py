"""What was read of a CDF file: variables with their values and attributes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ringdecay.errors import FileError


@dataclass(frozen=True)
class CdfVariable:
    """One variable as the file has it.

    Attributes
    ----------
    name, type : str
        Name, and CDF data type such as "CDF_FLOAT".
    values : ndarray
        Shape ``(records, *sizes)`` if `record_varying`, else `sizes`, in native byte order. Text is `str`, EPOCH16 is complex (seconds
        and picoseconds).
    attributes : dict
        Variable attributes, such as UNITS, FILLVAL, DEPEND_1: text, a number, or an array if there is more than one.
    record_varying : bool
        Whether there is a value a record.
    """

    name: str
    type: str
    values: npt.NDArray[Any]
    attributes: dict[str, Any]
    record_varying: bool

    @property
    def units(self) -> str:
        """The UNITS attribute, or an empty string."""
        return units_of(self.attributes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.values.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Numpy type of the values."""
        return self.values.dtype

    @property
    def records(self) -> int:
        """How many records there are; 1 for a variable that does not vary by record."""
        return self.values.shape[0] if self.record_varying else 1

    def read(self, start: int | None = None, stop: int | None = None) -> npt.NDArray[Any]:
        """Give the values of records `start` to `stop` (not included), as `StoredVariable.read` does."""
        return self.values[start:stop] if self.record_varying else self.values

    def masked(self) -> npt.NDArray[Any]:
        """Give the values with fill and invalid ones as NaN (floating point types only; others are returned as they are).

        A value is taken as missing if it equals FILLVAL, is at or below -1e30 (ISTP's fill for real numbers, whatever FILLVAL
        says), or lies outside VALIDMIN and VALIDMAX. A limit is one number, or as many as the last axis is long (one an element of
        that axis, as ISTP allows); a limit that is neither, such as a text, says nothing.
        """
        return mask_values(self.values, self.attributes)


def units_of(attributes: dict[str, Any]) -> str:
    """Give the UNITS attribute, or an empty string."""
    return str(attributes.get("UNITS", "")).strip()


def mask_values(values: npt.NDArray[Any], attributes: dict[str, Any]) -> npt.NDArray[Any]:
    """Give floating point values with NaN where `CdfVariable.masked` says that they are missing."""
    if values.dtype.kind != "f":
        return values
    bad = values <= -1e30
    for key, is_bad in (("FILLVAL", np.equal), ("VALIDMIN", np.less), ("VALIDMAX", np.greater)):
        limit = np.asarray(attributes.get(key))
        fits = limit.ndim == 0 or (limit.ndim == 1 and values.ndim > 0 and limit.size == values.shape[-1])
        if limit.dtype.kind in "fiu" and fits:
            bad |= is_bad(values, limit)
    return np.where(bad, np.asarray(np.nan, dtype=values.dtype), values)


@dataclass(frozen=True)
class CdfFile:
    """What was read of one file: its variables by name and its global attributes."""

    path: Path
    variables: dict[str, CdfVariable]
    attributes: dict[str, list[Any]]

    @property
    def simulated(self) -> bool:
        """Whether a global attribute says that the file is simulated."""
        return says_simulated(self.attributes)

    def __getitem__(self, name: str) -> CdfVariable:
        return self.variables[name]

    def __contains__(self, name: object) -> bool:
        return name in self.variables


def says_simulated(attributes: dict[str, list[Any]]) -> bool:
    """Tell whether a global attribute says that the file is simulated."""
    return any("SIMULATED" in str(entry) for entries in attributes.values() for entry in entries)


def lacks(path: Path, required: list[str], missing: list[str], there: Iterable[str]) -> FileError:
    """Make the error for a file without variables that must be there."""
    return FileError(
        path,
        f"the variables {', '.join(required)}",
        f"none called {', '.join(missing)} (it has {', '.join(sorted(there))})",
        "check that the file is of the product you named",
    )
