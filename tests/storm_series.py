"""A made-up index for tests of storms."""

from __future__ import annotations

import numpy as np
import xarray as xr


def series(points: dict[float, float], step_hours: float = 1.0, start: str = "2015-01-01") -> xr.DataArray:
    """Draw straight lines between (hour, nT)."""
    hours = np.arange(min(points), max(points) + step_hours / 2, step_hours)
    values = np.interp(hours, list(points), list(points.values())).round(6)
    time = np.datetime64(start, "ns") + (hours * 3.6e12).round().astype("timedelta64[ns]")
    return xr.DataArray(values, coords={"time": time}, dims="time", name="Dst", attrs={"units": "nT"})
