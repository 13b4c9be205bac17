"""What the fits leave of log flux, and how alike neighbouring residuals are: the error model of the fits, checked by the data themselves.

Residuals of a fitted line are less alike than the errors about the true one, the more so the shorter the series, because the line
follows the slow part of the errors. So neither zero nor the model's own correlation is what their autocorrelation is to be compared
with: both are given here for residuals of the very times and weights of the fits.

Source: Durbin and Watson (1950), Biometrika 37, 409 (moments of ratios of quadratic forms in residuals).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from scipy.special import ndtri

from ringdecay.decays.free_floor import with_floor
from ringdecay.decays.gls import Floats
from ringdecay.decays.log_flux import expected_counts, read_bins
from ringdecay.decays.result import FLAGS
from ringdecay.decays.windows import DAY, Times
from ringdecay.errors import InputError

#: Longest lag, in time bins: a correlation time of most of a week is longer than what a window can tell.
LAGS = 12
# A series of fewer residuals says nothing of their correlation.
_FEWEST = 5
_CELL = ("probe", "energy", "L")
_NEEDED = ("rate", "log_flux_start", "floor", "start", "stop", "rho", "sigma", "theta", "flag")
_DESCRIBED = {
    "residual": {"units": "1", "long_name": "natural log of flux less the fitted; over the signal's share where a floor was fitted"},
    "days": {"units": "days", "long_name": "time from the start of the fit"},
    "noise": {"units": "1", "long_name": "variance of the residual by counting statistics"},
}
_SAID = {
    "autocorrelation": "autocorrelation of the residuals, mean over storms",
    "white_low": "lower end of the range of the autocorrelation if errors were independent",
    "white_high": "upper end of the range of the autocorrelation if errors were independent",
    "assumed": "autocorrelation that residuals of these fits have on average if the errors are as the fits assumed",
    "rho": "correlation of neighbouring errors that the fits assumed, mean over storms",
    "n": "number of residuals",
    "n_storms": "number of storms",
}


def residuals(binned: xr.Dataset, decays: xr.Dataset) -> xr.Dataset:
    """Take the fits from the log flux that they were made of.

    Parameters
    ----------
    binned : xarray.Dataset
        What was fitted, with `with_merged_probe` for the fits of the merged flux.
    decays : xarray.Dataset
        From `fit_decays`; only some of its storms, probes, energies or L-shells for less memory. Joint fits are left out.

    Returns
    -------
    xarray.Dataset
        `residual`, `days` (from the start of the fit) and `noise` over storm, probe, energy, L and bin, the number of the time bin from the
        first of the fit; NaN where a bin was not fitted. Also `rho`, `sigma` and `theta` of the fits. Where a floor of the channel was
        taken off, the residual is that of the flux above it; where a fit has a floor of its own, it is over the share of the signal in the
        flux, as the fit weighed it.

    Raises
    ------
    InputError
        If `decays` is not what `fit_decays` returns, or the data lack its cells.
    """
    missing = [name for name in _NEEDED if name not in decays]
    if missing:
        raise InputError(f"the decays have no {' and no '.join(missing)}; give what fit_decays returns")
    known = [str(name) for name in binned["probe"].to_numpy()]
    decays = decays.isel(probe=[i for i, name in enumerate(decays["probe"].to_numpy()) if str(name) in known])
    ordered = decays.transpose("storm", *_CELL, ...)
    try:
        part = binned.sel({name: ordered[name].to_numpy() for name in _CELL})
    except KeyError as error:
        raise InputError(f"the binned data lack a cell of the fits ({error.args[0]}); give the data that were fitted") from error
    found = [_of_storm(part, ordered.isel(storm=k)) for k in range(ordered.sizes["storm"])]
    width = max((values.shape[-1] for one in found for values in one), default=0)
    shape = (ordered.sizes["storm"], *(ordered.sizes[name] for name in _CELL), width)
    out = np.full((len(_DESCRIBED), *shape), np.nan)
    for k, one in enumerate(found):
        for i, values in enumerate(one):
            out[i, k, ..., : values.shape[-1]] = values
    variables: dict[str, Any] = {name: (("storm", *_CELL, "bin"), out[i], said) for i, (name, said) in enumerate(_DESCRIBED.items())}
    kept = ordered[["rho", "sigma", "theta"]]
    if "L_bounds" in decays.coords:
        kept = kept.assign_coords(L_bounds=decays["L_bounds"])
    attrs = {"title": "Residuals of the fits", "lag_hours": float(binned.attrs.get("time_bin_hours", np.nan))}
    return kept.assign(variables).assign_attrs(kept.attrs | attrs)


def autocorrelation(values: Floats, lags: int = LAGS) -> Floats:
    """Autocorrelation of series on an even grid with gaps.

    Parameters
    ----------
    values : ndarray, shape (..., bin)
        NaN where there is no value.
    lags : int
        Longest lag.

    Returns
    -------
    ndarray, shape (..., lags + 1)
        Of lag 0 to `lags`: the sum of the products of pairs that both are there, over the sum of the squares, about the mean (that of
        ``statsmodels.tsa.stattools.acf(adjusted=False, missing="conservative")``). NaN for a series without spread.
    """
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0.0).sum(-1, keepdims=True) / known.sum(-1, keepdims=True)
        centred = np.where(known, values - mean, 0.0)
        padded = np.concatenate([centred, np.zeros((*centred.shape[:-1], lags))], axis=-1)
        products = [(centred * padded[..., k : k + centred.shape[-1]]).sum(-1) for k in range(lags + 1)]
        out: Floats = np.stack(products, axis=-1) / products[0][..., None]
    return out


def residual_autocorrelation(residuals: xr.Dataset, lags: int = LAGS, *, confidence: float = 0.95) -> xr.Dataset:
    """Average the autocorrelation of the residuals over storms, with what it would be without correlation and with the assumed one.

    Parameters
    ----------
    residuals : xarray.Dataset
        From `residuals`.
    lags : int
        Longest lag, time bins.
    confidence : float
        Of the range of no correlation, at each lag by itself.

    Returns
    -------
    xarray.Dataset
        Over probe, energy, L, lag: `autocorrelation`, a mean weighted with the number of residuals; `white_low` and `white_high`, between
        which it lies with the confidence if errors are independent; `assumed`, its mean if they are those of the fits' error model.
        Over probe, energy and L: `rho`, `n` and `n_storms`. NaN where no storm has 5 residuals. In paper mode the errors are assumed to be
        independent. Storms are taken as independent of each other.
    """
    ordered = residuals.transpose("storm", *_CELL, "bin", ...)
    values = ordered["residual"].to_numpy()
    shape = values.shape[1:-1]
    n = np.isfinite(values).sum(-1)
    weight = np.where(n >= _FEWEST, n, 0)
    moments = np.zeros((3, *n.shape, lags + 1))
    arrays = [ordered[name].to_numpy() for name in ("days", "noise", "sigma", "theta")]
    for where in zip(*np.nonzero(weight), strict=True):
        days, noise, sigma, theta = (each[where] for each in arrays)
        bins = np.flatnonzero(np.isfinite(values[where]))
        moments[(slice(None), *where)] = _expected(bins, days[bins], noise[bins], float(sigma), float(theta), lags)
    share = weight[..., None] / np.maximum(weight.sum(0), 1)[..., None]
    observed = (share * np.nan_to_num(autocorrelation(values, lags))).sum(0)
    middle, assumed = ((share * moment).sum(0) for moment in (moments[0], moments[2]))
    half = ndtri(0.5 + confidence / 2) * np.sqrt((share**2 * moments[1]).sum(0))
    none = (weight.sum(0) == 0)[..., None]
    found = {"autocorrelation": observed, "white_low": middle - half, "white_high": middle + half, "assumed": assumed}
    variables: dict[str, Any] = {name: ((*_CELL, "lag"), np.where(none, np.nan, each)) for name, each in found.items()}
    rho = (share[..., 0] * np.nan_to_num(ordered["rho"].to_numpy())).sum(0)
    variables |= {
        "rho": (_CELL, np.where(none[..., 0], np.nan, rho)),
        "n": (_CELL, weight.sum(0)),
        "n_storms": (_CELL, (weight > 0).sum(0)),
    }
    described = {name: (*both, {"units": "1", "long_name": _SAID[name]}) for name, both in variables.items()}
    lag = ("lag", np.arange(lags + 1), {"long_name": "lag in time bins"})
    assert shape == none.shape[:-1]
    coords = {name: ordered[name] for name in _CELL} | {"lag": lag}
    attrs = dict(residuals.attrs) | {"title": "Autocorrelation of the residuals of the fits", "confidence": confidence}
    return xr.Dataset(described, coords=coords, attrs=attrs)


def _of_storm(binned: xr.Dataset, one: xr.Dataset) -> tuple[Floats, ...]:
    """Residual, days from the start and noise of one storm, shape (probe, energy, L, bin)."""
    start, stop = (one[name].to_numpy().astype("datetime64[ns]") for name in ("start", "stop"))
    centre: Times = binned["time"].to_numpy().astype("datetime64[ns]")
    # NaT, the start of no fit, compares as False; fmin and fmax pass over it.
    near = np.flatnonzero((centre >= np.fmin.reduce(start, None) - DAY) & (centre <= np.fmax.reduce(stop, None) + DAY))
    if not near.size:
        return tuple(np.full((*start.shape, 0), np.nan) for _ in _DESCRIBED)
    calibrated = one.attrs.get("mode", "calibrated") == "calibrated"
    reading = {"quantity": str(one.attrs.get("quantity", "log_mean_flux")), "half_count": calibrated}
    bins = read_bins(binned.isel(time=near), int(one.attrs.get("min_samples", 2)), origin=centre[0], **reading)
    y, t, flux, counts, exposure = (
        np.moveaxis(values, 1, -1) for values in (bins.log_flux, bins.days, bins.flux, bins.counts, bins.exposure)
    )
    begin, end = (np.where(np.isnat(each), np.nan, (each - centre[0]) / DAY)[..., None] for each in (start, stop))
    # Start and stop are the mean times of the first and last bin of the fit, rounded to the nanosecond.
    valid = np.isfinite(y) & (t >= begin - 1e-9) & (t <= end + 1e-9)
    rows, series = (-1, t.shape[-1]), t.shape
    y_rows, t_rows, counts_rows, exposure_rows = (each.reshape(rows) for each in (y, t, counts, exposure))
    expected = expected_counts(y_rows, t_rows, counts_rows, exposure_rows, valid.reshape(rows)).reshape(series)
    if calibrated:
        valid &= ~(expected < float(one.attrs.get("min_counts", 0.0)))
    rate, level, floor = (one[name].to_numpy()[..., None] for name in ("rate", "log_flux_start", "floor"))
    own = (one["flag"].to_numpy()[..., None].astype(np.int64) & FLAGS["floor_fitted"]) > 0
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        log_signal = level - rate * (t - begin)
        total = with_floor(np.exp(log_signal), np.nan_to_num(floor))
        # As `cells.cut` takes off the floor of a channel, and `free_floor` weighs what lies on a floor of the fit's own.
        left = np.where(np.isfinite(floor) & ~own, np.maximum(1 - floor / np.where(flux > 0, flux, np.inf), 0.2), 1.0)
        share = np.where(own & (floor > 0), np.exp(log_signal) / total, 1.0)
        residual = np.where(own, (y - np.log(total)) / share, y + np.log(left) - log_signal)
        noise = np.where(np.isfinite(expected), 1 / np.maximum(expected, 1e-6) / (left * share) ** 2, 0.0)
    valid &= np.isfinite(residual)
    first = valid.argmax(-1)[..., None]
    at = np.arange(t.shape[-1]) + first
    inside = at < t.shape[-1]
    at = np.minimum(at, t.shape[-1] - 1)
    there = np.take_along_axis(valid, at, -1) & inside
    return tuple(np.where(there, np.take_along_axis(each, at, -1), np.nan) for each in (residual, t - begin, noise))


def _expected(bins: np.ndarray, t: Floats, noise: Floats, sigma: float, theta: float, lags: int) -> Floats:
    """Mean and variance of the autocorrelation if errors are independent, and its mean if they are as assumed; shape (3, lags + 1)."""
    n = len(t)
    spread = sigma**2 if np.isfinite(sigma) and sigma > 0 else 1.0
    # Without an error model, the fit took all errors as independent and of one size.
    white = np.diag(spread + noise) if np.isfinite(theta) else np.eye(n)
    model = spread * np.exp(-np.abs(t[:, None] - t) / max(theta, 1e-6)) + np.diag(noise) if np.isfinite(theta) else white
    columns = np.stack([np.ones(n), t - t.mean()], axis=1)
    weighed = np.linalg.solve(model + 1e-9 * spread * np.eye(n), columns)
    # What makes residuals about their mean of errors.
    left = np.eye(n) - columns @ np.linalg.solve(columns.T @ weighed, weighed.T)
    left -= left.mean(0)
    quiet, assumed = (left @ covariance @ left.T for covariance in (white, model))
    apart = np.abs(bins[:, None] - bins)
    out = np.empty((3, lags + 1))
    squared = np.trace(quiet) ** 2 + 2 * (quiet**2).sum()
    for k in range(lags + 1):
        pairs = np.where(apart == k, 0.5 if k else 1.0, 0.0)
        both = pairs @ quiet
        mean = np.trace(both) / np.trace(quiet)
        second = (np.trace(both) ** 2 + 2 * (both * both.T).sum()) / squared
        out[:, k] = mean, max(second - mean**2, 0.0), (pairs * assumed).sum() / np.trace(assumed)
    return out
