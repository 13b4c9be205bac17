"""Observed loss beside the predicted: the ratio by energy and L, and the factors of the two processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ringdecay.beside_theory import VERDICTS
from ringdecay.plots.labels import L_label, energy_label, source
from ringdecay.plots.maps import hatch_cells
from ringdecay.plots.style import (
    COLOURS,
    MARKERS,
    STYLE,
    edges,
    log_edges,
    mark_simulated,
    new_axes,
    new_figure,
    plain_log_axis,
    say,
    title,
)
from ringdecay.tables import confidence_text, nearest, require

RATIO = "observed rate / predicted rate"
_HATCH, _GROWTH_HATCH = "//////", "xxxxxx"
# Colours beyond a factor of ten do not differ.
_MOST = 10.0
_PROCESSES = {"a": "charge exchange", "b": "Coulomb drag"}


@matplotlib.rc_context(STYLE)
def theory_ratio(
    comparison: xr.Dataset, L: Sequence[float] = (3.0, 4.0, 5.0), *, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Draw the observed rate over the predicted one, and the factors a and b of the two processes.

    Parameters
    ----------
    comparison : Dataset
        From `compare_with_theory`.
    L : sequence of float
        L-shells of the curves; the nearest bins are taken.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure

    Raises
    ------
    InputError
        If `comparison` is none.
    """
    require(comparison, ("ratio", "a", "verdict"), ("energy", "L"), "compare_with_theory")
    figure = new_figure(figure, height=6.3)
    title(figure, f"Observed against predicted loss ({source(comparison)})", comparison)
    (left, right), (below_left, below_right) = figure.subplots(2, 2, height_ratios=[1.45, 1])
    ratio_against_energy(comparison, L, ax=left)
    ratio_panel(comparison, ax=right)
    factor_panel(comparison, "a", ax=below_left)
    factor_panel(comparison, "b", ax=below_right)
    interval = f"{confidence_text(comparison)} interval"
    handles: list[Line2D | Patch] = [
        Line2D(
            [], [], color="0.3", marker="o", markersize=3, linestyle="none", label=f"ratio, factor; bar: {interval}, of the observation"
        ),
        Line2D(
            [],
            [],
            color="0.3",
            marker=r"$\downarrow$",
            markersize=7,
            linestyle="none",
            label="decay not resolved: upper limit on the ratio",
        ),
        Patch(facecolor="0.5", alpha=0.3, linewidth=0, label="over all models (above: and spectra of the storms)"),
        Patch(facecolor="0.95", edgecolor="0.55", hatch=_HATCH, linewidth=0, label="cannot tell"),
        Line2D([], [], color="black", linewidth=1.0, label="outside of the band"),
    ]
    if _growing(comparison).any():
        handles.append(
            Patch(facecolor="white", edgecolor="0.3", hatch=_GROWTH_HATCH, linewidth=0, label="flux grows (x at the lower edge)")
        )
    if any((np.isfinite(comparison[name]) & np.isnan(comparison[f"{name}_low"])).any() for name in _PROCESSES):
        hollow = Line2D(
            [], [], color="0.3", marker="o", markersize=3, markerfacecolor="white", linestyle="none", label="no interval: one storm decides"
        )
        handles.append(hollow)
    figure.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=2.0)
    return figure


@matplotlib.rc_context(STYLE)
def ratio_against_energy(comparison: xr.Dataset, L: Sequence[float], *, ax: Axes | None = None) -> Axes:
    """Draw the observed rate over the predicted one against energy, a curve for each L, with the band of the theory round one.

    Parameters
    ----------
    comparison : Dataset
        From `compare_with_theory`.
    L : sequence of float
        L-shells; the nearest bins are taken.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Bars are intervals of the observation; arrows are one-sided upper limits where the decay is not resolved, crosses at the lower edge
        flux that grows. The shaded band in the colour of a curve is that of the theory over its median.
    """
    ax = new_axes(ax, height=3.2)
    mark_simulated(ax, comparison, above_legend=1)
    ordered = comparison.transpose("energy", "L", ...)
    energy = ordered["energy"].to_numpy()
    ax.set_xlabel(energy_label(comparison))
    ax.set_ylabel(RATIO)
    if not np.isfinite(ordered["ratio"].to_numpy()).any():
        return say(ax, "There is no rate to compare.")
    ax.set_xscale("log")
    ax.set_yscale("log")
    bounds = log_edges(energy)
    ax.set_xlim(bounds[0], bounds[-1])
    plain_log_axis(ax.xaxis, bounds[0], bounds[-1])
    chosen = nearest(ordered["L"].to_numpy(), L)
    shifts = 1 + 0.018 * (np.arange(len(chosen)) - (len(chosen) - 1) / 2)
    seen: list[float] = [0.5, 2.0]
    for i, (k, shift) in enumerate(zip(chosen, shifts, strict=True)):
        seen += _ratio_curve(ax, ordered.isel(L=k), energy, shift, i)
    ax.axhline(1.0, color="0.3", linewidth=0.8, linestyle="--", zorder=1)
    bottom, top = max(min(seen) / 1.3, 1e-3), min(max(seen) * 1.3, 1e4)
    ax.set_ylim(bottom, top)
    plain_log_axis(ax.yaxis, bottom, top)
    _finish(ax)
    ax.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(len(chosen), 4), columnspacing=1.0, handletextpad=0.2, borderaxespad=0.2
    )
    return ax


