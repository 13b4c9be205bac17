"""What was there: each day of each product and probe, and where the records were taken."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize, to_rgba
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ringdecay.plots.labels import L_label
from ringdecay.plots.maps import norm_range
from ringdecay.plots.style import (
    COLOURS,
    STYLE,
    TWO_COLUMNS,
    legend_columns,
    mark_simulated,
    new_axes,
    new_figure,
    plain_log_axis,
    say,
    say_on_figure,
    title,
)

# The lightest blue stays far from white, so that a day of which little was used is not taken for a day outside the run.
_SHARES = LinearSegmentedColormap.from_list("shares", ["#BBD7EE", "#3B87BF", "#08306B"])
_STATES = {"refused": (COLOURS[1], "refused"), "no file": ("#000000", "no file"), "unknown": (COLOURS[4], "index not known")}
_STORM_COLOUR = "#009E73"
_NO_DAYS = "The run has no days: there is nothing to draw."
# Up to so many days are one strip a probe; more, and a strip is a year, or a single day could not be seen.
_ONE_STRIP = 400
_STRIP, _YEAR_STRIP, _HEAD = 0.36, 0.17, 1.05  # inches
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@matplotlib.rc_context(STYLE)
def coverage_calendar(
    days: pd.DataFrame, storms: pd.DataFrame | None = None, *, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Draw every day of each product and probe in the colour of what became of it.

    Parameters
    ----------
    days : DataFrame
        From `ringdecay.coverage.read_coverage` or `coverage_days`.
    storms : DataFrame, optional
        Storms whose onsets are marked above the strips.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
        A strip a product and probe; in runs of more than 400 days a strip for each year of it.
    """
    groups, years, by_year = _strips(days)
    # In strips of a year the name of a group stands above it, else beside its one strip.
    rows = len(groups) * (len(years) + 1.4 if by_year else 1)
    figure = new_figure(figure, height=_HEAD + (_YEAR_STRIP if by_year else _STRIP) * max(rows, 1))
    title(figure, "Days of the run: what was there and what was used", days, storms)
    if not groups:
        return say_on_figure(figure, _NO_DAYS)
    ax = calendar_panel(days, storms, ax=figure.subplots())
    legend = ax.get_legend()
    if legend is not None:
        legend.remove()
    handles = _state_handles(days, storms)
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handlelength=1.2, handleheight=1.0)
    return figure


