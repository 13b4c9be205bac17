"""What every byte of a sound CDF file is for: the map that the fuzz test chooses bytes by and judges changes with.

A walk of its own over the records of a file ("CDF Internal Format Description", chapter 2), so that the reader under test is not judged by
itself. It believes what it reads and is only for files that are sound.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

# What a byte is for. A change of the first group changes what the file says and no reader can know; of the second group a reader can know,
# or need not care.
FREE = ("value", "pad", "meaning", "name", "attribute")
KNOWN = ("magic", "size", "type", "offset", "count", "compressed", "unused", "gap", "after")
CLASSES = FREE + KNOWN
NOBODY = -1
_GZIP = 5


@dataclass
class Map:
    """Class and owner (place in `names`, or NOBODY) of every byte, and the fields of the records as (offset, length).

    `end` is the length that the file says it has, and `head` the first byte after the records that say so.
    """

    classes: npt.NDArray[np.int8]
    owners: npt.NDArray[np.int16]
    end: int
    head: int = 0
    names: list[str] = field(default_factory=list)
    records: list[int] = field(default_factory=list)
    fields: list[tuple[int, int]] = field(default_factory=list)


def _layouts(word: int, name: int) -> dict[int, list[tuple[int, str]]]:
    """Give the fields of each kind of record after its size and type, in bytes, as far as they are of fixed length."""
    return {
        1: [(word, "offset"), *[(4, "meaning")] * 4, (4, "unused"), (4, "unused"), (4, "unused"), (4, "unused"), (4, "unused")],
        2: [*[(word, "offset")] * 3, (word, "count"), (4, "count"), (4, "count"), (4, "meaning"), (4, "count"), (4, "count"),
            (word, "unused"), (4, "unused"), (4, "unused"), (4, "unused")],
        3: [(word, "offset"), (4, "meaning"), (4, "meaning"), (word, "offset"), (word, "offset"), (4, "meaning"), (4, "meaning"),
            (4, "unused"), (4, "unused"), (4, "unused"), (4, "meaning"), (4, "attribute"), (word, "offset"), (4, "unused"), (name, "name")],
        4: [(word, "offset"), (word, "offset"), (4, "attribute"), (4, "attribute"), (4, "count"), (4, "count"), (4, "unused"),
            (word, "offset"), (4, "count"), (4, "count"), (4, "unused"), (name, "attribute")],
        5: [(word, "offset"), *[(4, "attribute")] * 4, *[(4, "unused")] * 5],
        6: [(word, "offset"), (4, "count"), (4, "count")],
        10: [(word, "offset"), (word, "count"), (4, "unused")],
        11: [(4, "count"), (4, "unused"), (4, "count"), (4, "unused")],
        13: [(4, "unused"), (word, "count")],
    }  # fmt: skip


# What the rest of a record is, after the fields of fixed length.
_REST = {
    1: "unused", 2: "meaning", 3: "meaning", 4: "unused", 5: "attribute", 6: "unused", 7: "value", 10: "compressed", 11: "unused",
    13: "compressed",
}  # fmt: skip


class _Walk:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.word, self.name = (8, 256) if content[:2] == b"\xcd\xf3" else (4, 64)
        self.map = Map(
            np.full(len(content), CLASSES.index("gap"), dtype=np.int8), np.full(len(content), NOBODY, dtype=np.int16), len(content)
        )
        self.layouts = _layouts(self.word, self.name)

    def number(self, offset: int, length: int) -> int:
        return int.from_bytes(self.content[offset : offset + length], "big", signed=True)

    def mark(self, offset: int, length: int, kind: str, owner: int = NOBODY, *, is_field: bool = True) -> int:
        self.map.classes[offset : offset + length] = CLASSES.index(kind)
        self.map.owners[offset : offset + length] = owner
        if is_field and length in (4, 8):
            self.map.fields.append((offset, length))
        return offset + length

    def record(self, offset: int, owner: int = NOBODY) -> tuple[int, int, int]:
        """Mark one record; give its kind, the place after its fixed fields, and its end."""
        end = offset + self.number(offset, self.word)
        kind = self.number(offset + self.word, 4)
        self.map.records.append(offset)
        at = self.mark(offset, self.word, "size")
        at = self.mark(at, 4, "type")
        plain = {8: 3, 9: 5}.get(kind, kind)
        for length, what in self.layouts.get(plain, []):
            at = self.mark(at, length, what, owner)
        self.mark(at, end - at, _REST.get(plain, "unused"), owner, is_field=False)
        return kind, at, end

    def all_records(self, start: int, end: int) -> None:
        """Mark everything that lies between, used or not."""
        at = start
        while at < end:
            _, _, following = self.record(at)
            at = following

    def variables(self, gdr: int) -> None:
        w = self.word
        n_axes = self.number(gdr + w + 4 + 4 * w + 12, 4)
        for place in (0, 1):
            at = self.number(gdr + w + 4 + place * w, w)
            while at:
                owner = len(self.map.names)
                kind, rest, end = self.record(at, owner)
                self.map.names.append(self.content[rest - self.name : rest].split(b"\0")[0].decode())
                count = self.number(rest, 4) if kind == 8 else n_axes
                axes = 4 + 8 * count if kind == 8 else 4 * count
                self.mark(rest, axes, "meaning", owner, is_field=False)
                self.map.fields += [(rest + i, 4) for i in range(0, axes, 4)]
                self.mark(rest + axes, end - rest - axes, "pad", owner, is_field=False)
                flags = at + w + 4 + w + 8 + 2 * w
                packing = self.number(flags + 4 * 7, w) if self.number(flags, 4) & 4 else 0
                checked = bool(packing) and self.number(packing + w + 4, 4) == _GZIP
                self.index(self.number(at + w + 4 + w + 8, w), owner, checked=checked)
                at = self.number(at + w + 4, w)

    def index(self, at: int, owner: int, *, checked: bool) -> None:
        w = self.word
        while at:
            _, rest, _ = self.record(at, owner)
            entries, used = self.number(rest - 8, 4), self.number(rest - 4, 4)
            for i in range(used):
                self.mark(rest + 4 * i, 4, "meaning", owner)
                self.mark(rest + 4 * (entries + i), 4, "meaning", owner)
                place = rest + 8 * entries + w * i
                self.mark(place, w, "offset", owner)
                target = self.number(place, w)
                kind = self.number(target + w, 4)
                if kind == 6:
                    self.index(target, owner, checked=checked)
                    continue
                _, first, end = self.record(target, owner)
                if kind == 13 and not checked:
                    self.mark(first, end - first, "value", owner, is_field=False)
            at = self.number(at + w + 4, w)


def byte_map(content: bytes) -> Map:
    """Map a sound file; a file that is compressed as a whole has no owners."""
    walk = _Walk(content)
    walk.mark(0, 8, "magic")
    if content[4:8] == b"\xcc\xcc\x00\x01":
        walk.all_records(8, len(content))
        walk.map.head = 8 + 2 * walk.word + 4
        return walk.map
    gdr = walk.number(8 + walk.word + 4, walk.word)
    end = walk.number(gdr + walk.word + 4 + 3 * walk.word, walk.word)
    walk.all_records(8, end)
    walk.variables(gdr)
    walk.mark(end, len(content) - end, "after", is_field=False)
    walk.map.end, walk.map.head = end, gdr + walk.number(gdr, walk.word)
    walk.map.records = sorted(set(walk.map.records))
    walk.map.fields = sorted(set(walk.map.fields))
    return walk.map
