"""E-folding times of the ring current's energy, by band and by L, and of the storm index."""

from __future__ import annotations

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ringdecay.plots.style import COLOURS, MARKERS, STYLE, mark_simulated, new_axes, plain_log_axis, say

# Names of more bands than this are written aslant.
_LEVEL_NAMES = 7
_NO_DECAY = "No storm has a window with enough data to fit a decay."
_WINDOWS = {"index_recovery": ("recovery of the index", COLOURS[1], "s"), "flux_decay": ("flux decay", COLOURS[0], "o")}


@matplotlib.rc_context(STYLE)
def energy_decay_panel(decays: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Draw the e-folding times of the energy, band by band, and of the index: single storms, and the mean rates with their intervals.

    Parameters
    ----------
    decays : Dataset
        From `energy_decays`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = new_axes(ax, height=2.6)
    mark_simulated(ax, decays)
    ax.set_title(f"Energy in {decays.attrs.get('L_range', 'all L')}, and index", loc="left")
    places = np.flatnonzero(decays["quantity"].to_numpy() != "energy_density")
    if not bool(decays["rate"].isel(series=places).notnull().any()):
        return say(ax, _NO_DECAY)
    handles = []
    for i, (window, (label, colour, marker)) in enumerate(_WINDOWS.items()):
        one = decays.sel(window=window).isel(series=places)
        handles.append(_draw_taus(ax, one, np.arange(len(places)) + 0.24 * (i - 0.5), label, colour, marker))
    predicted = decays["rate_predicted"].sel(window="index_recovery", storm=0).isel(series=places).to_numpy()
    if np.isfinite(predicted).any():
        at = len(places) - 1
        ax.plot([at - 0.35, at + 0.35], [1 / predicted[-1]] * 2, color=COLOURS[3], linewidth=1.6)
        handles.append(Line2D([], [], color=COLOURS[3], linewidth=1.6, label="O'Brien and McPherron (2000)"))
    names = [_without_unit(band) for band in decays["band"].to_numpy()[places][:-1]]
    _name_bands(ax, [*names, str(decays["quantity"].to_numpy()[places[-1]])])
    ax.set_xlabel("energy (keV), and index")
    _finish(ax, decays)
    ax.legend(handles=handles, loc="upper right", borderaxespad=0.3)
    return ax


@matplotlib.rc_context(STYLE)
def shell_decay_panel(decays: xr.Dataset, *, window: str = "flux_decay", ax: Axes | None = None) -> Axes:
    """Draw the e-folding times of the energy density at several L, band by band: mean rates over storms with their intervals.

    Parameters
    ----------
    decays : Dataset
        From `energy_decays`.
    window : str
        Which part of the recovery.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = new_axes(ax, height=2.6)
    mark_simulated(ax, decays)
    ax.set_title(f"Energy density, {_WINDOWS[window][0]}", loc="left")
    of_density = decays.isel(series=np.flatnonzero(decays["quantity"].to_numpy() == "energy_density")).sel(window=window)
    if not bool(of_density["rate"].notnull().any()):
        return say(ax, _NO_DECAY)
    shells = np.unique(of_density["L"].to_numpy())
    bands = list(dict.fromkeys(of_density["band"].to_numpy().tolist()))
    handles = []
    for i, shell in enumerate(shells):
        one = of_density.isel(series=np.flatnonzero(of_density["L"].to_numpy() == shell))
        shift = 0.5 * (i - (len(shells) - 1) / 2) / max(len(shells), 2)
        colour, marker = COLOURS[(2 * i + 3) % len(COLOURS)], MARKERS[i % len(MARKERS)]
        handles.append(_draw_taus(ax, one, np.arange(len(bands)) + shift, f"L = {shell:g}", colour, marker, storms=False))
    _name_bands(ax, [_without_unit(band) for band in bands])
    ax.set_xlabel("energy (keV)")
    _finish(ax, decays)
    ax.legend(handles=handles, loc="upper left", borderaxespad=0.3)
    return ax


def _draw_taus(ax: Axes, one: xr.Dataset, x: np.ndarray, label: str, colour: str, marker: str, storms: bool = True) -> Line2D:
    """Draw the mean over storms of some series, and the single storms small and pale."""
    mean = one.sel(storm=0)
    tau, low, high, limit = (mean[name].to_numpy() for name in ("tau", "tau_low", "tau_high", "tau_limit"))
    if storms:
        for k in range(1, one.sizes["storm"]):
            # Resolved or not, so that they are not the fast ones only; a storm in which it grows has no such time.
            ax.plot(x, one["tau"].isel(storm=k), marker, color=colour, alpha=0.3, markersize=1.8, linewidth=0, markeredgewidth=0)
    resolved = np.isfinite(high)
    spread = [tau[resolved] - low[resolved], high[resolved] - tau[resolved]]
    ax.errorbar(x[resolved], tau[resolved], yerr=spread, fmt=marker, color=colour, markersize=4.0, elinewidth=1.0, capsize=2.0)
    for at, value in zip(x, limit, strict=True):
        if np.isfinite(value):
            ax.annotate("", (at, 2.2 * value), (at, value), arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 0.9})
            ax.plot([at - 0.06, at + 0.06], [value, value], color=colour, linewidth=1.2)
    return Line2D([], [], color=colour, marker=marker, linewidth=0, markersize=4.0, label=label)


def _name_bands(ax: Axes, names: list[str]) -> None:
    many = len(names) > _LEVEL_NAMES
    ax.set_xticks(range(len(names)), names, rotation=60 if many else 0, ha="right" if many else "center")


def _finish(ax: Axes, decays: xr.Dataset) -> None:
    ax.set_yscale("log")
    names = ("tau", "tau_low", "tau_high", "tau_limit", "rate_predicted")
    values = np.concatenate([decays[name].sel(storm=0).to_numpy().ravel() for name in names[:-1]])
    values = np.append(values, 1 / decays[names[-1]].sel(storm=0).to_numpy().ravel())
    values = values[np.isfinite(values) & (values > 0)]
    low, high = (max(values.min(), 0.05), min(values.max(), 3e3)) if values.size else (0.5, 200.0)
    # Room for the legend, a third of the height.
    ax.set_ylim(low / 1.6, high * max((high / low) ** 0.4, 3.0))
    plain_log_axis(ax.yaxis, *ax.get_ylim())
    ax.set_ylabel("e-folding time (days)")
    ax.grid(visible=True, axis="y", color="0.92", linewidth=0.5)
    ax.set_axisbelow(True)


def _without_unit(band: str) -> str:
    return band.removesuffix(" keV").replace("-", "\N{EN DASH}")
