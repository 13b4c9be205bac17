"""Reading CDF files with cdflib: slower, and independent of the reader here, for a file that this one gets wrong."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from deflate import DeflateError

from ringdecay.cdf.content import CdfFile, CdfVariable, lacks
from ringdecay.cdf.records import read_head
from ringdecay.cdf.source import AGAIN, find, opened
from ringdecay.errors import FileError

# What cdflib raises for damaged files: it has no errors of its own.
_FAULTS = (
    OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, MemoryError, OverflowError,
    struct.error, zlib.error, DeflateError,
)  # fmt: skip


def read_with_cdflib(path: Path, names: Iterable[str], optional: Iterable[str]) -> CdfFile:
    """Read the named variables of a CDF file as `read_cdf` does, with cdflib.

    Parameters
    ----------
    path : Path
        The file.
    names, optional : iterable of str
        Variables that must be there, and that are read if they are there.

    Raises
    ------
    FileError
        If the file is missing, is not a CDF, is cut short, cannot be read by cdflib, or lacks a variable of `names`.
    """
    import cdflib  # noqa: PLC0415 - few need it

    with opened(find(path)) as source:
        # cdflib takes a file that is cut in its last bytes for whole.
        read_head(source)
    try:
        file = cdflib.CDF(path)
        info = file.cdf_info()
        there = [*info.rVariables, *info.zVariables]
        required = list(names)
        missing = [name for name in required if name not in there]
        wanted = dict.fromkeys([*required, *(name for name in optional if name in there)]) if not missing else ()
        content = CdfFile(path, {name: _variable(file, name) for name in wanted}, _lists(file.globalattsget()))
    except _FAULTS as error:
        raise FileError(path, "a CDF file that cdflib can read", f"{type(error).__name__}: {error}", AGAIN) from error
    if missing:
        raise lacks(path, required, missing, there)
    return content


def _variable(file: Any, name: str) -> CdfVariable:
    inquiry = file.varinq(name)
    sizes = tuple(inquiry.Dim_Sizes)
    varies = bool(inquiry.Rec_Vary)
    shape = (inquiry.Last_Rec + 1, *sizes) if varies else sizes
    # cdflib drops axes of length one, and cannot read a variable without records.
    values = np.zeros(shape) if 0 in shape else np.asarray(file.varget(name)).reshape(shape)
    attributes = {key: value.item() if isinstance(value, np.generic) else value for key, value in file.varattsget(name).items()}
    return CdfVariable(name, inquiry.Data_Type_Description, values, attributes, varies)


def _lists(attributes: dict[str, Any]) -> dict[str, list[Any]]:
    return {key: value if isinstance(value, list) else [value] for key, value in attributes.items()}
