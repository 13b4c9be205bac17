"""One expectation and what was found, and the file of a product of which it is expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringdecay.cdf import CdfVariable, StoredFile, StoredVariable, to_datetime64
from ringdecay.errors import FileError, InputError
from ringdecay.products import Product

#: What an expectation is about, in the order of the report.
GROUPS = ("file", "structure", "variables", "units", "energies", "times", "position", "quality", "values", "reader")
Verdict = Literal["holds", "differs", "fails", "unknown"]


class Row(NamedTuple):
    """One line of the report: an expectation of one thing, what was found, and whether the two agree."""

    group: str
    expectation: str
    expected: str
    found: str
    verdict: Verdict


def table_of(rows: Iterable[Row], **attributes: object) -> pd.DataFrame:
    """Make the table from its rows, in the order of the groups."""
    ordered = sorted(rows, key=lambda row: GROUPS.index(row.group))
    table = pd.DataFrame(ordered, columns=list(Row._fields))
    table.attrs.update(attributes)
    return table


def holds_if(condition: object) -> Verdict:
    """Give "holds" or "differs"."""
    return "holds" if condition else "differs"


@dataclass(frozen=True)
class Subject:
    """A CDF file that is checked as one of a product.

    Attributes
    ----------
    path, product
        The file, and what is expected of it.
    stored : StoredFile
        The file, opened.
    date, probe : str or None
        What its name says.
    """

    path: Path
    product: Product
    stored: StoredFile
    date: str | None
    probe: str | None
    _small: dict[str, CdfVariable | None] = field(default_factory=dict, repr=False)

    @property
    def present(self) -> Mapping[str, StoredVariable]:
        """Described variables that the file has, by role."""
        return {role: self.stored[one.name] for role, one in self.product.variables.items() if one.name in self.stored}

    def read(self, role: str) -> CdfVariable | None:
        """Read the variable of a role; None if it is not there or damaged, which the report says elsewhere."""
        name = self.product.variables[role].name if role in self.product.variables else ""
        return self.read_name(name)

    def read_name(self, name: str) -> CdfVariable | None:
        """Read a variable by its name; None if it is not there or damaged."""
        if name not in self.stored:
            return None
        if name in self._small:
            return self._small[name]
        stored = self.stored[name]
        try:
            variable = CdfVariable(stored.name, stored.type, stored.read(), stored.attributes, stored.record_varying)
        except FileError:
            variable = None
        # Tables of flux are read again when they are needed; what is small is kept.
        if variable is None or variable.values.size < 1_000_000:
            self._small[name] = variable
        return variable

    @property
    def time(self) -> npt.NDArray[np.datetime64]:
        """UTC of the records; empty if there is none that can be read."""
        variable = self.read("time")
        return np.empty(0, dtype="datetime64[ns]") if variable is None else times_of(variable)


def times_of(variable: CdfVariable) -> npt.NDArray[np.datetime64]:
    """UTC of a variable; empty if its type is not one of time."""
    try:
        return to_datetime64(variable.values, variable.type).ravel()
    except InputError:
        return np.empty(0, dtype="datetime64[ns]")


def is_number(value: Any) -> bool:
    """Whether an attribute is one number."""
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind in "fiu"


def share(part: float, whole: float) -> str:
    """Say a share; a small one is not said to be none."""
    if not whole or not part:
        return "none"
    percent = 100.0 * part / whole
    return f"{percent:.1f} %" if percent >= 0.1 else "below 0.1 %"


def iso_day(date: str) -> str:
    """Write the date in a file's name, YYYYMMDD (or a year), as YYYY-MM-DD."""
    return "-".join(part for part in (date[:4], date[4:6], date[6:]) if part)


def minute(time: np.datetime64) -> str:
    """Say a time to the second."""
    return str(time.astype("datetime64[s]")).replace("T", " ")
