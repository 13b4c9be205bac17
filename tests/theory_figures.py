"""The figures of docs/theory.md; `theory_page.py` writes them."""

from __future__ import annotations

from functools import partial
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.polynomial.polynomial import polyval

from ringdecay import theory
from ringdecay.plots import STYLE, theory_map
from ringdecay.plots.style import COLOURS, TWO_COLUMNS, plain_log_axis
from ringdecay.theory.geocorona import _RAIRDEN_POLYNOMIAL
from ringdecay.theory.plasmasphere import CARPENTER_ANDERSON_RANGE

NAMES = {
    "lindsay_stebbings_2005": "Lindsay & Stebbings (2005)",
    "janev_smith_1993": "Janev & Smith (1993)",
    "ram_scb": "RAM-SCB polynomial",
    "rairden_1986": "Rairden (1986)",
    "ostgaard_2003_day": "Østgaard (2003), day",
    "ostgaard_2003_night": "Østgaard (2003), midnight",
    "zoennchen_2011": "Zoennchen (2011)",
}
SHELLS = (3.0, 4.0, 5.0)


def _figure(panels: int, height: float = 3.0) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(TWO_COLUMNS, height), layout="constrained")
    axes = list(np.atleast_1d(figure.subplots(1, panels)))
    for ax in axes:
        ax.grid(visible=True, color="0.92", linewidth=0.5)
        ax.set_axisbelow(True)
    return figure, axes


def _model(ax: Axes, x: np.ndarray, model: Any, colour: str, label: str) -> None:
    """Draw a model solid where it holds and dashed where it is extrapolated."""
    ax.plot(x, model.function(x, extrapolate=True), color=colour, linewidth=0.8, linestyle=(0, (2, 2)))
    ax.plot(x, model.function(x), color=colour, linewidth=1.4, label=label)


def exchange() -> Figure:
    """Cross sections against energy, those of protons relative to one another, and hydrogen against distance."""
    figure, (left, middle, right) = _figure(3)
    energy = np.geomspace(1.0, 1000.0, 400)
    reference = theory.janev_smith_1993(energy)
    for colour, (name, model) in zip(COLOURS, theory.CROSS_SECTIONS["H+"].items(), strict=False):
        _model(left, energy, model, colour, NAMES[name])
        middle.plot(energy, model.function(energy, extrapolate=True) / reference, color=colour, linewidth=0.8, linestyle=(0, (2, 2)))
        middle.plot(energy, model.function(energy) / reference, color=colour, linewidth=1.4)
    for colour, species in zip(COLOURS[3:], ("He+", "O+"), strict=False):
        _model(left, energy, theory.CROSS_SECTIONS[species]["ram_scb"], colour, f"{species}, RAM-SCB")
    left.set(
        xscale="log", yscale="log", xlim=(1, 1000), ylim=(1e-22, 5e-15), xlabel="energy of the ion (keV)", ylabel="cross section (cm²)"
    )
    left.set_title("charge exchange with hydrogen", loc="left")
    left.legend(loc="lower left", handlelength=1.2)
    middle.set(xscale="log", xlim=(1, 1000), ylim=(0.3, 1.5), xlabel="proton energy (keV)", ylabel="relative to Janev & Smith (1993)")
    middle.set_title("the same for protons, relative", loc="left")
    for ax in (left, middle):
        plain_log_axis(ax.xaxis, 1, 1000)
    r = np.linspace(1.1, 9.0, 400)
    for colour, (name, model) in zip(COLOURS, theory.GEOCORONAS.items(), strict=False):
        _model(right, r, model, colour, NAMES[name])
    beyond = np.linspace(6.4, 8.4, 60)
    right.plot(beyond, 1e-6 * 10.0 ** polyval(beyond, _RAIRDEN_POLYNOMIAL), color=COLOURS[0], linewidth=1.0, linestyle=":")
    right.text(7.85, 1700, "the polynomial itself\nturns up (not used)", ha="right", va="top", fontsize=6.5, color="0.3")
    right.set(yscale="log", xlim=(1, 9), ylim=(15, 4e4), xlabel="geocentric distance (Earth radii)", ylabel="atomic hydrogen (cm⁻³)")
    plain_log_axis(right.yaxis, 15, 4e4)
    right.set_title("geocorona", loc="left")
    right.legend(loc="upper right")
    return figure


