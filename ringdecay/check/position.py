"""Where the records were taken: ranges, and whether L and MLT agree with the position in the same file."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from ringdecay.check.expectation import Row, Subject, holds_if, is_number, share, times_of
from ringdecay.ephemeris import dipole_L, magnetic_local_time
from ringdecay.flux.units import length_to_earth_radii

# Coordinate of the reader: unit, plausible median, and the range that all values should lie in. The probes flew from 1.1 to 5.9 Earth
# radii at inclinations of 10 deg; the dipole axis is tilted by 10 deg, so that dipole L stays below 8 or so. L* and McIlwain's L may
# be large on distorted field lines.
_PLAUSIBLE = {
    "L": ("", (1.0, 8.0), (0.9, 12.0)),
    "L_eq": ("", (1.0, 8.0), (0.9, 1000.0)),
    "L_star": ("", (1.0, 8.0), (0.9, 1000.0)),
    "MLT": (" h", (0.0, 24.0), (0.0, 24.0)),
    "MLAT": (" deg", (-22.0, 22.0), (-22.0, 22.0)),
}
# The dipole has changed by a degree or so since any model of it; RBSPICE's L is that of a dipole, so that it should agree closely.
_MOST_L_DIFFERENCE, _MOST_MLT_DIFFERENCE = 0.1, 0.5


def position_rows(subject: Subject, opened: xr.Dataset) -> list[Row]:
    """Say the ranges of the coordinates of the file, or of those made from its position, and compare them with the position."""
    rows = []
    for name, (unit, middle, limits) in _PLAUSIBLE.items():
        in_file = name in subject.present
        if not in_file and name not in opened.variables:
            continue
        # What the file says, not what the reader takes of it: it leaves out what cannot be.
        values = _stored(subject, name) if in_file else opened[name].to_numpy().ravel()
        known = values[np.isfinite(values)]
        expected = f"{limits[0]:g} to {limits[1]:g}{unit}"
        if not known.size:
            rows.append(Row("position", name, expected, "no value", "differs"))
            continue
        found = f"{known.min():.3g} to {known.max():.3g}{unit}, missing {share(values.size - known.size, values.size)}"
        method = str(opened[name].attrs.get("method", "")) if name in opened.variables else "not taken by the reader"
        good = limits[0] <= known.min() and known.max() <= limits[1] and middle[0] <= np.median(known) <= middle[1]
        good = good and name in opened.variables
        rows.append(Row("position", name, expected, f"{found}; {method}" if method else found, holds_if(good)))
    if "L" not in opened.variables:
        rows.append(Row("position", "L", "in the file, or a position to make it from", "neither: no binning in L", "differs"))
    return rows + _comparisons(subject, opened)


def _stored(subject: Subject, role: str) -> npt.NDArray[np.float64]:
    """Values of the file without its fills."""
    variable = subject.read(role)
    if variable is None or variable.values.dtype.kind not in "fiu":
        return np.empty(0)
    values = variable.values.astype(np.float64).ravel()
    fill = variable.attributes.get("FILLVAL")
    return np.where((np.abs(values) >= 1e30) | (is_number(fill) & (values == fill)), np.nan, values)


def _of_file(subject: Subject, opened: xr.Dataset, name: str) -> bool:
    """Whether the reader took a coordinate from the variable of that name, so that it can be compared with the position."""
    return (
        name in opened.variables
        and name in subject.present
        and str(opened[name].attrs.get("method", "")).startswith(subject.present[name].name)
    )


def _comparisons(subject: Subject, opened: xr.Dataset) -> list[Row]:
    rows = []
    time = opened["time"].to_numpy()
    position = _position(subject, "position_SM", time)
    other = position if position is not None else _position(subject, "position", time)
    if other is not None and "MLAT" in opened.variables and _of_file(subject, opened, "L"):
        radius = np.linalg.norm(other, axis=-1)
        difference = np.abs(opened["L"].to_numpy() - dipole_L(radius, opened["MLAT"].to_numpy()))
        rows.append(_median_row("L by position", "dipole L of the position", difference, _MOST_L_DIFFERENCE, ""))
    if position is not None and _of_file(subject, opened, "MLT"):
        with np.errstate(invalid="ignore"):
            difference = np.abs((opened["MLT"].to_numpy() - magnetic_local_time(position) + 12.0) % 24.0 - 12.0)
        rows.append(_median_row("MLT by position", "MLT of the SM position", difference, _MOST_MLT_DIFFERENCE, " h"))
    return rows


def _median_row(name: str, what: str, difference: npt.NDArray[np.float64], most: float, unit: str) -> Row:
    known = difference[np.isfinite(difference)]
    expected = f"{what}, to {most:g}{unit}"
    if not known.size:
        return Row("position", name, expected, "nothing to compare", "unknown")
    median = float(np.median(known))
    return Row("position", name, expected, f"median difference {median:.2g}{unit}", holds_if(median <= most))


def _position(subject: Subject, role: str, time: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64] | None:
    """Position at the times of the reader, Earth radii, linear between those of the file; None if there is none."""
    variable = subject.read(role)
    own = subject.read("ephemeris_time") or subject.read("time")
    if variable is None or own is None:
        return None
    at, values = times_of(own), variable.masked()
    factor = length_to_earth_radii(variable.units)
    if factor is None or values.shape != (at.size, 3) or values.dtype.kind != "f":
        return None
    known = ~np.isnat(at) & np.isfinite(values).all(axis=-1)
    if not known.any():
        return None
    x, first = np.unique(at[known].astype(np.int64), return_index=True)
    return np.stack([np.interp(time.astype(np.int64), x, values[known][first, i].astype(np.float64)) for i in range(3)], axis=-1) * factor
