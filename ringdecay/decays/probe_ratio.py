"""What the two probes say of the same storm and cell: their rates side by side, and how far they differ on the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from ringdecay.decays.gls import Floats
from ringdecay.decays.intervals import check_confidence
from ringdecay.errors import InputError

_DRAWS, _SEED = 2000, 20150317
_RATES = ("rate", "rate_low", "rate_high")
# Names of what is no probe of its own.
_TOGETHER = ("merged", "joint")


@dataclass(frozen=True)
class ProbeRatio:
    """Rate of the second probe over that of the first.

    Attributes
    ----------
    probes : tuple of str
        First and second.
    n, n_storms : int
        Pairs, and storms that they come from.
    median : float
        Median of the ratios; NaN without a pair.
    low, high : float
        Its interval, by drawing storms anew: pairs of one storm are not independent. NaN with fewer than two storms.
    """

    probes: tuple[str, str]
    n: int
    n_storms: int
    median: float
    low: float
    high: float


def own_probes(decays: xr.Dataset) -> list[str]:
    """Name the probes of which there are fits, in order; what is merged or fitted jointly is no probe."""
    return sorted(str(name) for name in decays["probe"].to_numpy() if str(name) not in _TOGETHER)


def paired_rates(decays: xr.Dataset) -> xr.Dataset:
    """Put the rates of the two probes side by side, where the storm's decay is resolved.

    A pair counts if the merged flux resolves the decay (both probes, where there are no merged fits): to ask one probe alone would
    prefer pairs in which its rate is high by chance.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`, with two probes.

    Returns
    -------
    xarray.Dataset
        `rate`, `rate_low` and `rate_high` over storm, probe (two), energy, L; NaN where the pair does not count.

    Raises
    ------
    InputError
        If `decays` are not of two probes.
    """
    names, own = [str(name) for name in decays["probe"].to_numpy()], own_probes(decays)
    if len(own) != 2:
        raise InputError(f"the rates of two probes are compared, but the fits are of {', '.join(own) or 'none'}")
    pair = decays[list(_RATES)].isel(probe=[names.index(name) for name in own])
    asked = (
        decays["rate_low"].isel(probe=names.index("merged"), drop=True)
        if "merged" in names
        else pair["rate_low"].min("probe", skipna=False)
    )
    counts = (asked > 0) & pair["rate"].notnull().all("probe")
    return pair.where(counts).transpose("storm", "probe", "energy", "L")


def probe_ratio(decays: xr.Dataset, *, confidence: float = 0.95) -> ProbeRatio:
    """Median ratio of the second probe's rate to the first's, with an interval over storms.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`, with two probes.
    confidence : float
        Of the interval: percentiles of 2000 draws of storms, with replacement.

    Returns
    -------
    ProbeRatio

    Raises
    ------
    InputError
        If `decays` are not of two probes, or the confidence makes no sense.
    """
    check_confidence(confidence)
    pairs = paired_rates(decays)
    first, second = np.moveaxis(pairs["rate"].to_numpy(), 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = second / first
    of_storms = [row[np.isfinite(row)] for row in ratio]
    of_storms = [row for row in of_storms if row.size]
    every = np.concatenate([*of_storms, np.zeros(0)])
    low = high = np.nan
    if len(of_storms) > 1:
        rng = np.random.default_rng(_SEED)
        drawn = [_median_of([of_storms[k] for k in rng.integers(len(of_storms), size=len(of_storms))]) for _ in range(_DRAWS)]
        low, high = np.quantile(drawn, [0.5 - confidence / 2, 0.5 + confidence / 2])
    names = [str(name) for name in pairs["probe"].to_numpy()]
    middle = float(np.median(every)) if every.size else np.nan
    return ProbeRatio((names[0], names[1]), every.size, len(of_storms), middle, float(low), float(high))


def _median_of(rows: list[Floats]) -> float:
    return float(np.median(np.concatenate(rows)))
