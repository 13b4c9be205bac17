"""Find geomagnetic storms in an index."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ringdecay.errors import InputError
from ringdecay.storms.table import COLUMNS, TIMES, classify

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class _Rule:
    """The numbers of `find_storms`, checked."""

    threshold: float
    quiet_level: float
    recovery_fraction: float
    renewed_fall: float
    min_recovery: np.timedelta64
    dip_prominence: float
    dip_fraction: float


@dataclass(frozen=True)
class _Storm:
    """Positions within the series; `known` is false if the minimum may lie outside the data."""

    onset: int
    minimum: int
    last_minimum: int
    recovery_end: int
    n_dips: int
    complete: bool
    known: bool


def find_storms(
    index: xr.DataArray,
    threshold: float = -50.0,
    *,
    quiet_level: float = -15.0,
    recovery_fraction: float = 0.5,
    renewed_fall: float | None = None,
    min_recovery_hours: float = 12.0,
    dip_prominence: float = 20.0,
    dip_fraction: float = 0.3,
    max_gap_hours: float = 3.0,
) -> pd.DataFrame:
    """Find the storms in Dst, SYM-H or an index like them.

    The rule, in order:

    1. *Disturbed interval*: the index stays below `quiet_level`. It begins at the last sample at or above that level and ends at the
       first one at or above it again, however short that return is, as in Walach and Grocott (2019).
    2. *New storm in a recovery*: within an interval the dips are followed in time. A dip is a storm of its own if, at least
       `min_recovery_hours` after the deepest point of the storm so far, the index had recovered to a high point by at least
       `recovery_fraction` of that depth, and then fell from there by at least `renewed_fall`. This high point is the end of the one
       storm and the onset of the other. A renewed fall that comes sooner is a further step of the same storm.
    3. *Storm*: an interval, or a part of one made by rule 2, whose minimum is at or below `threshold`.
    4. *Dips of one storm*: further minima, each set off on both sides by at least `dip_prominence` and by at least `dip_fraction` of
       the storm's depth, are counted in `n_dips`, and the last of them is `last_minimum`. Smaller wiggles are not.
    5. *Gaps*: missing samples are passed over where the step between valid samples is at most `max_gap_hours`. At longer gaps and
       at both ends of the data an interval is closed: its storm has `complete` false, with `onset` at the first sample or
       `recovery_end` at the last (or at the last high point, if the index was falling again by a dip's measure). A storm is listed
       only if the index falls to its minimum and rises from it by a dip's measure within the data; else its minimum is not known,
       and it is left out with a warning in the log.

    Parameters
    ----------
    index : DataArray, dimension `time`
        Index in nT, times strictly increasing, at any cadence up to `max_gap_hours`. NaN is missing.
    threshold : float
        Depth of the least storm, nT. -50 is where Gonzalez et al. (1994) begin moderate storms; Walach and Grocott (2019) use -80 of
        SYM-H.
    quiet_level : float
        Level that bounds a storm, nT: -15 as in Walach and Grocott (2019).
    recovery_fraction : float
        Share of the depth, 0 to 1, that must be recovered before a new storm can begin. Our choice: at one half, more of the storm is
        gone than is left.
    renewed_fall : float, optional
        Fall from the recovery that makes a new storm, nT. By default the size of `threshold`: what would make a storm from zero.
    min_recovery_hours : float
        Least time from a minimum to the high point where a new storm begins, hours. Our choice: main phases take hours, and often
        come in two steps (on 2015-03-17 SYM-H rose to -38 nT between its steps at -101 and -234 nT, and 2.5 h after the first), while
        recoveries take several times longer. With 0, one-minute SYM-H of 2012-2019 gives storms that are an hour apart.
    dip_prominence : float
        Least prominence of a dip, nT. Our choice: about the largest difference between two vintages of Dst (24 nT, 2015-2018), so that
        the choice of a source seldom makes a dip.
    dip_fraction : float
        Least prominence of a dip as a share of its storm's depth. Our choice: keeps ripples of deep storms out.
    max_gap_hours : float
        Longest step between valid samples that is passed over, hours. Three hours of strong southward field make an intense storm
        (Gonzalez et al., 1994), so a longer gap could hide one.

    Returns
    -------
    DataFrame
        One row a storm, sorted, with disjoint times `onset` < `minimum` <= `last_minimum` < `recovery_end` (datetime64[ns], UTC),
        `storm` (from 1), `depth` (nT, negative), `storm_class` (a name of `STORM_CLASSES`; its limits were made for Dst), `n_dips`
        and `complete`. No storm gives no row.

    Raises
    ------
    InputError
        If a number or the index does not make sense.

    References
    ----------
    Gonzalez et al. (1994), J. Geophys. Res. 99, 5771. Walach and Grocott (2019), J. Geophys. Res. Space Physics 124, 5828.
    """
    fall = abs(threshold) if renewed_fall is None else renewed_fall
    rule = _Rule(threshold, quiet_level, recovery_fraction, fall, _hours(min_recovery_hours), dip_prominence, dip_fraction)
    _check(rule, min_recovery_hours, max_gap_hours)
    gap = _hours(max_gap_hours)
    time, values = _valid_samples(index, gap)
    steps = np.diff(time)

    storms: list[_Storm] = []
    unknown_minimum: list[int] = []
    for first, last, open_start, open_end in _intervals(values, steps > gap, rule):
        for storm in _split(time, values, first, last, open_start, open_end, rule):
            if values[storm.minimum] <= threshold:
                if storm.known:
                    storms.append(storm)
                else:
                    unknown_minimum.append(storm.minimum)
    if unknown_minimum:
        logger.warning(
            "storms left out because a gap or the end of the data hides their minimum: %d, near %s",
            len(unknown_minimum),
            ", ".join(np.datetime_as_string(time[unknown_minimum], unit="h")),
        )
    rows = {
        "storm": np.arange(1, len(storms) + 1),
        **{name: time[[getattr(storm, name) for storm in storms]] for name in TIMES},
        "depth": values[[storm.minimum for storm in storms]],
        "storm_class": [classify(values[storm.minimum]) for storm in storms],
        "n_dips": [storm.n_dips for storm in storms],
        "complete": [storm.complete for storm in storms],
    }
    if not storms:
        lowest = f"its lowest value is {values.min():g} nT" if values.size else "it has no values"
        logger.warning("no storm reaches %g nT in %s: %s", threshold, index.name or "the index", lowest)
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    table.attrs["simulated"] = str(index.attrs.get("simulated", "no"))
    return table


def _hours(number: float) -> np.timedelta64:
    """Make a time step; a number that is none is left to `_check`."""
    return np.timedelta64(round(number * 3.6e12) if np.isfinite(number) else 0, "ns")


def _check(rule: _Rule, min_recovery_hours: float, max_gap_hours: float) -> None:
    if not rule.threshold < rule.quiet_level <= 0:
        raise InputError(
            f"threshold must be negative and deeper than quiet_level, and that not above 0; given are {rule.threshold:g} and "
            f"{rule.quiet_level:g} nT"
        )
    if not 0 < rule.recovery_fraction <= 1 or not 0 <= rule.dip_fraction <= 1:
        raise InputError(
            f"recovery_fraction and dip_fraction must lie in 0 to 1; given are {rule.recovery_fraction:g} and {rule.dip_fraction:g}"
        )
    for name, number in (("renewed_fall", rule.renewed_fall), ("dip_prominence", rule.dip_prominence), ("max_gap_hours", max_gap_hours)):
        if not 0 < number < np.inf:
            raise InputError(f"{name} must be a positive number; given is {number:g}")
    if not 0 <= min_recovery_hours < np.inf:
        raise InputError(f"min_recovery_hours must be a number and not negative; given is {min_recovery_hours:g}")


def _valid_samples(index: xr.DataArray, gap: np.timedelta64) -> tuple[Times, Floats]:
    if index.dims != ("time",) or index["time"].dtype.kind != "M":
        raise InputError(f"the index must be a series over time with datetime64 coordinates; it has the dimensions {index.dims}")
    if str(index.attrs.get("units", "nT")) != "nT":
        raise InputError(f"storms are found in an index in nT; {index.name or 'the one given'} is in {index.attrs['units']!r}")
    time = index["time"].to_numpy().astype("datetime64[ns]")
    steps = np.diff(time)
    if np.any(steps <= np.timedelta64(0, "ns")):
        raise InputError("the times of the index must increase strictly")
    if steps.size and np.median(steps) > gap:
        raise InputError(f"the index has a step of {np.median(steps) / np.timedelta64(1, 'h'):g} h; max_gap_hours must be at least that")
    values = np.asarray(index.to_numpy(), dtype=np.float64)
    valid = np.isfinite(values)
    return time[valid], values[valid]


def _intervals(values: Floats, gap_after: npt.NDArray[np.bool_], rule: _Rule) -> Iterator[tuple[int, int, bool, bool]]:
    """Give first and last position of each disturbed interval that reaches the threshold, and whether it is open at either end.

    The bounding quiet samples belong to the interval, unless a gap or the end of the data is there instead.
    """
    if not values.size:
        return
    below = values < rule.quiet_level
    breaks = np.append(np.insert(gap_after, 0, True), True)  # breaks[k]: nothing known between samples k - 1 and k
    previous = np.insert(below[:-1], 0, False)
    following = np.append(below[1:], False)
    starts = np.flatnonzero(below & (~previous | breaks[:-1]))
    ends = np.flatnonzero(below & (~following | breaks[1:]))
    if not starts.size:
        return
    # Minima of all intervals at once; the stretch from one start to the next holds only quiet samples besides.
    deep = np.minimum.reduceat(values, starts) <= rule.threshold
    for start, end in zip(starts[deep].tolist(), ends[deep].tolist(), strict=True):
        open_start, open_end = bool(breaks[start]), bool(breaks[end + 1])
        yield (start if open_start else start - 1), (end if open_end else end + 1), open_start, open_end


def _turning_points(values: Floats, size: float) -> tuple[list[int], list[int], bool]:
    """Find the minima that are set off by at least `size` on both sides, and the maximum before each.

    Of equal values the first minimum and the last maximum are taken.

    Returns
    -------
    minima, maxima : list of int
        Positions, alternating: maxima[k] comes before minima[k].
    falling : bool
        Whether the last minimum is followed by no rise of `size`, so that the series ends before it is known.
    """
    change = np.flatnonzero(np.diff(values) != 0)
    # The last sample of each run of equal values serves for a maximum, the first for a minimum.
    run_last = np.append(change, values.size - 1)
    run_first = np.insert(change + 1, 0, 0)
    minima: list[int] = []
    maxima: list[int] = []
    falling = False
    high, low = float("-inf"), float("inf")
    high_at = low_at = 0
    for first, last, value in zip(run_first.tolist(), run_last.tolist(), values[run_first].tolist(), strict=True):
        if falling:
            if value < low:
                low, low_at = value, first
            elif value - low >= size:
                minima.append(low_at)
                falling, high, high_at = False, value, last
        elif value >= high:
            high, high_at = value, last
        elif high - value >= size:
            maxima.append(high_at)
            falling, low, low_at = True, value, first
    if falling:
        minima.append(low_at)
    return minima, maxima, falling


def _split(time: Times, values: Floats, first: int, last: int, open_start: bool, open_end: bool, rule: _Rule) -> list[_Storm]:
    """Make the storms of one disturbed interval (rules 2 and 4 of `find_storms`), deep enough or not."""
    piece = values[first : last + 1]
    clock = time[first : last + 1]
    dips, tops, _ = _turning_points(piece, min(rule.dip_prominence, rule.renewed_fall))
    borders = [0]
    # Data that begin within a disturbance begin with a minimum of unknown depth, of which the first sample is what is left.
    deepest = 0 if open_start or not dips else dips[0]
    for number in range(0 if open_start else 1, len(dips)):
        dip = dips[number]
        late_tops = [top for top in tops[: number + 1] if top > deepest and clock[top] - clock[deepest] >= rule.min_recovery]
        if late_tops:
            top = max(late_tops, key=lambda position: (piece[position], position))
            recovered = piece[top] - piece[deepest] >= rule.recovery_fraction * -piece[deepest]
            if recovered and piece[top] - piece[dip] >= rule.renewed_fall:
                borders.append(top)
                deepest = dip
        if piece[dip] < piece[deepest]:
            deepest = dip
    borders.append(piece.size - 1)
    storms = []
    for number, (begin, end) in enumerate(pairwise(borders)):
        starts_open = open_start and number == 0
        ends_open = open_end and number == len(borders) - 2
        storms.append(_describe(values, first + begin, first + end, starts_open, ends_open, rule))
    return storms


def _describe(values: Floats, onset: int, end: int, starts_open: bool, ends_open: bool, rule: _Rule) -> _Storm:
    """Find minimum and dips of one storm between its onset and its end."""
    piece = values[onset : end + 1]
    deepest = int(np.argmin(piece))
    dips, tops, falling = _turning_points(piece, max(rule.dip_prominence, rule.dip_fraction * -piece[deepest]))
    if falling:
        dips = dips[:-1]  # not set off on its later side
        end = onset + tops[-1] if ends_open else end
    # With a gap or an end of the data on one side, the minimum is known only if it stands out within the data.
    known = deepest in dips or not (starts_open or ends_open)
    # A shallow storm between two quiet samples may stand out by less than a dip must.
    dips = sorted({*dips, deepest})
    return _Storm(onset, onset + deepest, onset + dips[-1], end, len(dips), not (starts_open or ends_open), known)
