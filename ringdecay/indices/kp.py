"""Kp in exact thirds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ringdecay.errors import FileError

# Kp goes from 0o to 9o in steps of a third.
_HIGHEST = 27


def exact_thirds(path: Path, kp: npt.NDArray[np.float64], tolerance: float) -> npt.NDArray[np.float64]:
    """Give Kp, which files round (2.667, or 27 for ten times it), in exact thirds (8/3).

    Parameters
    ----------
    path : Path
        For the message of an error.
    kp : ndarray of float64
        Kp, NaN where missing.
    tolerance : float
        Half a unit of the last digit that the file has.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    FileError
        If a value is no third between 0 and 9, as when it has another scale than thought or is a fill that is not known.
    """
    thirds = np.round(kp * 3.0)
    wrong = (np.abs(kp - thirds / 3.0) > tolerance * 1.001) | (thirds < 0) | (thirds > _HIGHEST)  # false for NaN
    if wrong.any():
        found = f"{kp[int(np.argmax(wrong))]:g} (in {int(wrong.sum())} of {kp.size} values)"
        raise FileError(path, "Kp in thirds from 0 to 9", found, "check that the file is what you meant, or get it again")
    exact: npt.NDArray[np.float64] = thirds / 3.0
    return exact
