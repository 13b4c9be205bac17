"""The decay of one series of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from ringdecay.decays.cells import cut, fit_calibrated, fit_paper
from ringdecay.decays.error_models import ErrorModels
from ringdecay.decays.estimators import COUNTED, chosen, compared, estimator_named, names_compared
from ringdecay.decays.fit import Mode, check_settings, floor_name
from ringdecay.decays.floor import highest_floor, known_floor
from ringdecay.decays.gls import Floats, least_squares
from ringdecay.decays.log_flux import with_half_count
from ringdecay.decays.pooling import Pool, median_spacing
from ringdecay.decays.result import as_dataset
from ringdecay.decays.shape import floor_fitting, with_shape
from ringdecay.decays.windows import DAY, to_time
from ringdecay.errors import InputError, unknown


def fit_decay(
    time: ArrayLike,
    flux: ArrayLike,
    *,
    counts: ArrayLike | None = None,
    flux_error: ArrayLike | None = None,
    mode: Mode = "calibrated",
    estimator: str = "gls",
    compare: bool | Sequence[str] = False,
    floor: float | Literal["auto", "free"] | None = "auto",
    floor_factor: float = 5.0,
    two_stages: bool = True,
    min_points: int = 5,
    min_counts: float = 5.0,
    confidence: float = 0.95,
    r_max: float = -0.8,
) -> xr.Dataset:
    """Fit the decay of one series of flux.

    With one series nothing can be pooled: correlation time and size of the fluctuation are integrated over with even weight, and the
    flag `not_pooled` says so.

    Parameters
    ----------
    time : array-like
        datetime64 or ISO 8601 (without a zone: UTC), or numbers or timedelta64 for days; any order.
    flux : array-like
        Flux in any unit; NaN or masked for missing. All of the series is fitted: cut it to the recovery first.
    counts : array-like, optional
        Counts behind each flux.
    flux_error : array-like, optional
        Standard error of each flux by counting, in the flux's unit; instead of `counts`.
    mode, estimator, compare, floor_factor, two_stages, min_points, min_counts, confidence, r_max
        As for `fit_decays`. The estimators "poisson" and "negative_binomial" need counts.
    floor : float, "auto", "free" or None
        Flux floor in the flux's unit. "auto" fits one where it could matter and the series is long enough to tell (flag `floor_fitted`),
        "free" always, None never; where it could matter and was not or could not be told, the flag is `floor_not_separable`.

    Returns
    -------
    xarray.Dataset
        The variables of `fit_decays`, without dimensions (a comparison has the dimension estimator). `start` and `stop` are times if times
        were given, days if numbers were.

    Raises
    ------
    InputError
        If the arrays do not fit together or are no times and numbers, both `counts` and `flux_error` are given, or an estimator of
        counts has neither.
    """
    found = fit_values(
        time,
        flux,
        counts=counts,
        flux_error=flux_error,
        mode=mode,
        estimator=estimator,
        compare=compare,
        floor=floor,
        floor_factor=floor_factor,
        two_stages=two_stages,
        min_points=min_points,
        min_counts=min_counts,
        confidence=confidence,
        r_max=r_max,
    )
    names, calibrated = names_compared(compare), mode == "calibrated"
    attrs = {
        "mode": mode,
        "estimator": estimator if calibrated else "ols",
        "window": "given",
        "floor_factor": floor_factor,
        "min_points": min_points,
        "confidence": confidence,
    }
    attrs |= {"min_counts": min_counts} if calibrated else {"r_max": r_max}
    coords = {"estimator": list(names)} if names else {}
    return as_dataset(found, (), coords, attrs)


def fit_values(
    time: ArrayLike,
    flux: ArrayLike,
    *,
    counts: ArrayLike | None = None,
    flux_error: ArrayLike | None = None,
    mode: Mode = "calibrated",
    estimator: str = "gls",
    compare: bool | Sequence[str] = False,
    floor: float | Literal["auto", "free"] | None = "auto",
    floor_factor: float = 5.0,
    two_stages: bool = True,
    min_points: int = 5,
    min_counts: float = 5.0,
    confidence: float = 0.95,
    r_max: float = -0.8,
) -> dict[str, NDArray[Any]]:
    """Fit as `fit_decay`, and give the values by name without a Dataset, which takes as long to make as the fit."""
    check_settings(mode, min_points, r_max, floor_factor, min_counts)
    estimator_named(estimator)
    names = names_compared(compare)
    name_of_floor = floor_name(floor)
    if name_of_floor == "quiet":
        raise unknown("floor", "quiet", ["auto", "free"])
    when, values = _times(time), _numbers(flux, "flux")
    if when.ndim != 1 or values.shape != when.shape:
        raise InputError(f"time and flux must be one-dimensional and of one length, not of shapes {when.shape} and {values.shape}")
    origin = when.min() if len(when) and when.dtype.kind == "M" else None
    t = (when - origin) / DAY if origin is not None else when.astype(float)
    n = _counts(values, counts, flux_error)
    order = np.argsort(t, kind="stable")
    t, values, n = t[order][None], values[order][None], n[order][None]
    calibrated = mode == "calibrated"
    if calibrated and estimator in COUNTED and not np.isfinite(n).any():
        raise InputError(f"the estimator {estimator!r} fits counts; give counts, or flux_error")
    with np.errstate(divide="ignore", invalid="ignore"):
        exposure = np.where((n > 0) & (values > 0), n / values, np.nan)
        # A bin of zeros has the exposure of the others.
        exposure = np.where((n == 0) & (values == 0) & np.isfinite(exposure).any(), _median(exposure), exposure)
        raised = with_half_count(values, n, exposure) if calibrated else values
        y = np.log(np.where(raised > 0, raised, np.nan))
    level = np.full(1, np.nan) if floor is None or isinstance(floor, str) else known_floor(floor, ())[None]
    one = cut(y, t, values, n, exposure, np.isfinite(t), level, floor_factor, min_counts if calibrated else 0.0)
    line, spacing = least_squares(one.series), median_spacing(one.series)
    alone = Pool(float(np.nan_to_num(spacing[0], nan=1.0)) or 1.0, float(np.nan_to_num(line.residual_variance[0])))
    models = ErrorModels(alone, alone, alone)
    used = estimator if calibrated else "ols"
    if calibrated:
        plain = fit_calibrated(one, alone, min_points, confidence, chosen(estimator, one, models, confidence))
    else:
        plain = fit_paper(one, min_points, confidence, r_max)
    found = with_shape(
        one,
        plain,
        models if calibrated else None,
        highest_floor=np.array([highest_floor(values, n, exposure)]),
        fit_floor=floor_fitting(name_of_floor, used),
        confidence=confidence,
        stages=two_stages,
        bin_days=spacing,
    )
    found |= compared(one, models, names, {used: plain}, min_points, confidence)
    for name, edge in (("start", "t_first"), ("stop", "t_last"), ("break_time", "break_time")):
        found[name] = found[edge] if origin is None else to_time(found[edge], origin)
    found["index_change"] = np.array([np.nan])
    return {name: value[..., 0] for name, value in found.items()}


def _times(time: ArrayLike) -> NDArray[Any]:
    """Give the times of a series as datetime64 or as days."""
    # What is masked is left out like NaN.
    masked = np.ma.getmaskarray(time) if isinstance(time, np.ma.MaskedArray) else None
    when = np.asarray(time)
    try:
        if when.dtype.kind in "OUT":
            # Timestamps, dates, strings, with a zone or without (UTC).
            read = pd.to_datetime(pd.Series(when), utc=True, format="ISO8601" if when.dtype.kind in "UT" else None)
            when = read.dt.tz_localize(None).to_numpy()
        elif when.dtype.kind == "m":
            when = when / DAY
        elif when.dtype.kind != "M":
            when = when.astype(float)
    except (ValueError, TypeError) as error:
        raise InputError(f"the times of the series must be datetime64, ISO 8601 or numbers in days ({error})") from error
    if masked is not None and masked.any():
        when = np.where(masked, np.datetime64("NaT") if when.dtype.kind == "M" else np.nan, when)
    if when.dtype.kind == "M" and np.isnat(when).any():
        raise InputError("a time of the series is not a time (NaT); leave it out")
    return when


def _numbers(values: ArrayLike, name: str) -> Floats:
    """Give numbers as float64; NaN where they are masked."""
    try:
        if isinstance(values, np.ma.MaskedArray):
            return np.ma.filled(values.astype(float), np.nan)
        return np.asarray(values, dtype=float)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} must be numbers ({error})") from error


def _counts(flux: Floats, counts: ArrayLike | None, flux_error: ArrayLike | None) -> Floats:
    """Find the counts behind each flux; from its relative error, (flux / error)^2, if that was given."""
    if counts is not None and flux_error is not None:
        raise InputError("give counts or flux_error, not both: each says how well the flux is known")
    given = counts if counts is not None else flux_error
    if given is None:
        return np.full(flux.shape, np.nan)
    array = _numbers(given, "counts or flux_error")
    if array.shape != flux.shape:
        raise InputError(f"counts or flux_error must have the shape of the flux, {flux.shape}, not {array.shape}")
    if counts is not None:
        return array
    with np.errstate(divide="ignore", invalid="ignore"):
        out: Floats = np.where(array > 0, (flux / array) ** 2, np.nan)
    return out


def _median(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else np.nan
