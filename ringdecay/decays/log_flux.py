"""The log of the mean flux of a bin, when it was measured, and how well counting statistics know it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ringdecay.decays.gls import Floats, Series, least_squares
from ringdecay.decays.windows import Times
from ringdecay.errors import InputError, unknown

QUANTITIES = ("log_mean_flux", "mean_log_flux")
DIMS = ("probe", "time", "energy", "L")
# What `bin_flux` adds up and a fit needs.
FLUX_SUMS = ("n_samples", "sum_flux", "counts", "exposure", "sum_time")
# And one of the mean of the logs besides.
LOG_SUMS = ("n_zero", "sum_log_flux")
SUMS = (*FLUX_SUMS, *LOG_SUMS)


@dataclass(frozen=True)
class Bins:
    """What the fits need of every bin, dims (probe, time, energy, L); NaN where a bin has too few samples.

    Attributes
    ----------
    log_flux : ndarray
        y, the natural log of flux.
    flux : ndarray
        Mean flux.
    days : ndarray
        Mean time of the samples, days from the first bin's centre.
    counts, exposure : ndarray
        Counts of the bin and counts per flux of the bin; NaN where not known.
    """

    log_flux: Floats
    flux: Floats
    days: Floats
    counts: Floats
    exposure: Floats


def read_bins(
    binned: xr.Dataset,
    min_samples: int,
    quantity: str = "log_mean_flux",
    *,
    half_count: bool = True,
    origin: np.datetime64 | None = None,
) -> Bins:
    """Turn additive sums into log flux at the mean time of the samples.

    The default `log_mean_flux` is ln((N + 1/2) / exposure), N the counts of the bin: the log of the mean flux with the half count that
    removes the first-order bias of the log of a Poisson number (Anscombe 1956, Biometrika 43, 461), and is finite for a bin of zeros.
    `mean_log_flux` is the mean of the logs, which leaves zeros out.

    Parameters
    ----------
    binned : xarray.Dataset
        From `bin_flux` or `merge_probes`.
    min_samples : int
        Bins of fewer samples are left out.
    quantity : {"log_mean_flux", "mean_log_flux"}
        Which log.
    half_count : bool
        Whether `log_mean_flux` has the half count; without it a bin of zeros is left out.
    origin : datetime64, optional
        Where the days begin; the first bin's centre if not given.

    Raises
    ------
    InputError
        If a sum or a dimension is missing.
    """
    check_sums(binned, quantity)
    n, sum_flux, counts, exposure, sum_time = (binned[name].transpose(*DIMS).to_numpy() for name in FLUX_SUMS)
    centre = binned["time"].to_numpy().astype("datetime64[ns]")
    offset = (centre - (centre[:1] if origin is None else origin)).astype(np.int64) / 1e9 if len(centre) else np.zeros(0)
    enough = n >= max(min_samples, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        flux = np.where(enough, sum_flux / n, np.nan)
        day = (offset[:, None, None] + np.where(enough, sum_time / n, np.nan)) / 86_400
        known = enough & np.isfinite(counts) & (exposure > 0)
        counts, exposure = np.where(known, counts, np.nan), np.where(known, exposure, np.nan)
        if quantity == "mean_log_flux":
            n_zero, sum_log = (binned[name].transpose(*DIMS).to_numpy() for name in LOG_SUMS)
            y = np.where(enough & (n > n_zero), sum_log / (n - n_zero), np.nan)
        else:
            raised = with_half_count(flux, counts, exposure) if half_count else flux
            y = np.log(np.where(raised > 0, raised, np.nan))
    return Bins(y, flux, day, counts, exposure)


def check_sums(binned: xr.Dataset, quantity: str) -> None:
    """Raise InputError if there is no such quantity, or a sum that it needs is missing."""
    if quantity not in QUANTITIES:
        raise unknown("quantity", quantity, QUANTITIES)
    for name in SUMS if quantity == "mean_log_flux" else FLUX_SUMS:
        if name not in binned or set(binned[name].dims) != set(DIMS):
            raise InputError(f"the binned data lack {name!r} over {', '.join(DIMS)}; give the Dataset that bin_flux returns")


def with_half_count(flux: Floats, counts: Floats, exposure: Floats) -> Floats:
    """Give (N + 1/2) / exposure, N the counts behind a flux and `exposure` counts per flux.

    Where the counts are not known, the flux itself; a flux of zero with unknown exposure is NaN.
    """
    out: Floats = np.where(flux > 0, flux * (1 + 0.5 / np.where(counts > 0, counts, np.inf)), 0.5 / exposure)
    return out


def rows_in_window(
    bins: Bins, centre: Times, half_bin: np.timedelta64, start: NDArray[np.datetime64], stop: NDArray[np.datetime64]
) -> tuple[Bins, NDArray[np.bool_]]:
    """Take the bins of a window, one row for every (probe, energy, L), and tell which of them have a flux.

    A bin counts only if the whole of it lies in the window. Its mean sample time is not enough: a bin that reaches past the next
    storm's onset can hold passes from before and after, and one of new flux outweighs several of old.

    Parameters
    ----------
    bins : Bins
        All bins, in order of time.
    centre : ndarray of datetime64, shape (time,)
        Centres of the time bins.
    half_bin : timedelta64
        Half the width of a time bin.
    start, stop : ndarray of datetime64
        Window; one for all rows, or of shape (probe, energy, L). A window with NaT is empty.

    Returns
    -------
    rows : Bins
        Of shape (series, point), in order of time.
    inside : ndarray of bool, shape (series, point)
        Whether the bin lies in the row's window and has samples.
    """
    shape = (bins.days.shape[0], *bins.days.shape[2:])
    whole = bins_of_window(centre, half_bin, start, stop)
    first, last = (np.broadcast_to(np.asarray(each, dtype="datetime64[ns]"), shape).reshape(-1, 1) for each in (start, stop))
    own = (centre[whole] - half_bin >= first) & (centre[whole] + half_bin <= last)

    def rows(values: Floats) -> Floats:
        kept = np.moveaxis(values[:, whole], 1, -1)
        return kept.reshape(int(np.prod(kept.shape[:-1])), kept.shape[-1])

    t = rows(bins.days)
    return Bins(rows(bins.log_flux), rows(bins.flux), t, rows(bins.counts), rows(bins.exposure)), own & np.isfinite(t)


def bins_of_window(centre: Times, half_bin: np.timedelta64, start: NDArray[np.datetime64], stop: NDArray[np.datetime64]) -> slice:
    """Find the time bins that lie wholly in the widest of some windows; arguments as for `rows_in_window`."""
    first, last = (np.asarray(each, dtype="datetime64[ns]") for each in (start, stop))
    # NaT compares as False, so that its row is empty.
    if np.isnat(first).all() or np.isnat(last).all():
        return slice(0, 0)
    begin = int(np.searchsorted(centre - half_bin, np.nanmin(first)))
    return slice(begin, max(int(np.searchsorted(centre + half_bin, np.nanmax(last), "right")), begin))


def expected_counts(y: Floats, t: Floats, counts: Floats, exposure: Floats, valid: NDArray[np.bool_]) -> Floats:
    """Predict the counts of every bin from a straight line through its series, shape (series, point).

    The counts observed would make a bin that is low by chance also seem uncertain, and weights made of them pull every fit up; the
    line, weighted by the counts, is free of that. NaN where the exposure is not known.
    """
    known = valid & np.isfinite(exposure)
    weight = np.where(known, counts + 0.5, 0.0)
    width = np.full(len(y), y.shape[1])
    line = least_squares(Series(np.where(known, y, 0.0), np.where(known, t, 0.0), np.zeros_like(y), width), weight)
    slope = np.where(np.isfinite(line.slope) & (known.sum(1) >= 3), line.slope, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        expected: Floats = exposure * np.exp(line.mean_y[:, None] + slope[:, None] * (t - line.mean_t[:, None]))
    return np.where(known, expected, np.nan)
