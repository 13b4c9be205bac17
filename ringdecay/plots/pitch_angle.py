"""Decay times against equatorial pitch angle."""

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

from ringdecay.plots.labels import TAU, source
from ringdecay.plots.style import COLOURS, MARKERS, STYLE, mark_simulated, new_axes, new_figure, plain_log_axis, say, say_on_figure, title
from ringdecay.tables import confidence_text, grows, nearest

_ANGLE = "equatorial_pitch_angle"


@matplotlib.rc_context(STYLE)
def pitch_angle_curves(
    lifetimes: xr.Dataset, energies: Sequence[float], L: Sequence[float], *, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Draw the decay time against equatorial pitch angle: a panel for each L, a curve for each energy.

    Parameters
    ----------
    lifetimes : Dataset
        From `pitch_angle_lifetimes`.
    energies, L : sequence of float
        keV and L-shells; the nearest channels and bins are taken.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
    """
    figure = new_figure(figure, height=3.3)
    title(figure, f"Decay times ({source(lifetimes)})", lifetimes)
    shells = nearest(lifetimes["L"].to_numpy(), L)
    if not lifetimes.sizes[_ANGLE]:
        return say_on_figure(figure, "The flux is not binned by pitch angle: there is nothing to draw.")
    if not (shells and (lifetimes["n_storms"] > 0).any()):
        return say_on_figure(figure, "No storm has a fit at any pitch angle.")
    axes = figure.subplots(1, len(shells), squeeze=False, sharey=True)[0]
    limits = []
    for k, ax in zip(shells, axes, strict=True):
        shell = float(lifetimes["L"][k])
        tau_against_pitch_angle(lifetimes, energies, shell, ax=ax)
        ax.set_title(f"L = {shell:g}")
        ax.label_outer()
        legend = ax.get_legend()
        if legend is not None:
            limits.append(ax.get_ylim())
            legend.remove()
    if limits:
        bottom, top = min(low for low, _ in limits), max(high for _, high in limits)
        axes[0].set_ylim(bottom, top)
        plain_log_axis(axes[0].yaxis, bottom, top)
    channels = lifetimes["energy"].to_numpy()[nearest(lifetimes["energy"].to_numpy(), energies)]
    handles: list[Any] = [
        Line2D([], [], color=COLOURS[i % len(COLOURS)], marker=MARKERS[i % len(MARKERS)], linewidth=0.7, label=f"{energy:g} keV")
        for i, energy in enumerate(channels)
    ]
    if "tau_sd" in lifetimes:
        handles.append(Line2D([], [], color="0.3", marker="|", markersize=8, linestyle="none", label="standard deviation of the fits"))
    else:
        said = f"{confidence_text(lifetimes)} interval; across: the bin"
        handles.append(Line2D([], [], color="0.3", marker="+", markersize=7, linestyle="none", label=said))
        handles.append(Line2D([], [], color="0.3", marker=r"$\uparrow$", markersize=7, linestyle="none", label="lower limit on τ"))
    if "rate_predicted_low" in lifetimes:
        handles.append(Patch(facecolor="0.5", alpha=0.3, linewidth=0, label="charge exchange and Coulomb drag, all models"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


@matplotlib.rc_context(STYLE)
def tau_against_pitch_angle(lifetimes: xr.Dataset, energies: Sequence[float], L: float, *, ax: Axes | None = None) -> Axes:
    """Draw the decay time against equatorial pitch angle at one L, a curve for each energy.

    Parameters
    ----------
    lifetimes : Dataset
        From `pitch_angle_lifetimes`.
    energies : sequence of float
        keV; the nearest channels are taken.
    L : float
        L-shell; the nearest bin is taken.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Bars across are the bins of pitch angle, bars up and down the intervals of the mean over storms; arrows are one-sided lower limits
        where the decay is not resolved, crosses on the upper edge flux that grows. Shaded is the prediction. Points of different energies
        are moved apart sideways within their bins. The number of storms is said as a range over the points.
    """
    ax = new_axes(ax)
    mark_simulated(ax, lifetimes, above_legend=1)
    ax.set(xlim=(0.0, 90.0), xlabel="equatorial pitch angle (degrees)", ylabel=TAU)
    ax.set_xticks(np.arange(0, 91, 15))
    rows = nearest(lifetimes["L"].to_numpy(), [L])
    columns = nearest(lifetimes["energy"].to_numpy(), energies)
    if not (rows and columns and lifetimes.sizes[_ANGLE]):
        return say(ax, "No decay time was found.")
    cells = lifetimes.isel(L=rows[0], energy=columns).transpose(_ANGLE, "energy", ...)
    bounds = cells[f"{_ANGLE}_bounds"].to_numpy()
    seen: list[float] = []
    for i in range(len(columns)):
        place = bounds.mean(axis=1) + np.diff(bounds, axis=1)[:, 0] * 0.12 * (i - (len(columns) - 1) / 2)
        seen += _curve(ax, cells.isel(energy=i), place, bounds, i)
    if not seen:
        return say(ax, "No decay time was found.")
    ax.set_yscale("log")
    bottom, top = min(seen) / 1.4, max(seen) * 1.6
    ax.set_ylim(bottom, top)
    plain_log_axis(ax.yaxis, bottom, top)
    ax.grid(visible=True, color="0.92", linewidth=0.5)
    ax.set_axisbelow(True)
    n = cells["n_storms"].to_numpy()
    n = n[n > 0]
    said = f"{n.min()} to {n.max()} storms" if n.min() < n.max() else "1 storm" if n.max() == 1 else f"{n.max()} storms"
    ax.text(
        0.03, 0.03, said, transform=ax.transAxes, ha="left", va="bottom", fontsize=6.5, zorder=6,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
    )  # fmt: skip
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, columnspacing=1.0, handletextpad=0.2, borderaxespad=0.2)
    return ax


def _curve(ax: Axes, curve: xr.Dataset, place: np.ndarray, bounds: np.ndarray, i: int) -> list[float]:
    """Draw one energy; give the decay times that the axes are to hold."""
    colour, marker, label = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)], f"{float(curve['energy']):g} keV"
    tau = curve["tau"].to_numpy()
    limit = curve["tau_limit"].to_numpy() if "tau_limit" in curve else np.full(tau.shape, np.nan)
    growing = grows(curve).to_numpy()
    resolved, limited = np.isfinite(tau) & np.isnan(limit) & ~growing, np.isfinite(limit) & ~growing
    if "tau_sd" in curve:
        sd = np.nan_to_num(curve["tau_sd"].to_numpy())
        low, high = np.maximum(tau - sd, 0.02 * tau), tau + sd
    else:
        low, high = curve["tau_low"].to_numpy(), curve["tau_high"].to_numpy()
    if "rate_predicted_low" in curve:
        slow, fast = (curve[name].to_numpy() for name in ("rate_predicted_low", "rate_predicted_high"))
        some = fast > 0
        middle = bounds.mean(axis=1)[some]
        ax.fill_between(
            middle, 1 / fast[some], 1 / np.maximum(slow[some], 1e-9), color=colour, alpha=0.12, linewidth=0, zorder=0, gid=f"theory {label}"
        )
    style: dict[str, Any] = {"color": colour, "elinewidth": 0.7}
    ax.errorbar(
        place[resolved], tau[resolved], yerr=[(tau - low)[resolved], (high - tau)[resolved]],
        xerr=[(place - bounds[:, 0])[resolved], (bounds[:, 1] - place)[resolved]],
        fmt=marker, markersize=2.8, label=label, gid=f"tau {label}", zorder=3, **style,
    )  # fmt: skip
    ax.errorbar(
        place[limited], limit[limited], yerr=0.22 * limit[limited], lolims=True,
        fmt="_", markersize=3, alpha=0.7, gid=f"limit {label}", zorder=2, **style,
    )  # fmt: skip
    ax.plot(place[growing], np.full(growing.sum(), 0.985), "x", color=colour, markersize=3, transform=ax.get_xaxis_transform(), zorder=2)
    return [
        *tau[resolved],
        *np.maximum(low, tau / 4)[resolved],
        *np.minimum(high, 3 * tau)[resolved],
        *limit[limited],
        *1.3 * limit[limited],
    ]
