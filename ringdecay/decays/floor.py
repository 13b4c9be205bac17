"""The instrument's floor: the flux level at which a channel stops falling because it no longer sees protons."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ringdecay.decays.gls import Floats
from ringdecay.decays.log_flux import read_bins

# An exponential decay spends equal times in equal steps of log flux, so the lowest band holds about as many bins as the next of equal
# width, or fewer where recoveries end at different levels. Over simulated missions (3 seeds x 14 energies) the ratio was at most 1.0 at
# the bottom of channels without a floor, and 1.5 to 3 where e-folding times of 2 to 5 days brought the flux to a floor.
PILE_UP = 1.5
# Below a floor there is only the tail of its own counting noise (measured: up to 0.2 of the pile-up), whereas the densest band of a
# channel without a floor has as many bins below it.
BELOW = 0.25
# A floor belongs to the channel, so several L-shells must share it, each with some bins in the band and flux of more than an e-fold
# above it; a slow decay stays within its own band.
MIN_SHELLS = 3
MIN_BINS = 5
MIN_RANGE = 1.0
MIN_COUNTS = 5


def instrument_floor(binned: xr.Dataset, *, min_samples: int = 2) -> xr.DataArray:
    """Recognise the flux floor of every energy channel from a pile-up of bins at its lowest level.

    Parameters
    ----------
    binned : xarray.Dataset
        From `bin_flux` or `merge_probes`; the more time it holds, the surer. A floor that the flux reaches too seldom is not seen.
    min_samples : int
        Bins of fewer samples are left out.

    Returns
    -------
    xarray.DataArray
        `floor` over energy, cm-2 s-1 sr-1 keV-1: the level at which bins pile up, NaN where none do.
    """
    bins = read_bins(binned, min_samples)
    values = np.full(binned.sizes["energy"], np.nan)
    for e in range(len(values)):
        shells = np.moveaxis(bins.log_flux[:, :, e], 2, 0).reshape(binned.sizes["L"], -1)
        counts = np.moveaxis(bins.counts[:, :, e], 2, 0).reshape(shells.shape)
        # Bins of hardly any counts pile up as well, at the flux of one count; that is the end of the data, not of the flux's fall.
        values[e] = _floor(shells, np.isfinite(shells) & ~(counts < MIN_COUNTS), counts)
    attrs = {
        "units": str(binned.attrs.get("units_flux", "cm-2 s-1 sr-1 keV-1")),
        "long_name": "flux level at which the channel's bins pile up (NaN: no floor seen)",
    }
    return xr.DataArray(values, dims="energy", coords={"energy": binned["energy"]}, name="floor", attrs=attrs)


def _floor(y: Floats, known: NDArray[np.bool_], counts: Floats) -> float:
    """Floor of one channel; arrays of shape (L, bins)."""
    ordered = np.sort(y[known])
    if len(ordered) < MIN_SHELLS * MIN_BINS:
        return np.nan
    bottom = ordered[len(ordered) // 100]
    sizes = counts[known & (y < bottom + 0.5) & (counts > 0)]
    # Half a band: a twentieth of an e-fold, and most of the counting noise at that level.
    half = 0.05 + (1.5 / np.sqrt(np.median(sizes)) if len(sizes) else 0.0)
    starts = np.arange(bottom - half, bottom + 1, half / 4)
    held = np.searchsorted(ordered, starts + half) - np.searchsorted(ordered, starts - half)
    level = float(starts[held.argmax()])
    step = (np.where(known, y, np.inf) - level) / half
    inside, above, below = np.abs(step) <= 1, (step > 1) & (step <= 3), step < -1
    spread = np.array([np.ptp(np.quantile(row[ok], (0.02, 0.98))) if ok.any() else 0.0 for row, ok in zip(y, known, strict=True)])
    shells = (inside.sum(1) >= MIN_BINS) & (spread >= MIN_RANGE + 4 * half)
    n_inside, n_above, n_below = (int(band[shells].sum()) for band in (inside, above, below))
    if shells.sum() < MIN_SHELLS or n_inside < PILE_UP * n_above or n_below > BELOW * n_inside:
        return np.nan
    return float(np.exp(np.median(y[shells][inside[shells]])))
