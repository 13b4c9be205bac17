"""What the fits of a run say, storm by storm, and what a single fit says."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from ringdecay.errors import unknown
from ringdecay.store import is_simulated
from ringdecay.summaries.flags import MEANINGS, flag_table, words_of
from ringdecay.summaries.maps import KINDS, NOTHING, about, kinds_of, minute, over_cells, storm_text
from ringdecay.summaries.page import Cell, Summary, Table
from ringdecay.tables import confidence_text, flagged, tau_text

_DAY_NS = 86_400e9


def decays_summary(decays: xr.Dataset, probe: str | None) -> Summary:
    """Summarise the fits of a run: a row a storm, and how often each flag is set."""
    one, probes = _of_probe(decays, probe)
    one = over_cells(one)
    facts = about(decays)
    facts.append(("storms", str(one.sizes["storm"])))
    facts.append(("cells", f"{one.sizes['energy']} energies, {one.sizes['L']} L-shells"))
    if probes:
        others = [name for name in probes if name != str(one["probe"].item())]
        facts.append(("probe", str(one["probe"].item()) + (f" (also there: {', '.join(others)})" if others else "")))
    rows, total = [], dict.fromkeys(KINDS, 0)
    for k in range(one.sizes["storm"]):
        storm = one.isel(storm=k)
        kinds = kinds_of(storm)
        counts = {kind: int((kinds == kind).sum()) for kind in KINDS}
        total = {kind: total[kind] + counts[kind] for kind in KINDS}
        words = [str(storm["storm"].item()), minute(storm["onset"].to_numpy()), f"{float(storm['depth']):g}", _median_days(storm)]
        rows.append(tuple(Cell(word) for word in [*words, *map(str, counts.values())]))
    number = sum(total.values())
    facts.append(("fits", f"{number}: " + ", ".join(f"{total[kind]} with {name}" for kind, name in KINDS.items())))
    heads = ("storm", "onset (UTC)", "depth (nT)", "days fitted", "decay time", "lower limit", "growing flux", "no result")
    tables = [Table("Storms: median length of the fits, and in how many cells (energy and L) there is what", heads, tuple(rows))]
    flags = flag_table(one["flag"], "fits")
    notes = ("The fits of one storm: summary(decays.sel(storm=..., probe=...)); one fit: with energy and L chosen, too.",)
    title = str(decays.attrs.get("title", "Decays"))
    return Summary(title, is_simulated(decays), tuple(facts), (*tables, *([flags] if flags else [])), notes)


def fit_summary(fit: xr.Dataset) -> Summary:
    """Summarise one fit: of a series of one's own, or one cell of a run."""
    value = {str(name): float(fit[name]) for name in fit.data_vars if not fit[name].ndim and fit[name].dtype.kind in "fi"}
    facts = [("storm", storm_text(fit))] if "storm" in fit.coords else []
    facts += [("cell", ", ".join(_cell_words(fit)))] if _cell_words(fit) else []
    facts.append(("decay time", _tau_words(fit)))
    if np.isfinite(value["rate"]):
        interval = f"{confidence_text(fit)} interval {value['rate_low']:.4g} to {value['rate_high']:.4g}"
        facts.append(("rate", f"{value['rate']:.4g} +- {value['rate_se']:.2g} per day ({interval})"))
        facts.append(("fitted", f"{int(value['n'])} bins, {_time_words(fit, 'start')} to {_time_words(fit, 'stop')}"))
        facts.append(("fluctuation", _fluctuation(value)))
        facts.append(("correlation", f"r2 of log flux and time {value['r2']:.3g}"))
        facts.append(("curvature", f"{value['curvature']:.2g} +- {value['curvature_se']:.2g} per day squared"))
        if bool(flagged(fit, "two_stages")):
            stages = f"{value['rate_fast']:.3g}, then {value['rate_slow']:.3g} per day from {_time_words(fit, 'break_time')}"
            facts.append(("two stages", stages))
    units = {"floor": "in the unit of the flux", "index_change": "nT from start to stop", "probe_offset": "(log of b over a)"}
    for name, unit in units.items():
        if np.isfinite(value.get(name, np.nan)):
            facts.append((name, f"{value[name]:.4g} {unit}"))
    facts += about(fit)
    set_ = [name for name, bit in words_of(fit["flag"]).items() if int(fit["flag"]) & bit]
    flags = Table("Flags that are set", ("flag", "meaning"), tuple((Cell(name), Cell(MEANINGS.get(name, ""))) for name in set_))
    tables = (*([flags] if set_ else []), *([_estimators(fit)] if "rate_by_estimator" in fit else []))
    notes = () if set_ else ("No flag is set.",)
    return Summary(str(fit.attrs.get("title", "Decay of one series")), is_simulated(fit), tuple(facts), tables, notes)


