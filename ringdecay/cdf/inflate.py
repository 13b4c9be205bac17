"""Unpacking gzip and run-length compressed bytes into memory of a known size, and not a byte more.

A file names the size of what is packed in it. That is believed only within what the method can do at all, so that a few damaged
bytes cannot ask for all of the memory.
"""

from __future__ import annotations

import zlib

from ringdecay.cdf.source import Source, damaged
from ringdecay.errors import FileError

RLE, GZIP = 1, 5
# The CDF Internal Format Description's compression types that are not read here; nobody's data for the Van Allen Probes have them.
_OTHER = {2: "Huffman", 3: "adaptive Huffman", 16: "Zstandard"}
# The most that a byte can stand for: a deflate match of 258 bytes takes two bits at least (RFC 1951), which is 1,032 to 1; run-length
# compression packs 256 zeros in two bytes.
_MOST = {RLE: 128, GZIP: 1032}
# Compressed bytes are handed to zlib in pieces, so that what it gives back at once stays small beside the values.
_PIECE = 65_536


def check_method(source: Source, method: int, what: str) -> None:
    """Refuse a compression that is not read."""
    if method not in _MOST:
        name = _OTHER.get(method, f"method {method}")
        advice = "convert it with NASA's cdfconvert" if method in _OTHER else "delete it and fetch it again"
        raise FileError(source.path, "gzip or run-length compression", f"{name} compression of {what}", advice)


def check_ratio(source: Source, method: int, stored: int, size: int, what: str) -> None:
    """Refuse a size that `stored` bytes cannot unpack to."""
    if size > _MOST[method] * stored:
        raise damaged(source.path, f"{what} to unpack to at most {_MOST[method] * stored} bytes", f"it claims {size}")


def inflate(source: Source, offset: int, stored: int, method: int, target: memoryview, what: str) -> None:
    """Unpack `stored` bytes at `offset` into `target`, which they must fill exactly.

    Raises
    ------
    FileError
        If the bytes are damaged (gzip's own checksum and length included) or unpack to more or less than `target`.
    """
    if method == RLE:
        _expand_zeros(source, source.peek(offset, stored), target, what)
        return
    machine = zlib.decompressobj(wbits=31)
    done = 0
    for at in range(0, stored, _PIECE):
        piece = source.peek(offset + at, min(_PIECE, stored - at))
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


def _expand_zeros(source: Source, packed: bytes, target: memoryview, what: str) -> None:
    """Run-length compression: a zero byte and a count stand for count + 1 zeros, and any other byte for itself."""
    at = done = 0
    while at < len(packed):
        zero = packed.find(b"\0", at)
        plain = packed[at : zero if zero >= 0 else len(packed)]
        if zero == len(packed) - 1:
            raise damaged(source.path, f"a count after the last zero of {what}", "the end")
        zeros = packed[zero + 1] + 1 if zero >= 0 else 0
        if done + len(plain) + zeros > len(target):
            raise damaged(source.path, f"{what} to unpack to {len(target)} bytes", "more")
        target[done : done + len(plain)] = plain
        done += len(plain)
        target[done : done + zeros] = bytes(zeros)
        done += zeros
        at = zero + 2 if zero >= 0 else len(packed)
    if done != len(target):
        raise damaged(source.path, f"{what} to unpack to {len(target)} bytes", f"only {done}")
