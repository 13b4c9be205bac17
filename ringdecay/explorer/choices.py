"""Between which fits a reader of the page can choose, and the mean over storms of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import ndtri, stdtridf

from ringdecay.decays.gls import Floats
from ringdecay.decays.intervals import intervals
from ringdecay.decays.result import FLAGS
from ringdecay.errors import unknown
from ringdecay.lifetime import lifetimes

# With so many a t distribution is a normal one.
_MANY_DF = 1e6


@dataclass(frozen=True)
class Choice:
    """Fits of one mode and estimator.

    Attributes
    ----------
    mode, estimator : str
        How they were made.
    series : int
        Position of the fits, among those of the run, whose points, windows and floors these are.
    own : bool
        Whether these are those very fits, so that their fitted curves are known; of a compared estimator only the rates are kept.
    decays : xarray.Dataset
        The fits.
    """

    mode: str
    estimator: str
    series: int
    own: bool
    decays: xr.Dataset

    @property
    def probes(self) -> list[str]:
        """Probes of which there are fits."""
        known = self.decays["rate"].notnull()
        some = known.any([dim for dim in known.dims if dim != "probe"]).to_numpy()
        return [str(name) for name in self.decays["probe"].to_numpy()[some]]


def choices(all_decays: Sequence[xr.Dataset]) -> list[Choice]:
    """List what a reader can choose: each of the fits, then each compared estimator that is not among them.

    Parameters
    ----------
    all_decays : sequence of xarray.Dataset
        From `fit_decays`, of one run in one or more modes.
    """
    found = [Choice(str(one.attrs["mode"]), str(one.attrs["estimator"]), k, own=True, decays=one) for k, one in enumerate(all_decays)]
    for k, one in enumerate(all_decays):
        for name in map(str, one["estimator"].to_numpy()) if "rate_by_estimator" in one else ():
            if ("calibrated", name) not in [(each.mode, each.estimator) for each in found]:
                found.append(Choice("calibrated", name, k, own=False, decays=with_estimator(one, name)))
    return found


def with_estimator(decays: xr.Dataset, name: str) -> xr.Dataset:
    """Give the decays as one of the compared estimators finds them.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays` with `compare`.
    name : str
        One of the estimators compared.

    Returns
    -------
    xarray.Dataset
        Rates, intervals, `tau` and its limits, and the flags `not_resolved` and `growth`, are those of the estimator; points, windows,
        floors and the other flags are the same. `df` are the degrees of freedom of the t interval that is as wide as the estimator's own.

    Raises
    ------
    InputError
        If there is no such estimator.
    """
    names = [str(each) for each in decays["estimator"].to_numpy()]
    if name not in names:
        raise unknown("estimator", name, names)
    one = decays.isel(estimator=names.index(name), drop=True)
    rate, se, low, high = (one[f"{each}_by_estimator"] for each in ("rate", "rate_se", "rate_low", "rate_high"))
    confidence = float(decays.attrs["confidence"])
    df = _degrees_of_freedom(((high - low) / 2).to_numpy(), se.to_numpy(), confidence)
    found = intervals(rate.to_numpy(), se.to_numpy(), df, confidence, low.to_numpy(), high.to_numpy())
    values = {"rate": rate.to_numpy(), "rate_se": se.to_numpy(), "df": df, **found}
    flag = one["flag"].transpose(*rate.dims).to_numpy() & ~np.int32(FLAGS["not_resolved"] | FLAGS["growth"] | FLAGS["not_accepted"])
    flag |= np.where(low <= 0, FLAGS["not_resolved"], 0) | np.where(high < 0, FLAGS["growth"], 0)
    compared = [each for each in one.data_vars if str(each).endswith("_by_estimator")]
    out = one.drop_vars([*compared, "log_flux_start", "probe_offset"], errors="ignore")
    out = out.assign({each: (rate.dims, value, one[each].attrs) for each, value in values.items()})
    out["flag"] = (rate.dims, flag.astype(np.int32), one["flag"].attrs)
    return out.assign_attrs(mode="calibrated", estimator=name)


def _degrees_of_freedom(half: Floats, se: Floats, confidence: float) -> Floats:
    """Degrees of freedom of the t interval of a standard error that has a half width; NaN where there is none."""
    p = 0.5 + confidence / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        quantile = half / se
        wider = quantile > ndtri(p) * (1 + 1e-6)
        df = np.where(wider, stdtridf(p, np.where(wider, quantile, 3.0)), _MANY_DF)
    return np.where(np.isfinite(quantile), df, np.nan)


def mean_over_storms(choice: Choice, probe: str, given: xr.Dataset) -> xr.Dataset:
    """Average the fits of a choice over storms: what the run itself found where it did, otherwise the same anew, in brief.

    Parameters
    ----------
    choice : Choice
        The fits.
    probe : str
        Whose.
    given : xarray.Dataset
        The run's own, from `lifetimes`.
    """
    first = choice.series == 0 and choice.own
    if first and str(given.attrs.get("probe", "merged")) == probe:
        return given
    return lifetimes(choice.decays, probe=probe, confidence=float(given.attrs.get("confidence", 0.95)), brief=True)
