"""Probe A beside probe B: the rates of the same storms and cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ringdecay.decays.probe_ratio import ProbeRatio, own_probes, paired_rates, probe_ratio
from ringdecay.plots.channels import energy_colour
from ringdecay.plots.style import MARKERS, ONE_COLUMN, STYLE, mark_simulated, new_axes, plain_log_axis, say
from ringdecay.tables import confidence_text, nearest


@matplotlib.rc_context(STYLE)
def probe_comparison(
    decays: xr.Dataset, energies: Sequence[float] | None = None, L: Sequence[float] | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw the rate that one probe sees against that of the other, a point for each storm and cell.

    Parameters
    ----------
    decays : Dataset
        From `fit_decays`, of two probes.
    energies, L : sequence of float, optional
        keV and L-shells; the nearest channels and bins are drawn, all of them if not given. The ratio is of all cells.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Points with the intervals of both fits, in the colour of their energy and with a marker for each L, of cells whose decay the
        merged flux resolves. The dashed line is equality, the full one the median ratio of all such cells, its interval by drawing storms
        anew. Both probes see the same fluctuations, so points lie closer to the line than their intervals say. A point with a rate below
        zero cannot be drawn; how many there are is said.
    """
    ax = new_axes(ax, height=4.3, width=ONE_COLUMN)
    mark_simulated(ax, decays)
    if len(own_probes(decays)) != 2:
        return say(ax, "The run has one probe:\nthere is nothing to compare.")
    ratio, pairs = probe_ratio(decays, confidence=float(decays.attrs.get("confidence", 0.95))), paired_rates(decays)
    first, second = (name.upper() for name in ratio.probes)
    ax.set(xlabel=f"rate of probe {first} (1/day)", ylabel=f"rate of probe {second} (1/day)")
    if not ratio.n:
        return say(ax, "No decay is resolved\nwhere both probes have a fit.")
    every = pairs["energy"].to_numpy()
    columns = list(range(every.size)) if energies is None else nearest(every, energies)
    rows = list(range(pairs.sizes["L"])) if L is None else nearest(pairs["L"].to_numpy(), L)
    chosen = pairs.isel(energy=columns, L=rows)
    rate = chosen["rate"].to_numpy()
    known = np.isfinite(rate).all(axis=1)
    drawn = known & (rate > 0).all(axis=1)
    seen = rate[:, 0][drawn], rate[:, 1][drawn]
    shown = np.concatenate(seen) if drawn.any() else np.array([0.01, 1.0])
    low, high = float(shown.min()) / 1.8, float(shown.max()) * 1.8
    colours = energy_colour(every)[columns]
    for e, colour in enumerate(colours):
        for k in range(len(rows)):
            _points(ax, chosen.isel(energy=e, L=k), drawn[:, e, k], low, colour, MARKERS[k % len(MARKERS)])
    ax.plot([low, high], [low, high], color="black", linestyle="--", linewidth=0.8, zorder=1, gid="equal")
    ax.plot([low, high], [low * ratio.median, high * ratio.median], color="black", linewidth=0.8, zorder=1, gid="median")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set(xlim=(low, high), ylim=(low, high))
    ax.set_aspect("equal")
    for axis in (ax.xaxis, ax.yaxis):
        plain_log_axis(axis, low, high)
    text = [
        _ratio_words(ratio, confidence_text(decays)),
        "the probes share the fluctuations of a storm",
        f"drawn: {int(drawn.sum())} of {int(known.sum())} pairs of these cells, {confidence_text(decays)} intervals",
    ]
    ax.text(0.03, 0.98, "\n".join(text), transform=ax.transAxes, ha="left", va="top", fontsize=6.0, zorder=6, gid="ratio")
    _legend(ax, every[columns], colours, pairs["L"].to_numpy()[rows])
    return ax


def _points(ax: Axes, cell: xr.Dataset, drawn: np.ndarray, low: float, colour: Any, marker: str) -> None:
    """Draw the pairs of one cell; bars that go below the axes end at their edge."""
    if not drawn.any():
        return
    (x, y), least, most = (np.moveaxis(cell[name].to_numpy()[drawn], 1, 0) for name in ("rate", "rate_low", "rate_high"))
    bars = [np.stack([np.minimum(value - a, value - low / 10), b - value]) for value, a, b in zip((x, y), least, most, strict=True)]
    ax.errorbar(x, y, xerr=bars[0], yerr=bars[1], fmt="none", ecolor=colour, elinewidth=0.5, alpha=0.35, zorder=2)
    ax.plot(x, y, marker, color=colour, markersize=2.6, markeredgewidth=0, zorder=3, gid="pairs")


def _ratio_words(ratio: ProbeRatio, confidence: str) -> str:
    first, second = (name.upper() for name in ratio.probes)
    interval = f" ({confidence}: {ratio.low:.2f}\N{EN DASH}{ratio.high:.2f})" if np.isfinite(ratio.low) else ", no interval from one storm"
    storms = "1 storm" if ratio.n_storms == 1 else f"{ratio.n_storms} storms"
    return f"median {second}/{first} = {ratio.median:.2f}{interval}\nof n = {ratio.n} pairs in {storms}, all cells"


def _legend(ax: Axes, energies: np.ndarray, colours: np.ndarray, shells: np.ndarray) -> None:
    """Name energies and L-shells, as far as they are few."""
    handles = []
    if len(energies) <= 8:
        handles += [
            Line2D([], [], color=colour, marker="s", markersize=3, linestyle="none", label=f"{energy:g} keV")
            for energy, colour in zip(energies, colours, strict=True)
        ]
    if len(shells) <= len(MARKERS):
        handles += [
            Line2D([], [], color="0.3", marker=MARKERS[k], markersize=3, linestyle="none", label=f"L = {shell:g}")
            for k, shell in enumerate(shells)
        ]
    handles.append(Line2D([], [], color="black", linestyle="--", linewidth=0.8, label="equal rates"))
    handles.append(Line2D([], [], color="black", linewidth=0.8, label="median ratio"))
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, handlelength=1.6, columnspacing=1.0)
