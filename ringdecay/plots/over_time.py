"""The whole run at a glance: the storm index, and flux against time and L."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure, SubFigure

from ringdecay.binned import mean_flux
from ringdecay.plots.labels import FLUX_UNIT, L_label, source
from ringdecay.plots.style import COLOURS, STYLE, TWO_COLUMNS, edges, mark_simulated, new_axes, new_figure, say, say_on_figure, title
from ringdecay.products import ion_name
from ringdecay.tables import nearest

# More points than this cannot be told apart on a page; each stretch is then drawn by its extremes.
_MOST_POINTS = 4000
# So many numbers of storms fit along the panel.
_MOST_NUMBERS = 50


@matplotlib.rc_context(STYLE)
def overview(
    index: xr.DataArray,
    binned: xr.Dataset,
    storms: pd.DataFrame,
    energies: Sequence[float],
    *,
    decays: xr.Dataset | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Draw the storm index above the flux of chosen energies against time and L.

    Parameters
    ----------
    index : DataArray
        Storm index over time, nT.
    binned : Dataset
        From `bin_flux`; several probes are added.
    storms : DataFrame
        From `find_storms`.
    energies : sequence of float
        keV; the nearest channels are drawn, a panel each.
    decays : Dataset, optional
        From `fit_decays`, to mark the windows of the fits in the top panel.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
    """
    channels = nearest(binned["energy"].to_numpy(), energies)
    figure = new_figure(figure, height=1.75 + 1.15 * max(len(channels), 1))
    title(figure, f"{ion_name(binned.attrs).capitalize()} flux and storms ({source(binned)})", index, binned)
    if not (channels and binned.sizes["time"]):
        return say_on_figure(figure, "The binned data hold no flux: there is nothing to draw.")
    axes = figure.subplots(len(channels) + 1, 1, sharex=True, height_ratios=[1.1] + [1.0] * len(channels))
    span = _time_edges(binned)[[0, -1]]
    # Indices and storms may go on where there is no flux.
    storms = storms[(storms["minimum"] >= span[0]) & (storms["minimum"] <= span[1])]
    index_panel(index.sel(time=slice(*span)), storms, decays=decays, ax=axes[0])
    for ax, channel in zip(axes[1:], channels, strict=True):
        flux_panel(binned, float(binned["energy"][channel]), storms=storms, ax=ax)
        ax.set_xlabel("")
    axes[0].set_xlabel("")
    axes[0].set_xlim(*span)
    axes[-1].set_xlabel("UTC")
    return figure


