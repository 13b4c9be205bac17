"""Predicted lifetimes against energy and L, with the boundary between charge exchange and Coulomb drag."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from ringdecay.errors import InputError
from ringdecay.plots.style import STYLE, new_axes, new_figure, plain_log_axis, round_levels, say_on_figure, title
from ringdecay.tables import require
from ringdecay.theory import PROCESSES, dominant_process

_BOUNDARY, _EDGE, _HATCH, _GROWTH_HATCH = "#E4572E", "black", "\\\\\\", "xxxxxx"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Share of the width or height of a panel that a name needs.
_ROOM = 0.36
_OUTLINE = [withStroke(linewidth=2.0, foreground="white")]


@matplotlib.rc_context(STYLE)
def theory_map(*rates: xr.Dataset, figure: Figure | SubFigure | None = None) -> Figure | SubFigure:
    """Draw the predicted lifetime in colour, and where charge exchange and Coulomb drag are equally fast; a panel a prediction.

    Parameters
    ----------
    *rates : Dataset
        From `theory.loss_rate`, over energy and L alone, each with at least two energies and two L-shells.
    figure : Figure or SubFigure, optional
        Where to draw; a new figure of two columns' width if not given.

    Returns
    -------
    Figure or SubFigure
        Colour and white contours: the lifetime for the chosen models. Thick line: both processes equally fast for the chosen models;
        hatched, between the black lines: which is the faster depends on the models. Crossed: drag makes the flux grow faster than
        charge exchange lowers it. Dotted: edge of the range in which a chosen model holds. Names say which process is the faster one
        in every choice of models.

    Raises
    ------
    InputError
        If there is no prediction, or one is none, has other dimensions or is too small.
    """
    if not rates:
        raise InputError("theory_map needs at least one result of loss_rate.")
    for one in rates:
        require(one, ("rate", "lifetime", "equatorial_pitch_angle"), (), "loss_rate")
        if set(one["rate"].dims) != {"energy", "L"} or min(one["rate"].shape) < 2:
            sizes = ", ".join(f"{dim} {size}" for dim, size in one["rate"].sizes.items()) or "none"
            raise InputError(f"theory_map draws over energy and L, at least two of each, but a prediction has the dimensions: {sizes}.")
    figure = new_figure(figure, height=3.7)
    ions = " and ".join(dict.fromkeys(map(_ion, rates)))
    angles = sorted({float(one["equatorial_pitch_angle"]) for one in rates})
    angle = "" if angles == [90.0] else f", pitch angle {' and '.join(f'{a:g}°' for a in angles)}"
    title(figure, f"THEORY: lifetime of {ions} against charge exchange and Coulomb drag{angle}")
    known = np.concatenate([one["lifetime"].to_numpy()[np.isfinite(one["lifetime"].to_numpy())] for one in rates])
    if not known.size:
        return say_on_figure(figure, "Nothing is predicted to decay here.")
    norm = LogNorm(known.min() / 1.01, known.max() * 1.01)
    panels = np.atleast_1d(figure.subplots(1, len(rates), sharey=True))
    for k, (one, ax) in enumerate(zip(rates, panels, strict=True)):
        theory_panel(one, norm=norm, ax=ax)
        if k:
            ax.set_ylabel("")
    bar = figure.colorbar(panels[0].collections[0], ax=list(panels), label="predicted lifetime (days)", pad=0.02, aspect=28)
    plain_log_axis(bar.ax.yaxis, float(known.min()), float(known.max()))
    figure.legend(
        handles=_legend(rates),
        title=_models(rates),
        title_fontsize=6.5,
        loc="outside lower center",
        ncols=4,
        handlelength=2.0,
        handleheight=1.2,
    )
    return figure


@matplotlib.rc_context(STYLE)
def theory_panel(rates: xr.Dataset, *, norm: LogNorm | None = None, ax: Axes | None = None) -> Axes:
    """Draw one panel of `theory_map`.

    Parameters
    ----------
    rates : Dataset
        From `theory.loss_rate`, over energy and L.
    norm : LogNorm, optional
        Scale of the colours; that of the lifetimes themselves if not given.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    ax = new_axes(ax, height=3.2)
    ordered = rates.transpose("energy", "L")
    energy, shells, lifetime = (ordered[name].to_numpy() for name in ("energy", "L", "lifetime"))
    ax.set_xscale("log")
    ax.set(xlim=(energy.min(), energy.max()), ylim=(shells.min(), shells.max()), xlabel=f"{_ion(rates)} energy (keV)", ylabel="dipole L")
    plain_log_axis(ax.xaxis, energy.min(), energy.max())
    ax.set_title(_assumed(rates), loc="left")
    ax.pcolormesh(energy, shells, lifetime.T, norm=norm or LogNorm(), shading="nearest", gid="lifetime", rasterized=True)
    finite = lifetime[np.isfinite(lifetime)]
    levels = round_levels(finite.min(), finite.max(), most=9) if finite.size else []
    if levels:
        lines = ax.contour(energy, shells, np.ma.masked_invalid(lifetime.T), levels, colors="white", linewidths=0.6)
        ax.clabel(lines, fmt=lambda level: f"{level:g} d", fontsize=5.5)
    found = dominant_process(ordered)
    where = found["dominant_process"].to_numpy()
    _contour(ax, energy, shells, found["coulomb_ratio_low"], "band", color=_EDGE, linewidth=0.6)
    _contour(ax, energy, shells, found["coulomb_ratio_high"], "band", color=_EDGE, linewidth=0.6)
    # Positive where the band holds one, that is where the models do not agree.
    unsure = np.minimum(_log(found["coulomb_ratio_high"]), -_log(found["coulomb_ratio_low"]))
    _hatch(ax, energy, shells, unsure, _HATCH, "0.1")
    _hatch(ax, energy, shells, -ordered["rate"].to_numpy(), _GROWTH_HATCH, "0.3")
    _contour(ax, energy, shells, found["coulomb_ratio"], "boundary", color=_BOUNDARY, linewidth=1.6)
    outside = sum((ordered["flag"].to_numpy() & mask) > 0 for mask in (1, 2, 4, 8))
    ax.contour(energy, shells, np.asarray(outside, dtype=float).T, [0.5], colors="white", linewidths=1.0, linestyles="dotted")
    for process, words in (("charge_exchange", "charge exchange"), ("coulomb_loss", "Coulomb drag"), ("coulomb_growth", "Coulomb growth")):
        _name(ax, energy, shells, where == PROCESSES[process], words)
    return ax


