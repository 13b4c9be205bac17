"""Lifetimes: everything that is said of a cell over all storms."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ringdecay.decays.fit import SAID_ATTRIBUTES
from ringdecay.decays.gls import Floats
from ringdecay.decays.intervals import intervals, inverse
from ringdecay.decays.result import FLAGS as FIT_FLAGS
from ringdecay.decays.result import flag_attrs
from ringdecay.errors import InputError
from ringdecay.lifetime.bootstrap import bootstrap_interval
from ringdecay.lifetime.discoveries import benjamini_hochberg, check_rate, no_decay
from ringdecay.lifetime.fits import Fits, fits_of, kinds, one_probe
from ringdecay.lifetime.influence import largest, left_out
from ringdecay.lifetime.mean import hartung_knapp, mean_rate
from ringdecay.lifetime.prediction import next_storm
from ringdecay.lifetime.result import CALIBRATED, FLAGS, PAPER
from ringdecay.lifetime.scatter import q_profile
from ringdecay.products import ion_name

# If more than this share of the storms fell to the floor within too few bins, the mean knows the slow ones only and is flagged.
LOST_SHARE = 0.1
# If more than this share of the fits say so, the mean says it too.
FLAGGED_SHARE = 0.5


def lifetimes(
    decays: xr.Dataset,
    *,
    probe: str = "merged",
    confidence: float = 0.95,
    false_discovery_rate: float = 0.05,
    resamples: int = 2000,
    seed: int = 20150317,
    brief: bool = False,
) -> xr.Dataset:
    """Average the decays of every cell over storms.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`; its mode decides what is done. Calibrated: random-effects mean of the rates with limited weights and robust
        variance (`ringdecay.lifetime.mean`), and what follows from it. Paper: the mean of tau over the accepted fits, which is biased
        and there for comparison.
    probe : str
        Which probe's fits; two probes are two looks at the same storms and are not counted twice.
    confidence : float
        Of the intervals (two-sided) and the limit (one-sided).
    false_discovery_rate : float
        Largest expected share of false ones among the decays that are `discovered` over the map.
    resamples, seed : int
        Of the bootstrap over storms.
    brief : bool
        Whether to leave out what takes nearly all of the time: the interval of the scatter, the prediction for the next storm, the storm
        that shifts the mean most, and the means for comparison.

    Returns
    -------
    xarray.Dataset
        Dims energy, L; the variables of `ringdecay.lifetime.CALIBRATED`, in paper mode those of `PAPER`: the mean rate with its
        interval and tau, the scatter between storms with its Q-profile interval, the prediction interval for the next storm, p and q
        value of the decay, counts, the storm that shifts the mean most, and for comparison the mean by REML with the Hartung-Knapp
        interval and the interval by a bootstrap over storms. With a single storm the interval is that of its fit, which knows nothing
        of the scatter between storms (flag `single_storm`).

    Raises
    ------
    InputError
        If `decays` is not what `fit_decays` returns or has no such probe, or a setting does not make sense.
    """
    check_rate(false_discovery_rate)
    if not isinstance(resamples, int | np.integer) or resamples < 1:
        raise InputError(f"resamples must be a whole number, at least 1, not {resamples!r}; 2000 is usual")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed must be a whole number, not negative, not {seed!r}")
    chosen = one_probe(decays, probe)
    if not chosen.sizes["storm"]:
        # One storm without a fit in place of none, so that every cell has a (void) result.
        chosen = chosen.reindex(storm=[0])
        chosen["flag"] = chosen["flag"].fillna(0).astype(np.int32)
    kind = kinds(chosen)
    counts = {name: each.sum(0) for name, each in kind.items()}
    bits = np.where(counts["n_storms"] == 0, FLAGS["no_fits"], 0) | np.where(counts["n_storms"] == 1, FLAGS["single_storm"], 0)
    bits |= np.where(counts["n_lost"] > LOST_SHARE * (counts["n_lost"] + counts["n_storms"]), FLAGS["storms_lost_to_floor"], 0)
    for name in ("floor_not_separable", "coarse_bins"):
        flagged = kind["n_storms"] & (chosen["flag"].to_numpy() & FIT_FLAGS[name] > 0)
        bits |= np.where(flagged.sum(0) > FLAGGED_SHARE * counts["n_storms"], FLAGS[name], 0)
    attrs: dict[str, Any] = {name: decays.attrs[name] for name in SAID_ATTRIBUTES if name in decays.attrs}
    attrs |= {"title": f"Decay times of the {ion_name(attrs)} flux, mean over storms", "probe": probe, "confidence": confidence}
    if decays.attrs.get("mode") == "paper":
        accepted = kind["n_storms"] & (chosen["flag"].to_numpy() & FIT_FLAGS["not_accepted"] == 0)
        values = _paper_mean(chosen["tau"].to_numpy(), accepted) | counts
        described = PAPER
    else:
        found = _mean_over_storms(fits_of(chosen), confidence)
        if not brief:
            found |= _more_over_storms(fits_of(chosen), confidence, resamples, seed, chosen["storm"].to_numpy())
        values = {name: value.reshape(bits.shape) for name, value in found.items()} | counts
        values["discovered"] = (values["q_value"] <= false_discovery_rate).astype(np.int8)
        described = CALIBRATED
        bits |= np.where(values["rate_low"] <= 0, FLAGS["not_resolved"], 0) | np.where(values["rate_high"] < 0, FLAGS["growth"], 0)
        attrs |= {"mean": "random effects, limited weights, between-storm variance after Paule and Mandel, robust variance of the mean"}
        attrs |= {"false_discovery_rate": false_discovery_rate}
        attrs |= {} if brief else {"bootstrap_resamples": resamples, "bootstrap_seed": seed}
    values["flag"] = bits.astype(np.int32)
    variables = {
        name: (("energy", "L"), values[name], dict(said) | (flag_attrs(FLAGS) if name == "flag" else {}))
        for name, said in described.items()
        if name in values
    }
    coords = {name: decays[name] for name in ("energy", "L", "L_bounds") if name in decays.coords}
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def _mean_over_storms(fits: Fits, confidence: float) -> dict[str, np.ndarray]:
    mean = mean_rate(fits)
    out: dict[str, np.ndarray] = {"rate": mean.rate, "rate_se": mean.se, "df": mean.df, "scatter": mean.scatter}
    p = no_decay(mean.rate, mean.se, mean.df)
    return out | intervals(mean.rate, mean.se, mean.df, confidence) | {"p_value": p, "q_value": benjamini_hochberg(p)}


def _more_over_storms(fits: Fits, confidence: float, resamples: int, seed: int, storms: np.ndarray) -> dict[str, np.ndarray]:
    mean = mean_rate(fits)
    low, high = q_profile(fits.rate, fits.variance, fits.use, confidence)
    out = {"scatter_low": np.sqrt(low), "scatter_high": np.sqrt(high)}
    low, high = next_storm(fits, mean, confidence)
    out |= {"rate_pred_low": low, "rate_pred_high": high, "tau_pred_low": inverse(high), "tau_pred_high": inverse(low)}
    out |= largest(left_out(fits, mean)[1], storms) | hartung_knapp(fits, confidence)
    low, high = bootstrap_interval(fits, mean, confidence, resamples=resamples, seed=seed)
    return out | {"rate_boot_low": low, "rate_boot_high": high}


def _paper_mean(tau: Floats, accepted: NDArray[np.bool_]) -> dict[str, np.ndarray]:
    n = accepted.sum(0)
    x = np.where(accepted, tau, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n > 0, x.sum(0) / n, np.nan)
        sd = np.where(n > 1, np.sqrt(np.where(accepted, (x - mean) ** 2, 0.0).sum(0) / (n - 1)), np.nan)
    return {"tau": mean, "tau_sd": sd, "n_accepted": n}