@matplotlib.rc_context(STYLE)
def index_panel(index: xr.DataArray, storms: pd.DataFrame, *, decays: xr.Dataset | None = None, ax: Axes | None = None) -> Axes:
    """Draw a storm index against time, storms numbered, main phases shaded, and the windows of fits as bars below if they are given.

    Parameters
    ----------
    index : DataArray
        Over time, nT.
    storms : DataFrame
        From `find_storms`.
    decays : Dataset, optional
        From `fit_decays`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = new_axes(ax, height=2.0, width=TWO_COLUMNS)
    name = str(index.name or "index")
    # Above the numbers of the storms.
    mark_simulated(ax, index, decays, above_legend=1)
    date_axis(ax)
    ax.set(xlabel="UTC", ylabel=f"{name} ({index.attrs.get('units', 'nT')})")
    time, values = _thinned(index["time"].to_numpy(), index.to_numpy())
    if not np.isfinite(values).any():
        return say(ax, f"{name} has no values.")
    # Times first: on axes that were cleared a line across would begin the axis at 1970.
    ax.plot(time, values, color="0.15", linewidth=0.6)
    ax.axhline(0, color="0.7", linewidth=0.5, zorder=0)
    if len(storms) == 0:
        ax.text(0.01, 0.06, "no storms", transform=ax.transAxes, color="0.35")
        return ax
    span = time[-1] - time[0]
    # Matplotlib takes datetime64, its type hints do not.
    onsets: Any = storms["onset"].to_numpy().astype("datetime64[ns]")
    minima: Any = storms["minimum"].to_numpy().astype("datetime64[ns]")
    last_numbered = None
    for name, onset, minimum in zip(storms["storm"], onsets, minima, strict=True):
        ax.axvspan(onset, minimum, color=COLOURS[6], alpha=0.45, linewidth=0, zorder=0)
        if last_numbered is None or minimum - last_numbered > span / _MOST_NUMBERS:
            ax.text(minimum, 1.02, f"{name}", transform=ax.get_xaxis_transform(), ha="center", va="bottom", fontsize=6)
            last_numbered = minimum
    ax.plot(minima, storms["depth"], "v", color=COLOURS[1], markersize=3, clip_on=False)
    low, high = min(np.nanmin(values), storms["depth"].min()), max(np.nanmax(values), 0.0)
    ax.set_ylim(low - 0.22 * (high - low), high + 0.05 * (high - low))
    if decays is not None and decays.sizes["storm"]:
        start, stop = _windows(decays)
        known = ~np.isnat(start)
        level = low - 0.13 * (high - low)
        ax.hlines(np.full(known.sum(), level), start[known], stop[known], color=COLOURS[0], linewidth=2, gid="windows")
        if known.any():
            place: dict[str, Any] = {"xytext": (0, 2), "textcoords": "offset points", "va": "bottom"}
            ax.annotate("fit windows", (start[known][0], level), color=COLOURS[0], fontsize=5.5, **place)
    return ax


@matplotlib.rc_context(STYLE)
def flux_panel(binned: xr.Dataset, energy: float, *, storms: pd.DataFrame | None = None, ax: Axes | None = None) -> Axes:
    """Draw the flux of one energy channel against time and L, with a colour bar.

    Parameters
    ----------
    binned : Dataset
        From `bin_flux`; several probes are added.
    energy : float
        keV; the nearest channel is taken.
    storms : DataFrame, optional
        Storms whose minima are marked by lines.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes

    Notes
    -----
    Blank is where there is no sample. A mean flux of zero has the lowest colour.
    """
    ax = new_axes(ax, height=2.0, width=TWO_COLUMNS)
    mark_simulated(ax, binned)
    date_axis(ax)
    channel = nearest(binned["energy"].to_numpy(), [energy])
    flux: npt.NDArray[np.floating] = np.zeros((0, 0))
    if channel:
        sums = binned[["n_samples", "sum_flux"]].isel(energy=channel[0]).sum("probe")
        flux = mean_flux(sums).transpose("time", "L").to_numpy()
    positive = flux[np.isfinite(flux) & (flux > 0)]
    if positive.size == 0:
        return say(ax, f"No flux at {energy:g} keV.")
    low, high = np.quantile(positive, [0.01, 0.998])
    norm = LogNorm(low, max(high, low * 1.01))
    time_edges, flux = _time_edges(binned), _with_gaps(binned, np.where(flux == 0, low / 2, flux))
    shells = edges(binned["L"].to_numpy())
    mesh = ax.pcolormesh(time_edges, shells, flux.T, norm=norm, rasterized=True)
    seen = np.flatnonzero(np.isfinite(flux).any(axis=0))
    ax.set_ylim(shells[seen[0]], shells[seen[-1] + 1])
    ax.set(xlabel="UTC", ylabel=L_label(binned).replace(" (", "\n("))
    for minimum in [] if storms is None else storms["minimum"]:
        ax.axvline(minimum, color="black", linewidth=0.6)
    figure = ax.get_figure(root=False)
    assert figure is not None
    bar = figure.colorbar(mesh, ax=ax, extend="both", pad=0.01, aspect=12)
    bar.set_label(f"{float(binned['energy'][channel[0]]):g} keV\n{FLUX_UNIT}", fontsize=6)
    return ax


def date_axis(ax: Axes) -> None:
    """Make the horizontal axis one of time, with few and short labels."""
    # Matplotlib gives no types for these two.
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _thinned(
    time: npt.NDArray[np.datetime64], values: npt.NDArray[np.floating]
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.floating]]:
    """Keep the first, lowest and highest value of each of many stretches, so that a minimum of one minute stays to be seen."""
    if values.size <= _MOST_POINTS:
        return time, values
    size = -(-values.size // (_MOST_POINTS // 2))
    padded = np.full(-(-values.size // size) * size, np.nan)
    padded[: values.size] = values
    rows = padded.reshape(-1, size)
    known = np.isfinite(rows)
    lowest, highest = np.where(known, rows, np.inf).argmin(axis=1), np.where(known, rows, -np.inf).argmax(axis=1)
    chosen = np.sort(np.stack([lowest, highest], axis=1), axis=1) + np.arange(rows.shape[0])[:, None] * size
    at = np.minimum(chosen.ravel(), values.size - 1)
    return time[at], values[at]


def _windows(decays: xr.Dataset) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.datetime64]]:
    """First start and last stop over the cells of each storm, NaT where there is none."""
    start, stop = (decays[name].transpose("storm", ...).to_numpy().reshape(decays.sizes["storm"], -1) for name in ("start", "stop"))
    # fmin and fmax pass over NaT.
    return np.fmin.reduce(start, axis=1), np.fmax.reduce(stop, axis=1)


def _gaps(binned: xr.Dataset) -> tuple[Any, Any, npt.NDArray[np.int64]]:
    """Start and stop of each time bin, and after which bins others are missing."""
    centres: Any = binned["time"].to_numpy().astype("datetime64[ns]")
    width = np.timedelta64(round(float(binned.attrs["time_bin_hours"]) * 3600e9), "ns")
    after = np.flatnonzero(np.diff(centres) > width * 3 // 2)
    return centres - width // 2, centres + width // 2, after


def _time_edges(binned: xr.Dataset) -> Any:
    """Edges of the time bins, and of the gaps between them (datetime64)."""
    starts, stops, after = _gaps(binned)
    return np.insert(np.append(starts, stops[-1]), after + 1, stops[after])


def _with_gaps(binned: xr.Dataset, flux: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Put an empty row where time bins are missing."""
    return np.insert(flux, _gaps(binned)[2] + 1, np.nan, axis=0)
