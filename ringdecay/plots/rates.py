"""The rates behind a mean: every storm's rate in a cell, with the mean, the prediction for the next storm and the theory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ringdecay.plots.labels import L_label, source
from ringdecay.plots.one_storm import fits_of_probe
from ringdecay.plots.style import COLOURS, STYLE, mark_simulated, new_axes, new_figure, say, say_on_figure, title
from ringdecay.tables import confidence_text, flagged, nearest

# So many storms can be named along the axis.
_MOST_NAMED = 24
_PREDICTION, _MEAN, _THEORY = "0.9", COLOURS[5], COLOURS[1]


@matplotlib.rc_context(STYLE)
def rate_distributions(
    decays: xr.Dataset,
    lifetimes: xr.Dataset,
    energies: Sequence[float],
    L: Sequence[float],
    *,
    probe: str | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Draw the rates of all storms in several cells: a row for each L and a column for each energy.

    Parameters
    ----------
    decays : Dataset
        From `fit_decays`.
    lifetimes : Dataset
        From `lifetimes` of the same fits; with the predicted rates beside (`beside_theory.with_prediction`) they are drawn.
    energies, L : sequence of float
        keV and L-shells; the nearest channels and bins are drawn.
    probe : str, optional
        Which probe's fits; "merged" or the first if not given.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
    """
    columns, rows = nearest(decays["energy"].to_numpy(), energies), nearest(decays["L"].to_numpy(), L)
    figure = new_figure(figure, height=0.95 + 1.55 * max(len(rows), 1))
    title(figure, f"Rates of single storms ({source(decays)})", decays, lifetimes)
    if not (columns and rows and np.isfinite(decays["rate"].to_numpy()).any()):
        return say_on_figure(figure, "No storm has a fit.")
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    for i, row in enumerate(rows[::-1]):
        for j, column in enumerate(columns):
            ax, energy, shell = axes[i, j], float(decays["energy"][column]), float(decays["L"][row])
            rate_distribution(decays, lifetimes, energy, shell, probe=probe, ax=ax)
            ax.set_xlabel("")
            ax.set_ylabel("" if j else "rate (1/day)")
    storm = f"storm, {confidence_text(decays)} interval"
    handles: list[Any] = [Line2D([], [], color="black", marker="o", markersize=2.5, linewidth=0.7, label=storm)]
    if flagged(decays, "not_accepted").any():
        handles.append(
            Line2D([], [], color="black", marker="o", markerfacecolor="white", markersize=2.5, linestyle="none", label="not accepted")
        )
    handles.append(Line2D([], [], color=COLOURS[0], linewidth=1.0, label="mean over storms" if "rate" in lifetimes else "1 / mean τ"))
    if "rate_low" in lifetimes:
        handles.append(Patch(facecolor=_MEAN, alpha=0.45, linewidth=0, label=f"its {confidence_text(lifetimes)} interval"))
    if "rate_pred_low" in lifetimes and lifetimes["rate_pred_low"].notnull().any():
        handles.append(Patch(facecolor=_PREDICTION, linewidth=0, label="prediction for the next storm"))
    if "rate_predicted_low" in lifetimes:
        handles.append(Line2D([], [], color=_THEORY, linewidth=2.5, label="theory, all models (right edge)"))
    # As the title of the legend: the layout keeps no room between a label of the figure and a legend outside.
    below = f"storms, in order of their rates; {L_label(decays)}"
    figure.legend(handles=handles, title=below, title_fontsize=7.0, loc="outside lower center", ncols=min(len(handles), 5))
    return figure


