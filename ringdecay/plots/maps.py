"""Decay times against energy and L, as a map."""

from __future__ import annotations

import matplotlib
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import BoundaryNorm, ListedColormap, LogNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch

from ringdecay.errors import InputError
from ringdecay.plots.labels import TAU, L_label, energy_label, source
from ringdecay.plots.style import STYLE, edges, log_edges, mark_simulated, new_axes, new_figure, plain_log_axis, say, title
from ringdecay.tables import flagged, grows, require

# Counts have a scale of their own, light enough for lines and numbers on it.
_COUNTS = ListedColormap(matplotlib.colormaps["Blues"](np.linspace(0.04, 0.6, 256)))
_LIMIT_HATCH, _GROWTH_HATCH, _LOST_HATCH = "//////", "xxxxxx", "...."


@matplotlib.rc_context(STYLE)
def lifetime_map(lifetimes: xr.Dataset, *, figure: Figure | SubFigure | None = None) -> Figure | SubFigure:
    """Draw the decay time against energy and L, and beside it from how many storms it is.

    Parameters
    ----------
    lifetimes : Dataset
        From `lifetimes`.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure

    Raises
    ------
    InputError
        If `lifetimes` is none, such as the fits of the storms, or has more dimensions, such as pitch angle.
    """
    require(lifetimes, ("tau", "n_storms", "n_resolved", "flag"), ("energy", "L"), "lifetimes")
    if more := [str(dim) for dim in lifetimes["tau"].dims if dim not in ("energy", "L")]:
        raise InputError(
            f"a map is over energy and L, and these decay times are over {' and '.join(more)} too; choose one with sel or isel"
        )
    figure = new_figure(figure, height=3.5)
    title(figure, f"Decay times ({source(lifetimes)})", lifetimes)
    left, right = figure.subplots(1, 2, sharex=bool(lifetimes["tau"].size), sharey=bool(lifetimes["tau"].size))
    tau_panel(lifetimes, ax=left, legend=False)
    count_panel(lifetimes, ax=right)
    if lifetimes["tau"].size:
        right.set_ylabel("")
    figure.legend(handles=_legend(lifetimes), loc="outside lower center", ncols=4, handlelength=2.4, handleheight=1.2)
    return figure


@matplotlib.rc_context(STYLE)
def tau_panel(lifetimes: xr.Dataset, *, ax: Axes | None = None, legend: bool = True) -> Axes:
    """Draw the decay time against energy and L in colour.

    Parameters
    ----------
    lifetimes : Dataset
        From `lifetimes`.
    ax : Axes, optional
        Where to draw.
    legend : bool
        Whether to explain the hatching below the axes.

    Returns
    -------
    Axes
        Hatched cells are lower limits, in the colour of the limit; crossed cells grow; dotted cells lost storms of fast decay to the
        floor of the instrument; blank cells have no result.
    """
    ax = _map_axes(lifetimes, ax, height=3.4)
    mark_simulated(ax, lifetimes)
    tau, growing, limit = _cells(lifetimes)
    shown = np.where(np.isfinite(limit), limit, tau)
    shown[growing] = np.nan
    known = shown[np.isfinite(shown)]
    if known.size == 0 and not growing.any():
        return say(ax, "No decay time was found.")
    low, high = np.quantile(known, [0.02, 0.98]) if known.size else (1.0, 10.0)
    norm = LogNorm(low / 1.02, high * 1.02)
    energy, shells = log_edges(lifetimes["energy"].to_numpy()), edges(lifetimes["L"].to_numpy())
    mesh = ax.pcolormesh(energy, shells, shown.T, norm=norm, gid="tau")
    hatch_cells(ax, energy, shells, np.isfinite(limit) & ~growing, _LIMIT_HATCH, "limits")
    hatch_cells(ax, energy, shells, growing, _GROWTH_HATCH, "growing")
    hatch_cells(ax, energy, shells, _lost(lifetimes) & np.isfinite(shown), _LOST_HATCH, "lost", colour="white")
    figure = ax.get_figure(root=False)
    assert figure is not None
    bar = figure.colorbar(mesh, ax=ax, extend="both", label=TAU, pad=0.02, aspect=25)
    plain_log_axis(bar.ax.yaxis, *norm_range(norm))
    if legend:
        ax.legend(handles=_legend(lifetimes), loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=1, handlelength=2.4, handleheight=1.2)
    return ax