@matplotlib.rc_context(STYLE)
def calendar_panel(days: pd.DataFrame, storms: pd.DataFrame | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw the strips of `coverage_calendar` into axes, with the scale of their colours.

    Parameters
    ----------
    days : DataFrame
        From `ringdecay.coverage.read_coverage` or `coverage_days`.
    storms : DataFrame, optional
        Storms whose onsets are marked above the strips.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        A strip a product and probe; in runs of more than 400 days a strip for each year of it.
    """
    groups, years, by_year = _strips(days)
    ax = new_axes(ax, height=_HEAD + _STRIP * max(len(groups), 1), width=TWO_COLUMNS)
    handles = _state_handles(days, storms)
    columns = legend_columns(ax, [handle.get_label() for handle in handles], max(len(handles), 1))
    mark_simulated(ax, days, storms, above_legend=-(-len(handles) // columns))
    if not groups:
        return say(ax, _NO_DAYS)
    dates = pd.to_datetime(days["date"])
    labels: list[tuple[float, str]] = []
    level = 0.0
    for (product, probe), group in groups:
        about = f"probe {probe}" if probe else "index"
        if by_year:
            ax.text(0.0, level + 0.5, f"{product}, {about}", transform=ax.get_yaxis_transform(), ha="left", va="center")
            level += 1.4
        for year in years if by_year else [None]:
            strip = group if year is None else group[group["date"].str[:4] == str(year)]
            _strip(ax, strip, dates.min() if year is None else pd.Timestamp(year, 1, 1), level, storms)
            labels.append((level, f"{product}\n{about}" if year is None else f"{year}"))
            level += 1.0
    ax.set_ylim(level - 0.4, 0.0 if by_year else -0.75)
    ax.set_yticks([at for at, _ in labels], [text for _, text in labels])
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "left", "right"]].set_visible(False)
    _date_ticks(ax, dates, by_year)
    figure = ax.get_figure(root=False)
    assert figure is not None
    bar = figure.colorbar(ScalarMappable(Normalize(0, 100), _SHARES), ax=ax, location="bottom", aspect=40, shrink=0.5, pad=0.02)
    bar.set_label("used: share of the day's records inside the grid;\nindex: share of the day that is known (%)")
    if handles:
        ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, handlelength=1.2, handleheight=1.0)
    return ax


@matplotlib.rc_context(STYLE)
def coverage_cells(coverage: xr.Dataset, *, figure: Figure | SubFigure | None = None) -> Figure | SubFigure:
    """Draw how many records were taken at each L and magnetic local time, and at each L and magnetic latitude, a row a probe.

    Parameters
    ----------
    coverage : Dataset
        From `ringdecay.coverage.sector_coverage`.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
    """
    probes = [str(probe) for probe in coverage["probe"].to_numpy()]
    figure = new_figure(figure, height=0.6 + 2.0 * max(len(probes), 1))
    title(figure, f"Where the records were taken ({coverage.attrs.get('product', 'protons')})", coverage)
    if not (probes and int(coverage["n_records"].sum())):
        return say_on_figure(figure, "The binned data hold no record: there is nothing to draw.")
    axes = figure.subplots(len(probes), 2, squeeze=False, sharey=True, sharex="col")
    norm = _record_norm(coverage)
    for row, probe in zip(axes, probes, strict=True):
        for ax, name in zip(row, ("MLT", "MLAT"), strict=True):
            sector_panel(coverage, probe, name, ax=ax, norm=norm, bar=False)
            ax.label_outer()
    bar = figure.colorbar(ScalarMappable(norm, "viridis"), ax=axes, pad=0.01, aspect=30)
    bar.set_label("records in the run")
    plain_log_axis(bar.ax.yaxis, *norm_range(norm))
    return figure


@matplotlib.rc_context(STYLE)
def sector_panel(
    coverage: xr.Dataset, probe: str, name: str, *, ax: Axes | None = None, norm: LogNorm | None = None, bar: bool = True
) -> Axes:
    """Draw how many records one probe took at each L, and each magnetic local time or latitude.

    Parameters
    ----------
    coverage : Dataset
        From `ringdecay.coverage.sector_coverage`.
    probe : str
        The probe.
    name : {"MLT", "MLAT"}
        What to draw against.
    ax : Axes, optional
        Where to draw.
    norm : LogNorm, optional
        The scale of the colours; from the data if not given.
    bar : bool
        Whether to draw a colour bar.

    Returns
    -------
    Axes
        Blank is where there is no record. The outermost bins of latitude are open and drawn as wide as the others.
    """
    ax = new_axes(ax)
    mark_simulated(ax, coverage)
    norm = norm or _record_norm(coverage)
    one = coverage.sel(probe=probe)
    records = one[f"n_records_by_{name}"].transpose("L", name).to_numpy().astype(float)
    if not (records > 0).any():
        return say(ax, f"No record of probe {probe} has a known {name}.")
    bounds = coverage[f"{name}_bounds"].to_numpy()
    edges = np.append(bounds[:, 0], bounds[-1, 1])
    ticks, labels = edges, [f"{edge:g}" for edge in edges]
    if name == "MLAT":
        width = edges[2] - edges[1]
        edges = np.concatenate([[edges[1] - width], edges[1:-1], [edges[-2] + width]])
        ticks, labels = edges[1:-1], labels[1:-1]
    shells = np.append(coverage["L_bounds"].to_numpy()[:, 0], coverage["L_bounds"].to_numpy()[-1, 1])
    mesh = ax.pcolormesh(edges, shells, np.where(records > 0, records, np.nan), norm=norm, rasterized=True, gid=f"{probe}|{name}")
    ax.set_xticks(ticks, labels)
    words = {"MLT": "magnetic local time (h)", "MLAT": "magnetic latitude (degrees)"}
    ax.set(xlabel=words[name], ylabel=L_label(coverage))
    ax.set_title(f"probe {probe}", loc="left")
    if bar:
        figure = ax.get_figure(root=False)
        assert figure is not None
        scale = figure.colorbar(mesh, ax=ax, label="records in the run", pad=0.02, aspect=25)
        plain_log_axis(scale.ax.yaxis, *norm_range(norm))
    return ax


def _strip(ax: Axes, strip: pd.DataFrame, begin: pd.Timestamp, level: float, storms: pd.DataFrame | None) -> None:
    """Draw the days of one strip at a height of its own, and above it the onsets of storms."""
    if len(strip) == 0:
        return
    dates = pd.to_datetime(strip["date"])
    day = (dates - begin).dt.days.to_numpy()
    colours = np.zeros((1, day[-1] - day[0] + 1, 4))
    colours[0, day - day[0]] = _colours(strip)
    edges = np.arange(day[0], day[-1] + 2, dtype=np.float64)
    gid = f"{strip['product'].iloc[0]}|{strip['probe'].iloc[0]}|{strip['date'].iloc[0]}"
    ax.pcolormesh(edges, [level - 0.36, level + 0.4], colours, rasterized=True, gid=gid)
    if storms is not None and len(storms):
        onset = (pd.to_datetime(storms["onset"]) - begin) / pd.Timedelta(1, "D")
        inside = onset[(onset >= day[0]) & (onset < day[-1] + 1)].to_numpy(dtype=np.float64)
        if inside.size:
            ax.vlines(inside, level - 0.56, level - 0.36, color=_STORM_COLOUR, linewidth=0.8, gid="onsets")


def _colours(days: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Colour of each day: the share that was used as a shade of blue, or the colour of what was wrong."""
    used, records = (days[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("records_used", "records"))
    known = days["share_known"].to_numpy(dtype=np.float64, na_value=np.nan)
    # The index has no records, the flux no known share.
    share = np.where(np.isfinite(known), known, np.divide(used, records, where=records > 0, out=np.zeros(len(days))))
    colours = np.array(_SHARES(np.clip(share, 0.0, 1.0)))
    for status, (colour, _) in _STATES.items():
        colours[(days["status"] == status).to_numpy()] = to_rgba(colour)
    return colours


def _date_ticks(ax: Axes, dates: Any, by_year: bool) -> None:
    """Put the ticks at the first of the months, or every few days in a short run."""
    if by_year:
        starts = pd.date_range("2015-01-01", "2016-01-01", freq="MS")
        at = (starts - starts[0]).days.to_numpy()
        ax.set_xlim(0, 366)
        # The names stand in the middle of their months.
        ax.set_xticks(at, [""] * at.size)
        ax.set_xticks((at[:-1] + at[1:]) / 2, _MONTHS, minor=True)
        ax.tick_params(axis="x", which="minor", length=0)
        return
    first, n = dates.min(), (dates.max() - dates.min()).days + 1
    ax.set_xlim(0, n)
    short = n <= 70
    ticks = first + pd.to_timedelta(np.arange(0, n, -(-n // 10)), unit="D") if short else pd.date_range(first, dates.max(), freq="MS")
    labels = [f"{tick.day} {_MONTHS[tick.month - 1]}" if short else _MONTHS[tick.month - 1] for tick in ticks]
    # The year stands at the first tick, and where another one begins.
    new = [i == 0 or tick.year != ticks[i - 1].year for i, tick in enumerate(ticks)]
    labels = [f"{label}\n{tick.year}" if here else label for label, tick, here in zip(labels, ticks, new, strict=True)]
    ax.set_xticks((ticks - first).days.to_numpy(), labels)


def _strips(days: pd.DataFrame) -> tuple[list[Any], list[int], bool]:
    """Days of each product and probe, the years, and whether a strip is a year."""
    dates = pd.to_datetime(days["date"])
    by_year = bool(len(dates)) and (dates.max() - dates.min()).days >= _ONE_STRIP
    return list(days.groupby(["product", "probe"], sort=False)) if len(days) else [], sorted(set(dates.dt.year)), by_year


def _state_handles(days: pd.DataFrame, storms: pd.DataFrame | None) -> list[Any]:
    """Explain the colours of what was wrong, and the marks of storms."""
    there = set(days["status"])
    handles: list[Any] = [Patch(color=colour, label=label) for status, (colour, label) in _STATES.items() if status in there]
    if storms is not None and len(storms):
        handles.append(
            Line2D([], [], color=_STORM_COLOUR, linestyle="", marker="|", markeredgewidth=0.8, markersize=6, label="storm onset")
        )
    return handles


def _record_norm(coverage: xr.Dataset) -> LogNorm:
    counts = np.concatenate([coverage[f"n_records_by_{name}"].to_numpy().ravel() for name in ("MLT", "MLAT")])
    most = float(counts.max())
    return LogNorm(max(1.0, most / 1000), max(most, 10.0))
