"""All that the page shows, as plain values and arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ringdecay.explorer.choices import Choice, choices, mean_over_storms
from ringdecay.explorer.packing import rounded
from ringdecay.explorer.series import flux_series, index_series, spans
from ringdecay.lifetime.fits import kinds, one_probe
from ringdecay.plots.labels import L_label, energy_label, flux_kind, source
from ringdecay.plots.style import COLOURS, SIMULATED_COLOUR, edges, log_edges
from ringdecay.store import is_simulated, iso_times
from ringdecay.tables import flagged, grows

Floats = npt.NDArray[np.floating]

_DAY = np.timedelta64(86_400_000_000_000, "ns")
#: What the page shows of each fit, of its points and window, of each mean over storms, and of theory; as far as it is there.
FIT = ("rate", "rate_se", "rate_low", "rate_high", "tau_limit")
POINTS = (
    "n", "n_eff", "rho", "r2", "start", "stop", "log_flux_start", "floor", "probe_offset", "index_change", "flag",
)  # fmt: skip
MEAN = (
    "tau", "tau_low", "tau_high", "tau_limit", "tau_sd", "rate", "rate_se", "rate_low", "rate_high", "scatter", "tau_pred_low",
    "tau_pred_high", "q_value", "n_storms", "n_resolved", "n_limits", "n_growth", "n_lost", "n_accepted", "flag",
)  # fmt: skip
THEORY = ("rate_predicted", "rate_predicted_low", "rate_predicted_high", "ratio", "ratio_low", "ratio_high", "verdict")
# Bits of the mantissa of compared rates: five digits. There may be half a dozen estimators, and a mission has 100,000 fits of each.
COMPARED_BITS = 16
# What a cell is, in the order of its number in the page.
KINDS = ("none", "resolved", "limit", "growth", "lost")


def contents(
    binned: xr.Dataset,
    all_decays: Sequence[xr.Dataset],
    lifetimes: xr.Dataset,
    *,
    theory: xr.Dataset,
    index: xr.DataArray,
    storms: pd.DataFrame,
) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Collect what the page shows.

    Parameters
    ----------
    binned : Dataset
        From `with_merged_probe`.
    all_decays : sequence of Dataset
        From `fit_decays`: those of the run, then those in other modes.
    lifetimes, theory : Dataset
        From `lifetimes` and `compare_with_theory`, of the first of the decays.
    index : DataArray
        Storm index.
    storms : DataFrame
        From `find_storms`.

    Returns
    -------
    said : dict
        Ready for JSON: `about`, `energy`, `L` and their edges, `storms`, `probes`, `choices`, `flags`, `variables`, and `blocks`, which
        says of each array what is along its first axis and its shape.
    arrays : dict of ndarray
        `fits/<k>` over (variable, storm, probe, energy, L) and `mean/<k>` over (variable, probe, energy, L) for the k-th choice;
        `points/<s>` over (variable, storm, probe, energy, L) for the s-th decays, with times in days from the storm's minimum; `theory`
        over (variable, energy, L); `flux_days`, `flux` and `flux_error` over (time, probe, L, energy), storms one after the other as
        `storms[].flux` says; `index_days` and `index`.
    """
    ordered = [one.transpose(..., "storm", "probe", "energy", "L") for one in all_decays]
    first = ordered[0]
    found = choices(ordered)
    probes = [str(name) for name in first["probe"].to_numpy()]
    arrays: dict[str, Floats] = {}
    variables: dict[str, list[str]] = {}

    def add(name: str, values: Mapping[str, Floats]) -> None:
        arrays[name], variables[name] = np.stack([np.asarray(value, dtype=np.float64) for value in values.values()]), list(values)

    means = []
    for k, choice in enumerate(found):
        each = [mean_over_storms(choice, probe, lifetimes) for probe in probes]
        means.append(each[probes.index(str(lifetimes.attrs.get("probe", "merged")))])
        add(f"fits/{k}", _fit_values(choice, probes))
        if not choice.own:
            arrays[f"fits/{k}"] = rounded(arrays[f"fits/{k}"], COMPARED_BITS)
        add(f"mean/{k}", _mean_values(each))
    for s, one in enumerate(ordered):
        add(f"points/{s}", {name: _plain(one, name) for name in POINTS if name in one})
    beside = theory.transpose("energy", "L", ...)
    add("theory", {name: beside[name].to_numpy() for name in THEORY if name in beside})

    drawn = spans(ordered)
    per_storm = flux_series(binned, first["minimum"], drawn, arrays)
    of_index = index_series(index, first["minimum"], drawn, arrays)
    energy, shells = (first[name].to_numpy().astype(np.float64) for name in ("energy", "L"))
    said = {
        "about": _about(binned, first, lifetimes, theory, index),
        "energy": energy.tolist(),
        "L": shells.tolist(),
        "energy_edges": log_edges(energy).tolist(),
        "L_edges": edges(shells).tolist(),
        "tau_range": _tau_range(means[0]),
        "probes": probes,
        "flux_probes": [str(name) for name in binned["probe"].to_numpy()],
        "storms": [
            one | {"span": list(span), "flux": flux, "index": part}
            for one, span, flux, part in zip(_storms(storms), drawn, per_storm, of_index, strict=True)
        ],
        "choices": [
            {"mode": one.mode, "estimator": one.estimator, "points": one.series, "own": one.own, "probes": one.probes} for one in found
        ],
        "kinds": list(KINDS),
        "flags": {"fit": _flags(first["flag"]), "mean": _flags(lifetimes["flag"])},
        "verdicts": _verdicts(theory),
        "variables": {"fits": _described(ordered), "mean": _described([lifetimes, *means, beside])},
        "blocks": {name: {"variables": variables.get(name, []), "shape": list(array.shape)} for name, array in arrays.items()},
        "colours": {"series": list(COLOURS), "simulated": SIMULATED_COLOUR},
    }
    return said, arrays