@matplotlib.rc_context(STYLE)
def count_panel(lifetimes: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Draw how many storms have a fit in each cell in colour, and in how many of them a decay is resolved as contours.

    Parameters
    ----------
    lifetimes : Dataset
        From `lifetimes`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        If the cells are large enough, the numbers stand in them ("resolved/fitted") instead of contours.
    """
    ax = _map_axes(lifetimes, ax, height=2.8)
    mark_simulated(ax, lifetimes, above_legend=1)
    n, resolved = (lifetimes[name].transpose("energy", "L").to_numpy().astype(float) for name in ("n_storms", "n_resolved"))
    if not (n > 0).any():
        return say(ax, "No storm has a fit.")
    most = int(n.max())
    step = max(1, -(-most // 10))
    norm = BoundaryNorm(np.arange(0.5, most + step + 0.5, step), 256)
    energy, shells = log_edges(lifetimes["energy"].to_numpy()), edges(lifetimes["L"].to_numpy())
    mesh = ax.pcolormesh(energy, shells, np.where(n > 0, n, np.nan).T, norm=norm, cmap=_COUNTS, gid="n_storms")
    figure = ax.get_figure(root=False)
    assert figure is not None
    bar = figure.colorbar(mesh, ax=ax, label="storms with a fit", pad=0.02, aspect=25)
    ticks = np.arange(1, most + 1, step)
    bar.set_ticks((ticks + (step - 1) / 2).tolist(), labels=[f"{t}" if step == 1 else f"{t}\N{EN DASH}{t + step - 1}" for t in ticks])
    bar.ax.minorticks_off()
    if n.shape[0] <= 8 and n.shape[1] <= 15:
        bar.set_label("storms with a fit (in the cells: resolved/fitted)")
        for i, j in zip(*np.nonzero(n), strict=True):
            x, y = lifetimes["energy"].to_numpy()[i], lifetimes["L"].to_numpy()[j]
            ax.text(x, y, f"{resolved[i, j]:g}/{n[i, j]:g}", ha="center", va="center", fontsize=5.5)
    elif min(n.shape) > 1 and np.ptp(resolved) > 0:
        levels = sorted({max(1, round(most * share)) - 0.5 for share in (0.1, 0.5, 0.9)})
        centres = lifetimes["energy"].to_numpy(), lifetimes["L"].to_numpy()
        shown = np.where(n > 0, resolved, np.nan).T
        lines = ax.contour(*centres, shown, levels, colors="black", linewidths=0.8, linestyles=["dotted", "dashed", "solid"])
        ax.legend(
            handles=lines.legend_elements()[0],
            labels=[f"{'' if k else 'decay resolved in '}≥ {level + 0.5:g}" for k, level in enumerate(levels)],
            loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(levels), borderaxespad=0.2,
        )  # fmt: skip
    return ax


def norm_range(norm: LogNorm) -> tuple[float, float]:
    """Lowest and highest value of a colour scale."""
    assert norm.vmin is not None
    assert norm.vmax is not None
    return float(norm.vmin), float(norm.vmax)


def _map_axes(lifetimes: xr.Dataset, ax: Axes | None, height: float) -> Axes:
    ax = new_axes(ax, height=height)
    if lifetimes["tau"].size:
        energy, shells = log_edges(lifetimes["energy"].to_numpy()), edges(lifetimes["L"].to_numpy())
        ax.set_xscale("log")
        ax.set(xlim=(energy[0], energy[-1]), ylim=(shells[0], shells[-1]), xlabel=energy_label(lifetimes), ylabel=L_label(lifetimes))
        plain_log_axis(ax.xaxis, energy[0], energy[-1])
    return ax


def _cells(lifetimes: xr.Dataset) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Tau, where the flux grows, and the limit on tau, each over (energy, L)."""
    ordered = lifetimes.transpose("energy", "L", ...)
    tau = ordered["tau"].to_numpy()
    limit = ordered["tau_limit"].to_numpy() if "tau_limit" in ordered else np.full(tau.shape, np.nan)
    return tau, grows(ordered).to_numpy(), limit


def _lost(lifetimes: xr.Dataset) -> npt.NDArray[np.bool_]:
    return flagged(lifetimes.transpose("energy", "L", ...), "storms_lost_to_floor").to_numpy()


def hatch_cells(
    ax: Axes,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    where: npt.NDArray[np.bool_],
    hatch: str,
    gid: str,
    colour: str = "0.1",
    face: str = "none",
) -> None:
    """Hatch cells of a map: edges along both axes, and where, over (x, y)."""
    i, j = np.nonzero(where)
    if i.size == 0:
        return
    corners = np.stack(
        [np.stack([x[i], y[j]], -1), np.stack([x[i + 1], y[j]], -1), np.stack([x[i + 1], y[j + 1]], -1), np.stack([x[i], y[j + 1]], -1)],
        axis=1,
    )
    ax.add_collection(PolyCollection(list(corners), facecolor=face, edgecolor=colour, linewidth=0, hatch=hatch, gid=gid), autolim=False)


def _legend(lifetimes: xr.Dataset) -> list[Patch]:
    """Explain the hatching, of what there is to be seen."""
    tau, growing, limit = _cells(lifetimes)
    handles = []
    if np.isfinite(limit).any():
        handles.append(
            Patch(facecolor="#A5DB36", edgecolor="0.1", hatch=_LIMIT_HATCH, linewidth=0, label="decay not resolved: lower limit on τ")
        )
    if growing.any():
        handles.append(Patch(facecolor="white", edgecolor="0.1", hatch=_GROWTH_HATCH, linewidth=0, label="flux grows"))
    if (_lost(lifetimes) & (np.isfinite(tau) | np.isfinite(limit))).any():
        handles.append(Patch(facecolor="#440154", edgecolor="white", hatch=_LOST_HATCH, linewidth=0, label="fast storms lost to the floor"))
    handles.append(Patch(facecolor="white", edgecolor="0.5", linewidth=0.5, label="no result"))
    return handles