@matplotlib.rc_context(STYLE)
def rate_distribution(
    decays: xr.Dataset, lifetimes: xr.Dataset, energy: float, L: float, *, probe: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the rates of all storms in one cell, in order of size, with the mean over storms and the prediction for the next.

    Parameters
    ----------
    decays : Dataset
        From `fit_decays`.
    lifetimes : Dataset
        From `lifetimes` of the same fits.
    energy, L : float
        keV and L-shell; the nearest channel and bin are taken.
    probe : str, optional
        Which probe's fits; "merged" or the first if not given.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Points are storms, named by their numbers if they are few, with the intervals of their fits; hollow ones were not accepted in paper
        mode. The line with its band is the mean over storms and its interval, the wide band where the next storm's rate is expected. The
        bar at the right edge is what charge exchange and Coulomb drag predict, over all models. Bars may leave the axes; n is the number of
        storms with a fit, and of those whose decay is resolved.
    """
    ax = new_axes(ax)
    mark_simulated(ax, decays, lifetimes)
    one = fits_of_probe(decays, probe)
    if not (one.sizes["energy"] and one.sizes["L"]):
        return say(ax, "no fit")
    at = {"energy": nearest(one["energy"].to_numpy(), [energy])[0], "L": nearest(one["L"].to_numpy(), [L])[0]}
    cell = one.isel(at)
    mean = lifetimes.sel(energy=float(cell["energy"]), L=float(cell["L"]), method="nearest")
    ax.set_title(f"{float(cell['energy']):g} keV, L = {float(cell['L']):g}", loc="left")
    ax.set(xlabel="storm", ylabel="rate (1/day)")
    rate, low, high = (cell[name].to_numpy() for name in ("rate", "rate_low", "rate_high"))
    known = np.flatnonzero(np.isfinite(rate))
    if not known.size:
        return say(ax, "no fit")
    order = known[np.argsort(rate[known], kind="stable")]
    x = np.arange(order.size, dtype=np.float64)
    ax.axhline(0.0, color="0.5", linewidth=0.6, linestyle=":", zorder=1)
    accepted = ~flagged(cell, "not_accepted").to_numpy()[order]
    bars = np.nan_to_num([rate[order] - low[order], high[order] - rate[order]])
    size = 2.5 if order.size <= 2 * _MOST_NAMED else 1.2
    ax.errorbar(x, rate[order], yerr=bars, fmt="none", ecolor="black", elinewidth=0.7 if size > 2 else 0.4, zorder=3)
    for some, face in ((accepted, "black"), (~accepted, "white")):
        ax.plot(
            x[some],
            rate[order][some],
            "o",
            color="black",
            markerfacecolor=face,
            markersize=size,
            markeredgewidth=0.6,
            zorder=4,
            gid="storms",
        )
    shown = [*rate[order], 0.0, *_mean(ax, mean)]
    ax.set_xlim(-0.7, order.size - 0.3 + 0.04 * order.size)
    if order.size <= _MOST_NAMED:
        ax.set_xticks(x, [str(name) for name in cell["storm"].to_numpy()[order]])
        ax.tick_params(axis="x", length=0)
    else:
        ax.set_xticks([])
    bottom, top = float(np.min(shown)), float(np.max(shown))
    # A few intervals can be far wider than all that is to be seen.
    typical = float(np.median(bars.max(0)))
    spare = 0.08 * (top - bottom) + min(typical, 3 * (top - bottom)) + 1e-12
    ax.set_ylim(bottom - spare, top + spare)
    resolved = int((low[order] > 0).sum())
    ax.text(
        0.03, 0.96, f"n = {order.size}, {resolved} resolved", transform=ax.transAxes, ha="left", va="top", fontsize=6.0, zorder=6,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
    )  # fmt: skip
    return ax


def _mean(ax: Axes, mean: xr.Dataset) -> list[float]:
    """Draw the mean, its interval, the prediction interval and the theory; give the rates that the axes are to hold."""
    rate = float(mean["rate"]) if "rate" in mean else 1.0 / float(mean["tau"])
    ends = {name: float(mean[name]) if name in mean else np.nan for name in ("rate_low", "rate_high", "rate_pred_low", "rate_pred_high")}
    if np.isfinite(ends["rate_pred_low"]):
        ax.axhspan(ends["rate_pred_low"], ends["rate_pred_high"], color=_PREDICTION, linewidth=0, zorder=0, gid="prediction")
    if np.isfinite(ends["rate_low"]):
        ax.axhspan(ends["rate_low"], ends["rate_high"], color=_MEAN, alpha=0.45, linewidth=0, zorder=1, gid="interval")
    if np.isfinite(rate):
        ax.axhline(rate, color=COLOURS[0], linewidth=1.0, zorder=2, gid="mean")
    seen = [rate, ends["rate_low"], ends["rate_high"]]
    if "rate_predicted_low" in mean:
        theory = [float(mean["rate_predicted_low"]), float(mean["rate_predicted_high"])]
        ax.plot(
            [0.985, 0.985], theory, color=_THEORY, linewidth=2.5, solid_capstyle="butt", transform=ax.get_yaxis_transform(), gid="theory"
        )
        seen += theory
    return [value for value in seen if np.isfinite(value)]
