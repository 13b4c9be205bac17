"""The bins, and which samples are kept out of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ringdecay.errors import InputError, unknown

# Bins are counted from here, so that the bins of any month, probe or run are the same ones.
ORIGIN = np.datetime64("2012-01-01T00:00:00", "ns")
L_DEFINITIONS = ("L", "L_eq", "L_star")


@dataclass(frozen=True)
class Grid:
    """Bins of time, L-shell and equatorial pitch angle.

    Attributes
    ----------
    time_bin_hours : float
        Width of a time bin, at most 24 h. The default is one orbit (8.97 h), so that every bin holds the same two passes of a probe
        through an L-shell; bins that do not fit the orbit (12 h, say) hold two passes and three in turn. What is left of that
        is removed by fitting against the mean time of the samples instead of the bin's centre.
    L_min, L_max, L_width : float
        Range and width of the L bins. 0.1 is the width of Claudepierre et al. (2020) and of Gerrard et al. (2014).
    L_definition : {"L", "L_eq", "L_star"}
        Dipole L, McIlwain L or Roederer L*. The last two are computed from the position, with IRBEM, where a file lacks them; L*
        takes about 20 s a day of data.
    max_MLAT : float
        Omnidirectional flux is taken only within this magnetic latitude, degrees: for flux that goes as the square of the sine
        of the pitch angle it is 13 % lower at 10 degrees and 41 % at 20.
    pitch_angle_width : float
        Width of the bins of equatorial pitch angle, degrees; must divide 90.
    """

    time_bin_hours: float = 8.97
    L_min: float = 2.0
    L_max: float = 6.0
    L_width: float = 0.1
    L_definition: str = "L"
    max_MLAT: float = 10.0
    pitch_angle_width: float = 15.0

    def __post_init__(self) -> None:
        if not 0 < self.time_bin_hours <= 24:
            raise InputError(
                f"time_bin_hours is {self.time_bin_hours}; it must be above 0 and at most 24, so that a bin lies in two daily files at most"
            )
        if not (0 < self.L_min < self.L_max and 0 < self.L_width <= self.L_max - self.L_min):
            raise InputError(f"the L bins from {self.L_min} to {self.L_max} in steps of {self.L_width} do not make sense")
        if not math.isclose((self.L_max - self.L_min) / self.L_width, round((self.L_max - self.L_min) / self.L_width), rel_tol=1e-9):
            raise InputError(f"L_width is {self.L_width}; it must divide the range from {self.L_min} to {self.L_max}")
        if self.L_definition not in L_DEFINITIONS:
            raise unknown("L definition", self.L_definition, L_DEFINITIONS)
        if not 0 < self.max_MLAT <= 90:
            raise InputError(f"max_MLAT is {self.max_MLAT}; it must be above 0 and at most 90 degrees")
        if not 0 < self.pitch_angle_width <= 90 or not math.isclose(90 / self.pitch_angle_width, round(90 / self.pitch_angle_width)):
            raise InputError(f"pitch_angle_width is {self.pitch_angle_width}; it must divide 90 degrees")

    @property
    def L_edges(self) -> npt.NDArray[np.float64]:  # noqa: N802 - L is the symbol
        """Edges of the L bins, rounded so that 2.3 is 2.3."""
        n = round((self.L_max - self.L_min) / self.L_width)
        return np.round(self.L_min + self.L_width * np.arange(n + 1), 6)

    @property
    def pitch_angle_edges(self) -> npt.NDArray[np.float64]:
        """Edges of the bins of equatorial pitch angle, degrees."""
        return np.linspace(0.0, 90.0, round(90.0 / self.pitch_angle_width) + 1)

    @property
    def time_bin(self) -> int:
        """Width of a time bin in nanoseconds."""
        return round(self.time_bin_hours * 3_600_000_000_000)

    def time_index(self, time: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
        """Tell the number of the bin that each time lies in."""
        return np.asarray((time.astype("datetime64[ns]") - ORIGIN).astype(np.int64) // self.time_bin)

    def time_centre(self, index: npt.NDArray[np.integer]) -> npt.NDArray[np.datetime64]:
        """Give the centre of each numbered bin."""
        return np.asarray(ORIGIN + (np.asarray(index, dtype=np.int64) * self.time_bin + self.time_bin // 2).astype("timedelta64[ns]"))


@dataclass(frozen=True)
class Exclusion:
    """Data known to be bad, which are masked before binning.

    Attributes
    ----------
    reason, source : str
        Why, and where that is written; both go into the result.
    probe, product : str or None
        None stands for all.
    energy, L : tuple of float or None
        Range in keV and in L-shell, both ends included.
    start, stop : str or None
        UTC; start included, stop not.
    """

    reason: str
    source: str
    probe: str | None = None
    product: str | None = None
    energy: tuple[float, float] | None = None
    L: tuple[float, float] | None = None
    start: str | None = None
    stop: str | None = None

    def __post_init__(self) -> None:
        for name, bounds in (("energy", self.energy), ("L", self.L)):
            if bounds is not None and bounds[0] > bounds[1]:
                raise InputError(f"exclude: the {name} range {bounds[0]} to {bounds[1]} is the wrong way round")
        if self.start is not None and self.stop is not None and utc(self.start) >= utc(self.stop):
            raise InputError(f"exclude: the dates {self.start} to {self.stop} are the wrong way round")


def utc(time: str) -> np.datetime64:
    """Read a time; without a zone it is UTC."""
    return np.datetime64(pd.to_datetime(time, utc=True).tz_localize(None), "ns")


def exclusions(rows: Iterable[Mapping[str, Any]]) -> tuple[Exclusion, ...]:
    """Make exclusions from the rows of a config's `exclude` table, whose dates are called `from` and `to`.

    Raises
    ------
    InputError
        If a range is the wrong way round.
    """
    names = {"from": "start", "to": "stop"}
    ranges = ("energy", "L")
    keyed: list[dict[str, Any]] = [
        {names.get(key, key): tuple(value) if key in ranges else value for key, value in row.items()} for row in rows
    ]
    return tuple(Exclusion(**row) for row in keyed)
