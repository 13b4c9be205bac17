"""The tables and figures of docs/theory.md; `python tests/theory_page.py` puts them in as the code gives them now."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from theory_figures import FIGURES, NAMES, SHELLS, drawn

from ringdecay import theory
from ringdecay.theory.geocorona import Geocorona
from ringdecay.theory.ranges import Range

PAGE = Path(__file__).resolve().parents[1] / "docs/theory.md"
BEGIN, END = "<!-- begin {}: written by tests/theory_page.py -->", "<!-- end -->"
ENERGIES = (20.0, 45.0, 99.0, 148.0, 269.0, 400.0, 598.0)


def row(*values: object) -> str:
    return "| " + " | ".join(map(str, values)) + " |"


def head(*values: object) -> str:
    return row(*values) + "\n" + row(*["---"] * len(values))


def digits(value: float) -> str:
    """Three digits, as people write them."""
    return "-" if not np.isfinite(value) else f"{value:#.3g}".rstrip(".") if value < 999.5 else f"{float(f'{value:.3g}'):.0f}"


def marked(text: str, x: float, holds: Range) -> str:
    return f"{text}\\*" if holds.excludes(x) else text


def cross_sections() -> Iterator[str]:
    models = theory.CROSS_SECTIONS["H+"]
    yield head("keV", *(NAMES[name] for name in models), "greatest / least", "O+", "He+")
    for E in (10.0, *ENERGIES[1:]):
        values = [float(model.function(E, extrapolate=True)) for model in models.values()]
        cells = [marked(f"{value:.2e}", E, model.range) for value, model in zip(values, models.values(), strict=True)]
        others = [theory.CROSS_SECTIONS[ion]["ram_scb"] for ion in ("O+", "He+")]
        yield row(
            f"{E:g}", *cells, f"{max(values) / min(values):.2f}",
            *(marked(f"{float(m.function(E, extrapolate=True)):.2e}", E, m.range) for m in others),
        )  # fmt: skip


def geocoronas() -> Iterator[str]:
    yield head("r (Earth radii)", *(NAMES[name] for name in theory.GEOCORONAS), "greatest / least")
    for r in (2.0, 3.0, 4.0, 5.0, 6.0, 7.0):
        values = [float(model.function(r, extrapolate=True)) for model in theory.GEOCORONAS.values()]
        cells = [marked(f"{value:.0f}", r, model.range) for value, model in zip(values, theory.GEOCORONAS.values(), strict=True)]
        yield row(f"{r:g}", *cells, f"{max(values) / min(values):.2f}")


def bounce() -> Iterator[str]:
    yield head("pitch angle (degrees)", "mirror latitude", *(NAMES[name] for name in theory.GEOCORONAS), "cos^-3.5", "cos^-6")
    for angle in (90.0, 75.0, 60.0, 45.0, 30.0, 20.0):
        latitude = float(theory.mirror_latitude(angle))
        cos = np.cos(np.radians(latitude))
        cells = [averaged(model, angle) for model in theory.GEOCORONAS.values()]
        yield row(f"{angle:g}", f"{latitude:.1f}", *cells, f"{cos**-3.5:.2f}", f"{cos**-6.0:.2f}")


def averaged(model: Geocorona, angle: float, L: float = 4.0) -> str:
    """Bounce average over the density on the equator, marked where the field line leaves the model's range."""
    average = float(theory.bounce_average(partial(model.function, extrapolate=True), L, angle))
    lowest = L * np.cos(np.radians(float(theory.mirror_latitude(angle)))) ** 2
    return marked(f"{average / float(model.function(L)):.2f}", lowest, model.range)


def charge_exchange() -> Iterator[str]:
    rates = theory.loss_rate(list(ENERGIES), [3.0, 4.0, 5.0, 6.0])
    yield head("keV", "speed (km/s)", *(f"L = {shell:g}" for shell in rates.L.values))
    for E in ENERGIES:
        yield row(
            f"{E:g}", f"{float(theory.speed(E)) / 1e5:.0f}", *(digits(1.0 / v) for v in rates.rate_charge_exchange.sel(energy=E).values)
        )


