"""Putting binned datasets together, and reading flux and time from their sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ringdecay.binned.grid import Exclusion, Grid
from ringdecay.binned.records import RECORDS, record_variables
from ringdecay.binned.sums import SUMS
from ringdecay.errors import InputError
from ringdecay.flux import dates_of_change, same_energies
from ringdecay.products import ion_name
from ringdecay.store import is_simulated

BY_PITCH_ANGLE = "_by_pitch_angle"
DIMS = ("probe", "time", "L", "energy")
# The table of files: column -> what a refused file has there.
FILE_COLUMNS: dict[str, Any] = {
    "file_name": "",
    "file_probe": "",
    "file_date": "",
    "file_status": "",
    "file_reason": "",
    "file_records": 0,
    "file_records_used": 0,
    "file_values_excluded": 0,
    "file_values_bad_quality": 0,
    # How the coordinates that records are binned by were found: in the file, or from its position.
    "file_L_method": "",
    "file_MLAT_method": "",
    "file_MLT_method": "",
}


def binned_dataset(
    omni: npt.NDArray[np.float64],
    resolved: npt.NDArray[np.float64] | None,
    first_bin: int,
    energy: npt.NDArray[np.float64],
    grid: Grid,
    files: pd.DataFrame,
    *,
    records: Mapping[str, npt.NDArray[np.int32]] | None = None,
    product: str,
    ion: str,
    probe: str,
    simulated: str,
    exclude: Sequence[Exclusion] = (),
) -> xr.Dataset:
    """Put names, coordinates and attributes to arrays of sums.

    Parameters
    ----------
    omni : ndarray, shape (len(SUMS), times, L, energies)
        Sums of the omnidirectional flux, in the order of `SUMS`.
    resolved : ndarray, shape (len(SUMS), times, L, energies, pitch angles), or None
        Sums of the flux by equatorial pitch angle.
    first_bin : int
        Number of the first time bin.
    energy : ndarray
        Channel energies, keV.
    grid : Grid
        The bins.
    files : DataFrame
        One row a file, with columns of `FILE_COLUMNS`; missing ones are filled.
    records : mapping of ndarray, optional
        From `count_records`.
    product, ion, probe, simulated : str
        Go into the attributes.
    exclude : sequence of Exclusion
        Goes into the attributes.
    """
    edges, angles = grid.L_edges, grid.pitch_angle_edges
    variables: dict[str, Any] = {}
    for i, (name, (units, long_name)) in enumerate(SUMS.items()):
        attributes = {"units": units, "long_name": long_name}
        variables[name] = (DIMS, omni[i][None], attributes)
        if resolved is not None:
            attributes = {"units": units, "long_name": f"{long_name}, by equatorial pitch angle"}
            variables[name + BY_PITCH_ANGLE] = ((*DIMS, "equatorial_pitch_angle"), resolved[i][None], attributes)
    coordinates: dict[str, Any] = {
        "probe": ("probe", np.array([probe], dtype=object), {"long_name": "Van Allen probe"}),
        **time_coordinates(grid, first_bin, omni.shape[1]),
        "L": (
            "L",
            np.round((edges[:-1] + edges[1:]) / 2, 6),
            {"long_name": f"centre of the L bin ({grid.L_definition})", "bounds": "L_bounds"},
        ),
        "L_bounds": (("L", "bound"), np.stack([edges[:-1], edges[1:]], axis=-1)),
        "energy": ("energy", energy, {"units": "keV", "long_name": "channel energy"}),
    }
    if resolved is not None:
        coordinates["equatorial_pitch_angle"] = (
            "equatorial_pitch_angle",
            (angles[:-1] + angles[1:]) / 2,
            {"units": "degree", "long_name": "centre of the bin of equatorial pitch angle", "bounds": "equatorial_pitch_angle_bounds"},
        )
        coordinates["equatorial_pitch_angle_bounds"] = (("equatorial_pitch_angle", "bound"), np.stack([angles[:-1], angles[1:]], axis=-1))
    if records is not None:
        counts, sectors = record_variables(records)
        variables |= counts
        coordinates |= sectors
    for column, default in FILE_COLUMNS.items():
        kind: Any = object if isinstance(default, str) else np.int64
        values = files[column].fillna(default) if column in files else pd.Series([default] * len(files))
        variables[column] = ("file", values.to_numpy(dtype=kind))
    return xr.Dataset(
        variables,
        coords=coordinates,
        attrs={
            "title": f"{ion_name({'ion': ion}).capitalize()} flux summed in bins of time, L-shell and energy",
            "product": product,
            "ion": ion,
            "flux": "omnidirectional",
            "L_definition": grid.L_definition,
            "L_method": _methods(variables["file_L_method"][1]),
            "max_MLAT": grid.max_MLAT,
            "time_bin_hours": grid.time_bin_hours,
            "first_bin": first_bin,
            "excluded": "; ".join(f"{rule.reason} ({rule.source})" for rule in exclude) or "nothing",
            "simulated": simulated,
        },
    )


def merge_binned(datasets: Iterable[xr.Dataset]) -> xr.Dataset:
    """Add binned datasets of different days, months or probes.

    Parameters
    ----------
    datasets : iterable of Dataset
        From `bin_flux`, with the same grid. They may touch or overlap in time: the sums of a bin are added.

    Returns
    -------
    Dataset
        Over all their probes and the whole span of time; a bin that no dataset has is empty (all sums 0). Datasets are added in
        the order (probe, time), whatever order they are given in.

    Raises
    ------
    InputError
        If there is none, or they differ in energies, bins, L definition or product.
    """
    given = list(datasets)
    if any(name not in ds for ds in given for name in SUMS):
        raise InputError("one of the datasets to merge is not binned flux (it lacks the sums that bin_flux makes)")
    given.sort(key=lambda ds: (str(ds.probe.values[0]), int(ds.attrs["first_bin"]) if ds.sizes["time"] else -1))
    if not given:
        raise InputError("there is nothing to merge: no binned dataset was given")
    _refuse_twice(given)
    filled = [ds for ds in given if ds.sizes["time"]]
    first = filled[0] if filled else given[0]
    for other in filled[1:]:
        for name in ("L", "energy", "equatorial_pitch_angle", "MLT", "MLAT"):
            here, there = (ds[name].to_numpy().tolist() if name in ds.coords else "none" for ds in (first, other))
            if here != there and not (name == "energy" and same_energies(first[name].to_numpy(), other[name].to_numpy())):
                changed = dates_of_change(str(first.attrs.get("product"))) if name == "energy" else ""
                advice = f"; the channels of {first.attrs['product']} changed at {changed}: split the run there" if changed else ""
                raise InputError(
                    f"binned data from {_span(first)} and from {_span(other)} differ in {name} ({here} and {there}); "
                    f"they cannot be added: run them separately{advice}"
                )
        for key in ("time_bin_hours", "L_definition", "max_MLAT", "product", "ion", "flux"):
            here, there = first.attrs.get(key), other.attrs.get(key)
            if here != there:
                raise InputError(f"binned data differ in {key} ({here} and {there}); bin them alike first")
    probes = sorted({str(probe) for ds in given for probe in ds.probe.values})
    starts = [int(ds.attrs["first_bin"]) for ds in filled]
    start = min(starts, default=0)
    n_times = max((begin + ds.sizes["time"] for begin, ds in zip(starts, filled, strict=True)), default=start) - start
    variables: dict[str, Any] = {}
    for name in sum_names(first):
        variable = first[name]
        total = np.zeros((len(probes), n_times, *variable.shape[2:]), dtype=variable.dtype)
        for ds in filled:
            at = int(ds.attrs["first_bin"]) - start
            rows = [probes.index(str(probe)) for probe in ds.probe.values]
            total[rows, at : at + ds.sizes["time"]] += ds[name].to_numpy()
        variables[name] = (variable.dims, total, variable.attrs)
    for column in FILE_COLUMNS:
        variables[column] = ("file", np.concatenate([ds[column].to_numpy() for ds in given]))
    coordinates: dict[Any, Any] = {name: first[name] for name in first.coords if "time" not in first[name].dims and name != "probe"}
    coordinates["probe"] = ("probe", np.array(probes, dtype=object), first["probe"].attrs)
    coordinates |= time_coordinates(Grid(time_bin_hours=float(first.attrs["time_bin_hours"])), start, n_times)
    simulated = "yes" if is_simulated(*given) else "no"
    excluded = sorted({str(ds.attrs["excluded"]) for ds in given} - {"nothing"})
    attributes = {**first.attrs, "first_bin": start, "simulated": simulated, "excluded": "; ".join(excluded) or "nothing"}
    attributes["L_method"] = _methods(variables["file_L_method"][1])
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def _methods(of_files: npt.NDArray[np.object_]) -> str:
    """Say how L was found, every way that any of the files had."""
    return "; ".join(sorted(set(map(str, of_files)) - {""})) or "unknown"


def merge_probes(binned: xr.Dataset) -> xr.Dataset:
    """Add the probes of a binned dataset: two looks at one storm become one series.

    Returns
    -------
    Dataset
        The same, with one probe named "merged".
    """
    added = {name: binned[name].sum("probe", keep_attrs=True).expand_dims("probe") for name in sum_names(binned)}
    merged = binned.drop_dims("probe").assign(added)
    return merged.assign_coords(probe=("probe", np.array(["merged"], dtype=object), binned["probe"].attrs))


def with_merged_probe(binned: xr.Dataset) -> xr.Dataset:
    """Add the sum of the probes as one more probe, "merged", which is what lifetimes are made from."""
    names = sum_names(binned)
    variables = {name: _with_sum(binned[name].variable) for name in names}
    probes = np.array([*map(str, binned["probe"].to_numpy()), "merged"], dtype=object)
    return binned.drop_dims("probe").assign(variables).assign_coords(probe=("probe", probes, binned["probe"].attrs))


def _with_sum(sums: xr.Variable) -> xr.Variable:
    """Put the sum over the probes behind them, in one array and no other copy."""
    axis = sums.get_axis_num("probe")
    out = np.empty((*sums.shape[:axis], sums.shape[axis] + 1, *sums.shape[axis + 1 :]), dtype=sums.dtype)
    np.moveaxis(out, axis, 0)[:-1] = np.moveaxis(sums.to_numpy(), axis, 0)
    np.moveaxis(out, axis, 0)[-1] = sums.sum("probe").to_numpy()
    return xr.Variable(sums.dims, out, sums.attrs)


def file_table(binned: xr.Dataset) -> pd.DataFrame:
    """Give the table of files: which were used, which were refused and why, and how many records came of each."""
    return pd.DataFrame({column.removeprefix("file_"): binned[column].to_numpy() for column in FILE_COLUMNS})


def select_flux(binned: xr.Dataset, equatorial_pitch_angle: float | None = None) -> xr.Dataset:
    """Choose which flux to go on with: omnidirectional, or that of one bin of equatorial pitch angle.

    Parameters
    ----------
    binned : Dataset
        From `bin_flux`.
    equatorial_pitch_angle : float, optional
        Degrees, 0 to 90; the bin that holds it is taken. None takes the omnidirectional flux near the equator.

    Returns
    -------
    Dataset
        Only the plain sums over (probe, time, L, energy), the numbers of records, and the table of files.

    Raises
    ------
    InputError
        If the angle lies in no bin, or the dataset has no pitch angles.
    """
    resolved = [str(name) for name in binned.data_vars if str(name).endswith(BY_PITCH_ANGLE)]
    if equatorial_pitch_angle is None:
        return binned.drop_vars([*resolved, "equatorial_pitch_angle", "equatorial_pitch_angle_bounds"], errors="ignore")
    if not resolved:
        raise InputError("these data are not binned by equatorial pitch angle; take the omnidirectional flux")
    bounds = binned["equatorial_pitch_angle_bounds"].to_numpy()
    inside = np.flatnonzero((bounds[:, 0] <= equatorial_pitch_angle) & (equatorial_pitch_angle <= bounds[:, 1]))
    if inside.size == 0:
        raise InputError(f"no bin of equatorial pitch angle holds {equatorial_pitch_angle} degrees; the bins go from 0 to 90")
    chosen = binned[resolved].isel(equatorial_pitch_angle=inside[-1]).reset_coords(drop=True)
    plain = binned.drop_vars([name for name in SUMS if name in binned]).drop_vars(
        [*resolved, "equatorial_pitch_angle", "equatorial_pitch_angle_bounds"]
    )
    result = plain.assign({name.removesuffix(BY_PITCH_ANGLE): chosen[name] for name in resolved})
    low, high = bounds[inside[-1]]
    # Resolved flux is taken at all latitudes.
    del result.attrs["max_MLAT"]
    return result.assign_attrs(flux=f"equatorial pitch angle {low:g} to {high:g} degrees")


def mean_flux(binned: xr.Dataset) -> xr.DataArray:
    """Mean flux of each bin, zeros included; NaN where a bin has no sample."""
    n = binned["n_samples"]
    long_name = f"mean {ion_name(binned.attrs)} flux"
    return (binned["sum_flux"] / n.where(n > 0)).rename("mean_flux").assign_attrs(units="cm-2 s-1 sr-1 keV-1", long_name=long_name)


def sample_time(binned: xr.Dataset) -> xr.DataArray:
    """Mean time of the samples of each bin, seconds from the bin's centre; NaN where a bin has no sample.

    A bin's samples are a few passes through an L-shell, not spread evenly; against the bin's centre a steady decay would show a
    saw-tooth.
    """
    n = binned["n_samples"]
    return (
        (binned["sum_time"] / n.where(n > 0))
        .rename("sample_time")
        .assign_attrs(units="s", long_name="mean sample time from the bin's centre")
    )


def time_coordinates(grid: Grid, first_bin: int, n_times: int) -> dict[str, Any]:
    """Make the coordinates `time` and `time_bounds` of numbered time bins."""
    centres = grid.time_centre(np.arange(first_bin, first_bin + n_times))
    begin = centres - np.timedelta64(grid.time_bin // 2, "ns")
    return {
        "time": ("time", centres, {"long_name": "centre of the time bin (UTC)", "bounds": "time_bounds"}),
        "time_bounds": (("time", "bound"), np.stack([begin, begin + np.timedelta64(grid.time_bin, "ns")], axis=-1)),
    }


def _refuse_twice(datasets: Sequence[xr.Dataset]) -> None:
    """Refuse a file that is in two of the datasets: its flux would be counted twice."""
    # Only names of the product's files have a date; pieces of a Dataset of one's own have none.
    used = [(ds["file_status"].to_numpy() == "used") & (ds["file_date"].to_numpy() != "") for ds in datasets]
    names = [str(name) for ds, rows in zip(datasets, used, strict=True) for name in ds["file_name"].to_numpy()[rows]]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise InputError(f"the file {twice[0]} is in more than one of the datasets to merge; its flux would be counted twice")


def sum_names(binned: xr.Dataset) -> list[str]:
    """Name the variables that add up: sums, those by pitch angle, and numbers of records."""
    return [str(name) for name in binned.data_vars if str(name).removesuffix(BY_PITCH_ANGLE) in SUMS or name in RECORDS]


def _span(binned: xr.Dataset) -> str:
    times = binned["time"].to_numpy().astype("datetime64[D]")
    return f"{times[0]} to {times[-1]} (probe {', '.join(map(str, binned.probe.values))})"
