"""The command line: one subcommand a stage, each a call of the function that a notebook would call."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringdecay import __version__
from ringdecay.errors import InputError, RingdecayError
from ringdecay.products import FLUX_PRODUCTS, PRODUCTS

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ringdecay.archive import Plan
    from ringdecay.decays.fit import Mode

_FILE = click.Path(path_type=Path)
_IN = click.Path(path_type=Path, dir_okay=False)
_ARCHIVE = "A folder or an http(s) address laid out like SPDF's /pub/data; give several to try them in order."


def _refuse_overwriting(arguments: dict[str, Any]) -> None:
    """Refuse an output that is one of the inputs."""
    output = arguments.get("output")
    given = [path for value in arguments.values() for path in (value if isinstance(value, tuple) else (value,)) if isinstance(path, Path)]
    if output is not None and sum(path.resolve() == output.resolve() for path in given) > 1:
        raise InputError(f"{output} is an input; write to another file")


def _stage(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a fault of the input into one sentence and exit status 1, instead of a traceback."""

    def run(**arguments: Any) -> None:
        try:
            _refuse_overwriting(arguments)
            function(**arguments)
        except BrokenPipeError:
            raise
        except (RingdecayError, OSError) as error:
            raise click.ClickException(str(error)) from error

    return update_wrapper(run, function)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="ringdecay")
@click.option("-v", "--verbose", is_flag=True, help="Say what is done, file by file.")
def main(verbose: bool) -> None:
    """Find the decay times of ring-current protons after geomagnetic storms.

    The whole pipeline is run by Snakemake (`snakemake --cores all`); these commands run one stage at a time:

    \b
      ringdecay simulate archive/
      ringdecay fetch rbspice-pap-tofxeh -p a --start 2015-04-15 --stop 2015-05-15 --archive archive/ --lock a.tsv
      ringdecay bin a.tsv --archive archive/ -o a.nc
      ringdecay storms archive/omni/omni_cdaweb/hro_5min/2015/*.cdf --threshold -80 -o storms.csv
      ringdecay fit a.nc --storms storms.csv -o decays.nc
      ringdecay lifetimes decays.nc -o lifetimes.nc
      ringdecay table lifetimes.nc
    """  # noqa: D301 - click wants the control character itself
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)


@main.command()
@click.argument("folder", type=_FILE)
@click.option("--start", default="2015-04-15", help="First day.")
@click.option("--days", default=150, type=click.IntRange(min=1), help="Number of days; 150 take 0.3 GB and hold ten storms.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the simulated world; the demonstration's own if not given.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes; all cores if not given.")
@_stage
def simulate(folder: Path, start: str, days: int, seed: int | None, workers: int | None) -> None:
    """Write a SIMULATED archive with known decay times to FOLDER.

    It is laid out like the real one, so every other command reads it. What a fit should find is in FOLDER/truth.nc.
    """
    from ringdecay import simulate as room  # noqa: PLC0415 - each command loads only what it needs

    manifest = room.archive(folder, start=start, days=days, workers=workers, seed=room.DEFAULT_SEED if seed is None else seed)
    click.echo(f"{len(manifest)} files, {manifest['bytes'].sum() / 1e6:.0f} MB in {folder} (SIMULATED)")