def bounce() -> Figure:
    """Hydrogen averaged over the bounce against pitch angle, and lifetimes against charge exchange."""
    figure, (left, right) = _figure(2)
    angle = np.linspace(float(theory.loss_cone(4.0)) + 0.02, 90.0, 300)
    for colour, (name, model) in zip(COLOURS, theory.GEOCORONAS.items(), strict=False):
        for extrapolate, style in ((True, (0, (2, 2))), (False, "solid")):
            average = theory.bounce_average(partial(model.function, extrapolate=extrapolate), 4.0, angle)
            label = None if extrapolate else NAMES[name]
            left.plot(
                angle, average / model.function(4.0), color=colour, linestyle=style, linewidth=0.8 if extrapolate else 1.4, label=label
            )
    cos = np.cos(np.radians(theory.mirror_latitude(angle)))
    for power, style in ((3.5, "-."), (6.0, ":")):
        left.plot(angle, cos**-power, color="0.45", linestyle=style, linewidth=1.0, label=f"cos$^{{-{power:g}}}$ of the mirror latitude")
    left.set(
        yscale="log",
        xlim=(5, 90),
        ylim=(0.9, 40),
        xlabel="equatorial pitch angle (degrees)",
        ylabel="bounce average / density on the equator",
    )
    plain_log_axis(left.yaxis, 0.9, 40)
    left.set_title("hydrogen that an ion meets, L = 4", loc="left")
    left.legend(loc="upper right")
    energy = np.geomspace(10.0, 600.0, 120)
    rates = theory.loss_rate(energy, list(SHELLS))
    for colour, shell in zip(COLOURS, SHELLS, strict=False):
        one = rates.sel(L=shell)
        band = [1.0 / one[f"rate_charge_exchange_{end}"] for end in ("high", "low")]
        right.fill_between(energy, *band, color=colour, alpha=0.2, linewidth=0)
        right.plot(energy, 1.0 / one["rate_charge_exchange"], color=colour, label=f"L = {shell:g}")
    right.set(xscale="log", yscale="log", xlim=(10, 600), ylim=(0.08, 1e5), xlabel="proton energy (keV)", ylabel="lifetime (days)")
    plain_log_axis(right.xaxis, 10, 600)
    plain_log_axis(right.yaxis, 0.08, 1e5)
    right.set_title("charge exchange alone, 90 degrees", loc="left")
    right.legend(loc="upper left")
    return figure


