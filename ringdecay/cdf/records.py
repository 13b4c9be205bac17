"""The descriptor records of a CDF file: what variables it has and where their values are.

Layouts are those of NASA's "CDF Internal Format Description" (chapter 2): all numbers big-endian; offsets and record sizes have
eight bytes in version 3 and four before. Nothing is believed: each record must be whole, of the kind that is due and met only once
(so that a list cannot run in a circle), and every list must have as many members as its head says.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import Any

from ringdecay.cdf.inflate import check_method, check_ratio, inflate
from ringdecay.cdf.signature import COMPRESSED, VERSION_3
from ringdecay.cdf.source import Source, check_signature, cut_short, damaged
from ringdecay.cdf.types import NOT_READ, byte_order, is_text, stored_dtype, to_text, type_name
from ringdecay.errors import FileError

CDR, GDR, RVDR, ADR, GR_ENTRY, VXR, VVR, ZVDR, Z_ENTRY, CCR, CPR, CVVR = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13
_KINDS = {
    CDR: "file descriptor", GDR: "global descriptor", RVDR: "variable descriptor", ADR: "attribute descriptor", GR_ENTRY: "attribute entry",
    VXR: "variable index", VVR: "variable values", ZVDR: "variable descriptor", Z_ENTRY: "attribute entry", CCR: "compressed file",
    CPR: "compression", CVVR: "compressed values",
}  # fmt: skip
# What follows size and type in a record of each kind; W is an offset.
_FIELDS = {
    CDR: "W7i", GDR: "4W5iW3i", RVDR: "W2i2W7iWi", ADR: "2W5iW3i", GR_ENTRY: "W9i", VXR: "W2i", VVR: "", ZVDR: "W2i2W7iWi", Z_ENTRY: "W9i",
    CCR: "2Wi", CPR: "3i", CVVR: "iW",
}  # fmt: skip
_STRUCTS = {
    (word, kind): struct.Struct(">Wi".replace("W", code) + fields.replace("W", code))
    for word, code in ((8, "q"), (4, "i"))
    for kind, fields in _FIELDS.items()
}
#: By the bytes of an offset: size, kind, a reserved number, and the size of what is packed in a compressed block.
COMPRESSED_HEADS = {word: _STRUCTS[word, CVVR] for word in (8, 4)}
# CDF_MAX_DIMS of NASA's library.
_MOST_AXES = 10
# NASA's library counts the bytes of a record in 32 bits.
_LARGEST_RECORD = 2**31 - 1
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
    """Where and how the values of a variable are stored.

    Attributes
    ----------
    name, type_number, elements
        Name, data type, and characters of a text (1 for numbers).
    records, record_varying, sizes
        Number of records, whether there is one each, and the sizes of the axes along which the variable varies.
    order, row_major, word
        As in `Head`.
    index
        Offset of its first index record; 0 if nothing is stored.
    sparse
        What stands for a record that is not stored: 2 is the record before it, 0 and 1 are a value (FILLVAL or `pad`).
    compression
        Method, 0 for none.
    pad
        One value as bytes of the file; empty if the file names none.
    """

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


def record(source: Source, word: int, offset: int, kind: int) -> tuple[int, int, tuple[Any, ...]]:
    """Read the record of a kind at `offset` and check that it is whole.

    Returns
    -------
    at, end : int
        Where that part of the record begins that differs from one to the next, and where it ends.
    fields : tuple of int
        What stands between its type and `at`.
    """
    layout = _STRUCTS[word, kind]
    # Nothing but the signature can stand before byte 8.
    if offset < 8:
        raise damaged(source.path, f"the offset of a record ({_KINDS[kind]})", f"{offset}")
    fields = layout.unpack(source.peek(offset, layout.size))
    size, found = fields[0], fields[1]
    if found != kind:
        raise damaged(source.path, f"a record ({_KINDS[kind]}) at byte {offset}", f"one of type {found}")
    if size < layout.size or offset + size > source.size:
        most = source.size - offset
        raise damaged(source.path, f"a record ({_KINDS[kind]}) of {layout.size} to {most} bytes at byte {offset}", f"{size} bytes")
    return offset + layout.size, offset + size, fields[2:]


def kind_of(source: Source, word: int, offset: int) -> int:
    """Type of the record at `offset`."""
    return int.from_bytes(source.peek(offset + word, 4), "big", signed=True)


def read_head(source: Source) -> tuple[Source, Head]:
    """Read what holds for the whole file; of a file compressed as a whole, unpack it first and give its content as the source."""
    magic = check_signature(source)
    word = 8 if magic[:4] == VERSION_3 else 4
    if magic[4:8] == COMPRESSED:
        source = _unpack(source, word, magic[:4])
    _, _, (gdr, version, release, encoding, flags, _, _, increment) = record(source, word, 8, CDR)
    if (version != 3) if word == 8 else (version != 2 or release < 5):
        raise FileError(source.path, "CDF version 2.5 to 3", f"{version}.{release}.{increment}", "convert it with NASA's cdfconvert")
    if not flags & 2:
        raise FileError(source.path, "a CDF in a single file", "one in several files", "convert it with NASA's cdfconvert")
    if encoding in NOT_READ:
        raise FileError(
            source.path, "IEEE numbers of one byte order", f"the {NOT_READ[encoding]} encoding", "convert it with NASA's cdfconvert"
        )
    if not byte_order(encoding):
        raise damaged(source.path, "a known encoding", f"number {encoding}")
    at, gdr_end, fields = record(source, word, gdr, GDR)
    first_r, first_z, first_attribute, end, n_r, n_attributes, _, n_axes, n_z, *_ = fields
    if end > source.size:
        raise cut_short(source.path, end, source.size)
    if end < gdr_end:
        raise damaged(source.path, f"an end of file behind byte {gdr_end}", f"{end}")
    if min(n_r, n_z, n_attributes) < 0 or not 0 <= n_axes <= _MOST_AXES:
        raise damaged(source.path, "counts of variables, attributes and axes", f"{n_r}, {n_z}, {n_attributes}, {n_axes}")
    r_sizes = _integers(source, at, n_axes, gdr_end)
    return source, Head(
        word, 256 if word == 8 else 64, byte_order(encoding), bool(flags & 1), flags & 12 == 12, end,
        first_r, first_z, first_attribute, n_r, n_z, n_attributes, r_sizes,
    )  # fmt: skip


def _unpack(source: Source, word: int, magic: bytes) -> Source:
    at, end, (parameters, unpacked, _) = record(source, word, 8, CCR)
    method = _method(source, word, parameters)
    stored = end - at
    check_method(source, method, "the whole file")
    check_ratio(source, method, stored, unpacked, "the file")
    if unpacked < 0:
        raise damaged(source.path, "the size of the unpacked file", f"{unpacked}")
    try:
        content = bytearray(unpacked + 8)
    except MemoryError as error:
        raise FileError(
            source.path, "a file that fits in memory", f"{unpacked} bytes unpacked", "use a machine with more memory"
        ) from error
    content[:8] = magic + b"\0\0\xff\xff"
    inflate(source, at, stored, method, memoryview(content)[8:], "the file")
    return Source(source.path, len(content), source.descriptor, content)


def _method(source: Source, word: int, offset: int) -> int:
    return int(record(source, word, offset, CPR)[2][0])


def read_name(source: Source, head: Head, at: int, end: int) -> str:
    """Read the name at `at`; it must be text that can be shown."""
    if at + head.name_size > end:
        raise damaged(source.path, f"a name of {head.name_size} bytes at byte {at}", f"the record ends at byte {end}")
    name = to_text(source.peek(at, head.name_size))
    if not name.isprintable():
        raise damaged(source.path, f"a name at byte {at}", repr(name))
    return name


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
        offset = first
        while offset and len(found) < count:
            once(source, offset, seen)
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


def once(source: Source, offset: int, seen: set[int]) -> None:
    """Refuse a record that was met before, and remember it."""
    if offset in seen:
        raise damaged(source.path, "each record in one place of one list", f"the record at byte {offset} twice")
    seen.add(offset)


def _read_layout(source: Source, head: Head, offset: int, kind: int, position: int) -> tuple[Layout, int]:
    at, end, values = record(source, head.word, offset, kind)
    following, number, last, index, _, flags, sparse, _, _, _, elements, own_number, parameters, _ = values
    name = read_name(source, head, at, end)
    at += head.name_size
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
    if prod(sizes) * stored_dtype(number, elements, head.order).itemsize > _LARGEST_RECORD:
        raise damaged(source.path, f"at most {_LARGEST_RECORD} bytes a record of {name}", f"axes of {sizes}")
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
