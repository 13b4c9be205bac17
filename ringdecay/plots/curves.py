"""Decay times against energy for several L-shells, and against L for several energies."""

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

from ringdecay.plots.labels import TAU, L_label, energy_label, source
from ringdecay.plots.style import COLOURS, MARKERS, STYLE, log_edges, mark_simulated, new_axes, new_figure, plain_log_axis, say, title
from ringdecay.tables import confidence_text, flagged, grows, nearest


@matplotlib.rc_context(STYLE)
def lifetime_curves(
    lifetimes: xr.Dataset,
    energies: Sequence[float],
    L: Sequence[float],
    truth: xr.Dataset | None = None,
    *,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Draw the decay time against energy for several L-shells, and against L for several energies.

    Parameters
    ----------
    lifetimes : Dataset
        From `lifetimes`. With the predicted rates beside (`beside_theory.with_prediction`) the band of the theory is drawn, shaded.
    energies, L : sequence of float
        keV and L-shells of the curves; the nearest channels and bins are taken.
    truth : Dataset, optional
        With `population_rate` (1/day) over energy and L: the truth of a simulation, drawn as dashed lines.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
    """
    figure = new_figure(figure, height=3.5)
    title(figure, f"Decay times ({source(lifetimes)})", lifetimes, truth)
    left, right = figure.subplots(1, 2, sharey=bool(lifetimes["tau"].size))
    limits = [tau_against_energy(lifetimes, L, truth, ax=left).get_ylim(), tau_against_L(lifetimes, energies, truth, ax=right).get_ylim()]
    if left.get_shared_y_axes().joined(left, right):
        bottom, top = min(low for low, _ in limits), max(high for _, high in limits)
        left.set_ylim(bottom, top)
        plain_log_axis(left.yaxis, bottom, top)
    right.set_ylabel("")
    interval = "standard deviation of the fits" if "tau_sd" in lifetimes else f"{confidence_text(lifetimes)} interval"
    handles: list[Line2D | Patch] = [Line2D([], [], color="0.3", marker="|", markersize=8, linestyle="none", label=interval)]
    if "tau_limit" in lifetimes:
        handles.append(Line2D([], [], color="0.3", marker=r"$\uparrow$", markersize=7, linestyle="none", label="lower limit on τ"))
    shown = [
        lifetimes.isel(L=nearest(lifetimes["L"].to_numpy(), L)),
        lifetimes.isel(energy=nearest(lifetimes["energy"].to_numpy(), energies)),
    ]
    if any(grows(cells).any() for cells in shown):
        handles.append(Line2D([], [], color="0.3", marker="x", linestyle="none", label="flux grows (upper edge)"))
    if any(flagged(cells, "storms_lost_to_floor").any() for cells in shown):
        hollow = Line2D([], [], color="0.3", marker="o", markerfacecolor="white", linestyle="none", label="fast storms lost to the floor")
        handles.append(hollow)
    if truth is not None:
        handles.append(Line2D([], [], color="0.3", linestyle="--", linewidth=0.8, label="truth of the simulation"))
    if "rate_predicted_low" in lifetimes:
        handles.append(Patch(facecolor="0.5", alpha=0.3, linewidth=0, label="charge exchange and Coulomb drag, all models"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4 if len(handles) <= 4 else 3)
    return figure


@matplotlib.rc_context(STYLE)
def tau_against_energy(lifetimes: xr.Dataset, L: Sequence[float], truth: xr.Dataset | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw the decay time against energy, a curve for each L.

    Parameters
    ----------
    lifetimes : Dataset
        From `lifetimes`.
    L : sequence of float
        L-shells; the nearest bins are taken.
    truth : Dataset, optional
        With `population_rate` over energy and L.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Points of different curves are moved apart sideways by a percent or two, so that their bars can be told apart.
    """
    ax = new_axes(ax)
    ax.set_xscale("log")
    ax.set_xlabel(energy_label(lifetimes))
    energy = lifetimes["energy"].to_numpy()
    if lifetimes["tau"].size:
        bounds = log_edges(energy)
        ax.set_xlim(bounds[0], bounds[-1])
        plain_log_axis(ax.xaxis, bounds[0], bounds[-1])
    chosen = nearest(lifetimes["L"].to_numpy(), L)
    shifts = 1 + 0.018 * (np.arange(len(chosen)) - (len(chosen) - 1) / 2)
    curves = [(f"L = {float(lifetimes['L'][k]):g}", lifetimes.isel(L=k), energy * shift) for k, shift in zip(chosen, shifts, strict=True)]
    return _draw(ax, curves, lifetimes, truth, "energy")


@matplotlib.rc_context(STYLE)
def tau_against_L(  # noqa: N802 - L is the symbol
    lifetimes: xr.Dataset, energies: Sequence[float], truth: xr.Dataset | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw the decay time against L, a curve for each energy.

    Parameters
    ----------
    lifetimes : Dataset
        From `lifetimes`.
    energies : sequence of float
        keV; the nearest channels are taken.
    truth : Dataset, optional
        With `population_rate` over energy and L.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = new_axes(ax)
    ax.set_xlabel(L_label(lifetimes))
    chosen = nearest(lifetimes["energy"].to_numpy(), energies)
    shells = lifetimes["L"].to_numpy()
    curves = [(f"{float(lifetimes['energy'][k]):g} keV", lifetimes.isel(energy=k), shells) for k in chosen]
    return _draw(ax, curves, lifetimes, truth, "L")


def _draw(ax: Axes, curves: list[tuple[str, xr.Dataset, np.ndarray]], lifetimes: xr.Dataset, truth: xr.Dataset | None, along: str) -> Axes:
    mark_simulated(ax, lifetimes, truth, above_legend=1)
    tops, bottoms = [], []
    ax.set_yscale("log")
    ax.set_ylabel(TAU)
    for i, (label, curve, x) in enumerate(curves):
        colour, marker = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]
        tau = curve["tau"].to_numpy()
        if "rate_predicted_low" in curve:
            _band(ax, curve, colour, f"theory {label}")
        limit = curve["tau_limit"].to_numpy() if "tau_limit" in curve else np.full(tau.shape, np.nan)
        growing = grows(curve).to_numpy()
        resolved = np.isfinite(tau) & np.isnan(limit) & ~growing
        limited = np.isfinite(limit) & ~growing
        low, high = _bars(curve, tau)
        ax.errorbar(
            x[resolved], tau[resolved], yerr=[(tau - low)[resolved], (high - tau)[resolved]],
            fmt=marker, color=colour, markersize=2.8, elinewidth=0.7, label=label, gid=f"tau {label}", zorder=3,
        )  # fmt: skip
        lost = resolved & flagged(curve, "storms_lost_to_floor").to_numpy()
        hollow: dict[str, Any] = {"markerfacecolor": "white", "markeredgewidth": 0.7, "markersize": 2.8, "linestyle": "none"}
        ax.plot(x[lost], tau[lost], marker=marker, color=colour, gid=f"lost {label}", zorder=4, **hollow)
        ax.plot(x, np.where(resolved, tau, np.nan), color=colour, linewidth=0.5, alpha=0.7, zorder=2)
        ax.errorbar(
            x[limited], limit[limited], yerr=0.22 * limit[limited], lolims=True,
            fmt="_", color=colour, markersize=3, elinewidth=0.6, alpha=0.6, gid=f"limit {label}", zorder=2,
        )  # fmt: skip
        ax.plot(x[growing], np.full(growing.sum(), 0.985), "x", color=colour, markersize=3, transform=ax.get_xaxis_transform(), zorder=2)
        tops += [*tau[resolved], *limit[limited] * 1.3]
        bottoms += [*np.maximum(low, tau / 4)[resolved], *limit[limited]]
        if truth is not None:
            other = "L" if along == "energy" else "energy"
            rate = truth["population_rate"].sel({other: float(curve[other])}, method="nearest").to_numpy()
            ax.plot(
                truth[along].to_numpy(),
                1 / np.where(rate > 0, rate, np.nan),
                "--",
                color=colour,
                linewidth=0.8,
                gid=f"truth {label}",
                zorder=1,
            )
    if not tops:
        return say(ax, "No decay time was found.")
    # By what was found, not by the truth or by an interval that is open to above.
    bottom, top = min(bottoms) / 1.4, max(tops) * 1.6
    ax.set_ylim(bottom, top)
    plain_log_axis(ax.yaxis, bottom, top)
    ax.grid(visible=True, color="0.92", linewidth=0.5)
    ax.set_axisbelow(True)
    ax.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(len(curves), 4), columnspacing=1.0, handletextpad=0.2, borderaxespad=0.2
    )
    return ax


def _band(ax: Axes, curve: xr.Dataset, colour: str, gid: str) -> None:
    """Shade the predicted decay times, at their own energies and L; open to above where a model predicts no loss."""
    x = curve["energy"].to_numpy() if curve["energy"].ndim else curve["L"].to_numpy()
    slow, fast = (curve[name].to_numpy() for name in ("rate_predicted_low", "rate_predicted_high"))
    some = fast > 0
    longest = 1 / np.maximum(slow[some], 1e-9)
    ax.fill_between(x[some], 1 / fast[some], longest, color=colour, alpha=0.12, linewidth=0, zorder=0, gid=gid)


def _bars(curve: xr.Dataset, tau: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper end of the bars; in paper mode the standard deviation of the fits, where there is one."""
    if "tau_sd" in curve:
        sd = np.nan_to_num(curve["tau_sd"].to_numpy())
        return np.maximum(tau - sd, tau * 0.02), tau + sd
    return curve["tau_low"].to_numpy(), curve["tau_high"].to_numpy()
