"""Binning flux, file by file with Dask, into one Dataset of additive sums."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import dask
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ringdecay.binned.grid import Exclusion, Grid, utc
from ringdecay.binned.merge import FILE_COLUMNS, binned_dataset
from ringdecay.binned.records import count_records
from ringdecay.binned.sums import SUMS, FluxSums
from ringdecay.cdf import READERS
from ringdecay.errors import FileError, InputError, unknown
from ringdecay.flux import Piece, date_and_probe, dates_of_change, equatorial_bin, reading_flux, same_energies, solid_angle, with_traced
from ringdecay.products import PRODUCTS, get_product
from ringdecay.schedule import dask_progress

logger = logging.getLogger(__name__)

# So many files are binned before their sums are added up.
_FILES_AT_ONCE = 32


@dataclass(frozen=True)
class Partial:
    """The sums of one file, over the time bins it touches."""

    first_bin: int
    omnidirectional: npt.NDArray[np.float64]  # (sum, time, L, energy)
    resolved: npt.NDArray[np.float64]  # (sum, time, L, energy, equatorial pitch angle)
    energy: npt.NDArray[np.float64]
    records: dict[str, npt.NDArray[np.int32]]  # each (time, L) and its sectors
    facts: dict[str, Any] = field(default_factory=dict)


class Channels(NamedTuple):
    """In which channels and directions a flux was measured: energies, pitch angles, and the edges of these, shape (directions, 2)."""

    energy: npt.NDArray[np.float64]
    pitch_angle: npt.NDArray[np.float64]
    bounds: npt.NDArray[np.float64]


def bin_flux(
    flux: xr.Dataset | str | PathLike[str] | Sequence[str | PathLike[str]],
    grid: Grid | None = None,
    *,
    product: str | None = None,
    probe: str | None = None,
    exclude: Sequence[Exclusion] = (),
    reader: str = READERS[0],
) -> xr.Dataset:
    """Sum flux into bins of time, L-shell and energy, and of equatorial pitch angle.

    Files are read and summed one by one with `dask.delayed`, on whatever scheduler is set (``dask.config.set(scheduler=...)`` or a
    distributed client). A file's sums depend on that file alone and are added in the order of the dates, so the result is the same to the
    last bit on every scheduler and with any number of workers.

    Parameters
    ----------
    flux : Dataset, path-like, or sequence of path-like
        Flux from `open_flux`, or files of one product and one probe.
    grid : Grid, optional
        The bins; the default is 0.1 in L and one orbit (8.97 h) in time.
    product : str
        Name of the product; needed for files.
    probe : str, optional
        Probe, "a" or "b"; found from the file names or the Dataset if not given.
    exclude : sequence of Exclusion
        Data to mask before binning.
    reader : {"ringdecay", "cdflib"}
        Who reads the files; see `open_flux`.

    Returns
    -------
    Dataset
        The sums named in `SUMS`, float64, over `probe` (of length one), `time`, `L`, `energy`: omnidirectional flux near the
        equator; and the same with `_by_pitch_angle` in their names over `equatorial_pitch_angle` as well, from all latitudes.
        The numbers of records `n_records`, `n_records_by_MLT` and `n_records_by_MLAT`, int32, over `probe`, `time`, `L` and sectors.
        A table over `file` says of every file whether it was used or refused and why.

    Raises
    ------
    InputError
        If arguments do not fit.
    FileError
        If `flux` is a Dataset that has neither the L of the grid's definition nor a position to compute it from, or no magnetic
        latitude. Files without are refused.

    Notes
    -----
    A file that cannot be used is refused and counted, not raised: one bad day must not stop seven years. The energy table of most
    files is the one that is kept; files with another are refused. With no usable file at all the result has no time bins.
    """
    grid = grid or Grid()
    if isinstance(flux, xr.Dataset):
        name = product or str(flux.attrs.get("product", ""))
        who = probe or str(flux.attrs.get("probe", "unknown"))
        labels = [(str(flux.attrs.get("source_files", "")), "")]
        return _combine(iter([_bin_dataset(flux, grid, name, who, exclude)]), labels, grid, name, who, exclude)
    if product is None:
        raise InputError("bin_flux needs the product's name to open files")
    if reader not in READERS:
        raise unknown("reader", reader, READERS)
    described = get_product(product)
    paths = [Path(flux)] if isinstance(flux, str | PathLike) else [Path(str(path)) for path in flux]
    dated = sorted((date_and_probe(path, described)[0] or "", str(path)) for path in paths)
    named = {found for path in paths if (found := date_and_probe(path, described)[1])}
    if probe is None and len(named) > 1:
        raise InputError(f"the files are of more than one probe ({', '.join(sorted(named))}); bin one probe at a time")
    for (day, one), (other_day, other) in pairwise(dated):
        if one == other or (day and day == other_day):
            raise InputError(f"{one} and {other} are of the same day; give only the newest version")
    who = probe or (named.pop() if named else "unknown")
    task = dask.delayed(_bin_file, pure=False)
    tasks = [task(path, grid, product, who, tuple(exclude), reader) for _, path in dated]
    # The sums of a file take a megabyte; those of a month are added up before the next files are read.
    some = (tasks[begin : begin + _FILES_AT_ONCE] for begin in range(0, len(tasks), _FILES_AT_ONCE))
    results = (result for them in some for result in dask.compute(*them))
    with dask_progress("binning", len(tasks), "files"):
        return _combine(results, [(Path(path).name, date) for date, path in dated], grid, product, who, exclude)


def _bin_file(path: str, grid: Grid, product: str, probe: str, exclude: tuple[Exclusion, ...], reader: str) -> Partial | FileError:
    try:
        with reading_flux(Path(path), get_product(product), reader) as file:
            measured, kept = file.measured, file.kept
            records = xr.Dataset(coords={"time": ("time", measured.time[kept]), **file.coordinates()}, attrs={"source_files": path})
            channels = Channels(file.energy, measured.pitch_angle, measured.bounds)
            partial = _bin_records(records, channels, _sound(measured.pieces, file.sound), grid, product, probe, exclude)
        facts = {"simulated": "yes" if file.simulated else "no", "ion": file.ion, "file_values_bad_quality": measured.tally.refused}
        return replace(partial, facts={**partial.facts, **facts})
    except FileError as error:
        return error


def _bin_dataset(flux: xr.Dataset, grid: Grid, product: str, probe: str, exclude: Sequence[Exclusion]) -> Partial:
    dims = ("time", "energy", "pitch_angle")
    values = np.array(flux["flux"].transpose(*dims))
    error = flux["counting_error"].transpose(*dims).to_numpy() if "counting_error" in flux else None
    channels = Channels(*(flux[name].to_numpy() for name in ("energy", "pitch_angle", "pitch_angle_bounds")))
    partial = _bin_records(flux, channels, [Piece(slice(0, values.shape[0]), values, error)], grid, product, probe, exclude)
    facts = {
        "simulated": flux.attrs.get("simulated", "no"),
        "ion": str(flux.attrs.get("ion", "unknown")),
        "file_values_bad_quality": int(flux.attrs.get("n_bad_quality", 0)),
    }
    return replace(partial, facts={**partial.facts, **facts})


def _sound(pieces: Iterable[Piece], sound: npt.NDArray[np.bool_]) -> Iterator[Piece]:
    """Take records that are not sound out of the pieces."""
    if sound.all():
        yield from pieces
        return
    done = 0
    for piece in pieces:
        kept = sound[piece.records]
        n = int(kept.sum())
        error = None if piece.counting_error is None else piece.counting_error[kept]
        yield Piece(slice(done, done + n), piece.flux[kept], error)
        done += n


def _bin_records(
    records: xr.Dataset,
    channels: Channels,
    pieces: Iterable[Piece],
    grid: Grid,
    product: str,
    probe: str,
    exclude: Sequence[Exclusion],
) -> Partial:
    """Sum the flux of records, which comes in pieces and may be changed, by where and when `records` says that they were taken."""
    source = str(records.attrs.get("source_files", "the flux"))
    records = with_traced(records, grid.L_definition)
    if grid.L_definition not in records.coords:
        found = f"only {', '.join(map(str, records.coords))}"
        raise FileError(source, f"{grid.L_definition} to bin in", found, "choose another L_definition")
    if "MLAT" not in records.coords:
        # Without it no flux is near the equator and no pitch angle is equatorial: a bin of nothing, in silence.
        raise FileError(source, "a position, from which the magnetic latitude comes", "none", "report this file")
    L, time, latitude = (records[name].to_numpy() for name in (grid.L_definition, "time", "MLAT"))
    local_time = records["MLT"].to_numpy() if "MLT" in records.coords else np.full(time.shape, np.nan)
    excluded = _excluded(channels.energy, L, time, product, probe, exclude)

    index = grid.time_index(time)
    first, n_times = int(index.min()), int(index.max() - index.min()) + 1
    seconds = (time - grid.time_centre(index)).astype(np.int64) / 1e9
    edges = grid.L_edges
    n_L = edges.size - 1
    with np.errstate(invalid="ignore"):
        shell = np.searchsorted(edges, L, side="right") - 1
        inside = np.isfinite(L) & (shell >= 0) & (shell < n_L)
        near_equator = inside & (np.abs(latitude) <= grid.max_MLAT)
    cell = np.where(inside, (index - first) * n_L + shell, -1)

    n_angles = grid.pitch_angle_edges.size - 1
    angle = equatorial_bin(channels.pitch_angle, latitude, grid.pitch_angle_edges)
    sums = FluxSums(n_times * n_L, channels.energy.size, solid_angle(channels.bounds), n_angles)
    used, n_excluded = np.zeros(time.size, dtype=bool), 0
    for piece in pieces:
        at = piece.records
        if excluded is not None:
            mask = np.broadcast_to(excluded[at, :, None], piece.flux.shape)
            n_excluded += int(np.isfinite(piece.flux[mask]).sum())
            piece.flux[mask] = np.nan
        used[at] = sums.add(piece.flux, piece.counting_error, seconds[at], cell[at], near_equator[at], angle[at])
    omni, resolved = sums.finish()
    shape = (len(SUMS), n_times, n_L, channels.energy.size)
    facts = {
        "file_records": time.size,
        "file_records_used": int(used.sum()),
        "file_values_excluded": n_excluded,
        "file_L_method": str(records[grid.L_definition].attrs.get("method", "")),
        "file_MLAT_method": str(records["MLAT"].attrs.get("method", "")),
        "file_MLT_method": str(records["MLT"].attrs.get("method", "")) if "MLT" in records.coords else "",
    }
    counted = count_records(np.where(used, cell, -1), (n_times, n_L), local_time, latitude)
    return Partial(first, omni.reshape(shape), resolved.reshape(*shape, n_angles), channels.energy, counted, facts)


def _excluded(
    energy: npt.NDArray[np.float64],
    L: npt.NDArray[np.float64],
    time: npt.NDArray[np.datetime64],
    product: str,
    probe: str,
    exclude: Sequence[Exclusion],
) -> npt.NDArray[np.bool_] | None:
    """Tell which records and channels the exclusions name, shape (n, energies); None if they name none."""
    mask = np.zeros((time.size, energy.size), dtype=bool)
    for rule in exclude:
        if rule.probe not in (None, probe) or rule.product not in (None, product):
            continue
        rows = np.ones(time.size, dtype=bool)
        if rule.start is not None:
            rows &= time >= utc(rule.start)
        if rule.stop is not None:
            rows &= time < utc(rule.stop)
        if rule.L is not None:
            rows &= (rule.L[0] <= L) & (rule.L[1] >= L)
        columns = np.ones(energy.size, dtype=bool) if rule.energy is None else (energy >= rule.energy[0]) & (energy <= rule.energy[1])
        mask |= rows[:, None] & columns
    return mask if mask.any() else None


class _Total:
    """Sums of files with one energy table, over the time bins of their days; more if they have others."""

    def __init__(self, energy: npt.NDArray[np.float64], bins: range, grid: Grid) -> None:
        n_L, n_angles = grid.L_edges.size - 1, grid.pitch_angle_edges.size - 1
        self.energy, self.bins, self.used = energy, bins, range(0)
        # Memory that is not written to is not taken.
        self.sums = {
            "omnidirectional": np.zeros((len(SUMS), len(bins), n_L, energy.size)),
            "resolved": np.zeros((len(SUMS), len(bins), n_L, energy.size, n_angles)),
        }
        self.records = count_records(np.zeros(0, dtype=np.int64), (len(bins), n_L), np.zeros(0), np.zeros(0))
        self.facts: list[dict[str, Any]] = []

    def add(self, partial: Partial) -> None:
        first, last = partial.first_bin, partial.first_bin + partial.omnidirectional.shape[1]
        before, behind = max(self.bins.start - first, 0), max(last - self.bins.stop, 0)
        if before or behind:
            self.bins = range(self.bins.start - before, self.bins.stop + behind)
            for arrays, axis in ((self.sums, 1), (self.records, 0)):
                for name, array in arrays.items():
                    arrays[name] = np.pad(array, [(before, behind) if i == axis else (0, 0) for i in range(array.ndim)])
        span = slice(first - self.bins.start, last - self.bins.start)
        self.sums["omnidirectional"][:, span] += partial.omnidirectional
        self.sums["resolved"][:, span] += partial.resolved
        for name, counts in self.records.items():
            counts[span] += partial.records[name]
        self.used = range(min(first, self.used.start), max(last, self.used.stop)) if self.facts else range(first, last)
        self.facts.append(partial.facts)


def _combine(
    results: Iterator[Partial | FileError],
    labels: Sequence[tuple[str, str]],
    grid: Grid,
    product: str,
    probe: str,
    exclude: Sequence[Exclusion],
) -> xr.Dataset:
    """Add the files' sums in the order of their dates, and make the table of files."""
    days = np.array([f"{date[:4]}-{date[4:6]}-{date[6:8]}" for _, date in labels if date], dtype="datetime64[D]")
    index = grid.time_index(np.array([days.min(), days.max() + 1], dtype="datetime64[ns]")) if days.size else np.zeros(2, dtype=np.int64)
    totals: list[_Total] = []
    outcomes: list[tuple[_Total, dict[str, Any]] | FileError] = []
    for result in results:
        if isinstance(result, FileError):
            outcomes.append(result)
            continue
        total = next((total for total in totals if same_energies(total.energy, result.energy)), None)
        if total is None:
            bins = range(int(index[0]), int(index[1]) + 1) if days.size else range(result.first_bin, result.first_bin)
            total = _Total(result.energy, bins, grid)
            totals.append(total)
        total.add(result)
        outcomes.append((total, result.facts))
    common = max(totals, key=lambda total: len(total.facts), default=_Total(np.zeros(0), range(0), grid))
    rows = []
    for (name, date), outcome in zip(labels, outcomes, strict=True):
        error = outcome if isinstance(outcome, FileError) else None
        if not isinstance(outcome, FileError) and outcome[0] is not common:
            error = FileError(
                name,
                f"the energy table of most files ({common.energy.tolist()} keV)",
                f"another one ({outcome[0].energy.tolist()} keV)",
                f"bin it with files of its own kind{_changed_at(product)}",
            )
        row = {"file_name": name, "file_date": date, "file_status": "used", "file_reason": ""}
        if error is not None:
            logger.warning("refused: %s", error)
            row |= {"file_status": "refused", "file_reason": _without_folder(error)}
        elif not isinstance(outcome, FileError):
            row |= {key: value for key, value in outcome[1].items() if key in FILE_COLUMNS}
        rows.append(row)
    span = slice(common.used.start - common.bins.start, common.used.stop - common.bins.start)
    simulated = "yes" if any(facts["simulated"] == "yes" for facts in common.facts) else "no"
    ion = common.facts[0]["ion"] if common.facts else PRODUCTS[product].ion if product in PRODUCTS else None
    return binned_dataset(
        common.sums["omnidirectional"][:, span], common.sums["resolved"][:, span], common.used.start, common.energy, grid,
        pd.DataFrame(rows).assign(file_probe=probe), records={name: counts[span] for name, counts in common.records.items()},
        product=product, ion=ion or "unknown", probe=probe, simulated=simulated, exclude=exclude,
    )  # fmt: skip


def _changed_at(product: str) -> str:
    dates = dates_of_change(product)
    return f": the tables of {product} changed at {dates}" if dates else ""


def _without_folder(error: FileError) -> str:
    """Say the error without the folder, which differs from machine to machine while the result does not."""
    return str(error).replace(error.path, Path(error.path).name)
