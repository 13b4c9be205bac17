"""Storms, and binned flux."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.binned import file_table
from ringdecay.store import is_simulated
from ringdecay.summaries.maps import minute
from ringdecay.summaries.page import Cell, Summary, Table

# More storms than this are summed up by class alone.
_MOST_STORMS = 100
_MOST_REASONS = 5


def storms_summary(storms: pd.DataFrame) -> Summary:
    """Summarise a table of storms: how many of each class, and a row a storm."""
    facts = [("storms", str(len(storms)))]
    if len(storms):
        facts.append(("from", f"{minute(storms['onset'].min())} to {minute(storms['recovery_end'].max())} UTC"))
        deepest = storms.iloc[int(storms["depth"].to_numpy().argmin())]
        facts.append(("deepest", f"storm {deepest['storm']}, {deepest['depth']:g} nT, {minute(deepest['minimum'])} UTC"))
        classes = storms.groupby("storm_class")["depth"].agg(["size", "max"]).sort_values("max", ascending=False)["size"]
        facts.append(("classes", ", ".join(f"{count} {name}" for name, count in classes.items())))
    columns = {"storm": "storm", "onset": "onset (UTC)", "minimum": "minimum (UTC)", "last_minimum": "last minimum (UTC)"}
    columns |= {"recovery_end": "recovery ends (UTC)", "depth": "depth (nT)", "storm_class": "class", "n_dips": "dips", "complete": "whole"}
    rows = []
    for row in storms.head(_MOST_STORMS).to_dict("records"):
        words = [_storm_word(row[name]) for name in columns if name in row]
        rows.append(tuple(map(Cell, words)))
    notes = (f"The first {_MOST_STORMS} storms are shown.",) if len(storms) > _MOST_STORMS else ()
    table = Table("A row a storm", tuple(head for name, head in columns.items() if name in storms), tuple(rows), notes)
    return Summary("Storms", is_simulated(storms), tuple(facts), (table,) if rows else ())


def binned_summary(binned: xr.Dataset) -> Summary:
    """Summarise binned flux: what it is, from which files, and how full the bins are."""
    attrs = binned.attrs
    facts = [("data", ", ".join(str(attrs[name]) for name in ("product", "ion", "flux") if attrs.get(name)))]
    n_times = binned.sizes["time"]
    width = f"{float(attrs['time_bin_hours']):g} h" if "time_bin_hours" in attrs else "not known"
    span = f"{minute(binned['time'].to_numpy()[0])} to {minute(binned['time'].to_numpy()[-1])} UTC" if n_times else "none"
    facts.append(("time", f"{n_times} bins of {width}, centres {span}"))
    for name, unit in (("L", ""), ("energy", " keV")):
        values = binned[name].to_numpy()
        ends = f", {values[0]:g} to {values[-1]:g}{unit}" if values.size else ""
        facts.append(("L-shells" if name == "L" else "energies", f"{values.size}{ends}"))
    facts += [(name, str(attrs[name])) for name in ("L_method", "max_MLAT", "excluded") if name in attrs]
    tables = [_probes(binned), _channels(binned)]
    return Summary(str(attrs.get("title", "Binned flux")), is_simulated(binned), tuple(facts), tuple(tables), _refused(binned))


def _storm_word(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return minute(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _probes(binned: xr.Dataset) -> Table:
    """Give a row a probe: its files and how many bins have samples."""
    files = file_table(binned) if "file_status" in binned else pd.DataFrame({"probe": [], "status": []})
    rows = []
    for probe in map(str, binned["probe"].to_numpy()):
        own = files if probe == "merged" else files[files["probe"] == probe]
        there = (binned["n_samples"].sel(probe=probe) > 0).to_numpy()
        used = int((own["status"] == "used").sum())
        share = f"{100 * there.mean():.1f} %" if there.size else "0 %"
        rows.append(tuple(map(Cell, (probe, str(used), str(len(own) - used), f"{int(there.sum())}", share))))
    heads = ("probe", "files used", "files refused", "bins with samples", "share of all bins")
    return Table("Probes (a bin is a time bin in an L-shell and an energy)", heads, tuple(rows))


def _channels(binned: xr.Dataset) -> Table:
    """Give a row an energy: how many counts its bins have."""
    rows = []
    for k, energy in enumerate(binned["energy"].to_numpy()):
        one = binned[["n_samples", "sum_flux", "counts"]].isel(energy=k)
        there = (one["n_samples"] > 0).to_numpy()
        counts, flux = one["counts"].to_numpy()[there], one["sum_flux"].to_numpy()[there]
        zero = f"{100 * (flux == 0).mean():.1f} %" if there.any() else "0 %"
        middle = _count(np.nanmedian(counts)) if np.isfinite(counts).any() else "not known"
        rows.append(tuple(map(Cell, (f"{energy:g} keV", str(int(there.sum())), zero, middle))))
    return Table("Channels", ("energy", "bins with samples", "of them without flux", "counts in a bin (median)"), tuple(rows))


def _count(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def _refused(binned: xr.Dataset) -> tuple[str, ...]:
    """Say which files were refused, and why."""
    if "file_status" not in binned:
        return ()
    files = file_table(binned)
    refused = files[files["status"] != "used"]
    notes = [f"Refused: {row['name']}: {row['reason']}" for row in refused.head(_MOST_REASONS).to_dict("records")]
    more = len(refused) - len(notes)
    return (*notes, *([f"And {more} more files were refused; see binned.file_table."] if more > 0 else []))
