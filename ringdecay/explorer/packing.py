"""Arrays of numbers as text in a page."""

from __future__ import annotations

import base64
import gzip

import numpy as np
import numpy.typing as npt

_MANTISSA_BITS = 23


def packed(values: npt.NDArray[np.floating]) -> str:
    """Write an array as text: little-endian 32-bit floats, their bytes in planes, gzip, base64.

    Parameters
    ----------
    values : ndarray
        Any shape; what is too large for 32 bits becomes infinite.

    Returns
    -------
    str
        The same values give the same text. All first bytes come before all second bytes and so on, because the bytes of the exponents
        are alike and pack well together.
    """
    with np.errstate(over="ignore"):
        floats = np.ascontiguousarray(values, dtype="<f4")
    planes = np.ascontiguousarray(floats.reshape(-1, 1).view(np.uint8).T)
    return base64.b64encode(gzip.compress(planes.tobytes(), 6, mtime=0)).decode("ascii")


def rounded(values: npt.NDArray[np.floating], bits: int) -> npt.NDArray[np.float32]:
    """Round 32-bit floats to fewer bits of the mantissa, so that they pack into less room.

    Parameters
    ----------
    values : ndarray
        Any shape; NaN and infinite values stay.
    bits : int
        Bits that are kept, 1 to 22; a value changes by at most 2^-(bits + 1) of itself.
    """
    floats = np.ascontiguousarray(values, dtype="<f4")
    lost = _MANTISSA_BITS - bits
    whole = floats.view(np.uint32)
    near = ((whole + np.uint32(1 << (lost - 1))) >> np.uint32(lost)) << np.uint32(lost)
    return np.where(np.isfinite(floats), near.view(np.float32), floats)
