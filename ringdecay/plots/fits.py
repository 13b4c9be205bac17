"""One storm: flux against time with the fitted decays."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from ringdecay.decays.free_floor import with_floor
from ringdecay.decays.windows import DAY
from ringdecay.plots.labels import FLUX_UNIT, source
from ringdecay.plots.one_storm import cell_series, deepest_resolved, depth_text, drawn_span, fits_of_storm, nanoseconds, window_span
from ringdecay.plots.style import COLOURS, STYLE, mark_simulated, new_axes, new_figure, say, say_on_figure, title
from ringdecay.tables import confidence_text, flagged, nearest, tau_text

_UNUSED = "0.65"


@matplotlib.rc_context(STYLE)
def storm_fits(
    binned: xr.Dataset,
    decays: xr.Dataset,
    index: xr.DataArray,
    storms: pd.DataFrame,
    storm: int | None = None,
    energies: Sequence[float] = (54.7, 99.4, 148.0, 269.0),
    L: Sequence[float] = (3.0, 4.0, 5.0),
    *,
    probe: str | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Draw the flux of one storm with its fits: the index on top, below a row for each L and a column for each energy.

    Parameters
    ----------
    binned : Dataset
        From `bin_flux`.
    decays : Dataset
        From `fit_decays`.
    index : DataArray
        Storm index over time, nT.
    storms : DataFrame
        From `find_storms`.
    storm : int, optional
        Number of the storm; the deepest with a resolved decay if not given.
    energies, L : sequence of float
        keV and L-shells; the nearest channels and bins are drawn.
    probe : str, optional
        Which probe's fits; "merged" or the first if not given.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure

    Raises
    ------
    InputError
        If there is no such storm or probe.
    """
    columns, rows = nearest(decays["energy"].to_numpy(), energies), nearest(decays["L"].to_numpy(), L)
    figure = new_figure(figure, height=1.9 + 1.35 * max(len(rows), 1))
    if not (decays.sizes["storm"] and columns and rows):
        title(figure, "Decays of a storm", binned, decays, index)
        return say_on_figure(figure, "There is no storm with fits: nothing to draw.")
    number = deepest_resolved(decays) if storm is None else storm
    one = fits_of_storm(decays, number, probe)
    title(figure, f"Decays after storm {number}, {depth_text(one)} ({source(decays)})", binned, decays, index)
    grid = figure.add_gridspec(len(rows) + 1, len(columns), height_ratios=[0.85] + [1.0] * len(rows))
    top = figure.add_subplot(grid[0, :])
    low, high = drawn_span(one)
    _index_of_storm(top, index, one, storms, low, high)
    above: dict[int, Axes] = {}
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            ax = figure.add_subplot(grid[i + 1, j], sharex=above.get(j), sharey=above.get(j))
            above.setdefault(j, ax)
            energy, shell = float(decays["energy"][column]), float(decays["L"][row])
            fit_panel(binned, decays, number, energy, shell, probe=probe, ax=ax)
            ax.set_title("", loc="left")
            ax.set_title(f"{energy:g} keV" if i == 0 else "")
            ax.set(xlim=(low, high), xlabel="", ylabel="" if j else f"mean flux\n({FLUX_UNIT})")
            ax.yaxis.label.set_fontsize(6)
            if i < len(rows) - 1:
                ax.tick_params(labelbottom=False)
            if j == len(columns) - 1:
                ax.text(1.03, 0.5, f"L = {shell:g}", transform=ax.transAxes, rotation=-90, ha="left", va="center", fontsize=7.5)
    _same_decades(list(above.values()))
    minimum = str(nanoseconds(one["minimum"]).astype("datetime64[m]"))
    figure.supxlabel(
        f"days from the minimum, {minimum.replace('T', ' ')} UTC\n"
        f"blue: fitted, shaded: fit window, grey: not fitted, bars: counting error, dotted: floor; "
        f"τ with {confidence_text(decays)} interval",
        fontsize=7,
    )
    return figure


