"""What the estimators say of the same decays, against energy."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from ringdecay.decays.estimators import estimator_ratios
from ringdecay.plots.labels import energy_label, source
from ringdecay.plots.style import (
    COLOURS,
    MARKERS,
    STYLE,
    log_edges,
    mark_simulated,
    new_axes,
    new_figure,
    plain_log_axis,
    say,
    say_on_figure,
    title,
)

# Names as they are written in a figure.
WRITTEN = {
    "gls": "GLS",
    "ols": "ordinary",
    "weighted": "weighted",
    "theil_sen": "Theil\N{EN DASH}Sen",
    "poisson": "Poisson (counts)",
    "negative_binomial": "neg. binomial (counts)",
    "exponential_floor": "exponential and floor",
}


@matplotlib.rc_context(STYLE)
def estimator_comparison(
    decays: xr.Dataset, probe: str = "merged", reference: str = "gls", *, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Draw the rate of each estimator, and the width of its interval, relative to those of one of them.

    Parameters
    ----------
    decays : Dataset
        From `fit_decays` with `compare`.
    probe : str
        Which probe's fits.
    reference : str
        The estimator that the others are compared with; only fits whose decay it resolves are used.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
        Left: median ratio of the rates at each energy, bars from 15.9 to 84.1 % of the fits, moved sideways to be told apart. Right:
        median ratio of the widths of the intervals.

    Raises
    ------
    InputError
        If `decays` has no comparison, no such probe or no such estimator.
    """
    figure = new_figure(figure, height=3.0)
    ratios = estimator_ratios(decays, probe, reference)
    title(figure, f"Estimators side by side ({source(decays)})", decays)
    if not ratios["n"].any():
        return say_on_figure(figure, "No decay is resolved.")
    left, right = figure.subplots(1, 2)
    estimator_rate_panel(decays, probe, reference, ax=left)
    estimator_width_panel(decays, probe, reference, ax=right)
    for ax in (left, right):
        legend = ax.get_legend()
        if legend is not None:
            legend.remove()
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


@matplotlib.rc_context(STYLE)
def estimator_rate_panel(decays: xr.Dataset, probe: str = "merged", reference: str = "gls", *, ax: Axes | None = None) -> Axes:
    """Draw the median ratio of each estimator's rate to that of one of them at each energy.

    Parameters
    ----------
    decays, probe, reference
        As for `estimator_comparison`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Bars go from 15.9 to 84.1 % of the fits; estimators are moved sideways to be told apart.

    Raises
    ------
    InputError
        If `decays` has no comparison, no such probe or no such estimator.
    """
    ax = new_axes(ax)
    mark_simulated(ax, decays)
    ratios = estimator_ratios(decays, probe, reference)
    if not ratios["n"].any():
        return say(ax, "No decay is resolved.")
    energy = decays["energy"].to_numpy()
    bounds = log_edges(energy)
    shown = [name for name in ratios["estimator"].unique() if name != reference]
    # Within two thirds of the space between channels.
    shifts = np.linspace(-1, 1, len(shown)) * np.log(bounds[-1] / bounds[0]) / len(energy) / 3 if len(shown) > 1 else np.zeros(1)
    for i, (name, shift) in enumerate(zip(shown, shifts, strict=False)):
        one = ratios[(ratios["estimator"] == name) & (ratios["n"] > 0)]
        middle, low, high = (one[column].to_numpy() for column in ("ratio", "ratio_low", "ratio_high"))
        ax.errorbar(
            one["energy"].to_numpy() * np.exp(shift), middle, yerr=[middle - low, high - middle], fmt=MARKERS[i % len(MARKERS)],
            color=COLOURS[i % len(COLOURS)], markersize=2.8, elinewidth=0.7, label=WRITTEN.get(name, name), gid=f"ratio {name}",
        )  # fmt: skip
    ax.set_ylabel(f"rate relative to that of {WRITTEN.get(reference, reference)}")
    counts = ratios.loc[(ratios["estimator"] == reference) & (ratios["n"] > 0), "n"]
    ax.set_title(f"{counts.min()} to {counts.max()} fits an energy", loc="left")
    _finish(ax, decays, bounds)
    ax.yaxis.set_major_locator(MaxNLocator(7))
    return ax


@matplotlib.rc_context(STYLE)
def estimator_width_panel(decays: xr.Dataset, probe: str = "merged", reference: str = "gls", *, ax: Axes | None = None) -> Axes:
    """Draw the median ratio of the width of each estimator's interval to that of one of them at each energy.

    Parameters
    ----------
    decays, probe, reference
        As for `estimator_comparison`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If `decays` has no comparison, no such probe or no such estimator.
    """
    ax = new_axes(ax)
    mark_simulated(ax, decays)
    ratios = estimator_ratios(decays, probe, reference)
    if not ratios["n"].any():
        return say(ax, "No decay is resolved.")
    for i, name in enumerate(name for name in ratios["estimator"].unique() if name != reference):
        one = ratios[(ratios["estimator"] == name) & (ratios["n"] > 0)]
        style: dict[str, Any] = {
            "marker": MARKERS[i % len(MARKERS)],
            "color": COLOURS[i % len(COLOURS)],
            "markersize": 2.8,
            "linewidth": 0.7,
        }
        ax.plot(one["energy"], one["width"], label=WRITTEN.get(name, name), gid=f"width {name}", **style)
    ax.set_ylabel(f"width of interval relative to that of {WRITTEN.get(reference, reference)}")
    _finish(ax, decays, log_edges(decays["energy"].to_numpy()))
    # An interval that knows of a floor can be ten times as wide as the others'.
    low, high = 0.9 * min(1.0, float(ratios["width"].min())), 1.1 * max(1.0, float(ratios["width"].max()))
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    plain_log_axis(ax.yaxis, low, high)
    return ax


def _finish(ax: Axes, decays: xr.Dataset, bounds: np.ndarray) -> None:
    ax.axhline(1.0, color="0.3", linewidth=0.8, linestyle="--", zorder=1)
    ax.set_xscale("log")
    ax.set_xlim(bounds[0], bounds[-1])
    plain_log_axis(ax.xaxis, bounds[0], bounds[-1])
    ax.set_xlabel(energy_label(decays))
    ax.grid(visible=True, color="0.92", linewidth=0.5)
    ax.set_axisbelow(True)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=3)
