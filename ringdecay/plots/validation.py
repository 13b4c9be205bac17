"""The proof as figures: what intervals cover and how far means are off, where the truth is known."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter

from ringdecay.plots.style import COLOURS, MARKERS, STYLE, mark_simulated, new_axes, new_figure, plain_log_axis, say, title

_COLOUR = {"calibrated": COLOURS[0], "paper": COLOURS[1]}
# Percent: up to here the scale of biases is linear, beyond it logarithmic; and its ticks.
_LINEAR = 20
_BIASES = (5, 10, 20, 50, 100, 200, 500, 1000)
_MARKER = {"calibrated": MARKERS[0], "paper": MARKERS[1]}


@matplotlib.rc_context(STYLE)
def validation_coverage(entries: pd.DataFrame, *, figure: Figure | SubFigure | None = None) -> Figure | SubFigure:
    """Draw the coverage of single fits against the lag-1 correlation, a panel a length of the series.

    Parameters
    ----------
    entries : pandas.DataFrame
        From `ringdecay.validate.validate`.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
    """
    some = entries[(entries["claim"] == "single fits") & (entries["quantity"] == "coverage")]
    figure = new_figure(figure, height=2.6)
    title(figure, "95 % intervals of single fits: how many hold the true rate", entries)
    lengths = sorted(some["points"].unique())
    if not lengths:
        say(figure.subplots(), "the coverage of single fits was not measured")
        return figure
    for ax, points in zip(np.ravel(figure.subplots(1, len(lengths), sharey=True, squeeze=False)), lengths, strict=True):
        _without_legend(coverage_panel(some[some["points"] == points], ax=ax))
        ax.set_title(f"{points:.0f} points")
        ax.label_outer()
    figure.legend(handles=_modes(), loc="outside lower center", ncols=4)
    return figure


@matplotlib.rc_context(STYLE)
def coverage_panel(entries: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw coverage against the lag-1 correlation with its goal; filled without gaps, hollow with gaps in the series.

    Parameters
    ----------
    entries : pandas.DataFrame
        From `ringdecay.validate.validate`, those of a coverage and one number of points.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = new_axes(ax)
    mark_simulated(ax, entries)
    if entries.empty:
        return say(ax, "not measured")
    ax.axhspan(entries["goal_low"].iloc[0], entries["goal_high"].iloc[0], color="0.88", linewidth=0)
    for key, some in entries.groupby(["mode", "gaps"], sort=False):
        mode, gaps = str(key[0]), some["gaps"].iloc[0] > 0
        face = "white" if gaps else _COLOUR[mode]
        style: dict[str, Any] = {"color": _COLOUR[mode], "marker": _MARKER[mode], "markerfacecolor": face}
        ax.errorbar(some["rho"] + 0.01 * gaps, some["value"], 2 * some["error"], linewidth=0.8, **style)
    ax.set(xlabel="lag-1 correlation", ylabel="share of intervals")
    _explain(ax, entries)
    return ax


@matplotlib.rc_context(STYLE)
def validation_bias(entries: pd.DataFrame, *, figure: Figure | SubFigure | None = None) -> Figure | SubFigure:
    """Draw the bias of the mean rate against the decay time: of independent series, and of whole simulated archives.

    Parameters
    ----------
    entries : pandas.DataFrame
        From `ringdecay.validate.validate`.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
    """
    figure = new_figure(figure, height=2.8)
    title(figure, "Mean rate over ten storms: how far it is off", entries)
    axes = figure.subplots(1, 2, sharey=True)
    for ax, claims, name in zip(axes, (["bias", "bias, slow"], ["missions, bias"]), ("independent series", "whole archives"), strict=True):
        some = entries[entries["claim"].isin(claims) & (entries["quantity"] == "bias of the mean rate")]
        _without_legend(bias_panel(some[np.isfinite(some["value"])], ax=ax))
        ax.set_title(name)
        ax.label_outer()
    figure.legend(handles=_modes()[:2], loc="outside lower center", ncols=4)
    return figure


@matplotlib.rc_context(STYLE)
def bias_panel(entries: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw bias against the decay time with its goal; of a range of decay times at its upper edge.

    Parameters
    ----------
    entries : pandas.DataFrame
        From `ringdecay.validate.validate`, those of a bias of the mean rate.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = new_axes(ax)
    mark_simulated(ax, entries)
    if entries.empty:
        return say(ax, "not measured")
    for low, high, half in ((1, 60, 5), (60, 250, 10)):
        ax.fill_between([low, high], -half, half, color="0.88", linewidth=0)
    # No line joins two claims, whose windows differ.
    for (mode, _), some in entries.groupby(["mode", "claim"], sort=False):
        style: dict[str, Any] = {"color": _COLOUR[str(mode)], "marker": _MARKER[str(mode)]}
        ordered = some.sort_values("tau")
        ax.errorbar(ordered["tau"], 100 * ordered["value"], 200 * ordered["error"], linewidth=0.8, **style)
    ax.axhline(0, color="0.4", linewidth=0.5)
    ax.set_xscale("log")
    ax.set_yscale("symlog", linthresh=_LINEAR)
    # Its own ticks would be powers of ten, of which none may lie in the axes.
    ticks = [sign * step for step in _BIASES for sign in (-1, 1)]
    ax.yaxis.set_major_locator(FixedLocator([0.0, *ticks]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}")))
    plain_log_axis(ax.xaxis, 0.8, 300)
    ax.set(xlabel="true decay time (days)", ylabel="bias of the mean rate (%)")
    _explain(ax, entries)
    return ax


def _explain(ax: Axes, entries: pd.DataFrame) -> None:
    """Name the modes that are drawn."""
    shown = {f"{mode} mode" for mode in entries["mode"]}
    ax.legend(handles=[handle for handle in _modes()[:2] if handle.get_label() in shown], loc="lower left")


def _without_legend(ax: Axes) -> None:
    """Take a legend away where the figure has one for all panels."""
    legend = ax.get_legend()
    if legend is not None:
        legend.remove()


def _modes() -> list[Line2D]:
    handles = [Line2D([], [], color=colour, marker=_MARKER[mode], label=f"{mode} mode") for mode, colour in _COLOUR.items()]
    return [*handles, Line2D([], [], color="0.3", marker="o", markerfacecolor="white", linestyle="none", label="30 % of the bins missing")]