@matplotlib.rc_context(STYLE)
def ratio_panel(comparison: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Draw the observed rate over the predicted one in colour against energy and L.

    Parameters
    ----------
    comparison : Dataset
        From `compare_with_theory`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Grey and hatched where the observation cannot tell, crossed where the flux grows; a black line round cells whose whole interval is
        outside the band of the theory; blank without an observation, or without a ratio.
    """
    ax = new_axes(ax, height=3.2)
    mark_simulated(ax, comparison)
    ordered = comparison.transpose("energy", "L", ...)
    ratio, verdict = ordered["ratio"].to_numpy(), ordered["verdict"].to_numpy()
    ax.set_xlabel(energy_label(comparison))
    ax.set_ylabel(L_label(comparison))
    if not np.isfinite(ratio).any():
        return say(ax, "There is no rate to compare.")
    x, y = log_edges(ordered["energy"].to_numpy()), edges(ordered["L"].to_numpy())
    ax.set_xscale("log")
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    plain_log_axis(ax.xaxis, x[0], x[-1])
    unknown = verdict == VERDICTS["cannot_tell"]
    growing = _growing(ordered)
    # A colour for what is not known would be read as a ratio, and a negative one has no logarithm.
    shown = np.where((ratio > 0) & ~unknown & ~growing, ratio, np.nan)
    mesh = ax.pcolormesh(x, y, shown.T, norm=LogNorm(1 / _MOST, _MOST), cmap="RdBu_r", gid="ratio")
    hatch_cells(ax, x, y, unknown & ~growing, _HATCH, "cannot tell", colour="0.55", face="0.95")
    hatch_cells(ax, x, y, growing, _GROWTH_HATCH, "growing", colour="0.3", face="white")
    outside = (verdict == VERDICTS["faster"]) | (verdict == VERDICTS["slower"])
    ax.add_collection(LineCollection(_outline(outside, x, y), colors="black", linewidths=1.0, gid="outside"), autolim=False)
    figure = ax.get_figure(root=False)
    assert figure is not None
    bar = figure.colorbar(mesh, ax=ax, extend="both", label=RATIO, pad=0.02, aspect=25)
    plain_log_axis(bar.ax.yaxis, 1 / _MOST, _MOST)
    return ax


@matplotlib.rc_context(STYLE)
def factor_panel(comparison: xr.Dataset, factor: str, *, ax: Axes | None = None) -> Axes:
    """Draw the factor of one process against L, and that of all L together as a level.

    Parameters
    ----------
    comparison : Dataset
        From `compare_with_theory`.
    factor : {"a", "b"}
        Of charge exchange, or of Coulomb drag.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Points with their intervals for the default models; the shaded band goes over all model choices. The line and the darker band are
        the factor of all L together and its interval.
    """
    ax = new_axes(ax, height=2.4)
    mark_simulated(ax, comparison)
    colour = COLOURS[0] if factor == "a" else COLOURS[1]
    shells = comparison["fit_L"].to_numpy()
    value, low, high, least, most = (
        comparison[f"{factor}{end}"].to_numpy() for end in ("", "_low", "_high", "_models_low", "_models_high")
    )
    by_L, whole = np.isfinite(shells), int(np.argmax(np.isnan(shells)))
    ax.set_xlabel(L_label(comparison))
    ax.set_ylabel(f"{factor}, factor of {_PROCESSES[factor]}")
    known = np.isfinite(value) & np.isfinite(low) & np.isfinite(high)
    if not np.isfinite(value).any():
        return say(ax, f"{factor} could not be fitted.")
    x = shells[by_L]
    ax.fill_between(x, least[by_L], most[by_L], color=colour, alpha=0.15, linewidth=0, zorder=1, gid=f"models {factor}")
    bars = [(value - low)[by_L & known], (high - value)[by_L & known]]
    style: dict[str, Any] = {"fmt": MARKERS[0], "color": colour, "markersize": 2.5, "elinewidth": 0.7, "zorder": 3, "gid": factor}
    ax.errorbar(shells[by_L & known], value[by_L & known], yerr=bars, **style)
    ax.plot(shells[by_L & ~known], value[by_L & ~known], MARKERS[0], color=colour, markersize=2.5, markerfacecolor="white", zorder=3)
    ax.axhline(1.0, color="0.3", linewidth=0.8, linestyle="--", zorder=2)
    if np.isfinite(value[whole]):
        said = f"all L: {factor} = {value[whole]:.2f}"
        if known[whole]:
            # On one line with SIMULATED there would be no room.
            between = "\n" if ax.get_title(loc="right") else "; "
            said += f" ({low[whole]:.2f} to {high[whole]:.2f}){between}over models {least[whole]:.2f} to {most[whole]:.2f}"
            ax.axhspan(low[whole], high[whole], color="black", alpha=0.1, linewidth=0, zorder=0, gid=f"all {factor}")
        else:
            said += ", no interval"
        ax.axhline(value[whole], color="black", linewidth=0.8, zorder=2)
        ax.set_title(said, loc="left")
    ax.set_ylim(*_factor_limits(value, low, high, known, by_L))
    _finish(ax)
    return ax


def _ratio_curve(ax: Axes, curve: xr.Dataset, energy: npt.NDArray[np.floating], shift: float, i: int) -> list[float]:
    """Draw one L-shell; give the ratios that the axes are to hold."""
    colour, marker, label = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)], f"L = {float(curve['L']):g}"
    ratio, low, high, limit = (curve[name].to_numpy() for name in ("ratio", "ratio_low", "ratio_high", "ratio_limit"))
    band_low, band_high = (curve[name].to_numpy() for name in ("band_low", "band_high"))
    ax.fill_between(energy, np.maximum(band_low, 1e-6), band_high, color=colour, alpha=0.13, linewidth=0, zorder=0, gid=f"band {label}")
    for end in (band_low, band_high):
        ax.plot(energy, np.where(end > 0, end, np.nan), color=colour, linewidth=0.5, alpha=0.5, zorder=1)
    limited = np.isfinite(limit) & (limit > 0)
    growing = _growing(curve)
    resolved = np.isfinite(ratio) & np.isnan(limit)
    x = energy * shift
    ax.errorbar(
        x[resolved], ratio[resolved], yerr=[(ratio - low)[resolved], (high - ratio)[resolved]],
        fmt=marker, color=colour, markersize=2.8, elinewidth=0.7, label=label, gid=f"ratio {label}", zorder=3,
    )  # fmt: skip
    ax.plot(x, np.where(resolved, ratio, np.nan), color=colour, linewidth=0.5, alpha=0.7, zorder=2)
    ax.errorbar(
        x[limited], limit[limited], yerr=0.2 * limit[limited], uplims=True,
        fmt="_", color=colour, markersize=3, elinewidth=0.6, alpha=0.7, gid=f"limit {label}", zorder=2,
    )  # fmt: skip
    ax.plot(x[growing], np.full(growing.sum(), 0.015), "x", color=colour, markersize=3, transform=ax.get_xaxis_transform(), zorder=2)
    ends = np.concatenate(
        [ratio[resolved], np.maximum(low, ratio / 4)[resolved], high[resolved], limit[limited] / 1.3, band_high, band_low]
    )
    return [float(value) for value in ends if np.isfinite(value) and value > 0.02]


def _growing(comparison: xr.Dataset) -> npt.NDArray[np.bool_]:
    """Tell where the flux is found to grow, in the order of the dimensions that `verdict` has; paper mode has no mean rate."""
    if "rate_high" not in comparison:
        return np.zeros(comparison["verdict"].shape, dtype=bool)
    out: npt.NDArray[np.bool_] = comparison["rate_high"].transpose(*comparison["verdict"].dims).to_numpy() < 0
    return out


def _outline(where: npt.NDArray[np.bool_], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> list[list[tuple[float, float]]]:
    """Edges between cells that are in and cells that are not; `where` over (energy, L)."""
    padded = np.pad(where, 1)
    lines = [[(x[i], y[j]), (x[i], y[j + 1])] for i, j in np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1])]
    return lines + [[(x[i], y[j]), (x[i + 1], y[j])] for i, j in np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1])]


def _factor_limits(value: Any, low: Any, high: Any, known: Any, by_L: Any) -> tuple[float, float]:
    """Range of the factors, without intervals far wider than most."""
    if not known.any():
        seen = np.concatenate([value[np.isfinite(value)], [0.0, 1.0]])
        return float(seen.min()) - 0.3, float(seen.max()) + 0.3
    width = (high - low)[known & by_L] if (known & by_L).any() else (high - low)[known]
    narrow = known & (high - low <= 3 * np.median(width) + 1e-12)
    bottom, top = min(0.0, float(low[narrow].min())), max(1.2, float(high[narrow].max()))
    return bottom - 0.05 * (top - bottom), top + 0.05 * (top - bottom)


def _finish(ax: Axes) -> None:
    ax.grid(visible=True, color="0.92", linewidth=0.5)
    ax.set_axisbelow(True)
