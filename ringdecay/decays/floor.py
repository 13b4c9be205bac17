"""The instrument's floor: the flux level at which a channel stops falling because it no longer sees protons."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ringdecay.decays.log_flux import read_bins

# A floor is believed if the lowest band of log flux holds this many times the bins of the band above it. A channel that decays
# without a floor holds about as many in both (an exponential spends equal times in equal steps of log flux), or fewer at the bottom.
PILE_UP = 3.0
# ... in this many L-shells at one level: a floor belongs to the channel, a slow decay to its L-shell.
MIN_SHELLS = 3
# ... each with this many bins in the band and with flux elsewhere at least so many bands above it.
MIN_BINS = 5
MIN_RANGE = 4.0


def instrument_floor(binned: xr.Dataset, *, min_samples: int = 2) -> xr.DataArray:
    """Recognise the flux floor of every energy channel from a pile-up of bins at its lowest level.

    Parameters
    ----------
    binned : xarray.Dataset
        From `bin_flux` or `merge_probes`; the more time it holds, the surer.
    min_samples : int
        Bins of fewer samples are left out.

    Returns
    -------
    xarray.DataArray
        `floor` over energy, cm-2 s-1 sr-1 keV-1: the level at which bins pile up, NaN where none do.
    """
    bins = read_bins(binned, min_samples, "log_mean_flux")
    values = np.full(binned.sizes["energy"], np.nan)
    for e in range(len(values)):
        shells = np.moveaxis(bins.log_flux[:, :, e], 2, 0).reshape(binned.sizes["L"], -1)
        counts = np.moveaxis(bins.counts[:, :, e], 2, 0).reshape(shells.shape)
        values[e] = _floor(shells, counts)
    attrs = {
        "units": str(binned.attrs.get("units_flux", "cm-2 s-1 sr-1 keV-1")),
        "long_name": "flux level at which the channel's bins pile up (NaN: no floor seen)",
    }
    return xr.DataArray(values, dims="energy", coords={"energy": binned["energy"]}, name="floor", attrs=attrs)


def _floor(y: np.ndarray, counts: np.ndarray) -> float:
    """Floor of one channel; `y` and `counts` of shape (L, bins)."""
    finite = np.isfinite(y)
    if finite.sum() < MIN_SHELLS * MIN_BINS:
        return np.nan
    ordered = np.sort(y[finite])
    bottom = ordered[int(0.01 * len(ordered))]
    near = finite & (y < bottom + 0.5)
    sizes = counts[near & (counts > 0)]
    # Half the band: a tenth of an e-fold, and twice the counting noise at that level.
    half = 0.1 + (2 / np.sqrt(np.median(sizes)) if len(sizes) else 0.0)
    # The lowest percent is the lower tail of a pile-up, if there is one: its middle lies up to half a band higher.
    level = float(np.median(y[finite & (y < bottom + half)]))
    spread = np.array(
        [np.ptp(np.quantile(row[ok], (0.02, 0.98))) if ok.sum() >= MIN_BINS else 0.0 for row, ok in zip(y, finite, strict=True)]
    )
    inside = (np.abs(np.where(finite, y, np.inf) - level) <= half).sum(1)
    above = ((y > level + half) & (y <= level + 3 * half)).sum(1)
    members = (inside >= MIN_BINS) & (spread >= MIN_RANGE * 2 * half)
    if members.sum() < MIN_SHELLS or inside[members].sum() < PILE_UP * above[members].sum():
        return np.nan
    return float(np.exp(np.median(y[members][np.abs(np.where(finite, y, np.inf)[members] - level) <= half])))
