"""Flux and storm index around each storm, as the page draws them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.binned import mean_flux, sample_time
from ringdecay.explorer.packing import rounded

Floats = npt.NDArray[np.floating]

_DAY = np.timedelta64(86_400_000_000_000, "ns")
_BEFORE, _AFTER, _WITHOUT_WINDOW = 2.0, 1.5, 10.0  # days before the onset, after the last window, and after the minimum if there is none
# Bits of the mantissa: flux to five digits, its counting error to three. Half the size of the page is these two.
FLUX_BITS, ERROR_BITS = 16, 10


def spans(all_decays: Sequence[xr.Dataset]) -> list[tuple[float, float]]:
    """Say which days from its minimum are drawn of each storm: from before the onset to after the last window of any cell."""
    out = []
    for storm in range(all_decays[0].sizes["storm"]):
        one = all_decays[0].isel(storm=storm)
        minimum = _nanoseconds(one["minimum"])
        last = np.fmax.reduce([np.fmax.reduce(_nanoseconds(each["stop"].isel(storm=storm)), axis=None) for each in all_decays])
        high = _WITHOUT_WINDOW if np.isnat(last) else float((last - minimum) / _DAY)
        out.append((float((_nanoseconds(one["onset"]) - minimum) / _DAY) - _BEFORE, high + _AFTER))
    return out


def flux_series(
    binned: xr.Dataset, minima: xr.DataArray, drawn: Sequence[tuple[float, float]], arrays: dict[str, Floats]
) -> list[list[int]]:
    """Put the mean flux around each storm, its counting error and its times into `arrays`.

    Parameters
    ----------
    binned : Dataset
        Sums over probe, time, L and energy.
    minima : DataArray
        Time of each storm's minimum.
    drawn : sequence of tuple
        From `spans`.
    arrays : dict
        Gets `flux_days` (mean time of the samples, days from the minimum), `flux` and `flux_error` over (time, probe, L, energy); NaN where
        a bin has no sample.

    Returns
    -------
    list of list of int
        First row of each storm and the row after its last.
    """
    sums = binned[["n_samples", "sum_flux", "sum_time", "counts"]].transpose("time", "probe", "L", "energy")
    centre = _nanoseconds(binned["time"])
    parts: dict[str, list[Floats]] = {"flux_days": [], "flux": [], "flux_error": []}
    rows, first = [], 0
    for minimum, (low, high) in zip(_nanoseconds(minima), drawn, strict=True):
        days = np.asarray((centre - minimum) / _DAY)
        near = (days >= low) & (days <= high)
        one = sums.isel(time=near)
        flux, counts = mean_flux(one).to_numpy(), one["counts"].to_numpy()
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.where(counts > 0, flux / np.sqrt(counts), np.where(np.isnan(flux), np.nan, 0.0))
        parts["flux_days"].append((days[near][:, None, None, None] + sample_time(one).to_numpy() / 86_400).astype(np.float32))
        parts["flux"].append(rounded(flux, FLUX_BITS))
        parts["flux_error"].append(rounded(error, ERROR_BITS))
        rows.append([first, first + int(near.sum())])
        first = rows[-1][1]
    nothing = np.zeros((0, *(sums.sizes[dim] for dim in ("probe", "L", "energy"))), dtype=np.float32)
    arrays |= {name: np.concatenate([nothing, *each]) for name, each in parts.items()}
    return rows


def index_series(
    index: xr.DataArray, minima: xr.DataArray, drawn: Sequence[tuple[float, float]], arrays: dict[str, Floats]
) -> list[list[int]]:
    """Put the index around each storm into `arrays` as `index_days` and `index`; arguments and result as of `flux_series`."""
    time, values = _nanoseconds(index["time"]), index.to_numpy()
    parts: list[tuple[Floats, Floats]] = []
    rows, first = [], 0
    for minimum, (low, high) in zip(_nanoseconds(minima), drawn, strict=True):
        days = np.asarray((time - minimum) / _DAY)
        near = (days >= low) & (days <= high)
        parts.append((days[near], values[near]))
        rows.append([first, first + int(near.sum())])
        first = rows[-1][1]
    for k, name in enumerate(("index_days", "index")):
        arrays[name] = np.concatenate([np.zeros(0), *(part[k] for part in parts)]).astype(np.float32)
    return rows


def _nanoseconds(times: xr.DataArray) -> npt.NDArray[np.datetime64]:
    return times.to_numpy().astype("datetime64[ns]")
