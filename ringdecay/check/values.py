"""Energies, pitch angles, quality flags and flux: whether the numbers are those of the product and make sense."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.check.expectation import Row, Subject, Verdict, holds_if, iso_day, share
from ringdecay.flux import MIN_COVERAGE, omnidirectional
from ringdecay.flux.units import energy_to_kev, flux_to_per_kev

# Our bounds, cm-2 s-1 sr-1 keV-1. Protons of 100 keV reach some 1e6 in great storms, and those of some eV 1e9 (10 cm-3 at 1 eV would be
# 1e9); 1e10 is none of them. A day whose largest value is below 1 has no ring current in it, or another unit than it says.
_MOST, _LEAST = 1e10, 1.0


def energy_rows(subject: Subject, opened: xr.Dataset | None) -> list[Row]:
    """Compare the energies with the tables of the description, and say what pitch angles there are."""
    energy = opened["energy"].to_numpy() if opened is not None else _raw_energies(subject)
    if not energy.size:
        return [Row("energies", "table", "rising positive energies", "none", "fails")]
    product = subject.product
    found = f"{energy.size} channels, {energy[0]:.4g} to {energy[-1]:.4g} keV"
    day = iso_day(subject.date) if subject.date and len(subject.date) == 8 else None
    tables = [one for one in product.energy_tables if day is None or ((one.start or "")[:10] <= day <= (one.stop or "9999")[:10])]
    rows = []
    if not tables:
        rows.append(Row("energies", "table", "not described", found, "unknown"))
    else:
        expected = " or ".join(f"{len(one.energies)} channels, {one.energies[0]:g} to {one.energies[-1]:g} keV" for one in tables)
        off = [float(np.max(np.abs(energy / one.energies - 1.0))) for one in tables if len(one.energies) == energy.size]
        best = min(off, default=np.inf)
        found += "" if not off else ", those of NASA's record" if best < 1e-4 else f", within {100 * best:.2g} % of NASA's record"
        verdict: Verdict = "fails" if best > product.energy_tolerance else holds_if(best <= 0.005)
        rows.append(Row("energies", "table", expected, found, verdict))
    other = int(opened.attrs.get("n_records_other_energies", 0)) if opened is not None else 0
    if other:
        varies = product.variables["energy"].record_varying
        text = f"{other:,} records have another table and are left out"
        rows.append(Row("energies", "one table", "for all records" if not varies else "for most records", text, holds_if(varies)))
    return rows + _pitch_angle_rows(subject)


def _raw_energies(subject: Subject) -> npt.NDArray[np.float64]:
    """Energies as they stand, of the first record; what is not above zero is no channel of the ion."""
    variable = subject.read("energy")
    factor = energy_to_kev(variable.units) if variable is not None else None
    if variable is None or factor is None or variable.values.dtype.kind not in "fiu" or not variable.values.size:
        return np.empty(0)
    values = variable.values[0] if variable.record_varying else variable.values
    values = np.asarray(values, dtype=np.float64).ravel()
    values = np.unique(values) if "telescope" in subject.product.sizes else values
    return np.asarray(values[(values > 0) & (values < 1e30)] * factor)


def _pitch_angle_rows(subject: Subject) -> list[Row]:
    variable = subject.read("pitch_angle")
    if variable is None or variable.values.dtype.kind not in "fiu":
        return []
    # Not masked: a valid range would hide what lies outside.
    angles = variable.values.astype(np.float64)
    known = angles[np.abs(angles) < 1e30]
    if not known.size:
        return [Row("energies", "pitch angles", "0 to 180 deg", "no value", "differs")]
    number = f"{known.size}, " if not variable.record_varying else f"missing {share(angles.size - known.size, angles.size)}, "
    found = f"{number}{known.min():.4g} to {known.max():.4g} deg"
    bounds = subject.read("pitch_angle_range")
    if bounds is not None and bounds.values.dtype.kind in "fiu" and bounds.values.size:
        found += f"; ranges from {bounds.values.min():.4g} to {bounds.values.max():.4g}"
    return [Row("energies", "pitch angles", "0 to 180 deg", found, holds_if(known.min() >= 0 and known.max() <= 180))]


def quality_rows(subject: Subject) -> list[Row]:
    """Say which flags there are, how often, and how many are good."""
    rows = []
    if "quality" in subject.product.variables:
        good = subject.product.good_quality
        variable = subject.read("quality")
        if variable is not None and variable.values.dtype.kind in "iuf" and variable.values.size:
            flags, often = np.unique(variable.values, return_counts=True)
            order = np.argsort(-often)
            n_good = int(often[np.isin(flags, good)].sum())
            listed = ", ".join(f"{flags[i]:g} ({share(int(often[i]), variable.values.size)})" for i in order[:6])
            listed += f" and {flags.size - 6} more" if flags.size > 6 else ""
            verdict: Verdict = "fails" if not n_good else holds_if(n_good >= 0.5 * variable.values.size)
            expected = f"{' or '.join(map(str, good))} is good; most are"
            rows.append(Row("quality", variable.name, expected, listed, verdict))
    elif subject.product.kind == "flux":
        rows.append(Row("quality", "flags", "none described", "none applied", "unknown"))
    for role in ("position_quality", "pitch_angle_quality"):
        variable = subject.read(role)
        if variable is not None and variable.values.dtype.kind in "iu" and variable.values.size:
            bad = int((variable.values != 0).sum())
            found = f"bad: {share(bad, variable.values.size)}"
            rows.append(Row("quality", variable.name, "0 is good; most are", found, holds_if(bad <= 0.5 * variable.values.size)))
    return rows


def flux_rows(subject: Subject, opened: xr.Dataset | None) -> list[Row]:
    """Say how much flux is missing, zero or negative, its extremes and errors, and how it compares with the file's own average."""
    variable = subject.read("flux")
    if variable is None or variable.values.dtype.kind != "f" or not variable.values.size:
        return []
    values = variable.masked()
    raw, size = variable.values, values.size
    missing = int(np.isnan(values).sum())
    zero, negative = int((raw == 0).sum()), int(((raw < 0) & (raw > -1e30)).sum())
    found = f"missing {share(missing, size)}, zero {share(zero, size)}, negative {share(negative, size)}"
    # Channels of other ions and unused pitch angles are fill in some products.
    rows = [Row("values", variable.name, "mostly measured, none negative", found, holds_if(missing <= 0.9 * size and not negative))]
    factor = flux_to_per_kev(variable.units)
    used = opened["flux"].to_numpy() if opened is not None else values * factor if factor is not None else None
    if used is not None:
        positive = used[used > 0]
        expected = f"largest from {_LEAST:g} to {_MOST:g} cm-2 s-1 sr-1 keV-1"
        found = f"{positive.min():.2g} to {positive.max():.2g}" if positive.size else "no value above zero"
        plausible = positive.size and _LEAST <= positive.max() <= _MOST
        after = "flux that is used" if opened is not None else "flux"
        rows.append(Row("values", after, expected, found, holds_if(plausible)))
    if opened is not None:
        rows += _error_rows(opened)
        rows += _own_average_rows(subject, opened)
    return rows


