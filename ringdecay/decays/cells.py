"""The fits of many series that share a window: cut, fitted, judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ringdecay.decays.fitted import Fitted
from ringdecay.decays.gls import Floats, Series, least_squares
from ringdecay.decays.intervals import intervals
from ringdecay.decays.log_flux import expected_counts
from ringdecay.decays.pooling import POOL_SERIES, Likelihood, Pool, estimate, median_spacing, own_share, pool, straight_likelihood
from ringdecay.decays.result import flag_bits
from ringdecay.decays.windows import first_below

# Below so many series the spread of the error's parameters over a run cannot be told; each series then stands alone.
FEWEST_POOLED = 20


@dataclass(frozen=True)
class Counted:
    """Counts of the bins of many series, those of few counts and zeros included; sorted in time and pushed to the left.

    Attributes
    ----------
    t, counts, exposure : ndarray, shape (series, point)
        Time (days), counts of the bin, and counts per flux; anything finite beyond the last valid point.
    n : ndarray of int, shape (series,)
        Valid points of each series; 0 where counts are not known.
    """

    t: Floats
    counts: Floats
    exposure: Floats
    n: NDArray[np.int64]


@dataclass(frozen=True)
class Cut:
    """Series cut to their window, and what was found on the way.

    Attributes
    ----------
    series : Series
        Log of the flux above the floor.
    counted : Counted
        Counts of the same windows, those of the floor in them.
    floor : ndarray, shape (series,)
        Floor of the flux; NaN for none.
    floor_reached, few_counts, counts_unknown : ndarray of bool, shape (series,)
        The flags of these names.
    """

    series: Series
    counted: Counted
    floor: Floats
    floor_reached: NDArray[np.bool_]
    few_counts: NDArray[np.bool_]
    counts_unknown: NDArray[np.bool_]


def cut(
    y: Floats,
    t: Floats,
    flux: Floats,
    counts: Floats,
    exposure: Floats,
    inside: NDArray[np.bool_],
    floor: Floats,
    floor_factor: float,
    min_counts: float,
) -> Cut:
    """Cut series at their floor, leave out bins of too few counts, and push what is left to the left.

    Parameters
    ----------
    y, t, flux, counts, exposure : ndarray, shape (series, point)
        Log flux, time (days), mean flux, counts and counts per flux, in order of time; NaN where not known.
    inside : ndarray of bool
        Points inside the window.
    floor : ndarray, shape (series,)
        Floor of the flux, taken off every flux; NaN for none.
    floor_factor : float
        The series ends where an exponential above the floor predicts less than so many times the floor.
    min_counts : float
        Fewest counts that a straight line through the series may predict for a point.
    """
    if not y.shape[1]:
        # A window without any bin: one bin of nothing, so that what follows has something to look at.
        y = t = flux = counts = exposure = np.full((len(y), 1), np.nan)
        inside = np.zeros((len(y), 1), dtype=bool)
    valid = inside & np.isfinite(y) & np.isfinite(t)
    end = first_below(above_floor(y, t, counts, valid, floor), valid, floor_factor * floor)
    reached = end < y.shape[1]
    before = np.arange(y.shape[1]) < end[:, None]
    valid &= before
    # What is left of the flux above its floor; the counts of both make the noise.
    left = np.where(valid & np.isfinite(floor)[:, None], 1 - floor[:, None] / np.where(valid & (flux > 0), flux, np.inf), 1.0)
    # At five floors expected, a bin at 1.25 floors is a freak; left in with a fifth of its flux it has hardly any weight.
    left = np.maximum(left, 0.2)
    expected = expected_counts(y, t, counts, exposure, valid)
    few = valid & (expected < min_counts)
    valid &= ~few
    noise = np.where(np.isfinite(expected), 1 / np.maximum(np.nan_to_num(expected, nan=1.0), 1e-6) / left**2, 0.0)
    not_known = valid & ~np.isfinite(expected)
    (packed_y, packed_t, packed_noise), n = packed(valid, y + np.log(left), t, noise)
    # Zeros whose log is not taken (paper mode) included.
    known = inside & before & np.isfinite(t) & np.isfinite(counts) & np.isfinite(exposure)
    (counted_t, counted_counts, counted_exposure), n_counted = packed(known, t, counts, exposure)
    return Cut(
        Series(packed_y, packed_t, packed_noise, n),
        Counted(counted_t, counted_counts, counted_exposure, n_counted),
        floor,
        reached,
        np.any(few, axis=1),
        np.any(not_known, axis=1),
    )


def above_floor(y: Floats, t: Floats, counts: Floats, valid: NDArray[np.bool_], floor: Floats) -> Floats:
    """Flux that an exponential above a known floor predicts for every bin, shape (series, point), and its value where no floor is known.

    A window that ended at the first bin that is low by chance would end too early after a low bin and too late after a high one, and
    its rate would be too small; the prediction, from all bins, does not know which one is low. Gauss-Newton steps on log flux.
    """
    out = np.exp(np.where(valid, y, 0.0))
    rows = np.flatnonzero(np.isfinite(floor) & (valid.sum(1) >= 3))
    use, known = valid[rows], floor[rows, None]
    log_flux, when = np.where(use, y[rows], 0.0), np.where(use, t[rows], 0.0)
    noise = np.where(np.isfinite(counts[rows]), 1 / np.maximum(counts[rows], 1.0), 0.0)
    n = np.full(len(rows), y.shape[1])
    share = np.maximum(1 - known * np.exp(-log_flux), 0.1)
    target, weight = log_flux + np.log(share), np.where(use, share**2, 0.0)
    for _ in range(6):
        line = least_squares(Series(target, when, weight, n), weight)
        log_signal = np.clip(line.mean_y[:, None] + np.nan_to_num(line.slope)[:, None] * (when - line.mean_t[:, None]), -60, 60)
        model = np.exp(log_signal) + known
        share = np.maximum(np.exp(log_signal) / model, 1e-6)
        weight = np.where(use, share**2 / (share**2 + noise / 0.04) + 1e-12, 0.0)
        target = log_signal + np.clip((log_flux - np.log(model)) / share, -1, 1)
    out[rows] = model if len(rows) else out[rows]
    return out


def packed(valid: NDArray[np.bool_], *values: Floats) -> tuple[list[Floats], NDArray[np.int64]]:
    """Push the valid entries of each row to the left, zeros after them, and count them."""
    n = valid.sum(1)
    own = np.arange(max(int(n.max(initial=0)), 1)) < n[:, None]
    out = [np.zeros(own.shape) for _ in values]
    for each, row in zip(values, out, strict=True):
        # Both go row by row, and a row has as many entries in one as in the other.
        row[own] = each[valid]
    return out, n


def pool_cuts(cuts: list[Cut], min_points: int, likelihood: Likelihood = straight_likelihood) -> Pool:
    """Pool the error's parameters over the windows of a run; windows are independent, series of one window are not."""
    return pool_asked(asked(cuts, min_points), likelihood)


