"""The figure of docs/performance.md: time a file of every way to read and bin."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import matplotlib
import xarray as xr
from goals import ALL, BOUND, CADENCES, ONE, OTHERS, PARALLEL, SERIAL, seconds
from matplotlib.lines import Line2D

from ringdecay.plots.style import COLOURS, MARKERS, STYLE, TWO_COLUMNS, new_figure, plain_log_axis, save, title

#: Condition: colour and shape; hollow is with the package deflate.
_KINDS = {ONE: (COLOURS[0], MARKERS[0], "one pinned core"), ALL: (COLOURS[1], MARKERS[1], "all cores")}


@matplotlib.rc_context(STYLE)
def draw(reading: dict[str, Any], path: Path) -> None:
    """Draw medians and ranges, a panel a cadence, and write the figure."""
    figure = new_figure(None, height=2.9, width=TWO_COLUMNS)
    title(figure, "Reading and binning a daily file", xr.Dataset(attrs={"simulated": "yes"}))
    names = [BOUND, SERIAL, *PARALLEL, *OTHERS]
    axes = figure.subplots(1, len(reading["sets"]), sharey=True, squeeze=False)[0]
    for ax, (product, one) in zip(axes, reading["sets"].items(), strict=True):
        values = []
        for row, name in enumerate(names):
            for kind, (colour, marker, _) in _KINDS.items():
                for more in ("", ", deflate"):
                    times = [1e3 * value / one["files"] for value in seconds(one["measured"], name, kind + more)]
                    if not times:
                        continue
                    values += times
                    middle = statistics.median(times)
                    place = row + (-0.15 if kind == ONE else 0.15)
                    face = "white" if more else colour
                    spread = [[middle - min(times)], [max(times) - middle]]
                    ax.errorbar(
                        middle, place, xerr=spread, color=colour, marker=marker, markerfacecolor=face, linestyle="none", linewidth=0.8
                    )
        bound = seconds(one["measured"], BOUND, ONE)
        if bound:
            ax.axvline(1e3 * statistics.median(bound) / one["files"], color="0.6", linewidth=0.6, zorder=0)
        ax.set_xscale("log")
        plain_log_axis(ax.xaxis, min(values), max(values))
        ax.set_xlabel("milliseconds a file")
        ax.set_title(f"{CADENCES[product]}, {one['bytes'] / one['files'] / 1e6:.1f} MB a file")
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    handles = [Line2D([], [], color=colour, marker=marker, linestyle="none", label=label) for colour, marker, label in _KINDS.values()]
    handles.append(Line2D([], [], color="0.3", marker="o", markerfacecolor="white", linestyle="none", label="with the package deflate"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    save(figure, path)
