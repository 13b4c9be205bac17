"""Subcommands from flux to decay times: bin, storms, fit, lifetimes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringdecay.cli.answers import answer_written, is_looked_at, rows_of, show_lifetimes, show_table, simulated
from ringdecay.cli.group import FILE, IN, as_json_option, command, expect, one_of, stage
from ringdecay.errors import InputError
from ringdecay.products import FLUX_PRODUCTS

if TYPE_CHECKING:
    from ringdecay.decays.fit import Mode
    from ringdecay.decays.window_choice import Source


@command("Sum flux into bins of time, L-shell and energy.", "ringdecay bin a.tsv --archive archive/ -o a.nc", "bin")
@click.argument("files", nargs=-1, required=True, type=IN)
@click.option("-o", "--output", required=True, type=FILE, help="netCDF file to write.")
@click.option(
    "--product",
    default="rbspice-pap-tofxeh",
    callback=one_of("product", FLUX_PRODUCTS),
    help=f"Product of the files: {', '.join(FLUX_PRODUCTS)}.",
)
@click.option("--archive", multiple=True, help="Where the files of a lock (a .tsv of `ringdecay fetch`) are; as for fetch.")
@click.option("--cache", type=FILE, help="Folder for downloads.")
@click.option("--time-bin-hours", default=8.97, help="Width of a time bin; 8.97 h is one orbit.")
@click.option("--l-definition", type=click.Choice(["L", "L_eq", "L_star"]), default="L", help="Which L.")
@click.option("--workers", default=1, type=click.IntRange(min=1), help="Processes.")
@as_json_option
@stage
def bin_command(
    files: tuple[Path, ...],
    output: Path,
    product: str,
    archive: tuple[str, ...],
    cache: Path | None,
    time_bin_hours: float,
    l_definition: str,
    workers: int,
    as_json: bool,
) -> None:
    """Sum the flux of FILES (CDF files of one probe, or one lock) into bins of time, L-shell and energy."""
    from ringdecay import binned as room  # noqa: PLC0415
    from ringdecay.schedule import dask_on  # noqa: PLC0415
    from ringdecay.store import write_dataset  # noqa: PLC0415

    probe = None
    if len(files) > 1 and any(file.suffix == ".tsv" for file in files):
        raise InputError("give one lock (.tsv) at a time, and merge the results with `ringdecay fit`")
    if files[0].suffix == ".tsv":
        product, probe, files = _locked(files[0], archive, cache)
    with dask_on("processes", workers):
        binned = room.bin_flux(files, room.Grid(time_bin_hours=time_bin_hours, L_definition=l_definition), product=product, probe=probe)
    table = room.file_table(binned)
    refused = table[table["status"] == "refused"]
    if len(refused) == len(table):
        first = table["reason"].iloc[0] if len(table) else "there is none"
        raise InputError(f"none of the {len(table)} files can be used; the first: {first}")
    write_dataset(binned, output)
    records = int(table["records_used"].sum())
    record = {
        "files_used": len(table) - len(refused),
        "files_refused": len(refused),
        "refused": rows_of(refused[["name", "reason"]]),
        "records_used": records,
    }
    sentence = f"{len(table) - len(refused)} files used, {len(refused)} refused, {records} records"
    answer_written(output, binned, sentence, record, as_json=as_json)


def _locked(path: Path, archive: tuple[str, ...], cache: Path | None) -> tuple[str, str | None, tuple[Path, ...]]:
    from ringdecay import archive as room  # noqa: PLC0415

    lock = room.read_lock(path)
    if not archive:
        raise InputError(f"{path} is a lock; say with --archive where its files are")
    if lock.empty or lock["product"].nunique() > 1 or lock["probe"].nunique() > 1:
        raise InputError(f"{path} must name files of one product and one probe to be binned")
    found = room.fetch_locked(lock, archive, cache=cache)
    return str(lock["product"][0]), str(lock["probe"][0]) or None, tuple(found.files)


@command("Find the storms in an index.", "ringdecay storms archive/omni/omni_cdaweb/hro_5min/2015/*.cdf --threshold -80 -o storms.csv")
@click.argument("files", nargs=-1, required=True, type=IN)
@click.option("-o", "--output", required=True, type=FILE, help="CSV file to write.")
@click.option("--index", default="SYM-H", type=click.Choice(["SYM-H", "Dst"]), help="Which index the files hold.")
@click.option("--threshold", default=-80.0, help="Deepest value (nT) a disturbance must reach.")
@as_json_option
@stage
def storms(files: tuple[Path, ...], output: Path, index: str, threshold: float, as_json: bool) -> None:
    """Find the storms in index FILES (Kyoto Dst, SYM-H in IAGA-2002, OMNI CDF, OMNI2 text)."""
    from ringdecay.indices import open_index  # noqa: PLC0415
    from ringdecay.storms import find_storms, write_storms  # noqa: PLC0415

    found = find_storms(open_index(files, index), threshold)
    write_storms(found, output)
    rows = rows_of(found)
    if is_looked_at() and not as_json:
        columns = ["storm", "onset", "minimum", "recovery_end", "depth", "storm_class"]
        show_table(f"Storms in {index}{simulated(found)}", columns, ([row[name] for name in columns] for row in rows))
    answer_written(output, found, f"{len(found)} storms", {"storms": rows}, as_json=as_json)


@command(
    "Fit a decay to every storm, energy and L-shell.",
    "ringdecay fit a.nc b.nc --storms storms.csv --index omni_hro_5min_20150401_v01.cdf -o decays.nc",
)
@click.argument("binned", nargs=-1, required=True, type=IN)
@click.option("--storms", "storm_table", required=True, type=IN, help="CSV table of storms, from `ringdecay storms` or your own.")
@click.option("-o", "--output", required=True, type=FILE, help="netCDF file to write.")
@click.option("--mode", default="calibrated", type=click.Choice(["calibrated", "paper"]), help="Honest intervals, or the published recipe.")
@click.option("--equatorial-pitch-angle", type=float, help="Fit the flux of this angle (degrees) instead of the omnidirectional flux.")
@click.option(
    "--index", "index_files", multiple=True, type=IN, help="File of the storm index, to end windows at injections; again for more."
)
@click.option("--index-name", default="SYM-H", type=click.Choice(["SYM-H", "Dst"]), help="Which index the files hold.")
@click.option(
    "--windows", "source", default="index", type=click.Choice(["index", "flux", "table"]), help="What chooses when a fit begins and ends."
)
@click.option("--window-table", type=IN, help="CSV table of windows of your own, for --windows table.")
@click.option("--start-delay-days", default=1.0, help="How long after a storm's last minimum a fit begins.")
@click.option("--max-days", default=30.0, help="Longest window.")
@as_json_option
@stage
def fit(
    binned: tuple[Path, ...],
    storm_table: Path,
    output: Path,
    mode: Mode,
    equatorial_pitch_angle: float | None,
    index_files: tuple[Path, ...],
    index_name: str,
    source: Source,
    window_table: Path | None,
    start_delay_days: float,
    max_days: float,
    as_json: bool,
) -> None:
    """Fit a decay to every storm, probe, energy and L-shell of BINNED files (they are added first).

    Without --index a window runs on through injections below the threshold of the storms.
    """
    from ringdecay import binned as room  # noqa: PLC0415
    from ringdecay.decays import choose_windows, fit_decays  # noqa: PLC0415
    from ringdecay.indices import open_index  # noqa: PLC0415
    from ringdecay.store import open_dataset, write_dataset  # noqa: PLC0415
    from ringdecay.storms import read_storms  # noqa: PLC0415

    chosen = partial(room.select_flux, equatorial_pitch_angle=equatorial_pitch_angle)
    merged = room.merge_binned(open_dataset(path, chosen) for path in binned)
    catalogue = read_storms(storm_table)
    probes = room.with_merged_probe(merged)
    index = open_index(index_files, index_name) if index_files else None
    windows = choose_windows(
        probes, catalogue, index, source=source, table=window_table, start_delay_days=start_delay_days, max_days=max_days
    )
    decays = fit_decays(probes, catalogue, mode, windows=windows, index=index, joint=merged.sizes["probe"] == 2)
    write_dataset(decays, output)
    fits = int(decays["rate"].notnull().sum())
    record = {"mode": mode, "storms": len(catalogue), "fits": fits, "fits_resolved": int((decays["rate_low"] > 0).sum())}
    answer_written(output, decays, f"{fits} fits of {len(catalogue)} storms", record, as_json=as_json)


@command("Average the fits over storms.", "ringdecay lifetimes decays.nc -o lifetimes.nc")
@click.argument("decays", type=IN)
@click.option("-o", "--output", required=True, type=FILE, help="netCDF file to write.")
@click.option("--probe", default="merged", help="Whose fits: merged, joint, a or b.")
@as_json_option
@stage
def lifetimes(decays: Path, output: Path, probe: str, as_json: bool) -> None:
    """Average the rates of DECAYS over storms, cell by cell."""
    from ringdecay.lifetime import lifetimes as average  # noqa: PLC0415
    from ringdecay.store import open_dataset, write_dataset  # noqa: PLC0415
    from ringdecay.tables import lifetime_table  # noqa: PLC0415

    result = average(expect(open_dataset(decays), decays, {"storm", "probe", "energy", "L"}, "decays.nc"), probe=probe)
    write_dataset(result, output)
    if is_looked_at() and not as_json:
        show_lifetimes(result)
    table = lifetime_table(result)
    names = ["energy", "L", "tau", "tau_low", "tau_high", "tau_limit", "n_storms", "flag_meanings"]
    record = {"probe": probe, "cells": rows_of(table[[name for name in names if name in table]])}
    # A result of the paper mode has decay times, and no rate.
    known = result["rate"] if "rate" in result else result["tau"]
    answer_written(output, result, f"{int(known.notnull().sum())} cells", record, as_json=as_json)