@dataclass(frozen=True)
class Asked:
    """Series that are asked for the error's parameters, and how many windows they come from."""

    series: Series | None
    windows: int


def asked(cuts: list[Cut], min_points: int, most: int = POOL_SERIES) -> Asked:
    """Choose series of a run at equal steps, about as many as `most`, of those that have enough points."""
    able = [np.flatnonzero(c.series.n >= max(min_points, 3)) for c in cuts]
    total = sum(len(rows) for rows in able)
    step = max(total // most, 1)
    parts = [c.series.take(rows[::step]) for c, rows in zip(cuts, able, strict=True) if len(rows)]
    if not parts:
        return Asked(None, 0)
    width = max(part.y.shape[1] for part in parts)

    def joined(name: str) -> Floats:
        return np.concatenate([np.pad(getattr(part, name), ((0, 0), (0, width - part.y.shape[1]))) for part in parts])

    second = None if parts[0].second is None else joined("second")
    return Asked(Series(joined("y"), joined("t"), joined("noise"), np.concatenate([part.n for part in parts]), second), len(parts))


def pool_asked(those: Asked, likelihood: Likelihood = straight_likelihood) -> Pool:
    """Pool the error's parameters of the series that `asked` chose."""
    if those.series is None:
        return Pool(1.0, 1.0)
    n = those.windows
    return pool(those.series, n_independent=n, fewest=FEWEST_POOLED, likelihood=likelihood, own_share=own_share(those.series, n))


def fit_calibrated(cut: Cut, pooled: Pool, min_points: int, confidence: float, chosen: Fitted | None = None) -> dict[str, np.ndarray]:
    """Generalised least squares with the error model of the run; every value has shape (series,).

    `chosen`, if given, has the last word on the rate and its errors; `rho`, `sigma` and `theta` stay those of the error model.
    """
    series, enough = cut.series, cut.series.n >= max(min_points, 3)
    rows = np.flatnonzero(enough)
    found = estimate(series.take(rows), pooled)

    def full(values: Floats) -> Floats:
        out = np.full(len(series.n), np.nan)
        out[rows] = values
        return out

    values = {name: full(getattr(found, name)) for name in ("rho", "sigma", "theta")}
    values |= {"probe_offset": full(found.offset), "probe_offset_se": full(found.offset_se)}
    fitted = chosen or Fitted(full(found.rate), full(found.se), full(found.df), full(found.level))
    r2 = np.where(enough, least_squares(series).r ** 2, np.nan)
    return _finished(cut, fitted, values, r2, min_points, confidence, not_pooled=enough & (pooled.n_series == 0), not_accepted=False)


def fit_paper(cut: Cut, min_points: int, confidence: float, r_max: float) -> dict[str, np.ndarray]:
    """Ordinary least squares with its own standard error and a threshold on the correlation; every value has shape (series,)."""
    series, enough = cut.series, cut.series.n >= max(min_points, 3)
    line = least_squares(series)
    rate = np.where(enough, -line.slope, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        se = np.where(enough, line.slope_se, np.nan)
        residual = line.residuals(series)
        spacing = median_spacing(series)
        # Neighbours only: a pair across a gap says nothing of the correlation at the median spacing.
        pairs = series.valid[:, 1:] & (np.diff(series.t, axis=1) < 1.5 * spacing[:, None])
        products = np.where(pairs, residual[:, 1:] * residual[:, :-1], 0.0).sum(1) / pairs.sum(1)
        rho = np.where(enough, products / ((residual**2).sum(1) / series.n), np.nan)
    values = {
        "rho": rho,
        "sigma": np.where(enough, np.sqrt(line.residual_variance), np.nan),
        "theta": np.full(len(rate), np.nan),
    }
    fitted = Fitted(rate, se, line.freedom, line.mean_y - line.slope * line.mean_t)
    r2 = np.where(enough, line.r**2, np.nan)
    not_accepted = enough & ~(line.r <= r_max)
    return _finished(cut, fitted, values, r2, min_points, confidence, not_pooled=False, not_accepted=not_accepted)


def with_interval(cut: Cut, fitted: Fitted, min_points: int, confidence: float) -> dict[str, Floats]:
    """Rate, its error and what follows from them, shape (series,); NaN where a series has too few points."""
    enough = _points(cut, fitted).n >= max(min_points, 3)
    rate, se, df = (np.where(enough, each, np.nan) for each in (fitted.rate, fitted.rate_se, fitted.df))
    return {"rate": rate, "rate_se": se, "df": df} | intervals(rate, se, df, confidence, fitted.low, fitted.high)


def _points(cut: Cut, fitted: Fitted) -> Series | Counted:
    """Give the points that were fitted."""
    return cut.counted if fitted.counted else cut.series


def _finished(
    cut: Cut,
    fitted: Fitted,
    values: dict[str, Floats],
    r2: Floats,
    min_points: int,
    confidence: float,
    *,
    not_pooled: NDArray[np.bool_] | bool,
    not_accepted: NDArray[np.bool_] | bool,
) -> dict[str, np.ndarray]:
    points = _points(cut, fitted)
    enough = points.n >= max(min_points, 3)
    nothing = np.full(len(points.n), np.nan)
    out: dict[str, np.ndarray] = {"probe_offset": nothing, "probe_offset_se": nothing} | values
    out |= with_interval(cut, fitted, min_points, confidence)
    some = points.n > 0
    out["t_first"] = np.where(some, points.t[:, 0], np.nan)
    out["t_last"] = np.where(some, points.t[np.arange(len(points.n)), np.maximum(points.n - 1, 0)], np.nan)
    out["n"] = points.n
    out["n_eff"] = points.n * (1 - out["rho"]) / (1 + out["rho"])
    out["r2"] = r2
    out["log_flux_start"] = np.where(enough, fitted.level - out["rate"] * out["t_first"], np.nan)
    own = np.zeros(len(points.n), dtype=bool) if fitted.floor is None else np.isfinite(fitted.floor) & enough
    out["floor"] = cut.floor if fitted.floor is None else np.where(own, np.nan_to_num(cut.floor) + fitted.floor, cut.floor)
    out["flag"] = flag_bits(
        too_few_points=~enough,
        no_estimate=enough & np.isnan(out["rate"]),
        not_resolved=out["rate_low"] <= 0,
        growth=out["rate_high"] < 0,
        floor_reached=cut.floor_reached,
        # The regressions on counts leave none of these bins out.
        few_counts=cut.few_counts & (not fitted.counted),
        counts_unknown=cut.counts_unknown & enough,
        not_pooled=not_pooled,
        not_accepted=not_accepted,
        floor_fitted=own,
        floor_not_separable=enough & ~own & (fitted.floor is not None),
    )
    return out
