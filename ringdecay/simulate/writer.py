"""Write the demonstration archive: a folder laid out like SPDF's, with faults that real archives have."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import numpy as np
import numpy.typing as npt
import pandas as pd
from dask.system import CPU_COUNT

from ringdecay.errors import ArchiveError, InputError
from ringdecay.products import get_product
from ringdecay.schedule import dask_progress
from ringdecay.simulate.flux_file import write_day
from ringdecay.simulate.index import hourly_mean, index
from ringdecay.simulate.index_files import write_hro_month, write_omni2_year
from ringdecay.simulate.instrument import SPINS_A_RECORD
from ringdecay.simulate.orbit import PHASE
from ringdecay.simulate.truth import DEFAULT_SEED, PRODUCT, Truth, elapsed_days, make_truth, truth_dataset
from ringdecay.store import write_dataset, written_whole

logger = logging.getLogger(__name__)

_FLUX, _HRO, _OMNI2 = (get_product(name) for name in (PRODUCT, "omni-hro-5min", "omni2-yearly"))
_VERSION = "1.2.4-03"
_DAYS_A_TASK = 5


@dataclass(frozen=True)
class _DayFile:
    """A flux file to be written."""

    probe: str
    day: np.datetime64
    version: str
    status: str
    flux_factor: float


def archive(
    path: str | os.PathLike[str],
    *,
    start: str | np.datetime64 = "2015-04-15",
    days: int = 150,
    seed: int = DEFAULT_SEED,
    probes: Sequence[str] = ("a", "b"),
    truth: Truth | None = None,
    faults: bool = True,
    compression: int = 1,
    workers: int | None = None,
    spins_per_record: int = SPINS_A_RECORD,
    sensitivity: float = 1.0,
) -> pd.DataFrame:
    """Write a simulated archive in the layout of SPDF's `/pub/data`.

    Beside the folders `rbsp` and `omni` it writes `truth.nc` (what a fit should find) and `manifest.tsv` (the files). The same
    settings give the same values, whatever the number of workers.

    Parameters
    ----------
    path : path-like
        Folder of the archive; it is made.
    start : str or datetime64
        First day.
    days : int
        Number of days; 150 days hold ten storms and take about 0.3 GB.
    seed : int
        Seed of the world and of the counts.
    probes : sequence of str
        Any of "a", "b".
    truth : Truth, optional
        The world to be measured, which may be longer than the archive; default `make_truth(seed, start=start, days=days)`.
    faults : bool
        Whether the archive has faults: a missing day and two files superseded by newer versions (with a flux three times too high;
        these three from four days on), records of bad quality, fill records, bad positions.
    compression : int
        Level of GZIP of the flux files. Level 6 saves 3 % of the size and takes half as long again.
    workers : int, optional
        Processes; 1 works in this process. Default: the number of cores. More than one process re-imports the calling script, so a
        script must guard its own work with ``if __name__ == "__main__":``.
    spins_per_record : int
        Length of a record in spins of 10.87 s. One is that of the real files; ten of the demonstration make a tenth of the records,
        with the same counts in all.
    sensitivity : float
        Factor on the assumed sensitivity of the instrument. Files are large because of their counting noise: records of one spin take
        5 to 6 MB a day, and a third less at a sensitivity of 0.1.

    Returns
    -------
    pandas.DataFrame
        A row a file: file (path below `path`), product, probe, date, status ("newest" or "superseded"), bytes, sha256. (The
        writer stamps compressed blocks with the time, so sha256 changes from run to run, the values do not.)

    Raises
    ------
    InputError
        If a setting makes no sense, or the days lie outside the world that was given.
    ArchiveError
        If a file cannot be written.
    """
    folder = Path(path)
    try:
        first = np.array([start], dtype="datetime64[D]")[0]
    except ValueError as error:
        raise InputError(f"start is {start!r}, which is not a date (YYYY-MM-DD)") from error
    if not probes or not set(probes) <= set(PHASE):
        raise InputError(f"probes must be among {', '.join(sorted(PHASE))}, got {list(probes)}.")
    if days < 1 or not 0 <= compression <= 9:
        raise InputError(f"days must be at least 1 and compression 0 to 9, got days={days} and compression={compression}.")
    if spins_per_record < 1 or not 0 < sensitivity < np.inf:
        raise InputError(
            f"spins_per_record must be at least 1 and sensitivity above 0, got spins_per_record={spins_per_record} and "
            f"sensitivity={sensitivity}."
        )
    if truth is None:
        truth = make_truth(seed, start=first, days=days)
    begin = float(elapsed_days(truth, np.asarray(first)))
    if begin < 0 or begin + days > truth.days or begin % 1:
        raise InputError(
            f"the archive ({days} days from {first}) must lie within the simulated world ({truth.days:g} days from {truth.start}), "
            "and both must start at midnight."
        )
    _clear(folder)
    files = _plan(first, days, list(probes), faults=faults)
    workers = workers or CPU_COUNT
    logger.info("simulating %d daily files from %s in %s with %d workers", len(files), first, folder, workers)
    try:
        rows = _write_index(truth, folder, first, days)
        settings = {"compression": compression, "spoiled": faults, "spins_per_record": spins_per_record, "sensitivity": sensitivity}
        rows += _write_flux(truth, folder, files, workers, settings)
        write_dataset(truth_dataset(truth), folder / "truth.nc")
        manifest = pd.DataFrame(rows).sort_values("file", ignore_index=True)
        with written_whole(folder / "manifest.tsv") as beside:
            manifest.to_csv(beside, sep="\t", index=False)
    except OSError as error:
        raise ArchiveError(f"the demonstration archive could not be written to {folder}: {error}.") from error
    logger.info("simulated archive: %d files, %.2f GB", len(manifest), manifest["bytes"].sum() / 1e9)
    return manifest


def _clear(folder: Path) -> None:
    """Remove an archive of ours from a folder, and refuse a folder with files that are not ours: their names would be the same."""
    manifest = folder / "manifest.tsv"
    if manifest.is_file():
        for name in pd.read_csv(manifest, sep="\t")["file"]:
            (folder / name).unlink(missing_ok=True)
    left = [path for part in ("rbsp", "omni") for path in (folder / part).rglob("*") if path.is_file()]
    # What a run of ours that was stopped half-way left is named like what will be written, and says SIMULATED inside.
    foreign = [path for path in left if path.suffix == ".cdf" and b"SIMULATED" not in path.read_bytes()]
    if foreign:
        raise InputError(
            f"{folder} holds files that were not simulated, such as {foreign[0]}; choose an empty folder for the simulated archive"
        )


def _plan(first: np.datetime64, days: int, probes: list[str], *, faults: bool) -> list[_DayFile]:
    """Choose the files: one a day and probe, but for a missing day and two that also exist in an older version."""
    files = [_DayFile(probe, first + day, _VERSION, "newest", 1.0) for probe in probes for day in range(days)]
    if not faults or days < 4:
        return files
    missing = (probes[-1], first + days // 3)
    # The second pair is in the wrong order if versions are compared as text.
    superseded = {
        (probes[0], first + days // 2): (("1.2.3-00", "superseded", 3.0), (_VERSION, "newest", 1.0)),
        (probes[-1], first + 3 * days // 4): (("1.1.9-00", "superseded", 3.0), ("1.1.12-01", "newest", 1.0)),
    }
    kept = [file for file in files if (file.probe, file.day) != missing]
    return [
        _DayFile(file.probe, file.day, *version)
        for file in kept
        for version in superseded.get((file.probe, file.day), ((file.version, file.status, file.flux_factor),))
    ]


def _write_flux(truth: Truth, folder: Path, files: list[_DayFile], workers: int, settings: dict[str, Any]) -> list[dict[str, Any]]:
    # The world is about 2 MB when sent to a process, so a task is a few days.
    tasks = [dask.delayed(_write_days)(truth, folder, files[i : i + _DAYS_A_TASK], settings) for i in range(0, len(files), _DAYS_A_TASK)]
    with dask_progress("simulating", len(tasks)):
        if workers > 1:
            results = dask.compute(*tasks, scheduler="processes", num_workers=workers)
        else:
            results = dask.compute(*tasks, scheduler="synchronous")
    return [row for rows in results for row in rows]


def _write_days(truth: Truth, folder: Path, files: list[_DayFile], settings: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for file in files:
        date = str(file.day).replace("-", "")
        name = f"rbsp-{file.probe}-rbspice_lev-3-pap_tofxeh_{date}_v{file.version}.cdf"
        path = folder / _FLUX.directory.format(probe=file.probe, year=date[:4]) / name
        write_day(truth, file.probe, file.day, path, version=file.version, flux_factor=file.flux_factor, **settings)
        rows.append(_row(folder, path, _FLUX.name, file.probe, date, file.status))
    return rows


def _write_index(truth: Truth, folder: Path, first: np.datetime64, days: int) -> list[dict[str, Any]]:
    sym_h = index(truth)
    rows = []
    month: np.datetime64
    for month in _covered("M", first, days):
        date = str(month).replace("-", "") + "01"
        path = folder / _HRO.directory.format(year=date[:4]) / f"omni_hro_5min_{date}_v01.cdf"
        write_hro_month(sym_h.sel(time=str(month)), path)
        rows.append(_row(folder, path, _HRO.name, "", date, "newest"))
    dst = hourly_mean(sym_h)
    for year in _covered("Y", first, days):
        path = folder / _OMNI2.directory / f"omni2_{year}.dat"
        write_omni2_year(dst, int(str(year)), path)
        rows.append(_row(folder, path, _OMNI2.name, "", str(year), "newest"))
    return rows


def _covered(unit: str, first: np.datetime64, days: int) -> npt.NDArray[np.datetime64]:
    """Months or years that the archive touches."""
    return np.unique(np.arange(first, first + days).astype(f"datetime64[{unit}]"))


def _row(folder: Path, path: Path, product: str, probe: str, date: str, status: str) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "file": path.relative_to(folder).as_posix(),
        "product": product,
        "probe": probe,
        "date": date,
        "status": status,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
