"""One storm at one L: the flux of all channels against time, with the fits."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm

from ringdecay.decays.free_floor import with_floor
from ringdecay.decays.windows import DAY
from ringdecay.plots.labels import FLUX_UNIT, L_value
from ringdecay.plots.one_storm import cell_series, deepest_resolved, depth_text, drawn_span, fits_of_storm, nanoseconds, window_span
from ringdecay.plots.style import STYLE, TWO_COLUMNS, mark_simulated, new_axes, say
from ringdecay.tables import confidence_text, nearest, tau_text

# The light end of viridis is too pale for points on white; what is left still runs evenly from dark to light grey.
ENERGY_COLOURS = ListedColormap(matplotlib.colormaps["viridis"](np.linspace(0.0, 0.86, 256)))
_LABEL_SIZE = 6.0


def energy_colour(energy: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Colours of channels along a perceptual scale, by the log of their energy, shape (energy, 4)."""
    norm = LogNorm(float(energy.min()), float(energy.max()) * 1.0001)
    return np.asarray(ENERGY_COLOURS(norm(energy)), dtype=np.float64)


@matplotlib.rc_context(STYLE)
def storm_channels(
    binned: xr.Dataset, decays: xr.Dataset, storm: int | None = None, L: float = 4.0, *, probe: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the flux of every channel at one L around one storm, with the fits and their decay times.

    Parameters
    ----------
    binned : Dataset
        From `bin_flux`.
    decays : Dataset
        From `fit_decays`.
    storm : int, optional
        Number of the storm; the deepest with a resolved decay if not given.
    L : float
        L-shell; the nearest bin is taken.
    probe : str, optional
        Which probe's fits; "merged" or the first if not given.
    ax : Axes, optional
        Where to draw; there has to be room for the labels at the right.

    Returns
    -------
    Axes
        Time is in days from the storm's minimum. Points are mean fluxes of a time bin, full where they were fitted and pale where not, with
        the fit as a line; triangles on the lower edge are fitted bins of zero. The labels name the energy, tau with its interval, a
        one-sided limit or "growing", and the number of bins in the fit; they stand as near to the end of their curve as there is room. The
        shaded window holds all fits.

    Raises
    ------
    InputError
        If there is no such storm or probe.
    """
    ax = new_axes(ax, height=4.2, width=TWO_COLUMNS)
    mark_simulated(ax, binned, decays)
    if not (decays.sizes["storm"] and decays.sizes["L"] and decays.sizes["energy"]):
        return say(ax, "There is no storm with fits: nothing to draw.")
    number = deepest_resolved(decays) if storm is None else storm
    one = fits_of_storm(decays, number, probe).isel(L=nearest(decays["L"].to_numpy(), [L])[0])
    shell, minimum = float(one["L"]), nanoseconds(one["minimum"])
    low, high = drawn_span(one)
    said = f"storm {number}, {depth_text(one)}, {L_value(decays, shell)}"
    ax.set_title(f"{said}\nτ with {confidence_text(decays)} interval, n: bins fitted", loc="left")
    ax.set(xlabel=f"days from the minimum, {str(minimum.astype('datetime64[m]')).replace('T', ' ')} UTC", xlim=(low, high))
    ax.set_ylabel(f"mean flux ({FLUX_UNIT})")
    start, stop = window_span(one)
    if not np.isnat(start):
        ax.axvspan(float((start - minimum) / DAY), float((stop - minimum) / DAY), color="0.93", linewidth=0, zorder=0, gid="window")
    energies = one["energy"].to_numpy()
    ends: list[tuple[float, str, Any]] = []
    for k, colour in enumerate(energy_colour(energies)):
        end = _channel(ax, binned, one.isel(energy=k), (low, high), colour)
        if end is not None:
            ends.append((end, _words(one.isel(energy=k)), colour))
    if not ends:
        return say(ax, f"There is no flux at L = {shell:g} around this storm.")
    ax.set_yscale("log")
    _label_curves(ax, ends)
    return ax


def _channel(ax: Axes, binned: xr.Dataset, cell: xr.Dataset, span: tuple[float, float], colour: Any) -> float | None:
    """Draw points and fit of one channel; give the flux that its label belongs to, if it has any."""
    energy, minimum = float(cell["energy"]), nanoseconds(cell["minimum"])
    time, flux, _ = cell_series(binned, str(cell["probe"].item()), energy, float(cell["L"]), minimum)
    near = np.isfinite(flux) & (time >= span[0]) & (time <= span[1])
    time, flux = time[near], flux[near]
    if not (flux > 0).any():
        return None
    start, stop = (float((nanoseconds(cell[name]) - minimum) / DAY) for name in ("start", "stop"))
    inside = (time >= start - 1e-6) & (time <= stop + 1e-6)
    style: dict[str, Any] = {"marker": "o", "color": colour, "linestyle": "none", "markeredgewidth": 0.0}
    for used, alpha, order in ((~inside, 0.25, 1), (inside, 0.9, 2)):
        some = used & (flux > 0)
        ax.plot(
            time[some],
            flux[some],
            markersize=1.9,
            alpha=alpha,
            zorder=order,
            gid=f"{'fitted' if order > 1 else 'other'} {energy:g}",
            **style,
        )
    zero = inside & (flux == 0)
    ax.plot(time[zero], np.full(zero.sum(), 0.012), "v", color=colour, markersize=2.2, transform=ax.get_xaxis_transform(), zorder=2)
    rate, level, floor = (float(cell[name]) for name in ("rate", "log_flux_start", "floor"))
    if not np.isfinite(rate):
        return float(flux[flux > 0][-1])
    days = np.linspace(start, stop, 50)
    fitted = with_floor(np.exp(level - rate * (days - start)), float(np.nan_to_num(floor)))
    ax.plot(days, fitted, color=colour, linewidth=1.0, zorder=3, gid=f"fit {energy:g}")
    return float(fitted[-1])


def _words(cell: xr.Dataset) -> str:
    """Say of a channel its energy, its decay time and how many bins were fitted."""
    text = tau_text(cell)
    said = {"": "no fit", "growing": "growing"}.get(text, f"τ > {text[2:]} d" if text.startswith(">") else f"τ = {text} d")
    return f"{float(cell['energy']):.3g} keV: {said}" + (f", n = {int(cell['n'])}" if text else "")


def _label_curves(ax: Axes, ends: list[tuple[float, str, Any]]) -> None:
    """Write labels at the right, each as near to its own height as there is room, with a hairline to it."""
    bottom, top = ax.get_ylim()
    figure = ax.get_figure(root=True)
    assert figure is not None
    # The layout will change the height of the axes by little.
    line = 1.25 * _LABEL_SIZE / 72 / (ax.get_position().height * float(figure.get_size_inches()[1]))
    ordered = sorted(ends, key=lambda end: end[0])
    heights = (np.log([end[0] for end in ordered]) - np.log(bottom)) / (np.log(top) - np.log(bottom))
    for place, own, (_, words, colour) in zip(spread(heights, line), heights, ordered, strict=True):
        ax.annotate(
            words, (1.0, own), xytext=(1.025, place), xycoords=ax.transAxes, textcoords=ax.transAxes, color=colour, fontsize=_LABEL_SIZE,
            ha="left", va="center", annotation_clip=False, gid="label",
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.4, "relpos": (0.0, 0.5), "shrinkA": 1, "shrinkB": 0},
        )  # fmt: skip


def spread(places: npt.NDArray[np.floating], least: float) -> npt.NDArray[np.float64]:
    """Move rising places apart until neighbours are at least so far from each other, each as little as can be; they keep their order.

    Parameters
    ----------
    places : ndarray, shape (n,)
        In rising order.
    least : float
        Least distance of neighbours.

    Returns
    -------
    ndarray, shape (n,)
        The least sum of squared moves (pool adjacent violators).
    """
    # In coordinates in which the least distance is none, this is a regression of rising values.
    steps = least * np.arange(len(places))
    blocks: list[tuple[float, int]] = []
    for value in np.asarray(places, dtype=np.float64) - steps:
        mean, n = float(value), 1
        while blocks and blocks[-1][0] > mean:
            before, m = blocks.pop()
            mean, n = (mean * n + before * m) / (n + m), n + m
        blocks.append((mean, n))
    out: npt.NDArray[np.float64] = np.concatenate([np.full(n, mean) for mean, n in blocks] or [np.zeros(0)]) + steps
    return out