def _of_probe(decays: xr.Dataset, probe: str | None) -> tuple[xr.Dataset, list[str]]:
    """Choose a probe: the one that is named, else both merged, else the first."""
    if "probe" not in decays.dims:
        return decays, []
    probes = [str(name) for name in decays["probe"].to_numpy()]
    if probe is not None and probe not in probes:
        raise unknown("probe", probe, probes)
    chosen = probe or ("merged" if "merged" in probes else probes[0])
    return decays.isel(probe=probes.index(chosen)), probes


def _median_days(storm: xr.Dataset) -> str:
    start, stop = (storm[name].to_numpy().astype("datetime64[ns]") for name in ("start", "stop"))
    length = (stop - start)[~np.isnat(start) & ~np.isnat(stop)].astype(np.int64) / _DAY_NS
    return f"{np.median(length):.1f}" if length.size else NOTHING


def _cell_words(fit: xr.Dataset) -> list[str]:
    known = {name: fit.coords[name].item() for name in ("energy", "L", "probe") if name in fit.coords and not fit.coords[name].ndim}
    said = {"energy": "{:g} keV", "L": "L {:g}", "probe": "probe {}"}
    return [said[name].format(value) for name, value in known.items()]


def _tau_words(fit: xr.Dataset) -> str:
    text = tau_text(fit)
    if text.startswith(">"):
        return f"{text} days: no decay is resolved, this is a one-sided limit"
    return {"": "none: there is no fit", "growing": "none: the flux grows"}.get(text, f"{text} days")


def _time_words(fit: xr.Dataset, name: str) -> str:
    value: Any = fit[name].to_numpy()
    return minute(value) if value.dtype.kind == "M" else f"day {float(value):.4g}"


def _fluctuation(value: dict[str, float]) -> str:
    if not np.isfinite(value["sigma"]):
        return "not estimated"
    known = f", {value['n_eff']:.3g} independent bins" if np.isfinite(value["n_eff"]) else ""
    return f"{value['sigma']:.2g} in log flux for {value['theta']:.2g} days; neighbours correlate by {value['rho']:.2g}{known}"


def _estimators(fit: xr.Dataset) -> Table:
    rows = []
    for name in fit["estimator"].to_numpy():
        one = {key: float(fit[f"{key}_by_estimator"].sel(estimator=name)) for key in ("rate", "rate_se", "rate_low", "rate_high")}
        text = [f"{one['rate']:.4g}", f"{one['rate_se']:.2g}", f"{one['rate_low']:.4g} to {one['rate_high']:.4g}"]
        rows.append((Cell(str(name)), *(Cell(word) for word in (text if np.isfinite(one["rate"]) else [NOTHING] * 3))))
    heads = ("estimator", "rate", "standard error", f"{confidence_text(fit)} interval")
    note = "Only the errors of gls and exponential_floor know that neighbouring bins fluctuate together."
    return Table("Rates by all estimators, per day", heads, tuple(rows), (note,))
