"""Unpacking gzip and run-length compressed bytes into memory of a known size, and not a byte more.

A file names the size of what is packed in it. That is believed only within what the method can do at all, so that a few damaged
bytes cannot ask for all of the memory.
"""

from __future__ import annotations

import zlib

import numpy as np
from deflate import DeflateError, gzip_decompress

from ringdecay.cdf.source import Source, damaged
from ringdecay.errors import FileError

RLE, GZIP = 1, 5
# The CDF Internal Format Description's compression types that are not read here; nobody's data for the Van Allen Probes have them.
_OTHER = {2: "Huffman", 3: "adaptive Huffman", 16: "Zstandard"}
# The most that a byte can stand for: a deflate match of 258 bytes takes two bits at least (RFC 1951), which is 1,032 to 1; run-length
# compression packs 256 zeros in two bytes.
#: By method.
MOST_UNPACKED = {RLE: 128, GZIP: 1032}
# Compressed bytes are handed to zlib in pieces, so that what it gives back at once stays small beside the values.
_PIECE = 65_536
# libdeflate unpacks a block in one go, through memory of the block's own size; a larger one goes through zlib piece by piece.
_AT_ONCE = 2**26


def check_method(source: Source, method: int, what: str) -> None:
    """Refuse a compression that is not read."""
    if method not in MOST_UNPACKED:
        name = _OTHER.get(method, f"method {method}")
        advice = "convert it with NASA's cdfconvert" if method in _OTHER else "delete it and fetch it again"
        raise FileError(source.path, "gzip or run-length compression", f"{name} compression of {what}", advice)


def check_ratio(source: Source, method: int, stored: int, size: int, what: str) -> None:
    """Refuse a size that `stored` bytes cannot unpack to."""
    if size > MOST_UNPACKED[method] * stored:
        raise damaged(source.path, f"{what} to unpack to at most {MOST_UNPACKED[method] * stored} bytes", f"it claims {size}")


def inflate(source: Source, offset: int, stored: int, method: int, target: memoryview, what: str) -> None:
    """Unpack `stored` bytes at `offset` into `target`, which they must fill exactly.

    Raises
    ------
    FileError
        If the bytes are damaged (gzip's own checksum and length included) or unpack to more or less than `target`.
    """
    if method == RLE:
        _expand_zeros(source, offset, stored, target, what)
        return
    if len(target) <= _AT_ONCE and _inflate_at_once(source.piece(offset, stored), target):
        return
    machine = zlib.decompressobj(wbits=31)
    done = 0
    for at in range(0, stored, _PIECE):
        piece = source.piece(offset + at, min(_PIECE, stored - at))
        if machine.eof:
            raise damaged(source.path, f"compressed bytes of {what} to end where they say", "bytes behind their end")
        while piece:
            try:
                # One byte more than there is room for shows that there is too much.
                found = machine.decompress(piece, len(target) - done + 1)
            except zlib.error as error:
                raise damaged(source.path, f"whole compressed bytes of {what}", f"{error}") from error
            if done + len(found) > len(target):
                raise damaged(source.path, f"{what} to unpack to {len(target)} bytes", "more")
            target[done : done + len(found)] = found
            done += len(found)
            piece = machine.unconsumed_tail
        if machine.unused_data:
            raise damaged(source.path, f"compressed bytes of {what} to end where they say", "bytes behind their end")
    if not machine.eof or done != len(target):
        raise damaged(source.path, f"{what} to unpack to {len(target)} bytes", f"only {done}")


def _inflate_at_once(packed: bytes | bytearray, target: memoryview) -> bool:
    """Unpack a sound gzip block with libdeflate, twice as fast as zlib; tell if that went well, and leave it to zlib to say why not."""
    try:
        found = gzip_decompress(packed, len(target))
    except DeflateError:
        return False
    # libdeflate checks the CRC and the length that stand behind the deflated bytes, but not that they are the last of `packed`.
    if len(found) != len(target) or int.from_bytes(packed[-4:], "little") != len(target):
        return False
    target[:] = found
    return True


def _expand_zeros(source: Source, offset: int, stored: int, target: memoryview, what: str) -> None:
    """Run-length compression: a zero byte and a count stand for count + 1 zeros, and any other byte for itself."""
    at = done = 0
    left = b""
    while at < stored:
        piece = left + source.piece(offset + at, min(_PIECE, stored - at))
        at += min(_PIECE, stored - at)
        packed = np.frombuffer(piece, dtype=np.uint8)
        place = np.arange(packed.size)
        zero = packed == 0
        begins = zero.copy()
        begins[1:] &= ~zero[:-1]
        # In a row of zeros each second one is itself a count.
        mark = zero & ((place - np.maximum.accumulate(np.where(begins, place, 0))) % 2 == 0)
        left = piece[-1:] if mark[-1] else b""
        packed = packed[: packed.size - len(left)]
        counts = np.flatnonzero(mark[: packed.size]) + 1
        times = np.ones(packed.size, dtype=np.int64)
        times[counts - 1] = packed[counts].astype(np.int64) + 1
        times[counts] = 0
        size = int(times.sum())
        if done + size > len(target):
            raise damaged(source.path, f"{what} to unpack to {len(target)} bytes", "more")
        target[done : done + size] = np.repeat(packed, times).data
        done += size
    if left or done != len(target):
        raise damaged(source.path, f"{what} to unpack to {len(target)} bytes", f"only {done}")