@main.command(epilog=f"Products: {', '.join(PRODUCTS)}.")
@click.argument("product", required=False)
@click.option("-p", "--probe", type=click.Choice(["a", "b"]), help="Van Allen probe; none for an index.")
@click.option("--start", help="First day, such as 2015-03-10.")
@click.option("--stop", help="Day after the last.")
@click.option("--archive", required=True, multiple=True, help=_ARCHIVE)
@click.option("--cache", type=_FILE, help="Folder for downloads; $RINGDECAY_CACHE or the user's cache folder if not given.")
@click.option("--lock", type=_FILE, help="Write the table of files (version, size, SHA-256) here.")
@click.option("--locked", type=_IN, help="Fetch exactly the files of this table (an inputs.tsv), byte for byte; no PRODUCT and no days.")
@click.option("--offline", is_flag=True, help="Use only what is in the cache and in folders, and say what is missing.")
@click.option("--dry-run", is_flag=True, help="Only list the files, their sizes and what is here already.")
@_stage
def fetch(
    product: str | None,
    probe: str | None,
    start: str | None,
    stop: str | None,
    archive: tuple[str, ...],
    cache: Path | None,
    lock: Path | None,
    locked: Path | None,
    offline: bool,
    dry_run: bool,
) -> None:
    """Make the files of PRODUCT available on this machine, the newest version of each; or those of a lock."""
    from ringdecay import archive as room  # noqa: PLC0415

    if locked is not None:
        if product or probe or start or stop:
            raise InputError("--locked says which files; leave PRODUCT, --probe, --start and --stop out")
        planned = room.plan_locked(room.read_lock(locked), archive, cache=cache, offline=offline)
    elif product is None or start is None or stop is None:
        raise InputError("give PRODUCT, --start and --stop, or a table of files with --locked")
    else:
        planned = room.plan(product, probe, start, stop, archive, cache=cache, offline=offline)
    if dry_run:
        _show_preview(planned)
        return
    fetched = room.fetch_planned(planned)
    if lock is not None:
        room.write_lock(fetched.lock, lock)
    for path in fetched.files:
        click.echo(str(path))
    click.echo(f"{len(fetched.files)} files; {_missing(fetched.missing)}{_simulated(fetched.lock)}", err=True)


def _show_preview(planned: Plan) -> None:
    """Print each file of a plan with its size and state, and the sums."""
    from ringdecay import archive as room  # noqa: PLC0415

    here, to_load, unknown = 0, 0, 0
    found = room.preview(planned)
    for one in found:
        low, high = one.sizes or (0, 0)
        size = "size unknown" if one.sizes is None else f"{'' if low == high else 'about '}{(low + high) / 2e6:.3f} MB"
        click.echo(f"{'here' if one.local else 'to load':8}{size:>16}  {one.file.path}")
        here += low if one.local else 0
        to_load += 0 if one.local else (low + high) // 2
        unknown += one.sizes is None
    loads = sum(one.local is None for one in found)
    about = "about " * any(one.sizes and one.sizes[0] != one.sizes[1] for one in found if one.local is None)
    more = f" and {unknown} of unknown size" if unknown else ""
    click.echo(
        f"{len(found)} files: {len(found) - loads} here ({here / 1e6:.1f} MB), {loads} to load ({about}{to_load / 1e6:.1f} MB{more}); "
        f"{_missing(planned.missing)}; nothing was loaded"
    )


def _missing(dates: pd.DatetimeIndex) -> str:
    shown = ", ".join(f"{date:%Y-%m-%d}" for date in dates[:10])
    more = ", ..." if len(dates) > 10 else ""
    return f"missing: {len(dates)}" + (f" ({shown}{more})" if shown else "")


