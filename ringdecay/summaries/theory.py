"""Predicted rates, and observed ones beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from ringdecay.store import is_simulated
from ringdecay.summaries.flags import flag_table
from ringdecay.summaries.maps import NOTHING, about, cell_table, over_cells
from ringdecay.summaries.page import Cell, Kind, Summary, Table

_VERDICT_KINDS: dict[str, Kind] = {"agrees": "found", "cannot_tell": "limit", "slower": "opposite", "faster": "opposite"}


def comparison_summary(comparison: xr.Dataset, energies: Sequence[float] | None, L: Sequence[float] | None) -> Summary:
    """Summarise a comparison with theory: the ratio and the verdict of every cell, and the two factors."""
    cells = over_cells(comparison[[name for name in comparison.data_vars if comparison[name].dims != ("fit",)]])
    words = dict(zip(cells["verdict"].attrs["flag_values"].tolist(), cells["verdict"].attrs["flag_meanings"].split(), strict=True))
    names = np.vectorize(lambda number: words[int(number)], otypes=[object])(cells["verdict"].to_numpy())
    kinds = np.vectorize(lambda name: _VERDICT_KINDS.get(name, "none"), otypes=[object])(names)

    def say(cell: xr.Dataset, kind: Kind) -> Cell:
        ratio, low, high = (float(cell[name]) for name in ("ratio", "ratio_low", "ratio_high"))
        text = f"{ratio:.2g} ({low:.2g} to {high:.2g}) " if np.isfinite(ratio) else ""
        verdict = words[int(cell["verdict"])].replace("_", " ")
        return Cell(NOTHING if kind == "none" else text + verdict, kind)

    facts = about(comparison)
    facts += [(name, str(comparison.attrs[name])) for name in _SAID if name in comparison.attrs]
    counts = [f"{int((names == name).sum())} {name.replace('_', ' ')}" for name in words.values() if (names == name).any()]
    facts.append(("verdicts", ", ".join(counts)))
    caption = "Observed rate over the predicted, with the interval of the observation, and what it says of the band over the models"
    tables = [cell_table(cells, caption, say, kinds, energies, L)]
    tables += [_factors(comparison)] if "a" in comparison else []
    flags = flag_table(cells["flag"], "cells")
    simulated = is_simulated(comparison)
    notes = ("The decay times of the simulated archive were made up, not taken from theory: these ratios say nothing of nature.",)
    title = str(comparison.attrs.get("title", "Observed loss beside the predicted"))
    return Summary(title, simulated, tuple(facts), (*tables, *([flags] if flags else [])), notes if simulated else ())


_SAID = ("theory_equatorial_pitch_angle", "theory_kp_max", "L_note")


def prediction_summary(rates: xr.Dataset, energies: Sequence[float] | None, L: Sequence[float] | None) -> Summary:
    """Summarise predicted loss rates over energy and L: the lifetime of every cell with its band over the models."""
    cells = over_cells(rates)
    rate = cells["rate"].to_numpy()
    kinds = np.select([rate < 0, rate > 0], ["opposite", "found"], "none")

    def say(cell: xr.Dataset, kind: Kind) -> Cell:
        if kind != "found":
            return Cell("growing" if kind == "opposite" else NOTHING, kind)
        # A model of the band that predicts growth has no lifetime: the band has no upper end.
        low, high = float(cell["lifetime_low"]), float(cell["lifetime_high"])
        ends = f"{_three(low)} to {_three(high)}" if np.isfinite(high) else f"{_three(low)} and more"
        return Cell(f"{_three(float(cell['lifetime']))} ({ends})", kind)

    attrs = rates.attrs
    models = ", ".join(f"{name.removeprefix('model_').replace('_', ' ')} {attrs[name]}" for name in attrs if name.startswith("model_"))
    facts = [("ion", str(attrs.get("species", ""))), ("models", models)]
    facts += [(name, f"{float(attrs[name]):g}") for name in ("spectral_index", "kp_max") if name in attrs]
    angle = rates.coords.get("equatorial_pitch_angle")
    facts += [("equatorial_pitch_angle", f"{float(angle):g} degrees")] if angle is not None and not angle.ndim else []
    caption = "Predicted lifetime in days, with its band over all models, against energy and L"
    flags = flag_table(cells["flag"], "cells")
    notes = ("Charge exchange and Coulomb drag alone. The band is over published models; it is no confidence interval.",)
    tables = (cell_table(cells, caption, say, kinds, energies, L), *([flags] if flags else []))
    return Summary(str(attrs.get("title", "Predicted loss rates")), is_simulated(rates), tuple(facts), tables, notes)


def _three(value: float) -> str:
    """Write three digits, without an exponent where that can be read."""
    return f"{float(f'{value:.3g}'):g}"


def _factors(comparison: xr.Dataset) -> Table:
    """Make the table of the factors of all L together, which are fit 0."""
    one = comparison.isel(fit=0)
    rows = []
    for name, process in (("a", "charge exchange"), ("b", "Coulomb drag")):
        value = [float(one[f"{name}{ending}"]) for ending in ("", "_low", "_high", "_models_low", "_models_high")]
        text = [f"{value[0]:.3g}", f"{value[1]:.3g} to {value[2]:.3g}", f"{value[3]:.3g} to {value[4]:.3g}"]
        known = np.isfinite([value[0], *value[1:3], *value[3:]])
        shown = [text[0] if known[0] else NOTHING, text[1] if known[1:3].all() else NOTHING, text[2] if known[3:].all() else NOTHING]
        rows.append((Cell(f"{name}: {process}"), *map(Cell, shown)))
    caption = "Observed rate = a (charge exchange) + b (Coulomb drag), all L together; the textbook is a = b = 1"
    return Table(caption, ("factor", "value", "interval from the storms", "range over the models"), tuple(rows))
