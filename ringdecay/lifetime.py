"""Lifetimes: the rate of a cell over all storms, with the scatter between them.

The mean is taken over rates, never over e-folding times: a rate that is uncertain, or below zero by chance, has a mean and an error
like any other, its reciprocal has neither. Fits that found no decay enter as they are.

Weights. The usual weights 1 / (error^2 + scatter^2) fail here: recoveries of 5 and of 35 days have errors that differ twentyfold, and
where the scatter between storms is estimated as zero by chance one long recovery is the whole mean, its own deviation from the
population unseen (measured: 95 % intervals of the Hartung-Knapp kind then contained the population rate in 85 to 90 % of the cells).
Equal weights are honest but let the worst fits decide. We take the middle way: no storm counts more than one with the median error
would. The variance of the mean comes from the storms' own deviations, not from their standard errors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ringdecay.decays.fit import KEPT_ATTRIBUTES
from ringdecay.decays.gls import Floats
from ringdecay.decays.intervals import intervals
from ringdecay.decays.result import FLAGS as FIT_FLAGS
from ringdecay.decays.result import VARIABLES, flag_attrs
from ringdecay.errors import InputError, unknown
from ringdecay.products import ion_name

FLAGS = {"no_fits": 1, "single_storm": 2, "not_resolved": 4, "growth": 8, "storms_lost_to_floor": 16}

# If more than this share of the storms fell to the floor within too few bins, the mean knows the slow ones only and is flagged.
LOST_SHARE = 0.1

_DESCRIBED: dict[str, dict[str, str]] = {
    "rate": {"units": "1/day", "long_name": "mean decay rate over storms (random effects)"},
    "rate_se": {"units": "1/day", "long_name": "standard error of the mean rate, from the deviations of the storms"},
    "df": {"units": "1", "long_name": "degrees of freedom of the interval of the mean rate"},
    "rate_low": VARIABLES["rate_low"],
    "rate_high": VARIABLES["rate_high"],
    "tau": {"units": "days", "long_name": "e-folding time of the mean rate (none where the flux does not fall)"},
    "tau_low": VARIABLES["tau_low"],
    "tau_high": VARIABLES["tau_high"],
    "tau_limit": {"units": "days", "long_name": "one-sided lower limit on the e-folding time, where the mean decay is not resolved"},
    "scatter": {"units": "1/day", "long_name": "standard deviation of the rate between storms, without the errors of the fits"},
    "n_storms": {"units": "1", "long_name": "storms with a fit"},
    "n_resolved": {"units": "1", "long_name": "storms whose decay is resolved"},
    "n_limits": {"units": "1", "long_name": "storms whose decay is not resolved, without those of growing flux"},
    "n_growth": {"units": "1", "long_name": "storms whose flux grows"},
    "n_lost": {"units": "1", "long_name": "storms whose flux was near the floor from the start or fell to it within too few bins"},
    "flag": {"long_name": "what a reader of the lifetime should know"},
}
_PAPER: dict[str, dict[str, str]] = {
    "tau": {"units": "days", "long_name": "mean e-folding time of the accepted fits (biased to short times)"},
    "tau_sd": {"units": "days", "long_name": "standard deviation of the e-folding times of the accepted fits"},
    "n_accepted": {"units": "1", "long_name": "storms whose fit is accepted"},
    **{name: _DESCRIBED[name] for name in ("n_storms", "n_resolved", "n_limits", "n_growth", "n_lost", "flag")},
}


def lifetimes(decays: xr.Dataset, *, probe: str = "merged", confidence: float = 0.95) -> xr.Dataset:
    """Average the decays of every cell over storms.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`; its mode decides what is done. Calibrated: random-effects mean of the rates with limited weights (see the
        module), between-storm variance by Paule and Mandel (1982, J. Res. NBS 87, 377), variance of the mean by the robust estimator
        of Sidik and Jonkman (2006, Comput. Stat. Data Anal. 50, 3681), Student's t with the effective number of storms less one as
        degrees of freedom. With equal weights this is the plain mean with its t interval. Paper: the mean of tau over the accepted
        fits, which is biased and there for comparison.
    probe : str
        Which probe's fits; two probes are two looks at the same storms and are not counted twice.
    confidence : float
        Of the interval (two-sided) and the limit (one-sided).

    Returns
    -------
    xarray.Dataset
        Dims energy, L. Calibrated: rate, rate_se, df, rate_low, rate_high, tau, tau_low, tau_high, tau_limit, scatter, n_storms,
        n_resolved, n_limits, n_growth, n_lost, flag. Paper: tau, tau_sd, n_accepted and the counts. With a single storm the
        interval is that of its fit, which knows nothing of the scatter between storms (flag `single_storm`).

    Raises
    ------
    InputError
        If `decays` is not what `fit_decays` returns or has no such probe.
    """
    if not {"rate", "rate_se", "flag"} <= set(decays) or "storm" not in decays.dims:
        raise InputError("lifetimes need the Dataset that fit_decays returns, with rate, rate_se and flag over storm")
    probes = [str(p) for p in decays["probe"].to_numpy()]
    if probe not in probes:
        raise unknown("probe", probe, probes)
    chosen = decays.isel(probe=probes.index(probe)).transpose("storm", "energy", "L", ...)
    if not chosen.sizes["storm"]:
        # One storm without a fit in place of none, so that every cell has a (void) result.
        chosen = chosen.reindex(storm=[0])
    # Flags become floating point where a storm was masked, with `where` or above.
    chosen["flag"] = chosen["flag"].fillna(0).astype(np.int32)
    rate, se, df, flags = (chosen[name].to_numpy() for name in ("rate", "rate_se", "df", "flag"))
    fitted = np.isfinite(rate) & np.isfinite(se)
    growth = fitted & (flags & FIT_FLAGS["growth"] > 0)
    limits = fitted & ~growth & (flags & FIT_FLAGS["not_resolved"] > 0)
    lost = ~fitted & (flags & FIT_FLAGS["floor_reached"] > 0)
    kinds = {"n_storms": fitted, "n_resolved": fitted & ~growth & ~limits, "n_limits": limits, "n_growth": growth, "n_lost": lost}
    counts = {name: kind.sum(0) for name, kind in kinds.items()}
    bits = np.where(counts["n_storms"] == 0, FLAGS["no_fits"], 0) | np.where(counts["n_storms"] == 1, FLAGS["single_storm"], 0)
    bits |= np.where(counts["n_lost"] > LOST_SHARE * (counts["n_lost"] + counts["n_storms"]), FLAGS["storms_lost_to_floor"], 0)
    kept = (*KEPT_ATTRIBUTES, "mode", "window", "start_delay_days", "max_days")
    attrs: dict[str, Any] = {name: decays.attrs[name] for name in kept if name in decays.attrs}
    attrs |= {"title": f"Decay times of the {ion_name(attrs)} flux, mean over storms", "probe": probe, "confidence": confidence}
    if decays.attrs.get("mode") == "paper":
        accepted = fitted & (flags & FIT_FLAGS["not_accepted"] == 0)
        values = _paper_mean(chosen["tau"].to_numpy(), accepted) | counts
        described = _PAPER
    else:
        values = _mean(rate, se, df, fitted, confidence) | counts
        described = _DESCRIBED
        bits |= np.where(values["rate_low"] <= 0, FLAGS["not_resolved"], 0) | np.where(values["rate_high"] < 0, FLAGS["growth"], 0)
        attrs |= {"mean": "random effects, limited weights, between-storm variance after Paule and Mandel, robust variance of the mean"}
    values["flag"] = bits.astype(np.int32)
    variables = {
        name: (("energy", "L"), values[name], dict(said) | (flag_attrs(FLAGS) if name == "flag" else {}))
        for name, said in described.items()
    }
    coords = {name: decays[name] for name in ("energy", "L", "L_bounds") if name in decays.coords}
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def paule_mandel(values: Floats, variances: Floats, use: NDArray[np.bool_]) -> Floats:
    """Between-group variance after Paule and Mandel, for many means at once.

    The variance at which the weighted sum of squares about the weighted mean, sum (x - m)^2 / (v + variance), equals the number of groups
    less one; zero if it is smaller already without.

    Parameters
    ----------
    values, variances : ndarray, shape (group, ...)
        What is averaged and the variances of its errors.
    use : ndarray of bool, shape (group, ...)
        Which of them count.

    Returns
    -------
    ndarray
        Shape of one group.
    """
    x, v = np.where(use, values, 0.0), np.where(use, variances, 1.0)
    k = use.sum(0)

    def excess(between: Floats) -> Floats:
        weight = np.where(use, 1 / (v + between), 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (weight * x).sum(0) / weight.sum(0)
        out: Floats = (weight * (x - mean) ** 2).sum(0) - (k - 1)
        return out

    low, high = np.zeros(k.shape), np.where(use, (x - x.mean(0)) ** 2, 0.0).sum(0) + 1e-300
    # The sum of squares about any point over k - 1 exceeds the solution, whatever the variances; then halve.
    high = high * 2
    for _ in range(70):
        middle = 0.5 * (low + high)
        above = excess(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where((k > 1) & (excess(np.zeros(k.shape)) > 0), 0.5 * (low + high), 0.0)


def _mean(rate: Floats, se: Floats, df: Floats, use: NDArray[np.bool_], confidence: float) -> dict[str, np.ndarray]:
    k = use.sum(0)
    # A t distribution with few degrees of freedom is wider than its scale says.
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(use, se**2 * np.where(df > 2, df / (df - 2), 1.0), np.nan)
    between = paule_mandel(rate, variance, use)
    # No storm counts more than one whose error is the median's: see the module's docstring.
    weight = np.where(use, 1 / (np.maximum(variance, _median(variance)) + between), 0.0)
    x = np.where(use, rate, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = weight / weight.sum(0)
        mean = np.where(k > 0, (share * x).sum(0), np.nan)
        robust = np.sqrt((share**2 * (x - mean) ** 2 / (1 - share)).sum(0))
        effective = 1 / (share**2).sum(0)
    alone = k == 1
    mean_se = np.where(alone, np.where(use, se, 0.0).sum(0), robust)
    mean_df = np.where(alone, np.where(use, df, 0.0).sum(0), np.where(k > 1, effective - 1, np.nan))
    out: dict[str, np.ndarray] = {"rate": mean, "rate_se": mean_se, "df": mean_df, "scatter": np.where(k > 1, np.sqrt(between), np.nan)}
    return out | intervals(mean, mean_se, mean_df, confidence)


def _median(values: Floats) -> Floats:
    """Median over the first axis of what is not NaN; NaN where there is nothing."""
    k = np.isfinite(values).sum(0)
    ordered = np.sort(values, axis=0)
    low, high = (np.take_along_axis(ordered, np.maximum(i, 0)[None], 0)[0] for i in ((k - 1) // 2, k // 2 - (k == 0)))
    out: Floats = 0.5 * (low + high)
    return out


def _paper_mean(tau: Floats, accepted: NDArray[np.bool_]) -> dict[str, np.ndarray]:
    n = accepted.sum(0)
    x = np.where(accepted, tau, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n > 0, x.sum(0) / n, np.nan)
        sd = np.where(n > 1, np.sqrt(np.where(accepted, (x - mean) ** 2, 0.0).sum(0) / (n - 1)), np.nan)
    return {"tau": mean, "tau_sd": sd, "n_accepted": n}
