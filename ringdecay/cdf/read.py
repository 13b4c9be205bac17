"""Reading chosen variables of one CDF file, with every fault of the file said in one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import cdflib
import numpy as np
import numpy.typing as npt

from ringdecay.cdf.signature import COMPRESSED, VERSION_3, is_cdf, looks_like_html
from ringdecay.errors import FileError

_AGAIN = "delete it and fetch it again"


@dataclass(frozen=True)
class CdfVariable:
    """One variable as the file has it.

    Attributes
    ----------
    name, type : str
        Name, and CDF data type such as "CDF_FLOAT".
    values : ndarray
        Shape (records, *sizes) if `record_varying`, else `sizes`. Strings are `str`.
    attributes : dict
        Variable attributes, such as UNITS, FILLVAL, DEPEND_1.
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
        return str(self.attributes.get("UNITS", "")).strip()

    def masked(self) -> npt.NDArray[Any]:
        """Give the values with fill and invalid ones as NaN (floating point types only; others are returned as they are).

        A value is taken as missing if it equals FILLVAL, is at or below -1e30 (ISTP's fill for real numbers, whatever FILLVAL
        says), or lies outside scalar VALIDMIN and VALIDMAX.
        """
        if self.values.dtype.kind != "f":
            return self.values
        bad = self.values <= -1e30
        for key, is_bad in (("FILLVAL", np.equal), ("VALIDMIN", np.less), ("VALIDMAX", np.greater)):
            limit = self.attributes.get(key)
            # Attributes of real files are not always numbers: FILLVAL can be a string, VALIDMIN an array an axis.
            if limit is not None and np.ndim(limit) == 0 and np.asarray(limit).dtype.kind in "fiu":
                bad |= is_bad(self.values, limit)
        return np.where(bad, np.asarray(np.nan, dtype=self.values.dtype), self.values)


@dataclass(frozen=True)
class CdfFile:
    """What was read of one file: its variables by name and its global attributes."""

    path: Path
    variables: dict[str, CdfVariable]
    attributes: dict[str, list[Any]]

    @property
    def simulated(self) -> bool:
        """Whether a global attribute says that the file is simulated."""
        return any("SIMULATED" in str(entry) for entries in self.attributes.values() for entry in entries)

    def __getitem__(self, name: str) -> CdfVariable:
        return self.variables[name]

    def __contains__(self, name: object) -> bool:
        return name in self.variables


def read_cdf(path: str | PathLike[str], names: Iterable[str], *, optional: Iterable[str] = ()) -> CdfFile:
    """Read the named variables of a CDF file and no others.

    Parameters
    ----------
    path : path-like
        The file.
    names : iterable of str
        Variables that must be there.
    optional : iterable of str
        Variables that are read if they are there.

    Returns
    -------
    CdfFile
        The variables found and the global attributes.

    Raises
    ------
    FileError
        If the file is missing, is not a CDF (a web page, for example), is cut short, is damaged, or lacks a variable of `names`.
    """
    source = Path(path)
    _check_whole(source)
    try:
        content = cdflib.CDF(source)
        info = content.cdf_info()
        present = {*info.rVariables, *info.zVariables}
        wanted = list(dict.fromkeys([*names, *(name for name in optional if name in present)]))
        missing = [name for name in wanted if name not in present]
        variables = {} if missing else {name: _read_variable(content, name) for name in wanted}
        attributes = {str(key): list(value) for key, value in content.globalattsget().items()}
    except Exception as error:  # cdflib raises whatever its parsing of damaged bytes runs into
        raise FileError(source, "a readable CDF file", f"damage ({type(error).__name__}: {error})", _AGAIN) from error
    if missing:
        raise FileError(
            source,
            f"the variables {', '.join(names)}",
            f"none called {', '.join(missing)} (it has {', '.join(sorted(present))})",
            "check that the file is of the product you named",
        )
    return CdfFile(source, variables, attributes)


def _read_variable(content: cdflib.CDF, name: str) -> CdfVariable:
    description = content.varinq(name)
    sizes = tuple(int(size) for size in description.Dim_Sizes)
    attributes = {str(key): _scalar(value) for key, value in content.varattsget(name).items()}
    records = int(description.Last_Rec) + 1
    if records <= 0:
        # cdflib raises on a variable without records.
        values: npt.NDArray[Any] = np.empty((0, *sizes))
    else:
        values = np.asarray(content.varget(name))
    if description.Data_Type_Description == "CDF_EPOCH16":
        sizes = (*sizes, 2) if values.dtype.kind == "f" else sizes
    # cdflib drops axes of length one; the file's own sizes bring them back.
    shape = (records, *sizes) if description.Rec_Vary else sizes
    if values.size == int(np.prod(shape)):
        values = values.reshape(shape)
    elif records > 0:
        raise ValueError(f"variable {name} has {values.size} values where its description says {shape}")
    return CdfVariable(name, str(description.Data_Type_Description), values, attributes, bool(description.Rec_Vary))


def _scalar(value: Any) -> Any:
    array = np.asarray(value)
    return array.reshape(-1)[0].item() if array.size == 1 and array.dtype.kind in "fiu" else value


def _check_whole(path: Path) -> None:
    """Check the first bytes, and that the file is as long as its own header says.

    A CDF cut short opens without an error, because the header is at its front; the end of file stands in its Global Descriptor
    Record (CDF Internal Format Description, sections 2.2 and 2.3).
    """
    if not path.is_file():
        raise FileError(path, "a CDF file", "no file", "check the path, or fetch it")
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(512)
        if not is_cdf(head):
            kind = "an empty file" if size == 0 else "a web page (HTML or XML)" if looks_like_html(head) else f"{head[:8]!r}"
            raise FileError(path, "a CDF file", kind, _AGAIN)
        if head[4:8] == COMPRESSED:
            return  # compressed as a whole: the inflating itself fails on a file cut short
        word = 8 if head[:4] == VERSION_3 else 4
        # The CDF Descriptor Record stands at byte 8: its size (a word), its type (4 bytes), the offset of the next record (a word).
        at = 8 + word + 4
        stream.seek(int.from_bytes(head[at : at + word], "big") + word + 4 + 3 * word)
        end = int.from_bytes(stream.read(word), "big")
    if end > size or end == 0:
        raise FileError(path, f"{end} bytes as its header says", f"{size} bytes: the file is cut short", _AGAIN)