def coulomb() -> Figure:
    """Thermal plasma against L, energy loss against energy, and the rate against the slope of the spectrum."""
    figure, (left, middle, right) = _figure(3, height=2.7)
    L = np.linspace(2.0, 7.0, 400)
    plasmas = {
        "saturated": partial(theory.saturated),
        "Kp 2": partial(theory.electron_density, kp_max=2.0),
        "Kp 5": partial(theory.electron_density, kp_max=5.0),
        "trough": partial(theory.trough),
    }
    for colour, (name, function) in zip(COLOURS, plasmas.items(), strict=False):
        left.plot(L, function(L, extrapolate=True), color=colour, linewidth=0.8, linestyle=(0, (2, 2)))
        left.plot(L, function(L), color=colour, linewidth=1.4, label=name)
    left.axvline(CARPENTER_ANDERSON_RANGE.low, color="0.6", linewidth=0.6, linestyle=":")
    left.set(yscale="log", xlim=(2, 7), ylim=(0.8, 4000), xlabel="L", ylabel="electrons (cm⁻³)")
    plain_log_axis(left.yaxis, 0.8, 4000)
    left.set_title("plasmasphere", loc="left")
    energy = np.geomspace(10.0, 600.0, 100)
    for colour, shell in zip(COLOURS, SHELLS, strict=False):
        middle.plot(energy, energy / theory.energy_loss(energy, theory.saturated(shell)), color=colour, label=f"L = {shell:g}")
    middle.set(xscale="log", yscale="log", xlim=(10, 600), ylim=(1, 5000), xlabel="proton energy (keV)", ylabel="E / |dE/dt| (days)")
    plain_log_axis(middle.xaxis, 10, 600)
    plain_log_axis(middle.yaxis, 1, 5000)
    middle.set_title("Coulomb drag, saturated", loc="left")
    g = np.linspace(-4.0, 5.0, 10)
    for colour, keV in zip(COLOURS, (99.0, 148.0, 269.0), strict=False):
        rate = theory.flux_loss_rate(keV, theory.energy_loss(keV, theory.saturated(4.0)), g)
        right.plot(g, rate, color=colour, label=f"{keV:g} keV")
    right.axhline(0.0, color="0.3", linewidth=0.6)
    right.axvspan(-4.0, -1.0, color="0.93", linewidth=0)
    right.text(-2.5, 0.012, "flux grows", ha="center", fontsize=6.5)
    right.set(xlim=(-4, 5), xlabel="g of a flux that goes as $E^{-g}$", ylabel="Coulomb rate (1/day)")
    right.set_title("effect on flux, L = 4", loc="left")
    for ax in (left, middle, right):
        ax.legend(loc="upper right" if ax is left else "upper left")
    return figure


def lifetime() -> Figure:
    """Lifetimes against both processes, with the band over all models, for a flat and for a falling spectrum."""
    figure, axes = _figure(2, height=3.2)
    energy = np.geomspace(10.0, 600.0, 120)
    for ax, g in zip(axes, (0.0, 3.0), strict=True):
        rates = theory.loss_rate(energy, list(SHELLS), spectral_index=g)
        for colour, shell in zip(COLOURS, SHELLS, strict=False):
            one = rates.sel(L=shell)
            ax.fill_between(energy, one["lifetime_low"], one["lifetime_high"], color=colour, alpha=0.2, linewidth=0)
            ax.plot(energy, one["lifetime"], color=colour, linewidth=1.4, label=f"L = {shell:g}")
            ax.plot(energy, 1.0 / one["rate_charge_exchange"], color=colour, linewidth=0.8, linestyle="--")
            ax.plot(energy, 1.0 / one["rate_coulomb"], color=colour, linewidth=0.8, linestyle=":")
        ax.set(xscale="log", yscale="log", xlim=(10, 600), ylim=(0.08, 2e4), xlabel="proton energy (keV)", ylabel="lifetime (days)")
        plain_log_axis(ax.xaxis, 10, 600)
        plain_log_axis(ax.yaxis, 0.08, 2e4)
        ax.set_title("flat spectrum (g = 0)" if g == 0.0 else f"flux as $E^{{-{g:g}}}$", loc="left")
    handles = axes[0].get_legend_handles_labels()[0]
    grey = {"color": "0.3"}
    handles += [Line2D([], [], linestyle="--", linewidth=0.8, label="charge exchange alone", **grey)]
    handles += [Line2D([], [], linestyle=":", linewidth=0.8, label="Coulomb drag alone, saturated", **grey)]
    axes[0].legend(handles=handles, loc="upper left")
    return figure


def a_map() -> Figure:
    """Lifetimes over energy and L with the boundary, as a run draws them."""
    grid = xr.Dataset(coords={"energy": [45.0, 598.0], "L": [2.3, 6.0]})
    return theory_map(theory.loss_rate_over(grid), theory.loss_rate_over(grid, spectral_index=3.0, kp_max=5.0))


FIGURES = {"exchange": exchange, "bounce": bounce, "coulomb": coulomb, "lifetime": lifetime, "map": a_map}


def drawn(name: str) -> np.ndarray:
    """Draw a figure and give its pixels (height, width, 3), uint8."""
    with matplotlib.rc_context(STYLE):
        figure = FIGURES[name]()
        figure.set_dpi(150)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()
