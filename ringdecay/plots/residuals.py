"""What the fits leave: residuals against time, and their autocorrelation beside that of no correlation and the assumed one."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from ringdecay.plots.labels import L_value, source
from ringdecay.plots.one_storm import fits_of_probe
from ringdecay.plots.style import COLOURS, STYLE, mark_simulated, new_axes, new_figure, say, say_on_figure, title
from ringdecay.tables import confidence_text, nearest

_MEAN_DAYS = 2.0  # width of the bins of time of the mean residual
_FEWEST = 5  # of a mean


@matplotlib.rc_context(STYLE)
def residual_panels(
    residuals: xr.Dataset,
    correlation: xr.Dataset,
    energies: Sequence[float],
    L: float,
    *,
    probe: str | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Draw the residuals of several energies at one L against time, and below them their autocorrelation.

    Parameters
    ----------
    residuals : Dataset
        From `ringdecay.decays.residuals`.
    correlation : Dataset
        From `ringdecay.decays.residual_autocorrelation`.
    energies : sequence of float
        keV; the nearest channels are drawn, a column each.
    L : float
        L-shell; the nearest bin is taken.
    probe : str, optional
        Which probe's fits; "merged" or the first if not given.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
    """
    figure = new_figure(figure, height=4.2)
    columns, rows = nearest(residuals["energy"].to_numpy(), energies), nearest(residuals["L"].to_numpy(), [L])
    title(figure, f"Residuals of the fits ({source(residuals)})", residuals)
    if not (columns and rows and residuals["residual"].notnull().any()):
        return say_on_figure(figure, "There is no fit, and so no residual.")
    axes = figure.subplots(2, len(columns), squeeze=False, sharex="row", sharey="row")
    for k, (above, below) in zip(columns, axes.T, strict=True):
        energy = float(residuals["energy"][k])
        residuals_against_time(residuals, energy, L, probe=probe, ax=above)
        autocorrelation_panel(correlation, energy, L, probe=probe, ax=below)
        for ax in (above, below):
            ax.set_title("", loc="left")
        above.set_title(f"{energy:g} keV")
        if k != columns[0]:
            for ax in (above, below):
                ax.set_ylabel("")
                ax.tick_params(labelleft=False)
    shell = L_value(residuals, float(residuals["L"][rows[0]]))
    handles = [
        Line2D([], [], color="0.55", marker="o", markersize=2, linestyle="none", label=f"residual of a time bin, {shell}"),
        Line2D([], [], color=COLOURS[1], linewidth=1.2, label=f"mean of {_MEAN_DAYS:g} days"),
        Line2D([], [], color=COLOURS[0], marker="o", markersize=3, linewidth=0.8, label="autocorrelation"),
        Patch(facecolor="0.85", linewidth=0, label=f"no correlation: {confidence_text(correlation)} of runs"),
        Line2D([], [], color="black", linestyle="--", linewidth=1.0, label="expected with the assumed ρ"),  # noqa: RUF001
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


@matplotlib.rc_context(STYLE)
def residuals_against_time(residuals: xr.Dataset, energy: float, L: float, *, probe: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the residuals of all storms in one cell against the time from the start of the fit.

    Parameters
    ----------
    residuals : Dataset
        From `ringdecay.decays.residuals`.
    energy, L : float
        keV and L-shell; the nearest channel and bin are taken.
    probe : str, optional
        Which probe's fits; "merged" or the first if not given.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Points are time bins of all storms, the line is their mean in steps of two days (of 5 bins or more): where it leaves zero, the
        recoveries bend alike. The bar gives two standard deviations, up and down, of the counting noise in the middle of the bins (median).
    """
    ax = new_axes(ax)
    mark_simulated(ax, residuals)
    cell = _cell(residuals, energy, L, probe)
    ax.set(xlabel="days from the start of the fit", ylabel="residual of ln flux")
    ax.set_title(f"{float(cell['energy']):g} keV, L = {float(cell['L']):g}", loc="left")
    values, days, noise = (cell[name].to_numpy().ravel() for name in ("residual", "days", "noise"))
    known = np.isfinite(values)
    if not known.any():
        return say(ax, "no fit")
    values, days, noise = values[known], days[known], noise[known]
    ax.axhline(0.0, color="0.3", linewidth=0.6, zorder=1)
    ax.plot(days, values, "o", color="0.55", markersize=1.6, markeredgewidth=0, alpha=0.7, zorder=2, gid="residuals")
    step = (days / _MEAN_DAYS).astype(int)
    n, total, when = (np.bincount(step, weights=weights) for weights in (None, values, days))
    enough = n >= _FEWEST
    ax.plot(when[enough] / n[enough], total[enough] / n[enough], color=COLOURS[1], linewidth=1.2, zorder=3, gid="mean")
    half = 2 * float(np.sqrt(np.median(noise)))
    ax.errorbar([0.97], [0.0], yerr=[half], color="black", capsize=1.5, elinewidth=0.8, transform=ax.get_yaxis_transform(), gid="noise")
    storms = int(np.isfinite(cell["residual"].to_numpy()).any(-1).sum())
    said = f"{storms} storms, n = {values.size}" if storms > 1 else f"1 storm, n = {values.size}"
    ax.text(
        0.03, 0.97, said, transform=ax.transAxes, ha="left", va="top", fontsize=6.5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
    )  # fmt: skip
    return ax


@matplotlib.rc_context(STYLE)
def autocorrelation_panel(correlation: xr.Dataset, energy: float, L: float, *, probe: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the autocorrelation of the residuals of one cell, with the band of no correlation and what the fits assumed.

    Parameters
    ----------
    correlation : Dataset
        From `ringdecay.decays.residual_autocorrelation`.
    energy, L : float
        keV and L-shell; the nearest channel and bin are taken.
    probe : str, optional
        Which probe's fits; "merged" or the first if not given.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        The band is not about zero: residuals of a line lie alternately above and below it more often than errors do. For the same reason
        the dashed curve lies below the correlation of the errors that the fits assumed, whose value at neighbouring bins is named.
    """
    ax = new_axes(ax)
    mark_simulated(ax, correlation)
    cell = _cell(correlation, energy, L, probe)
    hours = float(correlation.attrs.get("lag_hours", np.nan))
    ax.set(xlabel=f"lag (time bins of {hours:.3g} h)" if np.isfinite(hours) else "lag (time bins)", ylabel="autocorrelation of residuals")
    ax.set_title(f"{float(cell['energy']):g} keV, L = {float(cell['L']):g}", loc="left")
    if not int(cell["n"]):
        return say(ax, "no fit")
    later = cell.isel(lag=slice(1, None))
    lag = later["lag"].to_numpy()
    ax.fill_between(lag, later["white_low"], later["white_high"], step="mid", color="0.85", linewidth=0, zorder=0, gid="white")
    ax.axhline(0.0, color="0.3", linewidth=0.6, zorder=1)
    ax.plot(lag, later["assumed"], color="black", linestyle="--", zorder=2, gid="assumed")
    ax.plot(lag, later["autocorrelation"], "o-", color=COLOURS[0], linewidth=0.8, zorder=3, gid="autocorrelation")
    ax.text(0.97, 0.97, f"assumed ρ = {float(cell['rho']):.2f}", transform=ax.transAxes, ha="right", va="top", fontsize=6.5)  # noqa: RUF001
    ax.set_xlim(0.5, lag[-1] + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    bottom, top = ax.get_ylim()
    ax.set_ylim(min(bottom, -0.3), max(top, 0.6))
    return ax


def _cell(dataset: xr.Dataset, energy: float, L: float, probe: str | None) -> xr.Dataset:
    one = fits_of_probe(dataset, probe)
    return one.isel(energy=nearest(one["energy"].to_numpy(), [energy])[0], L=nearest(one["L"].to_numpy(), [L])[0])