@matplotlib.rc_context(STYLE)
def fit_panel(
    binned: xr.Dataset, decays: xr.Dataset, storm: int, energy: float, L: float, *, probe: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the flux of one energy and L around one storm, with the window, the fitted decay and its decay time.

    Parameters
    ----------
    binned : Dataset
        From `bin_flux`.
    decays : Dataset
        From `fit_decays`.
    storm : int
        Number of the storm.
    energy, L : float
        keV and L-shell; the nearest channel and bin are taken.
    probe : str, optional
        Which probe's fit; "merged" or the first if not given.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Time is in days from the storm's minimum. Points are mean fluxes at the mean time of their samples, with the counting error; grey
        points lie outside the window, triangles on the lower edge are means of zero. The dotted line is the floor of the channel, or of the
        fit.

    Raises
    ------
    InputError
        If there is no such storm or probe.
    """
    one = fits_of_storm(decays, storm, probe)
    cell = one.isel(energy=nearest(decays["energy"].to_numpy(), [energy]), L=nearest(decays["L"].to_numpy(), [L])).squeeze(("energy", "L"))
    energy, L = float(cell["energy"]), float(cell["L"])
    ax = new_axes(ax)
    mark_simulated(ax, binned, decays)
    ax.set_yscale("log")
    ax.set(xlabel="days from the minimum", ylabel=f"mean flux ({FLUX_UNIT})")
    ax.set_title(f"storm {storm}, {energy:g} keV, L = {L:g}", loc="left")
    minimum = nanoseconds(cell["minimum"])
    time, flux, error = cell_series(binned, str(cell["probe"].item()), energy, L, minimum)
    low, high = drawn_span(one)
    near = np.isfinite(flux) & (time >= low) & (time <= high)
    time, flux, error = time[near], flux[near], error[near]
    start, stop = (float((nanoseconds(cell[name]) - minimum) / DAY) for name in ("start", "stop"))
    ax.set_xlim(low, high)
    if not (flux > 0).any():
        ax.text(0.5, 0.5, "no flux", transform=ax.transAxes, ha="center", va="center", color="0.35")
        return ax
    # Start and stop are the times of the first and last bin of the fit, exact to the nanosecond only in the sums.
    inside = (time >= start - 1e-6) & (time <= stop + 1e-6)
    for used, colour, order in ((inside, COLOURS[0], 3), (~inside, _UNUSED, 2)):
        some = used & (flux > 0)
        bars = np.stack([np.minimum(error, 0.9 * flux), error])[:, some]
        ax.errorbar(time[some], flux[some], yerr=bars, fmt="o", markersize=1.8, color=colour, elinewidth=0.5, zorder=order)
        zero = used & (flux == 0)
        ax.plot(time[zero], np.full(zero.sum(), 0.02), "v", color=colour, markersize=2.2, transform=ax.get_xaxis_transform(), zorder=order)
    if np.isfinite(start):
        ax.axvspan(start, stop, color=COLOURS[5], alpha=0.18, linewidth=0, zorder=0)
    rate, level, floor = (float(cell[name]) for name in ("rate", "log_flux_start", "floor"))
    if np.isfinite(rate):
        # The fit is of the flux above the floor of the channel, or above one of its own, which may be negative.
        days = np.linspace(start, stop, 50)
        flux_fitted = with_floor(np.exp(level - rate * (days - start)), float(np.nan_to_num(floor)))
        ax.plot(days, flux_fitted, color=COLOURS[1], linewidth=1.2, zorder=4, gid="fit")
    if floor > 0:
        ax.plot([low, high], [floor, floor], color="0.4", linewidth=0.7, linestyle=":", zorder=1, scaley=False)
    text = tau_text(cell)
    words = {"": "no fit", "growing": "growing"}.get(text, f"τ > {text[2:]} d" if text.startswith(">") else f"τ = {text} d")
    if bool(flagged(cell, "not_accepted")):
        words += "\nnot accepted"
    ax.text(
        0.97, 0.95, words, transform=ax.transAxes, ha="right", va="top", fontsize=6.5, zorder=6, gid="tau",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
    )  # fmt: skip
    if len(ax.get_shared_y_axes().get_siblings(ax)) == 1:
        _same_decades([ax])
    return ax


def _same_decades(axes: list[Axes]) -> None:
    """Let logarithmic axes span equally many decades, so that equal rates have equal slopes, with room for a text at the top."""
    limits = [ax.get_ylim() for ax in axes]
    ratio = max(10.0, *(top / bottom for bottom, top in limits))
    for ax, (bottom, top) in zip(axes, limits, strict=True):
        spare = np.sqrt(ratio * bottom / top)
        ax.set_ylim(bottom / spare, top * spare * ratio**0.25)


def _index_of_storm(ax: Axes, index: xr.DataArray, one: xr.Dataset, storms: pd.DataFrame, low: float, high: float) -> None:
    minimum = nanoseconds(one["minimum"])
    days = (nanoseconds(index["time"]) - minimum) / DAY
    shown = (days >= low) & (days <= high)
    ax.set(xlim=(low, high), ylabel=f"{index.name or 'index'} ({index.attrs.get('units', 'nT')})")
    if not np.isfinite(index.to_numpy()[shown]).any():
        say(ax, f"{index.name or 'The index'} has no values here.")
        return
    ax.axhline(0, color="0.7", linewidth=0.5, zorder=0)
    ax.plot(days[shown], index.to_numpy()[shown], color="0.15", linewidth=0.7)
    start, stop = window_span(one)
    if not np.isnat(start):
        ax.axvspan(float((start - minimum) / DAY), float((stop - minimum) / DAY), color=COLOURS[5], alpha=0.18, linewidth=0, zorder=0)
    onsets, minima = ((storms[name].to_numpy().astype("datetime64[ns]") - minimum) / DAY for name in ("onset", "minimum"))
    for name, onset, deepest, depth in zip(storms["storm"], onsets, minima, storms["depth"], strict=True):
        if low <= deepest and onset <= high:
            ax.axvspan(onset, deepest, color=COLOURS[6], alpha=0.45, linewidth=0, zorder=0)
        if low <= deepest <= high:
            ax.plot(deepest, depth, "v", color=COLOURS[1], markersize=3.5)
            ax.annotate(f"{name}", (deepest, depth), xytext=(5, 0), textcoords="offset points", va="center", fontsize=6.5)
