"""One storm of a result: which, its fits, the flux of its cells, and the span of time that is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.binned import mean_flux, sample_time
from ringdecay.decays.windows import DAY
from ringdecay.errors import InputError
from ringdecay.tables import grows

_BEFORE, _AFTER = 2.0, 1.5  # days drawn before the onset and after the last window


def fits_of_storm(decays: xr.Dataset, storm: int, probe: str | None) -> xr.Dataset:
    """Take the fits of one storm and probe; without a probe those of "merged", or of the first.

    Raises
    ------
    InputError
        If there is no such storm or probe.
    """
    numbers = decays["storm"].to_numpy().tolist()
    if storm not in numbers:
        raise InputError(f"there are no fits of storm {storm}; the storms with fits are {', '.join(map(str, numbers)) or 'none'}")
    return fits_of_probe(decays, probe).isel(storm=numbers.index(storm))


def fits_of_probe(decays: xr.Dataset, probe: str | None) -> xr.Dataset:
    """Take the fits of one probe; without a name those of "merged", or of the first.

    Raises
    ------
    InputError
        If there is no such probe.
    """
    probes = [str(name) for name in decays["probe"].to_numpy()]
    if probe is not None and probe not in probes:
        raise InputError(f"there are no fits of probe {probe!r}; there are those of {', '.join(probes)}")
    return decays.isel(probe=probes.index(probe or ("merged" if "merged" in probes else probes[0])))


def deepest_resolved(decays: xr.Dataset) -> int:
    """Find the deepest storm with a decay that is resolved, or of the deepest if there is none."""
    rest = [dim for dim in decays["rate_low"].dims if dim != "storm"]
    resolved = ((decays["rate_low"] > 0) & ~grows(decays)).any(rest).to_numpy()
    depth = decays["depth"].to_numpy()
    candidates = np.flatnonzero(resolved) if resolved.any() else np.arange(depth.size)
    return int(decays["storm"][candidates[np.argmin(depth[candidates])]])


def depth_text(one: xr.Dataset) -> str:
    """Say how deep a storm was: "−120 nT"."""
    return f"{float(one['depth']):g} nT".replace("-", "\N{MINUS SIGN}")


def drawn_span(one: xr.Dataset) -> tuple[float, float]:
    """Days from the minimum that are drawn: from before the onset to after the last window."""
    minimum = nanoseconds(one["minimum"])
    low = float((nanoseconds(one["onset"]) - minimum) / DAY) - _BEFORE
    stop = window_span(one)[1]
    return low, (10.0 if np.isnat(stop) else float((stop - minimum) / DAY)) + _AFTER


def window_span(one: xr.Dataset) -> tuple[Any, Any]:
    """First start and last stop over the cells of a storm; fmin and fmax pass over NaT."""
    return np.fmin.reduce(nanoseconds(one["start"]), axis=None), np.fmax.reduce(nanoseconds(one["stop"]), axis=None)


def nanoseconds(times: xr.DataArray) -> Any:
    """Give the times as datetime64[ns]."""
    return times.to_numpy().astype("datetime64[ns]")


def cell_series(
    binned: xr.Dataset, probe: str, energy: float, L: float, origin: np.datetime64
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Time (days from the origin), mean flux and its counting error of one cell; the sums of both probes for "merged" and "joint"."""
    cell = binned[["n_samples", "sum_flux", "sum_time", "counts"]].sel(energy=energy, L=L, method="nearest")
    probes = [str(name) for name in binned["probe"].to_numpy()]
    chosen = probe if probe in probes else "merged"
    cell = cell.isel(probe=probes.index(chosen)) if chosen in probes else cell.sum("probe")
    flux = mean_flux(cell).to_numpy()
    seconds = sample_time(cell).to_numpy()
    centre = (nanoseconds(binned["time"]) - origin) / DAY
    counts = cell["counts"].to_numpy()
    error = np.where(counts > 0, flux / np.sqrt(np.where(counts > 0, counts, 1.0)), 0.0)
    return centre + np.nan_to_num(seconds) / 86_400, flux, error
