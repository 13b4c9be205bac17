"""What else a fit should say of itself: is it one exponential, is a floor in the way, are the bins fine enough."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from ringdecay.decays.cells import Cut
from ringdecay.decays.curvature import curvature, two_stages
from ringdecay.decays.error_models import ErrorModels, separable
from ringdecay.decays.free_floor import fit_free_floor
from ringdecay.decays.gls import Floats
from ringdecay.decays.intervals import intervals
from ringdecay.decays.pooling import Pool
from ringdecay.decays.result import FLAGS, flag_bits
from ringdecay.decays.whitening import normal_equations, solve

# A series is called curved where a straight one is called so once in a hundred.
CURVED_LEVEL = 0.01
# The mean rate over storms was measured with bins of at most a sixth of the e-folding time.
COARSEST_BIN = 1 / 6
# A floor matters if the highest that the data allow changes the rate by more than this share of it.
FLOOR_MATTERS = 0.05

FitFloor = Literal["always", "auto", "never"]
_FITTED: dict[str, FitFloor] = {"free": "always", "auto": "auto", "quiet": "auto"}


def floor_fitting(floor: str, estimator: str) -> FitFloor:
    """Tell which series get a floor of their own, from the name of the setting; only with the calibrated estimator do any."""
    return _FITTED.get(floor, "never") if estimator == "gls" else "never"


def with_shape(
    cut: Cut,
    values: dict[str, np.ndarray],
    models: ErrorModels | None,
    *,
    highest_floor: Floats,
    fit_floor: FitFloor,
    confidence: float,
    stages: bool,
    bin_days: Floats | float,
) -> dict[str, np.ndarray]:
    """Add curvature, stages and floor to what a fit found, and give the rate above a floor of its own where that is called for.

    Parameters
    ----------
    cut : Cut
        The series that were fitted.
    values : dict
        What `fit_calibrated` or `fit_paper` returned.
    models : ErrorModels or None
        Error models of the run; None in paper mode, where the error is taken as white and no floor is fitted.
    highest_floor : ndarray, shape (series,)
        The highest floor that the data allow, for series whose floor is not known; NaN where that cannot be said.
    fit_floor : {"always", "auto", "never"}
        Whether series without a known floor are fitted with one of their own: all, those where it matters and can be told, or none.
    confidence : float
        Of the intervals.
    stages : bool
        Whether two stages are fitted.
    bin_days : float or ndarray, shape (series,)
        Width of a time bin.
    """
    out = values | _bends(cut, values, None if models is None else models.parabola, stages)
    known = np.isfinite(cut.floor)
    fitted = np.isfinite(values["rate"]) & np.isfinite(values["sigma"])
    able = separable(values)
    matters = fitted & ~known & _floor_matters(cut, values, highest_floor)
    wanted = {"always": fitted & ~known, "auto": matters & able, "never": np.zeros_like(known)}[fit_floor]
    # An estimator that fits floors has done so already.
    separated = values["flag"] & FLAGS["floor_fitted"] > 0
    own = np.zeros_like(known)
    if models is not None and wanted.any():
        own = _fit_own_floor(cut, out, models.floor, wanted, confidence)
        separated |= own & able
    with np.errstate(invalid="ignore"):
        coarse = out["rate"] * bin_days > COARSEST_BIN
    out["flag"] = out["flag"] | flag_bits(floor_fitted=own, floor_not_separable=matters & ~separated, coarse_bins=coarse)
    return out


def _bends(cut: Cut, values: dict[str, np.ndarray], pooled: Pool | None, stages: bool) -> dict[str, np.ndarray]:
    """Curvature and stages of the log flux that was fitted, and the flags they raise."""
    series = cut.series
    fitted = np.flatnonzero(np.isfinite(values["rate"]) & np.isfinite(values["sigma"]))

    def full(found: Floats) -> Floats:
        all_values = np.full(len(series.n), np.nan)
        all_values[fitted] = found
        return all_values

    some = series.take(fitted)
    bend = curvature(some, pooled)
    with np.errstate(invalid="ignore", divide="ignore"):
        curved = full(2 * stdtr(bend.df, -np.abs(bend.value / bend.error))) < CURVED_LEVEL
    out: dict[str, np.ndarray] = {"curvature": full(bend.value), "curvature_se": full(bend.error)}
    names = ("rate_fast", "rate_fast_se", "rate_slow", "rate_slow_se", "break_time", "delta_criterion")
    if stages:
        found = two_stages(some, bend.sigma, bend.theta, bend.df)
        both = (found.fast, found.fast_se, found.slow, found.slow_se, found.time, found.criterion)
        out |= {name: full(each) for name, each in zip(names, both, strict=True)}
    else:
        out |= {name: np.full(len(series.n), np.nan) for name in names}
    return out | {"flag": values["flag"] | flag_bits(curved=curved, two_stages=out["delta_criterion"] > 0)}


def _floor_matters(cut: Cut, values: dict[str, np.ndarray], highest_floor: Floats) -> NDArray[np.bool_]:
    """Whether taking the highest possible floor off the fitted line would change its rate by more than `FLOOR_MATTERS`."""
    series = cut.series
    usable = np.isfinite(values["rate"]) & np.isfinite(values["sigma"]) & np.isfinite(highest_floor) & (highest_floor > 0)
    rows = np.flatnonzero(usable)
    some = series.take(rows)
    t = np.where(some.valid, some.t - values["t_first"][rows, None], 0.0)
    log_share = np.log(highest_floor[rows, None]) - values["log_flux_start"][rows, None] + values["rate"][rows, None] * t
    # At nine tenths of the fitted flux it matters for certain.
    bend = np.where(some.valid, np.log1p(-np.minimum(np.exp(np.minimum(log_share, 0.0)), 0.9)), 0.0)
    columns = np.stack([bend, some.valid.astype(float), t])
    products, _ = normal_equations(some, values["sigma"][rows], np.nan_to_num(values["theta"][rows]), columns)
    change = solve(products).values[1]
    out = np.zeros(len(series.n), dtype=bool)
    out[rows] = (np.abs(change) > FLOOR_MATTERS * np.abs(values["rate"][rows])) | (log_share.max(1, initial=-np.inf) > np.log(0.9))
    return out


def _fit_own_floor(cut: Cut, out: dict[str, np.ndarray], pooled: Pool, wanted: NDArray[np.bool_], confidence: float) -> NDArray[np.bool_]:
    """Put the rates above floors of the series' own into `out`, and tell where."""
    rows = np.flatnonzero(wanted)
    found = fit_free_floor(cut.series.take(rows), pooled)
    good = np.isfinite(found.rate) & np.isfinite(found.rate_se)
    rows = rows[good]
    rate, rho = found.rate[good], found.rho[good]
    new = {
        "rate": rate,
        "rate_se": found.rate_se[good],
        "df": found.df[good],
        "rho": rho,
        "sigma": found.sigma[good],
        "theta": found.theta[good],
        "floor": found.floor[good],
        "n_eff": out["n"][rows] * (1 - rho) / (1 + rho),
        "log_flux_start": found.level[good] - rate * out["t_first"][rows],
    }
    new |= intervals(rate, new["rate_se"], new["df"], confidence)
    for name, each in new.items():
        out[name] = out[name].copy()
        out[name][rows] = each
    kept = out["flag"][rows] & ~np.int32(FLAGS["not_resolved"] | FLAGS["growth"])
    out["flag"] = out["flag"].copy()
    out["flag"][rows] = kept | flag_bits(not_resolved=new["rate_low"] <= 0, growth=new["rate_high"] < 0)
    own = np.zeros(len(wanted), dtype=bool)
    own[rows] = True
    return own
