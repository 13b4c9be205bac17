"""Opening a CDF file, and reading chosen variables of it, with every fault of the file said in one sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ringdecay.cdf.attributes import Attribute, Entry, entry_dtype, entry_value, read_attributes
from ringdecay.cdf.blocks import Block, read_index, read_records
from ringdecay.cdf.content import CdfFile, CdfVariable, lacks, says_simulated, units_of
from ringdecay.cdf.inflate import GZIP, RLE
from ringdecay.cdf.records import Head, Layout, read_head, read_layouts
from ringdecay.cdf.source import Origin, Source, find, opened
from ringdecay.cdf.types import default_pad, native_dtype, stored_dtype, type_name
from ringdecay.cdf.with_cdflib import read_with_cdflib
from ringdecay.errors import unknown

#: Who can read a file; the first is the one that does.
READERS = ("ringdecay", "cdflib")
# A file of which most is read piece by piece comes into memory up to this size, as it is; daily files are far smaller
# (docs/performance.md).
_AT_ONCE = 2**26


@dataclass(frozen=True, eq=False)
class StoredVariable:
    """One variable whose values are still in the file. It can be pickled, and used by several threads at once.

    Attributes
    ----------
    name, type : str
        As those of `CdfVariable`.
    sizes : tuple of int
        Size of each axis along which the variable varies, without the records.
    records : int
        How many records there are; 1 for a variable that does not vary by record.
    record_varying : bool
        Whether there is a value a record.
    """

    name: str
    type: str
    sizes: tuple[int, ...]
    records: int
    record_varying: bool
    _handle: _Handle = field(repr=False)
    _layout: Layout = field(repr=False)
    _entries: tuple[tuple[str, Entry], ...] = field(repr=False)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Numpy type of the values."""
        return native_dtype(self._layout.type_number, self._layout.elements)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape that all values have together, as those of `CdfVariable`."""
        return (self.records, *self.sizes) if self.record_varying else self.sizes

    @property
    def units(self) -> str:
        """The UNITS attribute, or an empty string."""
        return units_of(self.attributes)

    @property
    def compression(self) -> str:
        """How the values are compressed, "GZIP", "RLE", or an empty string."""
        return {GZIP: "GZIP", RLE: "RLE"}.get(self._layout.compression, "")

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Variable attributes as those of `CdfVariable`."""
        return {name: entry_value(entry, self._layout.order) for name, entry in self._entries}

    def read(self, start: int | None = None, stop: int | None = None) -> npt.NDArray[Any]:
        """Read the values of records `start` to `stop` (not included), by default all.

        Parameters
        ----------
        start, stop : int, optional
            Records as in a slice: negative ones count from the end. Without meaning if the variable does not vary by record.

        Returns
        -------
        ndarray
            Shape ``(records read, *sizes)`` if `record_varying`, else `sizes`. Only the blocks of the file that hold these records are
            read and unpacked. Records that are not stored are the variable's pad value, or the record before if it says so.

        Raises
        ------
        FileError
            If the file is no longer the one that was opened, or is damaged.
        """
        with self._handle.reading() as source:
            return self._read_from(source, start, stop)

    def _read_from(self, source: Source, start: int | None, stop: int | None) -> npt.NDArray[Any]:
        if not self.record_varying:
            values: npt.NDArray[Any] = read_records(source, self._layout, self._index(source), 0, 1, self._missing())
            return values.reshape(self.sizes) if not self.sizes else values[0]
        first, last, _ = slice(start, stop).indices(self.records)
        return read_records(source, self._layout, self._index(source), first, max(first, last), self._missing())

    def _missing(self) -> bytes:
        """Give the value of records that are not stored: FILLVAL if it is of the variable's own type, as in NASA's library (3.9.1)."""
        layout = self._layout
        own = stored_dtype(layout.type_number, layout.elements, layout.order)
        for name, entry in self._entries:
            if name == "FILLVAL" and len(entry.content) == own.itemsize and entry_dtype(entry, layout.order) == own:
                return entry.content
        return layout.pad or default_pad(layout.type_number, layout.elements, layout.order)

    def _index(self, source: Source) -> tuple[Block, ...]:
        # Two threads may both find it; they find the same.
        found: tuple[Block, ...] | None = self.__dict__.get("_blocks")
        if found is None:
            found = self.__dict__["_blocks"] = read_index(source, self._layout)
        return found


@dataclass(frozen=True, eq=False)
class StoredFile:
    """A CDF file whose values are still in it: its variables by name, its global attributes, and what holds for the whole file."""

    path: Path
    variables: dict[str, StoredVariable]
    attributes: dict[str, list[Any]]
    head: Head = field(repr=False)
    _handle: _Handle = field(repr=False)

    @property
    def simulated(self) -> bool:
        """Whether a global attribute says that the file is simulated."""
        return says_simulated(self.attributes)

    @property
    def packed(self) -> bool:
        """Whether the file is compressed as a whole."""
        return self._handle.packed

    def __getitem__(self, name: str) -> StoredVariable:
        return self.variables[name]

    def __contains__(self, name: object) -> bool:
        return name in self.variables


