"""What the first bytes of a file say: a CDF, or a web page that a server sent in its place."""

from __future__ import annotations

# First and second 32-bit word of a CDF: version 3, 2.6-2.7, and 2.5 or older; then not compressed or compressed as a whole
# (CDF Internal Format Description, section 2.1, "Magic Numbers").
VERSION_3 = b"\xcd\xf3\x00\x01"
COMPRESSED = b"\xcc\xcc\x00\x01"
_FIRST = (VERSION_3, b"\xcd\xf2\x60\x02", b"\x00\x00\xff\xff")
_SECOND = (b"\x00\x00\xff\xff", COMPRESSED)


def is_cdf(head: bytes) -> bool:
    """Tell whether a file that begins with `head` (at least 8 bytes) is a CDF."""
    return head[:4] in _FIRST and head[4:8] in _SECOND


def looks_like_html(head: bytes) -> bool:
    """Tell whether a file that begins with `head` is HTML or XML; neither a CDF nor a table of numbers begins with "<"."""
    return head.lstrip().startswith(b"<")
