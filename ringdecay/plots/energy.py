"""The energy of the ring current over time, the depression that it makes beside the storm index, how fast both decay, and pressure."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from ringdecay.energy_content import pressure_table
from ringdecay.errors import InputError, unknown
from ringdecay.plots.energy_decay import energy_decay_panel, shell_decay_panel
from ringdecay.plots.labels import L_label, source
from ringdecay.plots.over_time import date_axis, index_panel
from ringdecay.plots.style import COLOURS, STYLE, TWO_COLUMNS, legend_columns, mark_simulated, new_axes, new_figure, say, title
from ringdecay.products import ion_name

# Dark to light, told apart in grey too: low energies, which come and go with the storms, are the dark ones.
_BANDS = ("#0B3C5D", "#328CC1", "#9CCBE3", "#F2C572", "#D98E32", "#A34A28")
_PETAJOULE = 1e15
_LEGEND_COLUMNS = 6
_FITTED = "exponential fitted to the sum"
# A pressure that is less than the greatest by this factor is below the axes.
_DEPTH = 1e4
_INDEX_COLOUR, _DPS_COLOUR = COLOURS[0], COLOURS[4]


@matplotlib.rc_context(STYLE)
def energy_overview(
    content: xr.Dataset,
    decays: xr.Dataset,
    index: xr.DataArray,
    storms: pd.DataFrame,
    *,
    probe: str = "merged",
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Draw the index with the depression that the measured energy makes, the energy by band, the e-folding times of all, and pressure.

    Parameters
    ----------
    content : Dataset
        From `energy_content`, with the index of `with_index`.
    decays : Dataset
        From `energy_decays`.
    index : DataArray
        Storm index over time, nT.
    storms : DataFrame
        From `find_storms`.
    probe : str
        Whose energy.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure

    Raises
    ------
    InputError
        If `content` has no such probe, or `decays` are those of another.
    """
    _check_probe(content, probe, decays)
    figure = new_figure(figure, height=8.4)
    ion = ion_name(content.attrs)
    title(figure, f"Energy of the ring current in {ion}s ({source(content)})", content, index)
    grid = figure.add_gridspec(4, 2, height_ratios=[1.0, 1.15, 1.25, 1.15])
    top, middle = figure.add_subplot(grid[0, :]), figure.add_subplot(grid[1, :])
    dst_panel(content, index, storms, probe=probe, ax=top)
    energy_panel(content, decays, storms=storms, probe=probe, ax=middle)
    top.set_xlabel("")
    top.tick_params(labelbottom=False)
    energy_decay_panel(decays, ax=figure.add_subplot(grid[2, 0]))
    shell_decay_panel(decays, ax=figure.add_subplot(grid[2, 1]))
    pressure_panel(content, probe=probe, ax=figure.add_subplot(grid[3, 0]))
    pressure_panel(content, "energy_density", probe=probe, ax=figure.add_subplot(grid[3, 1]))
    return figure


@matplotlib.rc_context(STYLE)
def dst_panel(content: xr.Dataset, index: xr.DataArray, storms: pd.DataFrame, *, probe: str = "merged", ax: Axes | None = None) -> Axes:
    """Draw the storm index, its mean over the time bins without the solar wind's pressure if it is known, and Dst from the energy.

    Parameters
    ----------
    content : Dataset
        From `energy_content`, with the index of `with_index` if wanted.
    index : DataArray
        Over time, nT.
    storms : DataFrame
        From `find_storms`.
    probe : str
        Whose energy.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If `content` has no such probe.
    """
    _check_probe(content, probe)
    ax = new_axes(ax, height=2.0, width=TWO_COLUMNS)
    span = _span(content)
    storms = storms[(storms["minimum"] >= span[0]) & (storms["minimum"] <= span[1])]
    index_panel(index.sel(time=slice(*span)), storms, ax=ax)
    ax.set_xlim(*span)
    time: Any = content["time"].to_numpy()
    lines = [Line2D([], [], color="0.15", linewidth=0.6, label=str(index.name))]
    if "index_corrected" in content and bool(content["index_corrected"].notnull().any()):
        lines += ax.plot(time, content["index_corrected"], color=_INDEX_COLOUR, linewidth=1.0, label=f"{index.name}* (mean of the bin)")
    dps = content["Dst_DPS"].sel(probe=probe)
    lines += ax.plot(time, dps, color=_DPS_COLOUR, linewidth=1.2, label="of the measured energy (DPS)", gid="Dst_DPS")
    ax.set_ylabel("Dst (nT)" if index.name == "Dst" else f"{index.name}, Dst (nT)")
    columns = legend_columns(ax, [str(line.get_label()) for line in lines], len(lines))
    ax.legend(handles=lines, loc="lower right", ncols=columns, borderaxespad=0.2, handlelength=1.5)
    mark_simulated(ax, content, index, above_legend=1)
    return ax


