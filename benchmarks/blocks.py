"""The compressed blocks of a CDF file (version 3), found by walking its records: what a reader cannot avoid unpacking.

Written apart from `ringdecay.cdf`, from NASA's CDF Internal Format Description, because the bound must not depend on the reader that is
measured against it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

_VXR, _CVVR = 6, 13


def compressed_blocks(path: Path, names: Iterable[str]) -> list[bytes]:
    """Give the compressed blocks of the named variables that the file has, each as it is stored (gzip)."""
    content = path.read_bytes()
    wanted = set(names)
    (gdr,) = struct.unpack_from(">q", content, 8 + 12)
    (variable,) = struct.unpack_from(">q", content, gdr + 20)
    found: list[bytes] = []
    while variable:
        following, _, _, index = struct.unpack_from(">qiiq", content, variable + 12)
        if content[variable + 84 : variable + 340].rstrip(b"\0").decode() in wanted:
            found += _blocks_below(content, index)
        variable = following
    return found


def _blocks_below(content: bytes, index: int) -> list[bytes]:
    found: list[bytes] = []
    while index:
        following, count, used = struct.unpack_from(">qii", content, index + 12)
        for target in struct.unpack_from(f">{used}q", content, index + 28 + 8 * count):
            (kind,) = struct.unpack_from(">i", content, target + 8)
            if kind == _VXR:
                found += _blocks_below(content, target)
            elif kind == _CVVR:
                (size,) = struct.unpack_from(">q", content, target + 16)
                found.append(content[target + 24 : target + 24 + size])
        index = following
    return found
