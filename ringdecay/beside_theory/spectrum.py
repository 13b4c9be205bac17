"""How steeply the flux falls with energy, which decides what Coulomb drag does to it."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ringdecay.errors import InputError
from ringdecay.lifetime.fits import has_fit, one_probe

Floats = NDArray[np.float64]

#: Least, middle and greatest spectral index that are taken where none was measured: from a flux that rises as the square of energy to
#: one that falls as its cube, the range for which `theory.loss_rate` says what it does; the middle, a flat spectrum, is its convention.
ASSUMED = (-2.0, 0.0, 3.0)
# Part of the storms below the lower and above the upper end of the spectral index: those of one standard deviation of a normal sample.
_TAIL = 0.159


def spectral_index(decays: xr.Dataset, *, probe: str = "merged") -> xr.DataArray:
    """Measure the spectral index of the flux in every storm, energy and L-shell.

    g is -d ln(flux) / d ln(energy), from the fitted fluxes of neighbouring channels at one time: the middle of the cell's own fit, or the
    time nearest to it at which both channels are fitted. There the level of a fit is known best, its error does not go with that of its
    rate, and the mean of a g that changes steadily is its value in the middle, as the fitted rate is the mean of the rate. Counting
    statistics, the floor that was taken off and the fluctuation are treated as the fits treat them. Slopes to both neighbours are
    weighted so that a parabola through the three channels has the same slope; at the ends of the energy range, and beside a channel
    without a fit, the slope to the one neighbour is taken.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`.
    probe : str
        Which probe's fits.

    Returns
    -------
    xarray.DataArray of float64
        g over storm, energy and L; NaN without a fit in the cell and in a neighbouring channel that share some time.

    Raises
    ------
    InputError
        If `decays` is not what `fit_decays` returns or has no such probe.
    """
    missing = [name for name in ("log_flux_start", "start", "stop") if not isinstance(decays, xr.Dataset) or name not in decays]
    if missing:
        raise InputError(f"the decays have no {' and no '.join(missing)}; give what fit_decays returns")
    chosen = one_probe(decays, probe)
    energy = chosen["energy"].to_numpy().astype(np.float64)
    order = np.argsort(energy)
    ordered = chosen.isel(energy=order)
    level, rate, se = (ordered[name].to_numpy() for name in ("log_flux_start", "rate", "rate_se"))
    begin, end = (_days(ordered[name].to_numpy()) for name in ("start", "stop"))
    fitted = has_fit(rate, se) & np.isfinite(level) & np.isfinite(begin) & np.isfinite(end)
    slopes = _slopes(np.log(energy[order]), np.where(fitted, level, np.nan), rate, begin, end)
    index = np.empty_like(slopes)
    index[:, order] = slopes
    said = {"units": "1", "long_name": "spectral index g of the flux, which falls as energy to the power -g, in the middle of the fit"}
    return chosen["rate"].copy(data=index).rename("spectral_index").assign_attrs(said)


def over_storms(index: xr.DataArray) -> xr.DataArray:
    """Sum up the spectral indices of the storms.

    Parameters
    ----------
    index : xarray.DataArray
        From `spectral_index`.

    Returns
    -------
    xarray.DataArray
        Over spectrum ("low", "median", "high"), energy and L: the median over storms, and the values that 16 and 84 % of the storms are
        below; NaN where no storm has one.
    """
    values = index.transpose("storm", "energy", "L").to_numpy()
    known = np.isfinite(values).any(0)
    quantiles = np.full((3, *known.shape), np.nan)
    if known.any():
        quantiles[:, known] = np.nanquantile(values[:, known], [_TAIL, 0.5, 1 - _TAIL], axis=0)
    coords = {"spectrum": ["low", "median", "high"], "energy": index["energy"], "L": index["L"]}
    return xr.DataArray(quantiles, dims=("spectrum", "energy", "L"), coords=coords, attrs=index.attrs)


def _days(times: NDArray[np.datetime64]) -> Floats:
    """Days since the epoch; NaT is NaN."""
    out: Floats = np.where(np.isnat(times), np.nan, times.astype("datetime64[ns]").astype(np.int64) / 86_400e9)
    return out


def _slopes(log_energy: Floats, level: Floats, rate: Floats, begin: Floats, end: Floats) -> Floats:
    """Give g over (storm, energy, L) of fits ln flux = level - rate (t - begin); NaN in `level` is no fit."""
    shape = level.shape
    n = shape[1]
    middle = 0.5 * (begin + end)
    beside = np.full((2, *shape), np.nan)  # slope to the channel below and above
    width = np.zeros((2, n))
    for k in range(n - 1):
        step = log_energy[k + 1] - log_energy[k]
        # Two channels of one energy (they overlap where instruments are put together) say nothing of the slope.
        if not step > 0:
            continue
        width[1, k] = width[0, k + 1] = step
        first, last = np.maximum(begin[:, k], begin[:, k + 1]), np.minimum(end[:, k], end[:, k + 1])
        for side, own in ((1, k), (0, k + 1)):
            t = np.clip(middle[:, own], first, last)
            low, high = (level[:, i] - rate[:, i] * (t - begin[:, i]) for i in (k, k + 1))
            beside[side, :, own] = np.where(first <= last, (low - high) / step, np.nan)
    below, above = beside
    # The slope of the parabola through three points weighs the nearer neighbour more.
    share = np.divide(width[1], width.sum(0), where=width.sum(0) > 0, out=np.full(n, 0.5))[:, None]
    both = share * below + (1 - share) * above
    out: Floats = np.where(np.isnan(above), below, np.where(np.isnan(below), above, both))
    return out
