"""The values of one variable: which blocks of records there are, and reading those that hold the records asked for."""

from __future__ import annotations

import struct
from bisect import bisect_left
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ringdecay.cdf.inflate import MOST_UNPACKED, check_ratio, inflate
from ringdecay.cdf.records import COMPRESSED_HEADS, CVVR, VVR, VXR, Layout, kind_of, record
from ringdecay.cdf.source import Source, damaged
from ringdecay.cdf.types import stored_dtype, to_native
from ringdecay.errors import FileError

# NASA's library makes index trees of three levels at most.
_DEEPEST = 16
# Records that are not stored take memory that no byte of the file accounts for. More of it than this in one reading is refused.
_MOST_PADDING = 2**30


class Block(NamedTuple):
    """Records `first` to `last` (included): where their bytes are, how many, and whether they are compressed."""

    first: int
    last: int
    offset: int
    stored: int
    compressed: bool


def read_index(source: Source, layout: Layout) -> tuple[Block, ...]:
    """Find all blocks of a variable, in the order of their records.

    Raises
    ------
    FileError
        If the index runs in a circle, is deeper than any library makes it, gives a record twice, or points to a block that is not
        whole or does not hold what the index says.
    """
    blocks: list[Block] = []
    seen: set[int] = set()
    places: set[int] = set()
    # An index record, how deep it lies, and which records it may speak of.
    todo = [(layout.index, 1, 0, 2**31 - 1)] if layout.index else []
    while todo:
        offset, depth, least, most = todo.pop()
        if offset in seen or depth > _DEEPEST:
            raise damaged(source.path, f"an index of {layout.name} without circles", f"the record at byte {offset} again or too deep")
        seen.add(offset)
        following, entries = _read_index_record(source, layout, offset)
        if following:
            todo.append((following, depth, least, most))
        ordinary = _compressed_blocks(source, layout, entries, least, most, places) if layout.compression else None
        if ordinary is not None:
            blocks += ordinary
            continue
        for first, last, target in entries:
            if not least <= first <= last <= most:
                raise damaged(source.path, f"records {least} to {most} of {layout.name} in the index", f"{first} to {last}")
            kind = kind_of(source, layout.word, target)
            if kind == VXR:
                todo.append((target, depth + 1, first, last))
                continue
            if target in places:
                raise damaged(source.path, f"each block of {layout.name} once in the index", f"the one at byte {target} again")
            places.add(target)
            if kind == CVVR:
                blocks.append(_compressed_block(source, layout, first, last, target))
            else:
                blocks.append(_plain_block(source, layout, first, last, target))
    blocks.sort(key=lambda block: block.first)
    for one, other in pairwise(blocks):
        if other.first <= one.last:
            raise damaged(source.path, f"each record of {layout.name} in one block", f"record {other.first} in two")
    for one, other in pairwise(sorted(blocks, key=lambda block: block.offset)):
        if other.offset < one.offset + one.stored:
            raise damaged(source.path, f"each record of {layout.name} at a place of its own", f"two at byte {other.offset}")
    # The last record of a variable is stored always: it is the one that was written last.
    stored = blocks[-1].last + 1 if blocks else 0
    if layout.records > stored:
        raise damaged(source.path, f"{layout.records} records of {layout.name}", f"blocks for {stored}")
    return tuple(blocks)


def _compressed_blocks(
    source: Source, layout: Layout, entries: list[tuple[int, int, int]], least: int, most: int, places: set[int]
) -> list[Block] | None:
    """Read the entries of an index record without a word, if the file is in memory and all of them are sound compressed blocks.

    Returns
    -------
    list of Block, or None
        None where there is something else or anything wrong, for the caller to go through them again and say what.
    """
    content, head = source.content, COMPRESSED_HEADS[layout.word]
    if content is None:
        return None
    furthest, ratio, width = source.size - head.size, MOST_UNPACKED[layout.compression], layout.record_bytes
    blocks: list[Block] = []
    new: set[int] = set()
    for first, last, target in entries:
        if not (least <= first <= last <= most and 8 <= target <= furthest) or target in places or target in new:
            return None
        size, kind, _, stored = head.unpack_from(content, target)
        if kind != CVVR or size > source.size - target or not 0 < stored <= size - head.size or (last - first + 1) * width > ratio * stored:
            return None
        new.add(target)
        blocks.append(Block(first, last, target + head.size, stored, compressed=True))
    places |= new
    return blocks


def _read_index_record(source: Source, layout: Layout, offset: int) -> tuple[int, list[tuple[int, int, int]]]:
    at, end, (following, count, used) = record(source, layout.word, offset, VXR)
    code = "q" if layout.word == 8 else "i"
    if not 0 <= used <= count or at + count * (8 + layout.word) > end:
        raise damaged(source.path, f"an index of {layout.name} within its {end - at} bytes", f"{used} of {count} entries")
    content = source.peek(at, count * (8 + layout.word))
    first = struct.unpack_from(f">{used}i", content, 0)
    last = struct.unpack_from(f">{used}i", content, 4 * count)
    target = struct.unpack_from(f">{used}{code}", content, 8 * count)
    return following, list(zip(first, last, target, strict=True))


def _plain_block(source: Source, layout: Layout, first: int, last: int, offset: int) -> Block:
    at, end, _ = record(source, layout.word, offset, VVR)
    need = (last - first + 1) * layout.record_bytes
    if end - at < need:
        raise damaged(source.path, f"{need} bytes for records {first} to {last} of {layout.name}", f"{end - at}")
    return Block(first, last, at, need, compressed=False)