def _log(ratio: xr.DataArray) -> npt.NDArray[np.float64]:
    """Give the log of a ratio; it is infinite where there is no charge exchange at all, which a contour does not need to know."""
    return np.asarray(np.log(np.clip(ratio.to_numpy(), 1e-6, 1e6)), dtype=np.float64)


def _contour(ax: Axes, x: npt.NDArray[Any], y: npt.NDArray[Any], ratio: xr.DataArray, gid: str, *, color: str, linewidth: float) -> None:
    values = np.ma.masked_invalid(_log(ratio).T)
    if values.min() < 0.0 < values.max():
        ax.contour(x, y, values, [0.0], colors=color, linewidths=linewidth, linestyles="solid").set_gid(gid)


def _hatch(ax: Axes, x: npt.NDArray[Any], y: npt.NDArray[Any], field: npt.NDArray[np.float64], hatch: str, colour: str) -> None:
    """Hatch where a field is positive."""
    values = np.ma.masked_invalid(field.T)
    if values.max() > 0.0:
        with matplotlib.rc_context({"hatch.color": colour, "hatch.linewidth": 0.4}):
            ax.contourf(x, y, values, [0.0, 2.0 * float(values.max())], colors="none", hatches=[hatch])


def _name(ax: Axes, x: npt.NDArray[Any], y: npt.NDArray[Any], where: npt.NDArray[np.bool_], words: str) -> None:
    """Write what dominates into its area: across where it is wide, near the top, or else upright where it is tall; or not at all."""
    along, up = (np.log(x) - np.log(x[0])) / (np.log(x[-1]) - np.log(x[0])), (y - y[0]) / (y[-1] - y[0])
    for j in np.argsort(abs(up - 0.9)):
        first, last = _longest_run(where[:, j], along)
        if last - first > _ROOM:
            place = ((first + last) / 2, up[j], 0)
            break
    else:
        first, last = _longest_run(where[int(where.sum(axis=1).argmax())], up)
        rows = np.flatnonzero((up > first + _ROOM / 2) & (up < last - _ROOM / 2))
        runs = [(*_longest_run(where[:, j], along), up[j]) for j in rows]
        left, right, height = max(runs, key=lambda run: run[1] - run[0], default=(0.0, 0.0, 0.0))
        if right - left < _ROOM / 6:
            return
        place = ((left + right) / 2, height, 90)
    text = ax.text(place[0], place[1], words, rotation=place[2], transform=ax.transAxes, ha="center", va="center", fontsize=7.0)
    text.set(fontweight="bold", path_effects=_OUTLINE, gid="process")