def _fit_values(choice: Choice, probes: Sequence[str]) -> dict[str, Floats]:
    values = {name: choice.decays[name].to_numpy() for name in FIT if name in choice.decays}
    of_fits = [kinds(one_probe(choice.decays, probe)) for probe in probes]
    names = ("n_resolved", "n_limits", "n_growth", "n_lost")
    values["kind"] = np.stack([np.select([one[name] for name in names], [1, 2, 3, 4], 0) for one in of_fits], axis=1)
    return values


def _mean_values(means: Sequence[xr.Dataset]) -> dict[str, Floats]:
    """Values of the means over storms of several probes, probe first."""
    each = [one.transpose("energy", "L", ...) for one in means]
    # What the run says of its own means is more than is found here for the others.
    nothing = np.full(each[0]["flag"].shape, np.nan)
    names = [name for name in MEAN if any(name in one for one in each)]
    values = {name: np.stack([one[name].to_numpy() if name in one else nothing for one in each]) for name in names}
    values["kind"] = np.stack([_mean_kind(one) for one in each])
    return values


def _mean_kind(mean: xr.Dataset) -> npt.NDArray[np.int64]:
    """Say of each cell what `KINDS` it is; "lost" only where fast storms were lost and nothing is left."""
    growing, known = grows(mean).to_numpy(), np.isfinite(mean["tau"].to_numpy())
    limit = np.isfinite(mean["tau_limit"].to_numpy()) if "tau_limit" in mean else np.zeros(known.shape, dtype=bool)
    lost = flagged(mean, "storms_lost_to_floor").to_numpy()
    return np.select([growing, limit, known, lost], [3, 2, 1, 4], 0)


def _plain(decays: xr.Dataset, name: str) -> Floats:
    """Values of a variable; times as days from the storm's minimum."""
    values = decays[name].to_numpy()
    if values.dtype.kind != "M":
        return values
    minimum = decays["minimum"].to_numpy().astype("datetime64[ns]")[:, None, None, None]
    return np.asarray((values.astype("datetime64[ns]") - minimum) / _DAY)


def _storms(storms: pd.DataFrame) -> list[dict[str, Any]]:
    """Give one record a storm, times as text."""
    table = pd.DataFrame({name: storms[name] for name in ("storm", "depth", "storm_class")})
    for name in ("onset", "minimum", "last_minimum", "recovery_end"):
        table[name] = iso_times(storms[name].to_numpy().astype("datetime64[ns]"))
    return [{str(key): value for key, value in record.items()} for record in table.to_dict("records")]


def _about(binned: xr.Dataset, decays: xr.Dataset, lifetimes: xr.Dataset, theory: xr.Dataset, index: xr.DataArray) -> dict[str, Any]:
    names = (
        "product", "L_definition", "L_method", "max_MLAT", "time_bin_hours", "floor_from", "window", "start_delay_days", "max_days",
        "excluded",
    )  # fmt: skip
    return {
        "simulated": is_simulated(binned, decays, lifetimes, index),
        "source": source(decays),
        "flux": flux_kind(decays),
        "energy_label": energy_label(decays),
        "L_label": L_label(decays),
        "flux_unit": str(decays.attrs.get("units_flux", "cm-2 s-1 sr-1 keV-1")),
        "confidence": float(decays.attrs.get("confidence", 0.95)),
        "r_max": float(decays.attrs.get("r_max", -0.8)),
        "mode": str(decays.attrs.get("mode", "")),
        "probe": str(lifetimes.attrs.get("probe", "merged")),
        "index_name": str(index.name or "index"),
        "index_unit": str(index.attrs.get("units", "nT")),
        "theory_source": str(theory.attrs.get("theory_source", "")),
        "attributes": {name: str(decays.attrs[name]) for name in names if name in decays.attrs},
    }


def _tau_range(mean: xr.Dataset) -> list[float]:
    """Lowest and highest decay time of the colour scale, the same for all choices and storms; as in `plots.lifetime_map`."""
    limit = mean["tau_limit"].to_numpy() if "tau_limit" in mean else np.full(mean["tau"].shape, np.nan)
    shown = np.where(np.isfinite(limit), limit, mean["tau"].to_numpy())
    known = shown[np.isfinite(shown) & ~grows(mean).to_numpy()]
    low, high = np.quantile(known, [0.02, 0.98]) if known.size else (1.0, 10.0)
    return [float(low / 1.02), float(high * 1.02)]


def _flags(flag: xr.DataArray) -> dict[str, int]:
    masks = np.atleast_1d(flag.attrs["flag_masks"]).tolist()
    return dict(zip(str(flag.attrs["flag_meanings"]).split(), masks, strict=True))


def _verdicts(theory: xr.Dataset) -> list[str]:
    """Words of the verdicts, by their number."""
    said = theory["verdict"].attrs
    words = dict(zip(np.atleast_1d(said["flag_values"]).tolist(), str(said["flag_meanings"]).split(), strict=True))
    return [words.get(number, "") for number in range(max(words) + 1)]


def _described(datasets: Iterable[xr.Dataset]) -> dict[str, dict[str, str]]:
    """Give unit and meaning of every variable that the page shows, as the first that has it says."""
    out: dict[str, dict[str, str]] = {}
    for dataset in datasets:
        for name in {*FIT, *POINTS, *MEAN, *THEORY} & set(dataset.data_vars):
            attributes = dataset[name].attrs
            said = {key: str(attributes.get(key, "")) for key in ("units", "long_name")}
            out.setdefault(name, said)
    return dict(sorted(out.items()))
