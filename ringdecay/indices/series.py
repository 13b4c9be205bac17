"""The values of one index as they stand in one file, and how the files of a period become one series."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ringdecay.indices.vintage import VINTAGES

logger = logging.getLogger(__name__)

# What the time of a daily F10.7 stands for: measured at 17 UT in Ottawa to 1991-05, and at 20 UT in Penticton from then on.
DAILY_F107 = "start of the UT day; measured at local noon"


@dataclass(frozen=True)
class Series:
    """One index of one file, or of several after `merge`.

    Attributes
    ----------
    time : ndarray of datetime64[ns], shape (n,)
        UTC, as labelled in the file.
    values : ndarray of float64, shape (n,)
        The file's fill values are NaN.
    vintage : ndarray of int8, shape (n,)
        Position in `VINTAGES`.
    source : str
        Provider and format.
    time_label : str
        What the time of a value stands for.
    vintage_rule : str
        Where the vintage comes from, or why it is not known (`ringdecay.indices.vintage`).
    source_date : str
        When the provider made the file, if the file says so; empty otherwise.
    """

    time: npt.NDArray[np.datetime64]
    values: npt.NDArray[np.float64]
    vintage: npt.NDArray[np.int8]
    source: str
    time_label: str
    vintage_rule: str
    source_date: str = ""


def merge(parts: Sequence[Series], names: Sequence[str]) -> Series:
    """Join the series of several files into one with strictly increasing times.

    Where files overlap, equal values are merged. Of contradicting ones is kept: a value before a fill; then the more settled
    vintage; then the value of the file that begins later, because a yearly file that runs on into the next year is superseded by
    that year's own; then the one of the file given later. Each contradiction is counted and logged.

    Parameters
    ----------
    parts : sequence of Series
        All of one index and one source.
    names : sequence of str
        File name of each part, for the log.

    Returns
    -------
    Series
        Times strictly increasing.
    """
    # Stable, so files that begin together stay in the order they were given in.
    order = sorted(range(len(parts)), key=lambda k: parts[k].time[0])
    time = np.concatenate([parts[k].time for k in order])
    values = np.concatenate([parts[k].values for k in order])
    vintage = np.concatenate([parts[k].vintage for k in order])
    file = np.repeat(np.arange(len(order)), [parts[k].time.size for k in order])

    ranked = np.argsort(time, kind="stable")
    same = time[ranked][1:] == time[ranked][:-1]
    if same.any():
        # Only the repeated times need the full ranking; the last of equal times is kept.
        repeated = np.zeros(time.size, dtype=bool)
        repeated[:-1] |= same
        repeated[1:] |= same
        rows = ranked[repeated]
        ranked[repeated] = rows[np.lexsort((file[rows], vintage[rows], np.isfinite(values[rows]), time[rows]))]
        _log_contradictions(time, values, file, ranked, same, [names[k] for k in order])
        ranked = ranked[np.append(~same, True)]
    first = parts[order[0]]
    stamps = ", ".join(sorted({part.source_date for part in parts if part.source_date}))
    return Series(time[ranked], values[ranked], vintage[ranked], first.source, first.time_label, first.vintage_rule, stamps)


def _log_contradictions(
    time: npt.NDArray[np.datetime64],
    values: npt.NDArray[np.float64],
    file: npt.NDArray[np.int64],
    ranked: npt.NDArray[np.int64],
    same: npt.NDArray[np.bool_],
    names: Sequence[str],
) -> None:
    """Log where two finite values of one time differ; `ranked` has the kept value last among equal times."""
    left, kept = ranked[:-1][same], ranked[1:][same]
    difference = np.abs(values[left] - values[kept])
    contradicting = difference > 0  # a comparison with NaN is false: a fill contradicts nothing
    if contradicting.any():
        first = int(np.argmax(contradicting))
        logger.warning(
            "%d of %d times that files share have contradicting values, the largest difference is %g, the first at %s (%s against %s); "
            "kept is the more settled vintage, then the file that begins later",
            contradicting.sum(),
            same.sum(),
            np.max(difference[contradicting]),
            np.datetime_as_string(time[kept[first]], unit="m"),
            names[file[left[first]]],
            names[file[kept[first]]],
        )
    else:
        logger.debug("%d times that files share have equal values", same.sum())


def describe_vintage(series: Series) -> dict[str, str]:
    """Say the vintage of a series in attributes.

    Returns
    -------
    dict
        `vintage`: a word of `VINTAGES`, or "mixed"; then `vintage_spans` says how many values there are of each and from when to when.
    """
    present = [code for code in range(len(VINTAGES)) if np.any(series.vintage == code)]
    if len(present) == 1:
        return {"vintage": VINTAGES[present[0]]}
    spans = []
    for code in reversed(present):
        times = series.time[series.vintage == code]
        first, last = np.datetime_as_string(times[[0, -1]], unit="m")
        spans.append(f"{VINTAGES[code]}: {times.size} values from {first} to {last}")
    return {"vintage": "mixed", "vintage_spans": "; ".join(spans)}