@dataclass
class _Handle:
    """A file to be opened again for each reading, and what was packed in it if it is compressed as a whole."""

    origin: Origin
    packed: bool = False
    content: bytes | bytearray | None = None
    held: Source | None = None

    @contextmanager
    def reading(self) -> Iterator[Source]:
        if self.held is not None:
            yield self.held
            return
        with opened(self.origin) as source:
            if self.packed and self.content is None:
                self.content = read_head(source)[0].content
            yield source if self.content is None else replace(source, size=len(self.content), content=self.content)

    @contextmanager
    def holding(self, *, in_memory: bool) -> Iterator[Source]:
        """Open the file for more than one reading, and if wanted bring it into memory as it is."""
        with self.reading() as source:
            whole = in_memory and source.content is None
            self.held = replace(source, content=source.piece(0, source.size)) if whole else source
            try:
                yield self.held
            finally:
                self.held = None

    def __getstate__(self) -> dict[str, Any]:
        # What was unpacked stays here; another process unpacks it again when it reads.
        return {"origin": self.origin, "packed": self.packed, "content": None, "held": None}


def open_cdf(path: str | PathLike[str]) -> StoredFile:
    """Open a CDF file without reading values.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    StoredFile
        Its variables, which read their values when asked, and its global attributes. Nothing is kept open; a file compressed as a
        whole is unpacked into memory.

    Raises
    ------
    FileError
        If the file is missing, is not a CDF (a web page, for example), is cut short, is damaged, or is of a kind that is not read
        (VAX numbers, several files, Huffman compression, versions before 2.5).
    """
    given = Path(path)
    handle = _Handle(find(given))
    with handle.reading() as source:
        return _describe(given, handle, source)


def _describe(path: Path, handle: _Handle, source: Source) -> StoredFile:
    unpacked, head = read_head(source)
    handle.packed = unpacked is not source
    handle.content = unpacked.content if handle.packed else None
    r_layouts, z_layouts = read_layouts(unpacked, head)
    attributes = read_attributes(unpacked, head)
    own: dict[str, list[tuple[str, Entry]]] = {layout.name: [] for layout in (*r_layouts, *z_layouts)}
    for attribute in attributes:
        if not attribute.of_file:
            for layouts, entries in ((r_layouts, attribute.r_entries), (z_layouts, attribute.z_entries)):
                for entry in entries:
                    # An entry may outlive the variable that it was of.
                    if entry.number < len(layouts):
                        own[layouts[entry.number].name].append((attribute.name, entry))
    variables = {
        layout.name: StoredVariable(
            layout.name, type_name(layout.type_number), layout.sizes, layout.records if layout.record_varying else 1,
            layout.record_varying, handle, layout, tuple(own[layout.name]),
        )
        for layout in (*r_layouts, *z_layouts)
    }  # fmt: skip
    return StoredFile(path, variables, _of_file(attributes, head), head, handle)


def _of_file(attributes: list[Attribute], head: Head) -> dict[str, list[Any]]:
    return {
        attribute.name: [entry_value(entry, head.order) for entry in sorted(attribute.r_entries, key=lambda entry: entry.number)]
        for attribute in attributes
        if attribute.of_file and attribute.r_entries
    }


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
        As `open_cdf`, or if the file lacks a variable of `names`.
    """
    with reading_cdf(path, names, optional=optional) as (content, _):
        return content


@contextmanager
def reading_cdf(
    path: str | PathLike[str],
    names: Iterable[str],
    *,
    optional: Iterable[str] = (),
    later: Collection[str] = (),
    reader: str = READERS[0],
) -> Iterator[tuple[CdfFile, dict[str, StoredVariable | CdfVariable]]]:
    """Read variables of a CDF file as `read_cdf`, and hold it open for those that are read later, piece by piece.

    Parameters
    ----------
    path, names, optional
        As in `read_cdf`.
    later : collection of str
        Which of these variables are not read now; one that does not vary by record is.
    reader : {"ringdecay", "cdflib"}
        Who reads: the reader of this package, or cdflib, which has everything in memory at once and takes somewhat longer
        (docs/files.md), for a file that this one gets wrong.

    Yields
    ------
    content : CdfFile
        What was read.
    stored : dict of StoredVariable or CdfVariable
        What is read later, while the context lasts. The records of one should be asked for in their order: a block of which the first
        part was asked for is kept for the next piece.

    Raises
    ------
    FileError
        As `read_cdf`, and within the context as `StoredVariable.read`.
    """
    if reader not in READERS:
        raise unknown("reader", reader, READERS)
    required, given = list(names), Path(path)
    if reader == "cdflib":
        content = read_with_cdflib(given, required, optional)
        apart = {name: variable for name, variable in content.variables.items() if name in later and variable.record_varying}
        rest = {name: variable for name, variable in content.variables.items() if name not in apart}
        yield replace(content, variables=rest), {**apart}
        return
    handle = _Handle(find(given))
    with handle.holding(in_memory=bool(later) and handle.origin.size <= _AT_ONCE) as source:
        stored = _describe(given, handle, source)
        if handle.content is not None:
            handle.held = replace(source, size=len(handle.content), content=handle.content)
        missing = [name for name in required if name not in stored]
        if missing:
            raise lacks(stored.path, required, missing, stored.variables)
        wanted = [stored[name] for name in dict.fromkeys([*required, *(name for name in optional if name in stored)])]
        waiting: dict[str, StoredVariable | CdfVariable] = {
            variable.name: variable for variable in wanted if variable.name in later and variable.record_varying
        }
        now = {variable.name: _read_all(variable, handle.held or source) for variable in wanted if variable.name not in waiting}
        yield CdfFile(stored.path, now, stored.attributes), waiting


def _read_all(variable: StoredVariable, source: Source) -> CdfVariable:
    values = variable._read_from(source, None, None)
    return CdfVariable(variable.name, variable.type, values, variable.attributes, variable.record_varying)