def _longest_run(where: npt.NDArray[np.bool_], places: npt.NDArray[Any]) -> tuple[float, float]:
    """Give the ends of the longest stretch of true values; two equal numbers if there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], where, [False]]).astype(int)))
    runs = [(float(places[a]), float(places[b - 1])) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return max(runs, key=lambda run: run[1] - run[0], default=(0.0, 0.0))


def _ion(rates: xr.Dataset) -> str:
    return str(rates.attrs.get("species", "ion")).replace("+", "\N{SUPERSCRIPT PLUS SIGN}")


def _written(model: str) -> str:
    """Give the name of a model as people write it: "Lindsay & Stebbings (2005)"."""
    words = model.split("_")
    year = next((word for word in words if word.isdigit()), None)
    if year is None:
        return model.upper().replace("_", "-")
    authors, rest = words[: words.index(year)], words[words.index(year) + 1 :]
    return ", ".join([f"{' & '.join(map(str.capitalize, authors))} ({year})", *rest])


def _models(rates: tuple[xr.Dataset, ...]) -> str:
    """Name the models of the colours and lines, and over how many choices the band is."""
    chosen = dict.fromkeys(_written(str(one.attrs[f"model_{part}"])) for part in ("cross_section", "geocorona") for one in rates)
    counts = dict.fromkeys(int(one["n_models"].max()) for one in rates)
    return f"Models: {', '.join(chosen)}, Carpenter & Anderson (1992). Hatched area: all {' or '.join(map(str, counts))} choices of models."


def _raised(power: float) -> str:
    """Write an exponent with characters of its own, so that the text of an SVG stays in one piece; those with a point have none."""
    return f"{power:g}".translate(_SUPERSCRIPTS) if power.is_integer() else f"^{power:g}"


def _assumed(rates: xr.Dataset) -> str:
    """Say what a prediction supposes of the spectrum and of the thermal plasma."""
    g = rates.attrs.get("spectral_index")
    spectrum = "spectra as given" if g is None else "flat spectrum" if g == 0 else f"flux as E{_raised(-float(g))}"
    plasma = str(rates.attrs.get("model_plasmasphere", ""))
    kp = rates.attrs.get("kp_max")
    plasma = (
        f"plasmapause of Kp {float(kp):g}" if plasma == "plasmapause" and kp is not None else f"{plasma.replace('_', ' ')} plasmasphere"
    )
    return f"{spectrum}, {plasma}"


def _legend(rates: tuple[xr.Dataset, ...]) -> list[Patch | Line2D]:
    handles: list[Patch | Line2D] = [
        Line2D([], [], color=_BOUNDARY, linewidth=1.6, label="both processes equally fast"),
        Patch(facecolor="0.85", edgecolor="0.1", hatch=_HATCH, linewidth=0.6, label="the faster one depends on the models"),
        Line2D([], [], color="0.6", linewidth=1.0, linestyle="dotted", label="edge of the range of a model"),
    ]
    if any((one["rate"] < 0.0).any() for one in rates):
        handles.append(Patch(facecolor="white", edgecolor="0.3", hatch=_GROWTH_HATCH, linewidth=0, label="flux grows"))
    if any(one["rate"].isnull().any() for one in rates):
        handles.append(Patch(facecolor="white", edgecolor="0.5", linewidth=0.5, label="no prediction"))
    return handles