@matplotlib.rc_context(STYLE)
def energy_panel(
    content: xr.Dataset,
    decays: xr.Dataset | None = None,
    *,
    storms: pd.DataFrame | None = None,
    probe: str = "merged",
    ax: Axes | None = None,
) -> Axes:
    """Draw the energy over time, bands upon one another, and the exponentials that are fitted to their sum.

    Parameters
    ----------
    content : Dataset
        From `energy_content`.
    decays : Dataset, optional
        From `energy_decays`; those of the window "flux_decay" are drawn.
    storms : DataFrame, optional
        Storms whose minima are marked by lines.
    probe : str
        Whose energy.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If `content` has no such probe, or `decays` are those of another.
    """
    _check_probe(content, probe, decays)
    ax = new_axes(ax, height=2.2, width=TWO_COLUMNS)
    mark_simulated(ax, content)
    date_axis(ax)
    ax.set(xlabel="UTC", ylabel=f"{ion_name(content.attrs)} energy (PJ)\n{content.attrs.get('L_range', '')}", xlim=_span(content))
    time: Any = content["time"].to_numpy()
    energy = content["energy_content"].sel(probe=probe).transpose("band", "time").to_numpy() / _PETAJOULE
    if not np.isfinite(energy).any():
        return say(ax, "No time bin has flux in enough of the volume.")
    # The highest energies change least, so they lie at the bottom.
    colours = _band_colours(len(energy))
    upper = np.zeros(energy.shape[1])
    for band in range(len(energy))[::-1]:
        lower, upper = upper, upper + energy[band]
        known, colour = np.isfinite(upper), colours[band]
        ax.fill_between(
            time, np.nan_to_num(lower), np.nan_to_num(upper), where=known, color=colour, linewidth=0, label=_name(content, band)
        )
    names = [_name(content, band) for band in range(len(energy))] + [_FITTED] * (decays is not None)
    columns = legend_columns(ax, names, _LEGEND_COLUMNS)
    rows = -(-(len(energy) + 1) // columns)
    ax.set_ylim(0, (1.06 + 0.14 * rows) * float(np.nanmax(upper)) or 1.0)
    for minimum in [] if storms is None else storms["minimum"]:
        ax.axvline(minimum, 0, 1.0 - 0.12 * rows, color="black", linewidth=0.6)
    handles, labels = ax.get_legend_handles_labels()
    if decays is not None and _draw_fits(ax, decays):
        handles.append(Line2D([], [], color="black", linewidth=0.9, linestyle="--"))
        labels.append(_FITTED)
    ax.legend(handles[::-1], labels[::-1], loc="upper left", ncols=columns, borderaxespad=0.2, handlelength=1.4, columnspacing=1.2)
    return ax


@matplotlib.rc_context(STYLE)
def pressure_panel(content: xr.Dataset, quantity: str = "pressure", *, probe: str = "merged", ax: Axes | None = None) -> Axes:
    """Draw partial pressure or energy density against L, a line for each energy band.

    Parameters
    ----------
    content : Dataset
        From `energy_content`.
    quantity : {"pressure", "energy_density"}
        What is drawn.
    probe : str
        Whose flux.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Lines are medians over the time bins; shaded is what the middle 68 % of the bins have.

    Raises
    ------
    InputError
        If `content` has no such probe.
    """
    _check_probe(content, probe)
    ax = new_axes(ax, height=2.4)
    mark_simulated(ax, content)
    ax.set_xlabel(L_label(content))
    table = pressure_table(content)
    table = table[(table["probe"] == probe) & (table[f"{quantity}_high"] > 0)]
    if table.empty:
        return say(ax, "There is no flux.")
    ax.set_yscale("log")
    top = float(table[f"{quantity}_high"].max())
    bottom = top / _DEPTH
    for band, colour in enumerate(_band_colours(content.sizes["band"])):
        one = table[table["band"] == content["band"].to_numpy()[band]]
        median, low, high = (one[f"{quantity}_{ending}"].to_numpy() for ending in ("median", "low", "high"))
        # What fluctuates below its floor has no logarithm: the shading goes on to below the axes.
        ax.fill_between(one["L"], np.maximum(low, bottom / 10), np.maximum(high, bottom / 10), color=colour, alpha=0.25, linewidth=0)
        median = np.where(median > 0, median, np.nan)
        ax.plot(one["L"], median, color=colour, linewidth=1.2, label=_name(content, band), gid=f"{quantity} {band}")
    unit = {"pressure": "partial pressure (nPa)", "energy_density": "energy density (keV cm$^{-3}$)"}[quantity]
    ax.set_ylabel(unit)
    ax.set_title(f"{unit.split(' (')[0].capitalize()}, median and 68 % of the time bins", loc="left")
    ax.grid(visible=True, axis="y", color="0.92", linewidth=0.5)
    ax.set_axisbelow(True)
    # Room for the legend.
    ax.set_ylim(bottom, top * _DEPTH**0.35)
    ax.legend(loc="upper right", ncols=2, borderaxespad=0.3, handlelength=1.4)
    return ax


def _check_probe(content: xr.Dataset, probe: str, decays: xr.Dataset | None = None) -> None:
    """Refuse a probe that is not there, and decays of another one, which would be drawn upon energy that they were not fitted to."""
    probes = [str(name) for name in content["probe"].to_numpy()]
    if probe not in probes:
        raise unknown("probe", probe, probes)
    fitted = probe if decays is None else str(decays.attrs.get("probe", probe))
    if fitted != probe:
        raise InputError(f"the decays are those of probe {fitted!r}, but the energy of {probe!r} is to be drawn; fit them with its probe")


def _band_colours(count: int) -> Any:
    return _BANDS[:count] if count <= len(_BANDS) else matplotlib.colormaps["cividis"](np.linspace(0, 1, count))


def _draw_fits(ax: Axes, decays: xr.Dataset) -> bool:
    """Draw the exponentials fitted to the sum of all bands after each storm."""
    total = int(np.flatnonzero((decays["quantity"].to_numpy() == "energy_content") & (decays["band"].to_numpy() == "all"))[0])
    one = decays.sel(window="flux_decay").isel(series=total, storm=slice(1, None))
    drawn = False
    for k in range(one.sizes["storm"]):
        fit = one.isel(storm=k)
        if not np.isfinite(float(fit["rate"])):
            continue
        start, stop = (fit[name].to_numpy().astype("datetime64[ns]") for name in ("start", "stop"))
        days = (stop - start) / np.timedelta64(1, "D") * np.linspace(0, 1, 20)
        at: Any = start + (days * 86_400e9).astype("timedelta64[ns]")
        value = np.exp(float(fit["log_start"]) - float(fit["rate"]) * days) / _PETAJOULE
        ax.plot(at, value, color="black", linewidth=0.9, linestyle="--", gid="fit")
        drawn = True
    return drawn


def _span(content: xr.Dataset) -> Any:
    bounds = content["time_bounds"].to_numpy()
    return bounds.min(), bounds.max()


def _name(content: xr.Dataset, band: int) -> str:
    return str(content["band"].to_numpy()[band]).replace("-", "\N{EN DASH}")
