"""What differs from storm to storm and might set the decay rate: depth, season, Kp."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.errors import InputError

logger = logging.getLogger(__name__)

_YEAR_DAYS = 365.2425


def storm_covariates(decays: xr.Dataset, *, kp: xr.DataArray | None = None) -> pd.DataFrame:
    """Make the covariates of each storm, for `dependence`.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`.
    kp : xarray.DataArray, optional
        Kp from `open_index`.

    Returns
    -------
    pandas.DataFrame
        Indexed by the storms' numbers. `depth` (nT, negative); `season_sin` and `season_cos` of 2 pi times the part of the year that has
        passed at the storm's minimum; with `kp`, `Kp`, its mean from the first start to the last stop among the storm's fits (NaN
        where there is no fit, or Kp is missing for more than a tenth of that time).

    Raises
    ------
    InputError
        If `decays` has no depth or minimum, or `kp` is no series over time.
    """
    missing = [name for name in ("depth", "minimum", "start", "stop") if name not in decays]
    if missing or "storm" not in decays.dims:
        raise InputError(f"the decays have no {' and no '.join(missing) or 'storm'}; give what fit_decays returns")
    minimum = pd.DatetimeIndex(decays["minimum"].to_numpy())
    passed = minimum.day_of_year - 1 + (minimum - minimum.normalize()) / pd.Timedelta(days=1)
    angle = 2 * np.pi * np.asarray(passed, dtype=float) / _YEAR_DAYS
    table = pd.DataFrame(
        {"depth": decays["depth"].to_numpy().astype(float), "season_sin": np.sin(angle), "season_cos": np.cos(angle)},
        index=pd.Index(decays["storm"].to_numpy(), name="storm"),
    )
    return table if kp is None else table.assign(Kp=_mean_in_windows(kp, decays))


def _mean_in_windows(kp: xr.DataArray, decays: xr.Dataset) -> np.ndarray:
    if kp.dims != ("time",):
        raise InputError("kp must be a series over time, as open_index(files, 'Kp') gives it")
    time, values = kp["time"].to_numpy(), kp.to_numpy()
    starts, stops = (decays[name].transpose("storm", ...).to_numpy() for name in ("start", "stop"))
    # fmin and fmax pass over NaT, a cell without a fit.
    cells = tuple(range(1, starts.ndim))
    first, last = np.fmin.reduce(starts, axis=cells), np.fmax.reduce(stops, axis=cells)
    spacing = np.median(np.diff(time)) if len(time) > 1 else np.timedelta64(3, "h")
    means = np.full(len(first), np.nan)
    for storm, (start, stop) in enumerate(zip(first, last, strict=True)):
        if np.isnat(start) or np.isnat(stop):
            continue
        # A value of Kp stands for the three hours from its time on.
        inside = values[(time + spacing > start) & (time <= stop)]
        expected = max((stop - start) / spacing, 1.0)
        if np.isfinite(inside).sum() >= 0.9 * expected:
            means[storm] = np.nanmean(inside)
    lost = ~np.isnat(first) & np.isnan(means)
    if lost.any():
        logger.warning("Kp is not known over the window of %d of %d storms; they stay out of its regression", lost.sum(), len(lost))
    return means
