"""Flags in words, and how often each is set."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ringdecay.summaries.page import Cell, Table

#: What each flag of fits, of means over storms, of the surface and of the comparison with theory means, in a sentence.
MEANINGS: dict[str, str] = {
    # Of fits.
    "no_window": "no time to fit: another storm follows at once, the data do not reach so far, or nothing chose a window",
    "too_few_points": "fewer time bins than a fit needs; there is no rate",
    "not_resolved": "the interval of the rate reaches zero: there is a lower limit on tau, not a value",
    "growth": "the flux grows, and the whole interval of the rate says so",
    "floor_reached": "the fit ends where the flux comes near the instrument's floor",
    "not_accepted": "the correlation of log flux and time is above the threshold (paper mode, windows from the flux)",
    "not_pooled": "too few series to learn their correlation in time from; the interval is a wide one",
    "few_counts": "bins of too few counts were left out",
    "counts_unknown": "the counts behind the flux are not known, so that counting noise is part of the fluctuation",
    "data_gap": "the window ends at, or begins with, a gap in the data",
    "probe_handover": "the window ends where one of the probes comes or goes",
    "new_injection": "the window ends where a new injection begins",
    "curved": "the log of the flux bends: it is not one exponential",
    "two_stages": "two stages, a fast and a slow one, fit better than one; tau is that of one",
    "floor_fitted": "no floor of the channel is known, so one was fitted together with the decay",
    "floor_not_separable": "a floor could bend the decay, and the series is too short to tell; tau may be too long",
    "coarse_bins": "the time bins are wider than a sixth of tau",
    "no_estimate": "the bins are enough, but the estimator has no rate",
    # Of means over storms.
    "no_fits": "no storm has a fit",
    "single_storm": "from one storm; the interval knows nothing of the scatter between storms",
    "storms_lost_to_floor": "the fastest storms fell to the floor and have no fit; tau may be too long",
    # Of the surface.
    "no_data": "outside the energies and L-shells that have fits",
    "few_storms": "one storm has more than half of the weight, or there are too few",
    "wide": "the interval is wider than is worth a value; there is a limit",
    # Of the prediction and the comparison with it.
    "cross_section_out_of_range": "the cross section is extrapolated in energy",
    "geocorona_out_of_range": "the hydrogen model is extrapolated",
    "plasmasphere_out_of_range": "the plasma density is extrapolated in L",
    "coulomb_ion_too_slow": "the ion is too slow for the Coulomb rate to be exact",
    "loss_cone": "the ion mirrors in the atmosphere; nothing is predicted",
    "band_out_of_range": "one of the models in the band is outside its range",
    "spectral_index_assumed": "no storm shows a spectrum there; its slope is assumed",
    "no_fit": "nothing to fit",
    "not_separable": "the two processes are nearly in proportion, so that their factors cannot be told apart",
    "one_storm_decides": "one storm has most of the weight",
}

# What a cell says without a mark.
_SAID = frozenset(("no_window", "too_few_points", "not_resolved", "growth", "no_fits", "no_data", "wide", "loss_cone"))
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def words_of(flag: xr.DataArray) -> dict[str, int]:
    """Give the names and bits that the flag's own attributes define; none if it has no such attributes."""
    words = str(flag.attrs.get("flag_meanings", "")).split()
    return dict(zip(words, np.atleast_1d(flag.attrs.get("flag_masks", [])).tolist(), strict=True))


def flag_table(flag: xr.DataArray, what: str) -> Table | None:
    """Count every flag that is set anywhere.

    Parameters
    ----------
    flag : DataArray
        Bit mask with CF attributes.
    what : str
        What is counted, such as "fits".

    Returns
    -------
    Table or None
        None where no flag is set.
    """
    bits = flag.to_numpy().astype(np.int64)
    counts = {name: int((bits & bit > 0).sum()) for name, bit in words_of(flag).items()}
    rows = tuple((Cell(name), Cell(f"{count}"), Cell(MEANINGS.get(name, ""))) for name, count in counts.items() if count)
    return Table(f"Flags, and in how many of {bits.size} {what}", ("flag", what, "meaning"), rows) if rows else None


def marks_of(flag: xr.DataArray) -> tuple[dict[str, int], tuple[str, ...]]:
    """Give a letter to every flag that is set in some cell and that the cell's text does not say.

    Returns
    -------
    marks : dict
        Letter -> bit.
    notes : tuple of str
        A line that says which flag each letter stands for; none without letters.
    """
    bits = np.bitwise_or.reduce(flag.to_numpy().astype(np.int64), axis=None, initial=0)
    there = [(name, bit) for name, bit in words_of(flag).items() if bits & bit and name not in _SAID]
    lettered = dict(zip(_LETTERS, there, strict=False))
    marks = {letter: bit for letter, (_, bit) in lettered.items()}
    said = ", ".join(f"{letter} {name}" for letter, (name, _) in lettered.items())
    return marks, (f"Marks: {said}; what they mean is below.",) if said else ()