@main.command()
@click.argument("files", nargs=-1, required=True, type=_IN)
@click.option("--product", help="Product that the files should be of; found from the name or the content of each if not given.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.option("-q", "--quiet", is_flag=True, help="One line a file: name, product, verdict.")
@_stage
def check(files: tuple[Path, ...], product: str | None, as_json: bool, quiet: bool) -> None:
    """Say of FILES what is as expected, what differs, and whether each can be used.

    The exit status is 0 if all can be used, 1 if one cannot, 2 for a wrong call. The report of one file is what to put into an issue.
    """
    from ringdecay import check as room  # noqa: PLC0415
    from ringdecay.products import get_product  # noqa: PLC0415

    if product is not None:
        try:
            get_product(product)
        except InputError as error:
            raise click.BadParameter(str(error), param_hint="--product") from error
    # What the reader warns of is in the report.
    logger = logging.getLogger("ringdecay")
    level = logger.level
    logger.setLevel(logging.ERROR)
    usable, records, n = True, [], 0
    try:
        for path in files:
            # A file that holds several ions is one of several products.
            for name in [product] if product is not None else room.recognise(path) or [None]:
                table = room.check_file(path, name)
                usable &= table.attrs["usable"]
                if as_json:
                    records.append(room.to_record(table, rows=not quiet))
                else:
                    click.echo(room.one_line(table) if quiet else ("\n" if n else "") + room.report(table))
                n += 1
    finally:
        logger.setLevel(level)
    if as_json:
        click.echo(json.dumps(records, indent=2))
    if not usable:
        raise click.exceptions.Exit(1)


@main.command("bin")
@click.argument("files", nargs=-1, required=True, type=_IN)
@click.option("-o", "--output", required=True, type=_FILE, help="netCDF file to write.")
@click.option("--product", default="rbspice-pap-tofxeh", help=f"Product of the files: {', '.join(FLUX_PRODUCTS)}.")
@click.option("--archive", multiple=True, help="Where the files of a lock (a .tsv of `ringdecay fetch`) are; as for fetch.")
@click.option("--cache", type=_FILE, help="Folder for downloads.")
@click.option("--time-bin-hours", default=8.97, help="Width of a time bin; 8.97 h is one orbit.")
@click.option("--l-definition", type=click.Choice(["L", "L_eq", "L_star"]), default="L", help="Which L.")
@click.option("--workers", default=1, type=click.IntRange(min=1), help="Processes.")
@_stage
def bin_command(
    files: tuple[Path, ...],
    output: Path,
    product: str,
    archive: tuple[str, ...],
    cache: Path | None,
    time_bin_hours: float,
    l_definition: str,
    workers: int,
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
    records = table["records_used"].sum()
    click.echo(f"{output}: {len(table) - len(refused)} files used, {len(refused)} refused, {records} records{_simulated(binned)}")


def _locked(path: Path, archive: tuple[str, ...], cache: Path | None) -> tuple[str, str | None, tuple[Path, ...]]:
    from ringdecay import archive as room  # noqa: PLC0415

    lock = room.read_lock(path)
    if not archive:
        raise InputError(f"{path} is a lock; say with --archive where its files are")
    if lock.empty or lock["product"].nunique() > 1 or lock["probe"].nunique() > 1:
        raise InputError(f"{path} must name files of one product and one probe to be binned")
    found = room.fetch_locked(lock, archive, cache=cache)
    return str(lock["product"][0]), str(lock["probe"][0]) or None, tuple(found.files)


@main.command()
@click.argument("files", nargs=-1, required=True, type=_IN)
@click.option("-o", "--output", required=True, type=_FILE, help="CSV file to write.")
@click.option("--index", default="SYM-H", type=click.Choice(["SYM-H", "Dst"]), help="Which index the files hold.")
@click.option("--threshold", default=-80.0, help="Deepest value (nT) a disturbance must reach.")
@_stage
def storms(files: tuple[Path, ...], output: Path, index: str, threshold: float) -> None:
    """Find the storms in index FILES (Kyoto Dst, SYM-H in IAGA-2002, OMNI CDF, OMNI2 text)."""
    from ringdecay.indices import open_index  # noqa: PLC0415
    from ringdecay.storms import find_storms, write_storms  # noqa: PLC0415

    found = find_storms(open_index(files, index), threshold)
    write_storms(found, output)
    click.echo(f"{output}: {len(found)} storms{_simulated(found)}")


@main.command()
@click.argument("binned", nargs=-1, required=True, type=_IN)
@click.option("--storms", "storm_table", required=True, type=_IN, help="CSV table of storms, from `ringdecay storms` or your own.")
@click.option("-o", "--output", required=True, type=_FILE, help="netCDF file to write.")
@click.option("--mode", default="calibrated", type=click.Choice(["calibrated", "paper"]), help="Honest intervals, or the published recipe.")
@click.option("--equatorial-pitch-angle", type=float, help="Fit the flux of this angle (degrees) instead of the omnidirectional flux.")
@click.option("--start-delay-days", default=1.0, help="How long after a storm's last minimum a fit begins.")
@click.option("--max-days", default=30.0, help="Longest window.")
@_stage
def fit(
    binned: tuple[Path, ...],
    storm_table: Path,
    output: Path,
    mode: Mode,
    equatorial_pitch_angle: float | None,
    start_delay_days: float,
    max_days: float,
) -> None:
    """Fit a decay to every storm, probe, energy and L-shell of BINNED files (they are added first)."""
    from ringdecay import binned as room  # noqa: PLC0415
    from ringdecay.decays import fit_decays, index_windows  # noqa: PLC0415
    from ringdecay.store import open_dataset, write_dataset  # noqa: PLC0415
    from ringdecay.storms import read_storms  # noqa: PLC0415

    merged = room.merge_binned(room.select_flux(open_dataset(path), equatorial_pitch_angle) for path in binned)
    catalogue = read_storms(storm_table)
    windows = index_windows(merged, catalogue, start_delay_days=start_delay_days, max_days=max_days)
    decays = fit_decays(room.with_merged_probe(merged), catalogue, mode, windows=windows)
    write_dataset(decays, output)
    click.echo(f"{output}: {int(decays['rate'].notnull().sum())} fits of {len(catalogue)} storms{_simulated(decays)}")


@main.command()
@click.argument("decays", type=_IN)
@click.option("-o", "--output", required=True, type=_FILE, help="netCDF file to write.")
@click.option("--probe", default="merged", help="Whose fits: merged, a or b.")
@_stage
def lifetimes(decays: Path, output: Path, probe: str) -> None:
    """Average the rates of DECAYS over storms, cell by cell."""
    from ringdecay.lifetime import lifetimes as average  # noqa: PLC0415
    from ringdecay.store import open_dataset, write_dataset  # noqa: PLC0415

    result = average(_expect(open_dataset(decays), decays, {"storm", "probe", "energy", "L"}, "decays.nc"), probe=probe)
    write_dataset(result, output)
    click.echo(f"{output}: {int(result['rate'].notnull().sum())} cells{_simulated(result)}")


@main.command()
@click.argument("result", type=_IN)
@click.option("-o", "--output", type=_FILE, help="CSV file to write; the terminal if not given.")
@_stage
def table(result: Path, output: Path | None) -> None:
    """Write RESULT (decays.nc or lifetimes.nc) as a table."""
    from ringdecay import tables  # noqa: PLC0415
    from ringdecay.store import open_dataset  # noqa: PLC0415

    dataset = open_dataset(result)
    _expect(dataset, result, {"energy", "L"}, "decays.nc or lifetimes.nc")
    if "tau" not in dataset:
        raise InputError(f"{result} is no decays.nc or lifetimes.nc: it has no tau")
    frame = tables.decay_table(dataset) if "storm" in dataset.dims else tables.lifetime_table(dataset)
    if output is None:
        click.echo(frame.to_csv(index=False), nl=False)
        click.echo(f"{len(frame)} rows{_simulated(dataset)}", err=True)
    else:
        title = "Decays" if "storm" in dataset.dims else "Decay times"
        tables.write_csv(frame, output, tables.csv_header(dataset, frame, title))


@main.command()
@click.argument("lifetimes_file", metavar="LIFETIMES", type=_IN)
@click.option("-o", "--output", required=True, type=_FILE, help="PNG or SVG file to write.")
@_stage
def plot(lifetimes_file: Path, output: Path) -> None:
    """Draw the map of decay times of LIFETIMES (a lifetimes.nc)."""
    from ringdecay import plots  # noqa: PLC0415
    from ringdecay.store import open_dataset  # noqa: PLC0415

    lifetimes_found = open_dataset(lifetimes_file)
    if "storm" in lifetimes_found.dims or "tau" not in lifetimes_found:
        raise InputError(f"{lifetimes_file} is no lifetimes.nc")
    plots.save(plots.lifetime_map(lifetimes_found), output)
    click.echo(str(output))


@main.command()
@click.option("--config", "config_file", type=_IN, help="A config file to check and show with its defaults.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@_stage
def info(config_file: Path | None, as_json: bool) -> None:
    """Show versions, the cache folder, the products and a config."""
    import yaml  # noqa: PLC0415

    from ringdecay.archive import default_cache  # noqa: PLC0415
    from ringdecay.config import read_config  # noqa: PLC0415
    from ringdecay.provenance import versions  # noqa: PLC0415

    record: dict[str, Any] = {
        "versions": versions(),
        "cache": str(default_cache()),
        "products": {name: product.title for name, product in PRODUCTS.items()},
    }
    if config_file is not None:
        record["config"] = read_config(config_file)
    click.echo(json.dumps(record, indent=2) if as_json else yaml.safe_dump(record, sort_keys=False).rstrip())


def _expect(dataset: xr.Dataset, path: Path, dims: set[str], what: str) -> xr.Dataset:
    if not dims <= set(dataset.dims):
        raise InputError(f"{path} is no {what}: it has the dimensions {', '.join(map(str, dataset.dims))}")
    return dataset


def _simulated(dataset: Any) -> str:
    from ringdecay.store import is_simulated  # noqa: PLC0415

    return " (SIMULATED)" if is_simulated(dataset) else ""


if __name__ == "__main__":  # python -m ringdecay.cli
    main(prog_name="ringdecay")
