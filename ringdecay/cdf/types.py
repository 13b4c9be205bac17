"""CDF's data types: their names, their numpy types, their pad values, and text."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# Number of the data type -> name, numpy type, and the pad value that NASA's library takes where a variable names none
# (CDF Internal Format Description, chapter 5; the pad values are those of the CDF User's Guide, table of default pad values).
_TYPES: dict[int, tuple[str, str, Any]] = {
    1: ("CDF_INT1", "i1", -127),
    2: ("CDF_INT2", "i2", -32767),
    4: ("CDF_INT4", "i4", -2147483647),
    8: ("CDF_INT8", "i8", -9223372036854775807),
    11: ("CDF_UINT1", "u1", 254),
    12: ("CDF_UINT2", "u2", 65534),
    14: ("CDF_UINT4", "u4", 4294967294),
    21: ("CDF_REAL4", "f4", -1e30),
    22: ("CDF_REAL8", "f8", -1e30),
    31: ("CDF_EPOCH", "f8", 0.0),
    32: ("CDF_EPOCH16", "c16", 0.0),
    33: ("CDF_TIME_TT2000", "i8", -9223372036854775807),
    41: ("CDF_BYTE", "i1", -127),
    44: ("CDF_FLOAT", "f4", -1e30),
    45: ("CDF_DOUBLE", "f8", -1e30),
    51: ("CDF_CHAR", "S", b" "),
    52: ("CDF_UCHAR", "S", b" "),
}
TIME_TYPES = ("CDF_EPOCH", "CDF_EPOCH16", "CDF_TIME_TT2000")
# Encodings whose numbers are IEEE 754 with the most, or the least, significant byte first (same document, table of encodings).
_BIG = {1: "network", 2: "Sun", 5: "SGi", 7: "IBM RS", 9: "PPC", 11: "HP", 12: "NeXT"}
_LITTLE = {4: "DECstation", 6: "IBM PC", 13: "Alpha OSF1", 16: "Alpha VMS i", 17: "ARM little", 19: "IA64 VMS i"}
# VAX computers and their kin have floating point formats of their own; NASA's library (3.9.1) writes whole numbers big-endian and
# floating point ones little-endian for "ARM big".
NOT_READ = {3: "VAX", 14: "Alpha VMS d", 15: "Alpha VMS g", 18: "ARM big", 20: "IA64 VMS d", 21: "IA64 VMS g"}


def byte_order(encoding: int) -> str:
    """Byte order of an encoding: ">" or "<", or "" if the encoding is none that is read."""
    return ">" if encoding in _BIG else "<" if encoding in _LITTLE else ""


def type_name(number: int) -> str:
    """Name of a data type, or "" if there is none of that number."""
    return _TYPES[number][0] if number in _TYPES else ""


def is_text(number: int) -> bool:
    """Whether a data type is text."""
    return number in (51, 52)


def stored_dtype(number: int, elements: int, order: str) -> np.dtype[Any]:
    """Numpy type of one value as it stands in the file; a text of `elements` characters is one value."""
    kind = _TYPES[number][1]
    return np.dtype(f"S{elements}") if kind == "S" else np.dtype(order + kind)


def default_pad(number: int, elements: int, order: str) -> bytes:
    """One value, as bytes of the file, that stands for a record never written."""
    _, kind, value = _TYPES[number]
    return bytes(value) * elements if kind == "S" else np.array(value, dtype=stored_dtype(number, elements, order)).tobytes()


def to_text(content: bytes) -> str:
    """Text up to the first NUL; UTF-8, or Latin-1 where it is not (CDF says ASCII up to version 3.8.1, then UTF-8)."""
    content = content.split(b"\0", 1)[0]
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def native_dtype(number: int, elements: int) -> np.dtype[Any]:
    """Numpy type of one value in memory."""
    return np.dtype(f"U{elements}") if is_text(number) else stored_dtype(number, elements, "=")


def to_native(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Values in the byte order of this machine, swapped in place; text becomes `str`."""
    if values.dtype.kind == "S":
        width = values.dtype.itemsize
        raw = values.reshape(-1).view(np.uint8).reshape(-1, width)
        # Most text is ASCII filled up with NULs or blanks, which numpy converts at once.
        if not (raw > 127).any() and not ((raw[:, :-1] == 0) & (raw[:, 1:] != 0)).any():
            return values.astype(f"U{width}")
        return np.array([to_text(text) for text in values.reshape(-1).tolist()], dtype=f"U{width}").reshape(values.shape)
    if not values.dtype.isnative:
        return values.byteswap(inplace=True).view(values.dtype.newbyteorder("="))
    return values
