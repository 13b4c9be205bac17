"""The smooth surface of the decay time, with the cells it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ringdecay.plots.labels import L_NAMES, TAU, energy_label, source
from ringdecay.plots.style import (
    COLOURS,
    MARKERS,
    STYLE,
    mark_simulated,
    new_axes,
    new_figure,
    plain_log_axis,
    round_levels,
    say,
    say_on_figure,
    title,
)
from ringdecay.surface import FLAGS, tau
from ringdecay.tables import confidence_text, grows, nearest

_HATCH = "//////"


@matplotlib.rc_context(STYLE)
def lifetime_surface(
    surface: xr.Dataset,
    L: Sequence[float] = (3.0, 4.0, 5.0),
    lifetimes: xr.Dataset | None = None,
    truth: xr.Dataset | None = None,
    *,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Draw the surface tau(E, L) as a contour map, and beside it against energy at several L with its interval.

    Parameters
    ----------
    surface : Dataset
        From `fit_surface`.
    L : sequence of float
        L-shells of the curves; with `lifetimes` the nearest bins are taken.
    lifetimes : Dataset, optional
        From `lifetimes`: the means of the single cells, drawn as points with their intervals.
    truth : Dataset, optional
        With `population_rate` over energy and L: the truth of a simulation, drawn as dashed lines.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
    """
    figure = new_figure(figure, height=3.5)
    title(figure, f"Decay times, smooth in energy and L ({source(surface)})", surface, truth)
    if not surface["tau"].size:
        return say_on_figure(figure, f"No surface. Stated range: {surface.attrs.get('range', 'none')}.")
    left, right = figure.subplots(1, 2)
    surface_panel(surface, ax=left)
    surface_against_energy(surface, L, lifetimes, truth, ax=right)
    handles: list[Line2D | Patch] = [
        Patch(facecolor="0.93", edgecolor="0.45", hatch=_HATCH, linewidth=0, label="data, but τ not stated: limit only"),
        Patch(facecolor="0.5", alpha=0.35, linewidth=0, label=f"{confidence_text(surface)} interval of the surface"),
    ]
    if lifetimes is not None:
        handles.append(
            Line2D([], [], color="0.3", marker="o", markersize=2.8, linestyle="none", label="mean of a cell, arrow: its lower limit")
        )
    if truth is not None:
        handles.append(Line2D([], [], color="0.3", linestyle="--", linewidth=0.8, label="truth of the simulation"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, handlelength=2.0)
    return figure


@matplotlib.rc_context(STYLE)
def surface_panel(surface: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Draw tau(E, L) in colour with contours; hatched where there are data but tau is not stated, blank where there are none.

    Parameters
    ----------
    surface : Dataset
        From `fit_surface`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = new_axes(ax, height=3.4)
    mark_simulated(ax, surface)
    ordered = surface.transpose("energy", "L", ...)
    energy, shells, values = ordered["energy"].to_numpy(), ordered["L"].to_numpy(), ordered["tau"].to_numpy()
    ax.set_xscale("log")
    ax.set(xlim=(energy[0], energy[-1]), ylim=(shells[0], shells[-1]), xlabel=energy_label(surface), ylabel=_shell_name(surface))
    plain_log_axis(ax.xaxis, energy[0], energy[-1])
    between_data = (ordered["flag"].to_numpy() & FLAGS["no_data"]) == 0
    ax.contourf(energy, shells, (between_data & np.isnan(values)).T.astype(float), [0.5, 1.5], colors=["0.93"], hatches=[_HATCH])
    if not np.isfinite(values).any():
        return ax
    low, high = np.nanmin(values), np.nanmax(values)
    mesh = ax.pcolormesh(energy, shells, values.T, norm=LogNorm(low / 1.01, high * 1.01), shading="nearest", gid="tau")
    levels = round_levels(low, high)
    if levels and min(values.shape) > 1:
        lines = ax.contour(energy, shells, np.ma.masked_invalid(values.T), levels, colors="white", linewidths=0.7)
        for text in ax.clabel(lines, fmt=lambda level: f"{level:g} d", fontsize=6):
            text.set_fontweight("bold")
    figure = ax.get_figure(root=False)
    assert figure is not None
    bar = figure.colorbar(mesh, ax=ax, label=TAU, pad=0.02, aspect=25)
    plain_log_axis(bar.ax.yaxis, low, high)
    return ax


@matplotlib.rc_context(STYLE)
def surface_against_energy(
    surface: xr.Dataset,
    L: Sequence[float],
    lifetimes: xr.Dataset | None = None,
    truth: xr.Dataset | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw tau against energy from the surface with its interval, a curve for each L.

    Parameters
    ----------
    surface : Dataset
        From `fit_surface`.
    L : sequence of float
        L-shells; with `lifetimes` the nearest bins are taken.
    lifetimes, truth : Dataset, optional
        As for `lifetime_surface`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        A curve ends where tau is not stated any more.
    """
    ax = new_axes(ax)
    mark_simulated(ax, surface, truth, above_legend=1)
    energy = surface["energy"].to_numpy()
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set(xlim=(energy[0] / 1.05, energy[-1] * 1.05), xlabel=energy_label(surface), ylabel=TAU)
    plain_log_axis(ax.xaxis, energy[0] / 1.05, energy[-1] * 1.05)
    shells = list(L)
    if lifetimes is not None:
        known = lifetimes["L"].to_numpy()
        shells = [float(known[k]) for k in nearest(known, L)]
    seen: list[float] = []
    for i, shell in enumerate(shells):
        curve = tau(energy, shell, surface)
        stated = curve["tau"].to_numpy()
        colour = COLOURS[i % len(COLOURS)]
        low, high = curve["tau_low"].to_numpy(), curve["tau_high"].to_numpy()
        ax.fill_between(energy, low, high, color=colour, alpha=0.25, linewidth=0, gid=f"band L = {shell:g}")
        ax.plot(energy, stated, color=colour, label=f"L = {shell:g}", gid=f"surface L = {shell:g}")
        seen += [*low[np.isfinite(low)], *high[np.isfinite(high)]]
        if lifetimes is not None:
            _cells(ax, lifetimes.sel(L=shell, method="nearest"), i)
        if truth is not None:
            rate = truth["population_rate"].sel(L=shell, method="nearest").to_numpy()
            ax.plot(truth["energy"].to_numpy(), 1 / np.where(rate > 0, rate, np.nan), "--", color=colour, linewidth=0.8, zorder=1)
    if not seen:
        return say(ax, "τ is stated at none of these L-shells.")
    bottom, top = min(seen) / 1.4, max(seen) * 1.6
    ax.set_ylim(bottom, top)
    plain_log_axis(ax.yaxis, bottom, top)
    ax.grid(visible=True, color="0.92", linewidth=0.5)
    ax.set_axisbelow(True)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(len(shells), 4), columnspacing=1.0, borderaxespad=0.2)
    return ax


def _cells(ax: Axes, cells: xr.Dataset, i: int) -> None:
    colour, marker = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]
    x, value, limit = (cells[name].to_numpy() for name in ("energy", "tau", "tau_limit"))
    limited = np.isfinite(limit) & ~grows(cells).to_numpy()
    resolved = np.isfinite(value) & np.isnan(limit)
    bars = [(value - cells["tau_low"].to_numpy())[resolved], (cells["tau_high"].to_numpy() - value)[resolved]]
    style: dict[str, Any] = {"color": colour, "elinewidth": 0.6, "alpha": 0.8}
    ax.errorbar(x[resolved], value[resolved], yerr=bars, fmt=marker, markersize=2.5, zorder=3, **style)
    ax.errorbar(x[limited], limit[limited], yerr=0.2 * limit[limited], lolims=True, fmt="_", markersize=3, zorder=2, **style)


def _shell_name(surface: xr.Dataset) -> str:
    return L_NAMES.get(str(surface.attrs.get("L_definition", "L")), "L")
