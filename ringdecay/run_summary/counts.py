"""What a run found, in plain numbers: for its page, for the captions of its report, and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.beside_theory import VERDICTS
from ringdecay.coverage import coverage_totals
from ringdecay.products import ion_name
from ringdecay.store import is_simulated, iso_times
from ringdecay.tables import flagged, grows, nearest, tau_text

# Why a cell has no fit, or what a fit is not: words of the flag that are counted.
_FIT_FLAGS = ("no_window", "too_few_points", "floor_reached", "new_injection", "data_gap", "probe_handover", "curved", "two_stages")
_MOST_REFUSED = 20


def summarise(
    decays: xr.Dataset,
    lifetimes: xr.Dataset,
    *,
    storms: pd.DataFrame,
    days: pd.DataFrame,
    files: pd.DataFrame,
    comparison: xr.Dataset,
    surface: xr.Dataset,
    energy_decays: xr.Dataset,
    truth: xr.Dataset | None,
    provenance: dict[str, Any],
    config: dict[str, Any],
) -> dict[str, Any]:
    """Put what a run found into plain numbers and words.

    Parameters
    ----------
    decays, lifetimes : Dataset
        From `fit_decays` and `lifetimes`.
    storms : DataFrame
        From `read_storms`.
    days : DataFrame
        From `coverage_days` or `read_coverage`.
    files : DataFrame
        The run's table of files: `name`, `status` and `reason` of each.
    comparison : Dataset
        From `compare_with_theory`.
    surface : Dataset
        From `fit_surface`.
    energy_decays : Dataset
        From `ringdecay.energy_content.energy_decays`.
    truth : Dataset or None
        What a simulated archive was made from, if it is known.
    provenance : dict
        The run's `provenance.json`.
    config : dict
        The run's config with its defaults.

    Returns
    -------
    dict
        Ready for JSON; rates are in 1/day, times in days, energies in keV, depths in nT; None where there is no number.
    """
    return {
        "run": config["run"],
        "simulated": is_simulated(decays, lifetimes),
        "ion": ion_name(lifetimes.attrs),
        "confidence": config["fit"]["confidence"],
        "mode": config["fit"]["mode"],
        "coverage": _rows(coverage_totals(days).drop(columns=["values_bad_quality", "values_excluded"])),
        "files": _files(files),
        "storms": _storms(storms, decays, config["lifetimes"]["probe"]),
        "fits": _fits(decays, config["lifetimes"]["probe"]),
        "cells": _cells(lifetimes),
        "decay_times": _decay_times(lifetimes, config["figures"]["energies"], config["figures"]["L"]),
        "surface": {"stated": int((surface["supported"] > 0).sum()), "range": str(surface.attrs["range"])},
        "theory": _theory(comparison),
        "energy": _energy(energy_decays),
        "truth": None if truth is None else _against(lifetimes, truth),
        "inputs": provenance["inputs"],
        "source_fingerprint": provenance["source_fingerprint"],
        "git_commit": provenance["git_commit"],
        "versions": provenance["versions"],
        "content_hash": provenance["content_hash"],
        "date_created": provenance["date_created"],
    }


def _files(files: pd.DataFrame) -> dict[str, Any]:
    refused = files[files["status"] == "refused"]
    shown = refused[:_MOST_REFUSED]
    return {
        "used": int((files["status"] == "used").sum()),
        "refused": len(refused),
        "reasons": [{"file": str(name), "reason": str(why)} for name, why in shown[["name", "reason"]].itertuples(index=False, name=None)],
    }


def _storms(storms: pd.DataFrame, decays: xr.Dataset, probe: str) -> dict[str, Any]:
    fitted = decays["rate"].sel(probe=probe).notnull().any(("energy", "L"))
    times = iso_times(storms["minimum"].to_numpy().astype("datetime64[ns]"))
    return {
        "number": len(storms),
        "with_fits": int(fitted.sum()),
        "deepest": float(storms["depth"].min()) if len(storms) else None,
        "first": times[0] if times else None,
        "last": times[-1] if times else None,
        "classes": {str(name): int(count) for name, count in storms["storm_class"].value_counts(sort=False).items()},
    }


def _fits(decays: xr.Dataset, probe: str) -> dict[str, Any]:
    one = decays.sel(probe=probe)
    made = one["rate"].notnull()
    # By the flag, as `n_growth` and `n_limits` of the means count them: that a one-sided limit is infinite is no growth yet.
    growing = made & flagged(one, "growth")
    resolved = made & (one["rate_low"] > 0)
    accepted = made & ~flagged(one, "not_accepted")
    numbers = {
        "cells": one["rate"].size,
        "made": int(made.sum()),
        "resolved": int(resolved.sum()),
        "growing": int(growing.sum()),
        "limits": int((made & ~resolved & ~growing).sum()),
        "accepted": int(accepted.sum()),
    }
    return {"probe": probe, **numbers, "flags": {name: int(flagged(one, name).sum()) for name in _FIT_FLAGS}}


def _cells(lifetimes: xr.Dataset) -> dict[str, int]:
    growing = grows(lifetimes)
    limit = lifetimes["tau_limit"].notnull() & ~growing if "tau_limit" in lifetimes else xr.zeros_like(growing)
    numbers = {
        "all": lifetimes["tau"].size,
        "with_fits": int((lifetimes["n_storms"] > 0).sum()),
        "decay_times": int((lifetimes["tau"].notnull() & ~limit & ~growing).sum()),
        "limits": int(limit.sum()),
        "growing": int(growing.sum()),
        "single_storm": int(flagged(lifetimes, "single_storm").sum()),
        "storms_lost_to_floor": int(flagged(lifetimes, "storms_lost_to_floor").sum()),
    }
    return numbers | ({"discovered": int((lifetimes["discovered"] > 0).sum())} if "discovered" in lifetimes else {})


def _decay_times(lifetimes: xr.Dataset, energies: Sequence[float], L: Sequence[float]) -> list[dict[str, Any]]:
    """Give the decay times nearest to the energies and L of the figures, also as they are written in a paper."""
    ordered = lifetimes.transpose(..., "energy", "L")
    names = [name for name in ("tau", "tau_low", "tau_high", "tau_limit", "tau_sd") if name in lifetimes]
    rows = []
    for i in nearest(lifetimes["energy"].to_numpy(), energies):
        for j in nearest(lifetimes["L"].to_numpy(), L):
            cell = ordered.isel(energy=i, L=j)
            numbers = {name: _number(cell[name]) for name in names}
            said = {"text": tau_text(cell), "n_storms": int(cell["n_storms"])}
            rows.append({"energy": float(cell["energy"]), "L": float(cell["L"]), **numbers, **said})
    return rows


def _theory(comparison: xr.Dataset) -> dict[str, Any]:
    verdicts = {name: int((comparison["verdict"] == value).sum()) for name, value in VERDICTS.items() if name != "no_observation"}
    # The first fit is that of all L together.
    whole = comparison.isel(fit=0)
    factors = {name: _number(whole[name]) for letter in ("a", "b") for name in (letter, f"{letter}_low", f"{letter}_high") if name in whole}
    return {"verdicts": verdicts, "factors": factors}


def _energy(decays: xr.Dataset) -> list[dict[str, Any]]:
    """Give the mean decay of the whole energy, and of the index, in each part of the recovery."""
    rows = []
    for window in decays["window"].to_numpy():
        mean = decays.sel(window=window, storm=0)
        for k in range(mean.sizes["series"]):
            one = mean.isel(series=k)
            if str(one["quantity"].item()) == "energy_density" or str(one["band"].item()) not in ("", "all"):
                continue
            said = {"window": str(window), "quantity": str(one["quantity"].item()), "text": tau_text(one), "n_storms": int(one["n"])}
            rows.append(said | {name: _number(one[name]) for name in ("tau", "tau_low", "tau_high", "tau_limit")})
    return rows


def _against(lifetimes: xr.Dataset, truth: xr.Dataset) -> dict[str, int] | None:
    """Count the intervals and limits of a simulated run that hold the truth; None in paper mode, which has no intervals of the mean."""
    if "rate_low" not in lifetimes:
        return None
    true = truth["population_rate"].sel(L=lifetimes["L"], method="nearest").sel(energy=lifetimes["energy"], method="nearest")
    rate = true.transpose("energy", "L").to_numpy()
    low, high, limit = (lifetimes[name].transpose("energy", "L").to_numpy() for name in ("rate_low", "rate_high", "tau_limit"))
    return {
        "intervals": int(np.isfinite(low).sum()),
        "intervals_held": int(((low <= rate) & (rate <= high)).sum()),
        "limits": int(np.isfinite(limit).sum()),
        "limits_held": int((np.isfinite(limit) & (limit <= 1 / rate)).sum()),
    }


def _number(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records"))
    return rows
