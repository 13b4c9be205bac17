"""Looking at every byte of a CDF file that can be wrong in a way that the format lets one know."""

from __future__ import annotations

import hashlib
import os
from itertools import pairwise
from os import PathLike
from pathlib import Path

from ringdecay.cdf.blocks import check_block, read_index
from ringdecay.cdf.read import open_cdf
from ringdecay.cdf.source import AGAIN, Origin, damaged, opened
from ringdecay.errors import FileError

_DIGEST = 16
_PIECE = 2**20


def verify_cdf(path: str | PathLike[str]) -> None:
    """Check a whole CDF file: its structure, every block of every variable, its length, and its checksum if it has one.

    Memory stays at one block. A file without a checksum whose uncompressed values were altered passes: the format has no way to know.

    Parameters
    ----------
    path : path-like
        The file.

    Raises
    ------
    FileError
        At the first fault: as `open_cdf`, or a block that does not unpack to its size or fails gzip's own checksum, two variables
        that claim the same bytes, another length than the file says, or another MD5 than stands at its end.
    """
    stored = open_cdf(path)
    handle = stored._handle
    places: list[tuple[int, int, str]] = []
    with handle.reading() as source:
        for variable in stored.variables.values():
            layout = variable._layout
            for block in read_index(source, layout):
                check_block(source, layout, block)
                places.append((block.offset, block.offset + block.stored, variable.name))
        for one, other in pairwise(sorted(places)):
            if other[0] < one[1]:
                raise damaged(source.path, "values of each variable at a place of their own", f"{one[2]} and {other[2]} in one")
        # Of a file that is compressed as a whole, this is the length of what was packed in it; its own is checked by unpacking it.
        expected = stored.head.end + (_DIGEST if stored.head.checksum and not stored.packed else 0)
        if source.size != expected:
            raise FileError(source.path, f"{expected} bytes as its header says", f"{source.size} bytes", AGAIN)
    if stored.head.checksum:
        _check_digest(Path(path), handle.origin)


def _check_digest(path: Path, origin: Origin) -> None:
    digest = hashlib.md5(usedforsecurity=False)
    with opened(origin) as source:
        left = origin.size - _DIGEST
        at = 0
        while at < left:
            piece = os.pread(source.descriptor, min(_PIECE, left - at), at)
            if not piece:
                raise FileError(path, f"{origin.size} bytes", f"{at}: the file is being cut", AGAIN)
            digest.update(piece)
            at += len(piece)
        expected = source.peek(left, _DIGEST)
    if digest.digest() != expected:
        raise damaged(path, f"the MD5 {expected.hex()} that stands at its end", digest.hexdigest())
