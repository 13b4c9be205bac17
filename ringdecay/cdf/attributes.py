"""The attributes of a CDF file and of its variables, as they are stored and as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ringdecay.cdf.records import ADR, GR_ENTRY, Z_ENTRY, Head, once, read_name, record
from ringdecay.cdf.source import Source, damaged
from ringdecay.cdf.types import is_text, stored_dtype, to_text, type_name


class Entry(NamedTuple):
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


def read_attributes(source: Source, head: Head) -> list[Attribute]:
    """Read all attributes, with their entries as bytes of the file."""
    seen: set[int] = set()
    found: list[Attribute] = []
    offset = head.first_attribute
    while offset and len(found) < head.n_attributes:
        once(source, offset, seen)
        at, end, fields = record(source, head.word, offset, ADR)
        following, first_gr, scope, number, n_gr, _, _, first_z, n_z, _, _ = fields
        name = read_name(source, head, at, end)
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
    found: dict[int, Entry] = {}
    offset = first
    if count < 0:
        raise damaged(source.path, f"the number of entries of attribute {name}", f"{count}")
    while offset and len(found) < count:
        once(source, offset, seen)
        at, end, (following, owner, number, entry, elements, *_) = record(source, head.word, offset, kind)
        if owner != attribute or entry < 0 or entry in found:
            raise damaged(source.path, f"an entry of attribute {name}", f"entry {entry} of attribute number {owner}")
        if not type_name(number) or elements < 0:
            raise damaged(source.path, f"a data type and a number of elements of attribute {name}", f"{number} and {elements}")
        # A text of no characters has a numpy type of no bytes, so bytes are counted here.
        width = elements if is_text(number) else elements * stored_dtype(number, 1, head.order).itemsize
        if at + width > end:
            raise damaged(source.path, f"{width} bytes of attribute {name}", f"a record of {end - at}")
        found[entry] = Entry(entry, number, elements, source.peek(at, width))
        offset = following
    if len(found) != count or offset:
        raise damaged(source.path, f"{count} entries of attribute {name}", f"a list of {'more' if offset else len(found)}")
    return tuple(found.values())


def entry_dtype(entry: Entry, order: str) -> np.dtype[Any]:
    """Numpy type of one element of an attribute, and of the whole of a text."""
    return stored_dtype(entry.type_number, entry.elements, order)


def entry_value(entry: Entry, order: str) -> Any:
    """Give an attribute's value: text, a Python number, or an array if there is more than one."""
    if is_text(entry.type_number):
        return to_text(entry.content)
    values = np.frombuffer(entry.content, dtype=entry_dtype(entry, order))
    return values[0].item() if values.size == 1 else values.astype(values.dtype.newbyteorder("="))
