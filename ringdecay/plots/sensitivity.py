"""What choices do to a decay time: window, bins and estimator, one changed at a time."""

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

from ringdecay.plots.estimators import WRITTEN
from ringdecay.plots.labels import TAU, L_value, source
from ringdecay.plots.style import COLOURS, MARKERS, STYLE, mark_simulated, new_axes, new_figure, plain_log_axis, say, say_on_figure, title
from ringdecay.tables import confidence_text, grows, nearest

_KINDS = {"own": "run", "window": "window", "binning": "bins", "estimator": "estimator"}
_GAP = 0.6  # between kinds, in rows


@matplotlib.rc_context(STYLE)
def sensitivity_panels(
    sensitivity: xr.Dataset, energies: Sequence[float], L: float, *, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Draw the decay time of several energies at one L under every choice, a panel for each energy.

    Parameters
    ----------
    sensitivity : Dataset
        From `ringdecay.sensitivity.sensitivity`.
    energies : sequence of float
        keV; the nearest channels are drawn.
    L : float
        L-shell; the nearest bin is taken.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
    """
    figure = new_figure(figure, height=0.9 + 0.17 * (sensitivity.sizes["choice"] + 3))
    columns, rows = nearest(sensitivity["energy"].to_numpy(), energies), nearest(sensitivity["L"].to_numpy(), [L])
    title(figure, f"One choice changed at a time ({source(sensitivity)})", sensitivity)
    if not (columns and rows and (sensitivity["n_storms"] > 0).any()):
        return say_on_figure(figure, "No storm has a fit.")
    axes = figure.subplots(1, len(columns), squeeze=False, sharey=True)[0]
    for k, ax in zip(columns, axes, strict=True):
        energy = float(sensitivity["energy"][k])
        sensitivity_of_tau(sensitivity, energy, L, ax=ax)
        ax.set_title("", loc="left")
        ax.set(title=f"{energy:g} keV", xlabel="")
        # The rows are named once, beside the first panel, whatever it shows.
        ax.tick_params(labelleft=ax is axes[0])
    below = f"{TAU} at {L_value(sensitivity, float(sensitivity['L'][rows[0]]))}"
    interval = "standard deviation of the fits" if "tau_sd" in sensitivity else f"{confidence_text(sensitivity)} interval"
    handles: list[Any] = [
        Line2D([], [], color="0.3", marker="o", markersize=3, linewidth=0.8, label=f"τ, {interval}"),
        Patch(facecolor="0.9", linewidth=0, label="that of the run"),
        Line2D([], [], color="0.3", marker=r"$\rightarrow$", markersize=7, linestyle="none", label="lower limit"),
        Line2D([], [], linestyle="none", label="at the right: storms with a fit"),
    ]
    figure.legend(handles=handles, title=below, title_fontsize=7.0, loc="outside lower center", ncols=4)
    return figure


@matplotlib.rc_context(STYLE)
def sensitivity_of_tau(sensitivity: xr.Dataset, energy: float, L: float, *, ax: Axes | None = None) -> Axes:
    """Draw the decay time of one cell under every choice, below one another.

    Parameters
    ----------
    sensitivity : Dataset
        From `ringdecay.sensitivity.sensitivity`.
    energy, L : float
        keV and L-shell; the nearest channel and bin are taken.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Points with their intervals, arrows from one-sided lower limits where the decay is not resolved, "grows" where flux grows, and the
        number of storms at the right. The band is the interval of the run's own decay time. All rows are of the same storms: they differ
        by less than their intervals say if the choice does not matter.
    """
    ax = new_axes(ax, height=0.6 + 0.17 * sensitivity.sizes["choice"])
    mark_simulated(ax, sensitivity)
    cells = sensitivity.isel(
        energy=nearest(sensitivity["energy"].to_numpy(), [energy])[0], L=nearest(sensitivity["L"].to_numpy(), [L])[0]
    ).transpose("choice", ...)
    ax.set_title(f"{float(cells['energy']):g} keV, L = {float(cells['L']):g}", loc="left")
    kinds = [str(kind) for kind in cells["kind"].to_numpy()]
    y = np.arange(len(kinds)) + _GAP * np.cumsum([kind != before for kind, before in zip(kinds, [kinds[0], *kinds[:-1]], strict=True)])
    names = [str(name) for name in cells["choice"].to_numpy()]
    ax.set_yticks(y, [WRITTEN.get(name, name) if kind == "estimator" else name for name, kind in zip(names, kinds, strict=True)])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(y[-1] + 0.7, -0.7)
    ax.set_xlabel(TAU)
    tau = cells["tau"].to_numpy()
    limit = cells["tau_limit"].to_numpy() if "tau_limit" in cells else np.full(tau.shape, np.nan)
    growing = grows(cells).to_numpy()
    resolved, limited = np.isfinite(tau) & np.isnan(limit) & ~growing, np.isfinite(limit) & ~growing
    if not (resolved | limited | growing).any():
        return say(ax, "No decay time was found.")
    low, high = _ends(cells, tau)
    ax.set_xscale("log")
    shown = [*np.maximum(low, tau / 4)[resolved], *np.minimum(high, 4 * tau)[resolved], *limit[limited], *1.6 * limit[limited]] or [
        1.0,
        100.0,
    ]
    left, right = min(shown) / 1.15, max(shown) * 1.3
    if resolved[0]:
        ax.axvspan(max(low[0], left / 2), min(high[0], right * 2), color="0.9", linewidth=0, zorder=0, gid="own")
        ax.axvline(tau[0], color="0.6", linewidth=0.6, zorder=1)
    for i, kind in enumerate(_KINDS):
        of = np.array([each == kind for each in kinds])
        style: dict[str, Any] = {"color": COLOURS[(2, 0, 1, 3)[i]], "elinewidth": 0.8, "markersize": 3, "zorder": 3}
        some = of & resolved
        ax.errorbar(tau[some], y[some], xerr=[(tau - low)[some], (high - tau)[some]], fmt=MARKERS[i], gid=f"tau {kind}", **style)
        some = of & limited
        ax.errorbar(limit[some], y[some], xerr=0.3 * limit[some], xlolims=True, fmt="|", gid=f"limit {kind}", **style)
    for row in np.flatnonzero(growing):
        ax.text(0.97, y[row], "grows", transform=ax.get_yaxis_transform(), ha="right", va="center", fontsize=6.0)
    ax.set_xlim(left, right)
    plain_log_axis(ax.xaxis, left, right)
    for place, n in zip(y, cells["n_storms"].to_numpy(), strict=True):
        ax.text(1.02, place, f"{int(n)}", transform=ax.get_yaxis_transform(), ha="left", va="center", fontsize=5.5, color="0.3")
    ax.grid(visible=True, axis="x", color="0.92", linewidth=0.5)
    ax.set_axisbelow(True)
    return ax


def _ends(cells: xr.Dataset, tau: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the ends of the bars: of the interval, or the standard deviation of the fits in paper mode."""
    if "tau_sd" in cells:
        sd = np.nan_to_num(cells["tau_sd"].to_numpy())
        return np.maximum(tau - sd, 0.02 * tau), tau + sd
    return cells["tau_low"].to_numpy(), cells["tau_high"].to_numpy()