def _compressed_block(source: Source, layout: Layout, first: int, last: int, offset: int) -> Block:
    at, end, (_, stored) = record(source, layout.word, offset, CVVR)
    what = f"records {first} to {last} of {layout.name}"
    if not layout.compression:
        raise damaged(source.path, f"{what} uncompressed", "a compressed block")
    if not 0 < stored <= end - at:
        raise damaged(source.path, f"at most {end - at} bytes for {what}", f"{stored}")
    check_ratio(source, layout.compression, stored, (last - first + 1) * layout.record_bytes, what)
    return Block(first, last, at, stored, compressed=True)


def read_records(
    source: Source, layout: Layout, index: tuple[Block, ...], start: int, stop: int, missing: bytes
) -> npt.NDArray[np.generic]:
    """Read records `start` to `stop` (not included) as an array of shape (stop - start, *sizes) in native byte order.

    Records that are not stored get the value `missing` (one value, as bytes of the file) or that of the record before, as `layout` says.

    Blocks that hold none of these records are not touched. Uncompressed values are read into the array itself; a compressed block is
    unpacked into it, and only one that is needed in part goes through memory of its own.
    """
    sizes = layout.sizes if layout.row_major else layout.sizes[::-1]
    width = layout.record_bytes
    # The blocks lie in the order of their records.
    wanted = index[bisect_left(index, start, key=lambda block: block.last) : bisect_left(index, stop, key=lambda block: block.first)]
    here = sum(min(block.last + 1, stop) - max(block.first, start) for block in wanted)
    if (stop - start - here) * width > _MOST_PADDING:
        raise FileError(
            source.path,
            f"stored records of {layout.name}",
            f"{stop - start - here} of {stop - start} that are not",
            "read fewer records at a time",
        )
    values = _allocate(source, layout, (stop - start, *sizes))
    raw = values.reshape(-1).view(np.uint8).data if values.nbytes else memoryview(bytearray())
    filled = start
    for block in wanted if values.nbytes else []:
        first, last = max(block.first, start), min(block.last + 1, stop)
        _fill_missing(source, layout, index, raw, start, filled, first, missing)
        target = raw[(first - start) * width : (last - start) * width]
        skip = (first - block.first) * width
        if not block.compressed:
            source.fill(block.offset + skip, target)
        elif (first, last) == (block.first, block.last + 1):
            _unpack(source, layout, block, target)
        else:
            target[:] = _kept_block(source, layout, block)[skip : skip + len(target)]
        filled = last
    _fill_missing(source, layout, index, raw, start, filled, stop, missing)
    native = to_native(values)
    return native if layout.row_major else native.transpose(0, *range(native.ndim - 1, 0, -1))


def _unpack(source: Source, layout: Layout, block: Block, target: memoryview) -> None:
    inflate(source, block.offset, block.stored, layout.compression, target, f"records {block.first} to {block.last} of {layout.name}")


def _kept_block(source: Source, layout: Layout, block: Block) -> memoryview:
    """Unpack a block of which a part is wanted, and keep it, the last of its variable, for whoever asks for the rest."""
    offset, content = source.last_block.get(layout.name, (-1, memoryview(b"")))
    if offset != block.offset:
        content = _whole_block(source, layout, block)
        source.last_block[layout.name] = (block.offset, content)
    return content


def check_block(source: Source, layout: Layout, block: Block) -> None:
    """Unpack a compressed block and forget it; that the bytes of another are there was found when the index was read."""
    if block.compressed:
        _whole_block(source, layout, block)


def _whole_block(source: Source, layout: Layout, block: Block) -> memoryview:
    content = _allocate(source, layout, (block.last - block.first + 1, *layout.sizes))
    raw = content.reshape(-1).view(np.uint8).data
    _unpack(source, layout, block, raw)
    return raw


def _allocate(source: Source, layout: Layout, shape: tuple[int, ...]) -> npt.NDArray[np.generic]:
    try:
        return np.empty(shape, dtype=stored_dtype(layout.type_number, layout.elements, layout.order))
    except MemoryError as error:
        raise FileError(source.path, f"values of {layout.name} that fit in memory", f"{shape}", "read fewer records at a time") from error


def _last_record(source: Source, layout: Layout, block: Block) -> bytes:
    if block.compressed:
        return bytes(_whole_block(source, layout, block)[-layout.record_bytes :])
    one = bytearray(layout.record_bytes)
    source.fill(block.offset + (block.last - block.first) * layout.record_bytes, memoryview(one))
    return bytes(one)


def _fill_missing(
    source: Source, layout: Layout, index: tuple[Block, ...], raw: memoryview, start: int, first: int, last: int, missing: bytes
) -> None:
    """Fill records that are not stored: with the one before if the variable says so (2), else with `missing`."""
    if first >= last or not raw:
        return
    width = layout.record_bytes
    one = missing * (width // len(missing))
    if layout.sparse == 2 and first > start:
        one = bytes(raw[(first - start - 1) * width : (first - start) * width])
    elif layout.sparse == 2:
        before = [block for block in index if block.last < first]
        one = _last_record(source, layout, before[-1]) if before else one
    target = np.frombuffer(raw, dtype=np.uint8)[(first - start) * width : (last - start) * width]
    target.reshape(-1, width)[:] = np.frombuffer(one, dtype=np.uint8)