def _error_rows(opened: xr.Dataset) -> list[Row]:
    if "counting_error" not in opened:
        return [Row("values", "counting error", "in the file, or counts", "neither", "unknown")]
    error, flux = opened["counting_error"].to_numpy(), opened["flux"].to_numpy()
    of_flux = error[flux > 0]
    known = of_flux[np.isfinite(of_flux)]
    if not known.size:
        return [Row("values", "counting error", "above 0 to 100 %", "no value", "differs")]
    missing = share(of_flux.size - known.size, of_flux.size)
    found = f"{known.min():.2g} to {known.max():.3g} %, median {np.median(known):.2g} %, missing {missing}"
    # One count is 100 %; averages over records, such as those of the real HOPE file, have fewer in some channels.
    good = known.min() > 0 and np.median(known) <= 100.0 and known.size > 0.5 * of_flux.size
    return [Row("values", "counting error", "above 0, most to 100 %, for most of the flux", found, holds_if(good))]


def _own_average_rows(subject: Subject, opened: xr.Dataset) -> list[Row]:
    """Compare our omnidirectional flux with that of the file: a wrong order of axes, bins or units would show."""
    name = subject.product.variables["flux"].name
    if "telescope" in subject.product.sizes:
        return []
    for other, factor in ((f"{name}_OmniFlux", 1.0 / (4.0 * np.pi)), (f"{name[:-1]}O", 1.0)):
        variable = subject.read_name(other)
        if variable is None:
            continue
        # RBSPICE's is per area, time and energy over the whole sphere; with a steradian it has the dimension of a flux.
        to_ours = flux_to_per_kev(f"{variable.units} sr" if other.endswith("_OmniFlux") else variable.units)
        label = f"average, {other}"
        expected = f"{other}{' / 4 pi' if factor != 1.0 else ''} of the file, to 2 %"
        time = subject.time
        if to_ours is None or variable.values.shape != (time.size, opened.sizes["energy"]) or variable.values.dtype.kind != "f":
            return [Row("values", label, expected, f"not comparable: unit {variable.units!r}, sizes {variable.values.shape}", "unknown")]
        order = np.argsort(time, kind="stable")
        at = order[np.searchsorted(time[order], opened["time"].to_numpy())]
        own = variable.masked()[at].astype(np.float64) * (to_ours * factor)
        # Where the whole sphere was measured, there is only one average; in the real HOPE file that is nowhere.
        for coverage in (0.999, MIN_COVERAGE):
            ours = omnidirectional(opened, min_coverage=coverage).to_numpy()
            both = (own > 0) & (ours > 0)
            if both.any():
                break
        if not both.any():
            return [Row("values", label, expected, "nothing to compare", "unknown")]
        ratio = float(np.median(ours[both] / own[both]))
        found = f"median ratio {ratio:.4g} over {int(both.sum()):,} values"
        return [Row("values", label, expected, found, holds_if(abs(ratio - 1.0) <= 0.02))]
    return [Row("values", "average", "one of the file's own to compare with", "none", "unknown")]
