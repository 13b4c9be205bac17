"""The instrument's floor: the flux at which a channel stops falling because it no longer sees protons.

In recovery a channel measures ``A exp(-rate t) + floor``: every storm and L-shell with its own A and rate, all with the same floor. It
shows as a log flux that bends upward late in a recovery, long before bins pile up at its level. The model is fitted to all
recoveries of a channel together, and the floor is where their likelihood, maximised over everything else, is highest. Taking the
level from the bins themselves instead gives it too high, because what is left of the signal lies in them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ringdecay.decays.gls import Floats
from ringdecay.decays.log_flux import Bins, read_bins, rows_in_window
from ringdecay.decays.result import FLAGS
from ringdecay.decays.sharing import kept_workers, shared
from ringdecay.decays.windows import Times, cell_windows, half_bin
from ringdecay.errors import InputError

# Residuals follow a t distribution of so few degrees of freedom, so that a bin that already holds the next injection has no say.
T_DF = 4.0
# Floors tried first, in units of the lowest flux (1 % quantile) of the channel. Below the first a floor is out of reach.
FIRST_TRIED = 0.05 * 2.0 ** np.arange(7)
HALVINGS = 5  # of the step between them: to 2 %
# The gain in log-likelihood over no floor at all, without the shell that gains most, divided by the number of shells that make it up,
# because they share their fluctuations. In 280 simulated channels without a floor it was at most 3.6.
MIN_GAIN = 8.0
# A floor belongs to the channel, so several L-shells must share it; bins must have counts at its level, for the flux of
# hardly any counts is the end of the data, not of the flux's fall.
MIN_SHELLS = 3
MIN_COUNTS = 5
MIN_POINTS = 6
# Recoveries of a channel that are used, spread evenly over storms and shells if there are more.
MOST_SERIES = 400
ITERATIONS = 6


def instrument_floor(binned: xr.Dataset, windows: xr.Dataset, *, min_samples: int = 2) -> xr.DataArray:
    """Recognise the flux floor of every energy channel from the way its recoveries bend.

    Parameters
    ----------
    binned : xarray.Dataset
        From `bin_flux` or `merge_probes`; the more time it holds, the surer. A floor that the flux hardly comes near is not seen.
    windows : xarray.Dataset
        Windows of the recoveries, from `index_windows`.
    min_samples : int
        Bins of fewer samples are left out.

    Returns
    -------
    xarray.DataArray
        `floor` over energy, cm-2 s-1 sr-1 keV-1; NaN where none is seen.
    """
    centre = binned["time"].to_numpy().astype("datetime64[ns]")
    values = np.full(binned.sizes["energy"], np.nan)
    if len(centre) and windows.sizes["storm"]:
        start, stop = (cell_windows(windows[name], binned) for name in ("start", "stop"))
        # One channel at a time: the bins of all would be as large as the data.
        channels = [
            _recoveries(read_bins(binned.isel(energy=[e]), min_samples), centre, half_bin(binned), start[:, :, [e]], stop[:, :, [e]])
            for e in range(len(values))
        ]
        with kept_workers():
            values = np.array(shared([partial(_floor, channel) for channel in channels], "looking for floors"), dtype=float)
    attrs = {
        "units": str(binned["sum_flux"].attrs.get("units", "")),
        "long_name": "flux level towards which the channel's recoveries bend (NaN: no floor seen)",
    }
    return xr.DataArray(values, dims="energy", coords={"energy": binned["energy"]}, name="floor", attrs=attrs)


def channel_floor(decays: xr.Dataset) -> xr.DataArray:
    """Give the floor that was taken off every flux of a channel, for fits of the same channels in other bins.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`.

    Returns
    -------
    xarray.DataArray
        `floor` over energy; NaN where the channel has none. Floors that single fits have of their own do not count.
    """
    rest = [dim for dim in decays["floor"].dims if dim != "energy"]
    common = (decays["flag"].fillna(0).astype(np.int64) & FLAGS["floor_fitted"]) == 0
    floor = decays["floor"].where(common & (decays["n"] > 0))
    highest = floor.max(rest) if decays["floor"].size else xr.full_like(decays["energy"], np.nan, dtype=np.float64)
    return highest.rename("floor").assign_attrs(decays["floor"].attrs)


def highest_floor(flux: Floats, counts: Floats, exposure: Floats) -> float:
    """Find the highest floor that a channel can have: not more than the lowest flux it has ever shown.

    A floor is there at all times, so no flux is expected below it. The lowest flux is the 1 % quantile of the bins' upper limits; of N
    counts the limit is ``N + 1 + 2 sqrt(N + 3/4)``, two standard deviations (Gehrels 1986, Astrophys. J. 303, 336).

    Parameters
    ----------
    flux, counts, exposure : ndarray
        Mean flux, counts and counts per flux of the bins; where counts are not known the flux itself is the limit.

    Returns
    -------
    float
        NaN if there is no flux.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        limit = np.where(np.isfinite(counts) & (exposure > 0), (counts + 1 + 2 * np.sqrt(counts + 0.75)) / exposure, flux)
    limit = limit[np.isfinite(limit) & (limit > 0) & np.isfinite(flux)]
    return float(np.quantile(limit, 0.01)) if len(limit) else np.nan


@dataclass(frozen=True)
class _Recoveries:
    """Recoveries of one channel, one after the other: log flux, time and counts per flux (infinite where not known), shape (point,).

    `n` points and an L-shell each, shape (series,); times are about their mean.
    """

    y: Floats
    t: Floats
    exposure: Floats
    n: NDArray[np.int64]
    shell: NDArray[np.int64]

    def total(self, values: Floats) -> Floats:
        """Add up over the points of each series."""
        out: Floats = np.add.reduceat(values, np.cumsum(self.n) - self.n)
        return out

    def spread(self, values: Floats) -> Floats:
        """Give each point the value of its series."""
        out: Floats = np.repeat(values, self.n)
        return out


def _recoveries(one: Bins, centre: Times, half_bin: np.timedelta64, start: Times, stop: Times) -> _Recoveries:
    parts = []
    for first, last in zip(start, stop, strict=True):
        rows, inside = rows_in_window(one, centre, half_bin, first, last)
        valid = inside & np.isfinite(rows.log_flux) & ~(rows.counts < MIN_COUNTS)
        parts.append((valid.sum(1), rows.log_flux[valid], rows.days[valid], rows.exposure[valid]))
    n, y, t, exposure = (np.concatenate([part[k] for part in parts]) for k in range(4))
    shell = np.tile(np.arange(len(n) // len(parts)), len(parts))
    use = np.flatnonzero(n >= MIN_POINTS)
    use = use[:: -(-len(use) // MOST_SERIES) or 1]
    if not len(use):
        return _Recoveries(y[:0], t[:0], exposure[:0], n[:0], shell[:0])
    mine = np.repeat(np.isin(np.arange(len(n)), use), n)
    some = _Recoveries(y[mine], t[mine], np.where(np.isfinite(exposure[mine]), exposure[mine], np.inf), n[use], shell[use])
    return replace(some, t=some.t - some.spread(some.total(some.t) / some.n))


def _floor(series: _Recoveries) -> float:
    """Floor of one channel, NaN if it has none."""
    shells = np.unique(series.shell)
    if len(shells) < MIN_SHELLS:
        return np.nan
    lowest = np.quantile(series.y, 0.01)
    tried = lowest + np.log(FIRST_TRIED)
    found = [_log_likelihood(series, np.exp(level)) for level in tried]
    best = int(np.argmax([each.sum() for each in found]))
    if best in (0, len(tried) - 1):
        return np.nan
    level, highest, step = tried[best], found[best], tried[1] - tried[0]
    none = _log_likelihood(series, 0.0)
    for _ in range(HALVINGS):
        step /= 2
        for nearby in (level - step, level + step):
            here = _log_likelihood(series, np.exp(nearby))
            if here.sum() > highest.sum():
                level, highest = nearby, here
                break
    gains = np.bincount(series.shell, highest - none)
    # How many shells make up the gain: all those far from the floor gain nothing.
    helped = np.maximum(gains, 0)
    n_helped = helped.sum() ** 2 / max((helped**2).sum(), 1e-300)
    low = series.y < lowest + 1
    if gains.sum() - gains.max() < MIN_GAIN * n_helped or not n_helped or np.exp(level) * np.median(series.exposure[low]) < MIN_COUNTS:
        return np.nan
    return float(np.exp(level))


def known_floor(floor: object, shape: tuple[int, ...]) -> Floats:
    """Give a floor of the user's own as an array, NaN where there is none; InputError if it is no flux."""
    try:
        values = np.asarray(floor, dtype=float)
    except (ValueError, TypeError) as error:
        raise InputError(f"floor must be a flux, not {floor!r}") from error
    if values.shape != shape or (values < 0).any() or np.isinf(values).any():
        raise InputError(f"floor must be {'one flux' if not shape else 'a flux for each energy'}, zero or more, or NaN, not {floor!r}")
    return values


def _log_likelihood(series: _Recoveries, floor: float) -> Floats:
    """Log-likelihood of every series for a given floor, at its best amplitude and rate and the best size of the fluctuation.

    The log flux is that of ``signal + floor``, `signal` an exponential; its variance is that of the signal's relative fluctuation
    (one size for the channel) and of the counts expected. Gauss-Newton steps on amplitude and rate, reweighted each time.
    """
    y, t = series.y, series.t
    flux = np.exp(y)
    signal = np.maximum(flux - floor, 0.3 * np.sqrt(flux / series.exposure) + 0.05 * floor)
    target, weight = np.log(signal), (signal / (signal + floor)) ** 2 + 1e-9
    variance = 0.04
    for step in range(ITERATIONS + 1):
        all_weight = series.total(weight)
        mean_t, mean_y = series.total(weight * t) / all_weight, series.total(weight * target) / all_weight
        dt = t - series.spread(mean_t)
        weighted = weight * dt
        slope = series.total(weighted * (target - series.spread(mean_y))) / series.total(weighted * dt)
        log_signal = np.clip(series.spread(mean_y) + series.spread(slope) * dt, -60, 60)
        signal = np.exp(log_signal)
        model = signal + floor
        share = np.maximum(signal / model, 1e-6)
        noise = 1 / np.maximum(model * series.exposure, 0.5)
        residual = y - np.log(model)
        squared, of_share = residual**2, share**2
        for _ in range(3):
            total = variance * of_share + noise
            trust = (T_DF + 1) / (T_DF + squared / total)
            scale = of_share / total**2
            variance = max(float((scale * (trust * squared - noise)).sum() / (scale * of_share).sum()), 1e-4)
        total = variance * of_share + noise
        if step < ITERATIONS:
            trust = (T_DF + 1) / (T_DF + squared / total)
            weight = trust * of_share / total + 1e-12
            target = log_signal + np.clip(residual / share, -1, 1)
    return series.total(-0.5 * np.log(total) - 0.5 * (T_DF + 1) * np.log1p(squared / (T_DF * total)))
