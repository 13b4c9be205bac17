"""The descriptor records of a CDF file: what variables and attributes it has and where they are.

Layouts are those of NASA's "CDF Internal Format Description" (chapter 2): all numbers big-endian; offsets and record sizes have
eight bytes in version 3 and four before. Nothing is believed: each record must be whole, of the kind that is due and met only once
(so that a list cannot run in a circle), and every list must have as many members as its head says.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ringdecay.cdf.inflate import check_method, check_ratio, inflate
from ringdecay.cdf.signature import COMPRESSED, VERSION_3
from ringdecay.cdf.source import Source, check_signature, cut_short, damaged
from ringdecay.cdf.types import VAX, byte_order, is_text, stored_dtype, to_text, type_name
from ringdecay.errors import FileError

CDR, GDR, RVDR, ADR, GR_ENTRY, VXR, VVR, ZVDR, Z_ENTRY, CCR, CPR, CVVR = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13
_KINDS = {
    CDR: "file descriptor", GDR: "global descriptor", RVDR: "variable descriptor", ADR: "attribute descriptor", GR_ENTRY: "attribute entry",
    VXR: "variable index", VVR: "variable values", ZVDR: "variable descriptor", Z_ENTRY: "attribute entry", CCR: "compressed file",
    CPR: "compression", CVVR: "compressed values",
}  # fmt: skip
# CDF_MAX_DIMS of NASA's library.
_MOST_AXES = 10
_VARYING, _HAS_PAD, _IS_COMPRESSED = 1, 2, 4


@dataclass(frozen=True)
class Head:
    """What holds for the whole file.

    Attributes
    ----------
    word : int
        Bytes of an offset, 8 or 4.
    name_size : int
        Bytes of a name, 256 or 64.
    order : {">", "<"}
        Byte order of the values.
    row_major, checksum : bool
        Whether the last axis of a record varies fastest; whether an MD5 of the file stands at its end.
    end : int
        Length of the file as it says itself.
    first_r, first_z, first_attribute, n_r, n_z, n_attributes : int
        Offsets of the first, and numbers of, rVariables, zVariables and attributes.
    r_sizes : tuple of int
        Sizes of the axes that all rVariables share.
    """

    word: int
    name_size: int
    order: str
    row_major: bool
    checksum: bool
    end: int
    first_r: int
    first_z: int
    first_attribute: int
    n_r: int
    n_z: int
    n_attributes: int
    r_sizes: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """Where and how the values of a variable are stored; `sizes` are those of the axes along which it varies."""

    name: str
    type_number: int
    elements: int
    records: int
    record_varying: bool
    sizes: tuple[int, ...]
    order: str
    row_major: bool
    word: int
    index: int
    sparse: int
    compression: int
    pad: bytes

    @property
    def record_bytes(self) -> int:
        """Bytes of one record."""
        return prod(self.sizes) * stored_dtype(self.type_number, self.elements, self.order).itemsize


@dataclass(frozen=True)
class Entry:
    """One entry of an attribute, as bytes of the file."""

    number: int
    type_number: int
    elements: int
    content: bytes


@dataclass(frozen=True)
class Attribute:
    """An attribute: entries of the file, or of the variables by their number in the list of rVariables or of zVariables."""

    name: str
    of_file: bool
    r_entries: tuple[Entry, ...]
    z_entries: tuple[Entry, ...]


def record(source: Source, word: int, offset: int, kinds: tuple[int, ...], least: int) -> tuple[int, int]:
    """Check the record at `offset`: of one of `kinds`, with at least `least` bytes, and whole. Gives its kind and its size."""
    what = _KINDS[kinds[0]]
    # Nothing but the signature can stand before byte 8.
    if offset < 8:
        raise damaged(source.path, f"the offset of a record ({what})", f"{offset}")
    size, kind = struct.unpack(">qi" if word == 8 else ">ii", source.peek(offset, word + 4))
    if kind not in kinds:
        raise damaged(source.path, f"a record ({what}) at byte {offset}", f"one of type {kind}")
    if size < least or offset + size > source.size:
        raise damaged(source.path, f"a record ({what}) of {least} to {source.size - offset} bytes at byte {offset}", f"{size} bytes")
    return kind, size


def read_head(source: Source) -> tuple[Source, Head]:
    """Read what holds for the whole file; of a file compressed as a whole, unpack it first and give its content as the source."""
    magic = check_signature(source)
    word = 8 if magic[:4] == VERSION_3 else 4
    if magic[4:8] == COMPRESSED:
        source = _unpack(source, word, magic[:4])
    code = "q" if word == 8 else "i"
    record(source, word, 8, (CDR,), 2 * word + 4 + 9 * 4)
    layout = f">{code}7i"
    gdr, version, release, encoding, flags, _, _, increment = struct.unpack(
        layout, source.peek(8 + word + 4, struct.calcsize(layout))
    )
    if (version != 3) if word == 8 else (version != 2 or release < 5):
        raise FileError(source.path, "CDF version 2.5 to 3", f"{version}.{release}.{increment}", "convert it with NASA's cdfconvert")
    if not flags & 2:
        raise FileError(source.path, "a CDF in a single file", "one in several files", "convert it with NASA's cdfconvert")
    if encoding in VAX:
        raise FileError(source.path, "IEEE numbers", f"the {VAX[encoding]} encoding", "convert it with NASA's cdfconvert")
    if not byte_order(encoding):
        raise damaged(source.path, "a known encoding", f"number {encoding}")
    layout = f">4{code}5i{code}3i"
    _, size = record(source, word, gdr, (GDR,), word + 4 + struct.calcsize(layout))
    first_r, first_z, first_attribute, end, n_r, n_attributes, _, n_axes, n_z, *_ = struct.unpack(
        layout, source.peek(gdr + word + 4, struct.calcsize(layout))
    )
    if end > source.size:
        raise cut_short(source.path, end, source.size)
    if end < gdr + size:
        raise damaged(source.path, f"an end of file behind byte {gdr + size}", f"{end}")
    if min(n_r, n_z, n_attributes) < 0 or not 0 <= n_axes <= _MOST_AXES:
        raise damaged(source.path, "counts of variables, attributes and axes", f"{n_r}, {n_z}, {n_attributes}, {n_axes}")
    at = word + 4 + struct.calcsize(layout)
    r_sizes = _integers(source, gdr + at, n_axes, gdr + size) if n_axes else ()
    return source, Head(
        word, 256 if word == 8 else 64, byte_order(encoding), bool(flags & 1), flags & 12 == 12, end,
        first_r, first_z, first_attribute, n_r, n_z, n_attributes, r_sizes,
    )  # fmt: skip


def _unpack(source: Source, word: int, magic: bytes) -> Source:
    code = "q" if word == 8 else "i"
    _, size = record(source, word, 8, (CCR,), 3 * word + 8)
    parameters, unpacked = struct.unpack(f">2{code}", source.peek(8 + word + 4, 2 * word))
    method = _method(source, word, parameters)
    stored = size - (3 * word + 8)
    check_method(source, method, "the whole file")
    check_ratio(source, method, stored, unpacked, "the file")
    if unpacked < 0:
        raise damaged(source.path, "the size of the unpacked file", f"{unpacked}")
    try:
        content = bytearray(unpacked + 8)
    except MemoryError as error:
        raise FileError(source.path, "a file that fits in memory", f"{unpacked} bytes unpacked", "use a machine with more memory") from error
    content[:8] = magic + b"\0\0\xff\xff"
    inflate(source, 8 + 3 * word + 8, stored, method, memoryview(content)[8:], "the file")
    return Source(source.path, len(content), source.descriptor, content)


def _method(source: Source, word: int, offset: int) -> int:
    record(source, word, offset, (CPR,), word + 4 + 12)
    return int(struct.unpack(">i", source.peek(offset + word + 4, 4))[0])


def _integers(source: Source, offset: int, count: int, end: int) -> tuple[int, ...]:
    if offset + 4 * count > end:
        raise damaged(source.path, f"{count} numbers at byte {offset}", f"the record ends at byte {end}")
    return struct.unpack(f">{count}i", source.peek(offset, 4 * count))


def read_layouts(source: Source, head: Head) -> tuple[list[Layout], list[Layout]]:
    """Read the descriptors of all rVariables and all zVariables, in the order of their numbers."""
    seen: set[int] = set()
    names: set[str] = set()
    lists: list[list[Layout]] = []
    for kind, first, count in ((RVDR, head.first_r, head.n_r), (ZVDR, head.first_z, head.n_z)):
        found: list[Layout] = []
        offset = first if count else 0
        while offset and len(found) < count:
            _once(source, offset, seen)
            layout, following = _read_layout(source, head, offset, kind, len(found))
            if layout.name in names:
                raise damaged(source.path, "variables of different names", f"two called {layout.name!r}")
            names.add(layout.name)
            found.append(layout)
            offset = following
        if len(found) != count or offset:
            raise damaged(source.path, f"{count} {'r' if kind == RVDR else 'z'}Variables", f"a list of {'more' if offset else len(found)}")
        lists.append(found)
    return lists[0], lists[1]


def _once(source: Source, offset: int, seen: set[int]) -> None:
    if offset in seen:
        raise damaged(source.path, "each record in one place of one list", f"the record at byte {offset} twice")
    seen.add(offset)


def _read_layout(source: Source, head: Head, offset: int, kind: int, position: int) -> tuple[Layout, int]:
    code = "q" if head.word == 8 else "i"
    layout = f">{code}2i2{code}7i{code}i"
    fixed = head.word + 4 + struct.calcsize(layout)
    _, size = record(source, head.word, offset, (kind,), fixed + head.name_size)
    values = struct.unpack(layout, source.peek(offset + head.word + 4, fixed - head.word - 4))
    following, number, last, index, _, flags, sparse, _, _, _, elements, own_number, parameters, _ = values
    name = to_text(source.peek(offset + fixed, head.name_size))
    at, end = offset + fixed + head.name_size, offset + size
    axes: tuple[int, ...] = head.r_sizes
    if kind == ZVDR:
        (n_axes,) = _integers(source, at, 1, end)
        if not 0 <= n_axes <= _MOST_AXES:
            raise damaged(source.path, f"0 to {_MOST_AXES} axes of {name}", f"{n_axes}")
        axes = _integers(source, at + 4, n_axes, end)
        at += 4 + 4 * n_axes
    varying = _integers(source, at, len(axes), end)
    at += 4 * len(axes)
    _check_variable(source, name, number, elements, last, axes, varying, sparse)
    if own_number != position:
        raise damaged(source.path, f"variable {name} to be number {position}", f"{own_number}")
    record_varying = bool(flags & _VARYING)
    if not record_varying and last > 0:
        raise damaged(source.path, f"one record of {name}, which does not vary", f"{last + 1}")
    pad = b""
    if flags & _HAS_PAD:
        width = stored_dtype(number, elements, head.order).itemsize
        if at + width > end:
            raise damaged(source.path, f"a pad value of {width} bytes of {name}", f"{end - at} bytes")
        pad = source.peek(at, width)
    compression = 0
    if flags & _IS_COMPRESSED:
        compression = _method(source, head.word, parameters)
        check_method(source, compression, f"variable {name}")
    sizes = tuple(axis for axis, varies in zip(axes, varying, strict=True) if varies)
    return Layout(
        name, number, elements, last + 1, record_varying, sizes, head.order, head.row_major, head.word, index, sparse, compression, pad
    ), following


def _check_variable(
    source: Source, name: str, number: int, elements: int, last: int, axes: tuple[int, ...], varying: tuple[int, ...], sparse: int
) -> None:
    if not name:
        raise damaged(source.path, "a name of each variable", "an empty one")
    if not type_name(number):
        raise damaged(source.path, f"a data type of {name}", f"number {number}")
    if elements < 1 or (elements != 1 and not is_text(number)) or elements > 2**31 - 1:
        raise damaged(source.path, f"one value an element of {name}", f"{elements}")
    if last < -1:
        raise damaged(source.path, f"the number of records of {name}", f"{last + 1}")
    if any(size < 1 for size in axes) or any(varies not in (0, -1, 1) for varies in varying):
        raise damaged(source.path, f"axes of {name}", f"sizes {axes}, varying {varying}")
    if sparse not in (0, 1, 2):
        raise damaged(source.path, f"sparse records of {name} of kind 0, 1 or 2", f"{sparse}")


def read_attributes(source: Source, head: Head) -> list[Attribute]:
    """Read all attributes, with their entries as bytes of the file."""
    code = "q" if head.word == 8 else "i"
    layout = f">2{code}5i{code}3i"
    fixed = head.word + 4 + struct.calcsize(layout)
    seen: set[int] = set()
    found: list[Attribute] = []
    offset = head.first_attribute if head.n_attributes else 0
    while offset and len(found) < head.n_attributes:
        _once(source, offset, seen)
        record(source, head.word, offset, (ADR,), fixed + head.name_size)
        following, first_gr, scope, number, n_gr, _, _, first_z, n_z, _, _ = struct.unpack(
            layout, source.peek(offset + head.word + 4, fixed - head.word - 4)
        )
        name = to_text(source.peek(offset + fixed, head.name_size))
        if scope not in (1, 2, 3, 4):
            raise damaged(source.path, f"a scope of attribute {name} of 1 to 4", f"{scope}")
        # Scopes 3 and 4 are "assumed": a library before version 2 did not say.
        of_file = scope in (1, 3)
        r_entries = _read_entries(source, head, first_gr, n_gr, GR_ENTRY, number, name, seen)
        z_entries = _read_entries(source, head, first_z, n_z, Z_ENTRY, number, name, seen)
        found.append(Attribute(name, of_file, r_entries, z_entries))
        offset = following
    if len(found) != head.n_attributes or offset:
        raise damaged(source.path, f"{head.n_attributes} attributes", f"a list of {'more' if offset else len(found)}")
    return found


def _read_entries(
    source: Source, head: Head, first: int, count: int, kind: int, attribute: int, name: str, seen: set[int]
) -> tuple[Entry, ...]:
    code = "q" if head.word == 8 else "i"
    layout = f">{code}9i"
    fixed = head.word + 4 + struct.calcsize(layout)
    found: dict[int, Entry] = {}
    offset = first if count else 0
    if count < 0:
        raise damaged(source.path, f"the number of entries of attribute {name}", f"{count}")
    while offset and len(found) < count:
        _once(source, offset, seen)
        _, size = record(source, head.word, offset, (kind,), fixed)
        following, owner, number, entry, elements, *_ = struct.unpack(layout, source.peek(offset + head.word + 4, fixed - head.word - 4))
        if owner != attribute or entry < 0 or entry in found:
            raise damaged(source.path, f"an entry of attribute {name}", f"entry {entry} of attribute number {owner}")
        if not type_name(number) or elements < 0:
            raise damaged(source.path, f"a data type and a number of elements of attribute {name}", f"{number} and {elements}")
        # A text of no characters has a numpy type of no bytes, so bytes are counted here.
        width = elements if is_text(number) else elements * stored_dtype(number, 1, head.order).itemsize
        if fixed + width > size:
            raise damaged(source.path, f"{width} bytes of attribute {name}", f"a record of {size - fixed}")
        found[entry] = Entry(entry, number, elements, source.peek(offset + fixed, width))
        offset = following
    if len(found) != count or offset:
        raise damaged(source.path, f"{count} entries of attribute {name}", f"a list of {'more' if offset else len(found)}")
    return tuple(found.values())


def entry_value(entry: Entry, order: str) -> Any:
    """Give an attribute's value: text, a Python number, or an array if there is more than one."""
    if is_text(entry.type_number):
        return to_text(entry.content)
    values = np.frombuffer(entry.content, dtype=stored_dtype(entry.type_number, 1, order))
    return values[0].item() if values.size == 1 else values.astype(values.dtype.newbyteorder("="))
