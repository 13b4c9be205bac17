"""The tables of docs/paper.md, made from a run of the demonstration; after `make run`, `python tests/paper_page.py` puts them in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from page_parts import table, with_part

import ringdecay as rd
from ringdecay.binned import with_merged_probe
from ringdecay.decays import FLUX_SUMS
from ringdecay.store import open_array, open_dataset
from ringdecay.storms import read_storms
from ringdecay.tables import flagged, tau_text

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/paper.md"
ENERGIES, SHELLS = (44.7, 54.7, 81.6, 99.4, 148.0, 269.0), (3.05, 4.05, 5.05)
# Where the abstract's "central ring current" is taken to be; it does not say.
CENTRAL = slice(3.0, 5.0)


class Run(NamedTuple):
    """What a run found: fits and means over storms of both modes, and the truth on their energies and L."""

    fits: xr.Dataset
    calibrated: xr.Dataset
    paper: xr.Dataset
    truth: xr.DataArray


def read_run(folder: Path, run: str = "demo") -> Run:
    """Read a run in `folder`, and fit its sums once more in paper mode."""
    results, resources = folder / "results" / run, folder / "resources" / run
    lifetimes = open_dataset(results / "lifetimes.nc")
    binned = with_merged_probe(open_dataset(resources / "binned.nc", over_time=FLUX_SUMS))
    index, storms = open_array(resources / "index.nc"), read_storms(results / "storms.csv")
    windows = rd.choose_windows(binned, storms, index)
    recipe = rd.fit_decays(binned, storms, mode="paper", windows=windows, index=index, two_stages=False)
    rate = open_dataset(resources / "demo-archive/truth.nc")["population_rate"]
    truth = 1 / rate.sel(energy=lifetimes["energy"], method="nearest").sel(L=lifetimes["L"], method="nearest").transpose("energy", "L")
    truth = truth.assign_coords(energy=lifetimes["energy"], L=lifetimes["L"])
    fits = open_dataset(results / "decays.nc").sel(probe="merged")
    return Run(fits, lifetimes, rd.lifetimes(recipe, probe="merged"), truth)


def values(run: Run) -> str:
    """Give decay times at some energies and L."""
    rows = []
    for energy in ENERGIES:
        for shell in SHELLS:
            at = {"energy": energy, "L": shell}
            calibrated, paper = (cells.sel(at, method="nearest") for cells in (run.calibrated, run.paper))
            accepted = f"{int(paper['n_accepted'])} of {int(paper['n_storms'])}"
            band = [1 / float(calibrated[f"rate_predicted_{end}"]) for end in ("high", "low")]
            truth = float(run.truth.sel(at, method="nearest"))
            predicted = f"{_short(band[0])} to {_short(band[1]) if band[1] < 1000 else 'above 1000'}"
            rows.append((f"{energy:g}", f"{shell:g}", f"{truth:.3g}", tau_text(calibrated), tau_text(paper) or "none", accepted, predicted))
    head = ["keV", "L", "truth put in", "`calibrated`, 95 %", "`paper`, mean ± sd", "fits accepted", "theory, band"]
    return table(head, rows)


def statements(run: Run) -> str:
    """Give each statement of the abstract beside what the run gives."""
    resolved = run.fits["rate_low"] > 0
    bent, staged = (_percent(flagged(run.fits, name), resolved) for name in ("curved", "two_stages"))
    shape = f"of the fits that resolve a decay {bent} bend (flag `curved`; 1 % of straight ones would) and {staged} show two stages"
    low, middle, high = ({"energy": slice(a, b)} for a, b in ((40, 90), (99, 100), (268, 270)))
    of_mode = [_resolved(run.calibrated), run.paper["tau"], run.truth]
    rows = [
        (
            "fluxes \"typically exhibit exponential decay after big storms\"",
            shape,
            "not asked",
            "each decay is one exponential, with a floor of the instrument under it",
        ),
        ("tau increases with energy", *(_rising(tau, "energy") for tau in of_mode)),
        ("tau increases with L", *(_rising(tau, "L") for tau in of_mode)),
        ("tens of keV: \"a few days\"", *(_range(tau.sel(low | {"L": CENTRAL})) for tau in of_mode)),
        ("about 100 keV: \"about 10 days\"", *(_range(tau.sel(middle | {"L": CENTRAL})) for tau in of_mode)),
        ("269 keV: \"up to about 118 days\"", _longest(run.calibrated.sel(high)), *(_range(tau.sel(high)) for tau in of_mode[1:])),
    ]  # fmt: skip
    return table(["the abstract says", "`calibrated` mode gives", "`paper` mode gives", "the truth put in"], rows)


def _percent(some: xr.DataArray, of: xr.DataArray) -> str:
    share = 100 * float((some & of).sum() / of.sum())
    return f"{share:.0f} %" if share >= 1 else "under 1 %"


def _short(value: float) -> str:
    """Two digits, as people write them."""
    return f"{float(f'{value:.2g}'):g}"


def _resolved(lifetimes: xr.Dataset) -> xr.DataArray:
    return lifetimes["tau"].where(lifetimes["tau_limit"].isnull() & (lifetimes["rate_low"] > 0))


def _rising(tau: xr.DataArray, dim: str) -> str:
    steps = tau.sel(L=CENTRAL).diff(dim)
    known = int(steps.notnull().sum())
    return f"in {int((steps > 0).sum())} of {known} steps between neighbours"


def _range(tau: xr.DataArray) -> str:
    found = tau.to_numpy()[np.isfinite(tau.to_numpy())]
    return (
        f"{_short(found.min())} to {_short(found.max())} d ({found.size} of {tau.size} cells)" if found.size else f"none ({tau.size} cells)"
    )


def _longest(lifetimes: xr.Dataset) -> str:
    limits = int((lifetimes["tau_limit"] > 0).sum())
    return f"{_range(_resolved(lifetimes))}; a lower limit in {limits}"


def with_tables(text: str, folder: Path) -> str:
    """Give the page with its tables as a run gives them."""
    run = read_run(folder)
    text = with_part(text, "statements", "paper_page.py", statements(run))
    return with_part(text, "values", "paper_page.py", values(run))


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), folder), encoding="utf-8")