def plasmas() -> Iterator[str]:
    L = np.array([3.0, 4.0, 5.0, 6.0])
    yield head("electrons (cm-3)", *(f"L = {shell:g}" for shell in L))
    densities = {
        "saturated": theory.saturated(L),
        "saturated, late June, no sunspots": theory.saturated(L, day_of_year=173.5, sunspot_number=0.0),
        "saturated, late February, sunspot number 100": theory.saturated(L, day_of_year=51.8, sunspot_number=100.0),
        "Kp 2, all local times": theory.electron_density(L, 2.0),
        "Kp 5, all local times": theory.electron_density(L, 5.0),
        "trough, all local times": theory.trough(L),
    }
    for name, density in densities.items():
        yield row(name, *(digits(n) for n in density))


def drag() -> Iterator[str]:
    slopes = (-3.0, -1.0, 0.0, 2.0, 4.0)
    yield head("keV", *(f"E / \\|dE/dt\\|, L = {shell:g}" for shell in SHELLS), *(f"g = {g:g}" for g in slopes))
    for E in ENERGIES:
        loss = theory.energy_loss(E, theory.saturated(SHELLS))
        rates = theory.flux_loss_rate(E, loss[1], slopes)
        # "+ 0.0" takes the sign off a zero.
        yield row(f"{E:g}", *(digits(E / one) for one in loss), *(f"{rate + 0.0:.2g}" for rate in rates))


def lifetimes() -> Iterator[str]:
    yield head("keV", *(f"L = {shell:g}, g = {g}" for g in (0, 3) for shell in SHELLS))
    both = [theory.loss_rate(list(ENERGIES), list(SHELLS), spectral_index=g) for g in (0.0, 3.0)]
    for E in ENERGIES:
        cells = [rates.sel(energy=E, L=shell) for rates in both for shell in SHELLS]
        yield row(f"{E:g}", *(f"{digits(c.lifetime)} ({digits(c.lifetime_low)} to {digits(c.lifetime_high)})" for c in cells))


def boundaries() -> Iterator[str]:
    energy = np.geomspace(30.0, 2400.0, 2000)
    yield head("equally fast at (keV)", *(f"L = {shell:g}" for shell in SHELLS))
    for name, options in (
        ("g = 0, saturated", {}),
        ("g = 3, saturated", {"spectral_index": 3.0}),
        ("g = 3, Kp 5", {"spectral_index": 3.0, "kp_max": 5.0}),
    ):
        found = theory.dominant_process(theory.loss_rate(energy, list(SHELLS), **options))
        cells = []
        for shell in SHELLS:
            at = [first_above(energy, found[f"coulomb_ratio{end}"].sel(L=shell).values) for end in ("", "_high", "_low")]
            cells.append(f"{at[0]} ({at[1]} to {at[2]})")
        yield row(name, *cells)


def first_above(energy: np.ndarray, ratio: np.ndarray) -> str:
    above = np.flatnonzero(ratio >= 1.0)
    return f"{energy[above[0]]:.0f}" if above.size else "beyond 2400"


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    function.__name__: function for function in (cross_sections, geocoronas, bounce, charge_exchange, plasmas, drag, lifetimes, boundaries)
}


def with_tables(text: str) -> str:
    """Give the page with every table as the code gives it now."""
    for name, table in TABLES.items():
        begin = BEGIN.format(name)
        before, rest = text.split(begin)
        text = before + begin + "\n\n" + "\n".join(table()) + "\n\n" + END + rest.split(END, 1)[1]
    return text


def examples(text: str) -> list[tuple[str, str]]:
    """Give each example of the page: its code, and what it is said to print."""
    return re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, flags=re.DOTALL)


def printed(code: str) -> str:
    """Give what an example prints."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, str(PAGE), "exec"), {})
    return output.getvalue()


def with_examples(text: str) -> str:
    for code, said in examples(text):
        text = text.replace(f"{code}```\n\n```text\n{said}```", f"{code}```\n\n```text\n{printed(code)}```")
    return text


def figure_path(name: str) -> Path:
    return PAGE.with_name(f"theory_{name}.png")


if __name__ == "__main__":
    PAGE.write_text(with_examples(with_tables(PAGE.read_text(encoding="utf-8"))), encoding="utf-8")
    for name in FIGURES:
        Image.fromarray(drawn(name)).quantize(256, dither=Image.Dither.NONE).save(figure_path(name), optimize=True)
