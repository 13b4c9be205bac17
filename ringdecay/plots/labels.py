"""Labels of axes, from the attributes of the data: quantity, unit and what a bin is."""

from __future__ import annotations

from typing import Any

import numpy as np

from ringdecay.products import ion_name

L_NAMES = {"L": "dipole L", "L_eq": "McIlwain L", "L_star": "Roederer L*"}
FLUX_UNIT = "cm$^{-2}$ s$^{-1}$ sr$^{-1}$ keV$^{-1}$"
TAU = "decay time τ (days)"


def L_label(dataset: Any) -> str:  # noqa: N802 - L is the symbol
    """Name the L-shell and the width of its bins."""
    name = L_NAMES.get(str(dataset.attrs.get("L_definition", "L")), "L")
    # From the centres only if they are evenly spaced: a choice of bins does not tell their width.
    bounds = dataset.coords.get("L_bounds")
    widths = np.diff(dataset["L"].to_numpy() if bounds is None else bounds.to_numpy())
    even = widths.size > 0 and np.allclose(widths, widths.flat[0])
    return f"{name} (bins of {widths.flat[0]:.3g})" if even else name


def L_value(dataset: Any, L: float) -> str:  # noqa: N802 - L is the symbol
    """Name one L-shell and the width of its bin: "dipole L = 4.05 (bins of 0.1)"."""
    name, bracket, width = L_label(dataset).partition(" (")
    return f"{name} = {L:g}{bracket}{width}"


def energy_label(dataset: Any) -> str:
    """Name the energy axis by the ion."""
    return f"{ion_name(dataset.attrs)} energy (keV)"


def flux_kind(dataset: Any) -> str:
    """Say which flux it is, as far as the attributes say: omnidirectional and how near the equator, or which pitch angles."""
    kind = str(dataset.attrs.get("flux", ""))
    if kind in ("", "omnidirectional") and "max_MLAT" in dataset.attrs:
        return f"omnidirectional, |MLAT| ≤ {float(dataset.attrs['max_MLAT']):g}°"
    return kind.replace(" degrees", "°").replace(" to ", "\N{EN DASH}")


def source(dataset: Any) -> str:
    """Say product, flux and mode, as far as they are known; for a title."""
    parts = [str(dataset.attrs.get("product", "")), flux_kind(dataset), str(dataset.attrs.get("mode", ""))]
    return ", ".join(part for part in parts if part) or f"{ion_name(dataset.attrs)} flux"
