"""Subcommands that bring files here and judge them: simulate, fetch, check."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringdecay.cli.answers import answer, simulated
from ringdecay.cli.group import ARCHIVE, FILE, IN, as_json_option, command, one_of, stage
from ringdecay.products import PRODUCTS
from ringdecay.progress import progress, showing

if TYPE_CHECKING:
    import pandas as pd

    from ringdecay.archive import Fetched, Plan


@command("Write a simulated archive with known decay times.", "ringdecay simulate archive/ --days 30")
@click.argument("folder", type=FILE)
@click.option("--start", default="2015-04-15", help="First day.")
@click.option("--days", default=150, type=click.IntRange(min=1), help="Number of days; 150 take 0.3 GB and hold ten storms.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the simulated world; the demonstration's own if not given.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes; all cores if not given.")
@click.option(
    "--spins-per-record", default=10, type=click.IntRange(min=1), help="Length of a record; 1 as in real files, ten times the size."
)
@as_json_option
@stage
def simulate(folder: Path, start: str, days: int, seed: int | None, workers: int | None, spins_per_record: int, as_json: bool) -> None:
    """Write a SIMULATED archive with known decay times to FOLDER.

    It is laid out like the real one, so every other command reads it. What a fit should find is in FOLDER/truth.nc.
    """
    from ringdecay import simulate as room  # noqa: PLC0415 - each command loads only what it needs

    seed = room.DEFAULT_SEED if seed is None else seed
    manifest = room.archive(folder, start=start, days=days, workers=workers, seed=seed, spins_per_record=spins_per_record)
    size = manifest["bytes"].sum()
    record = {"folder": folder, "files": len(manifest), "bytes": size, "seed": seed, "simulated": True}
    answer(f"{len(manifest)} files, {size / 1e6:.0f} MB in {folder} (SIMULATED)", record, as_json=as_json)


@command(
    "Bring files of an archive to this machine.",
    "ringdecay fetch hope-pa -p a --start 2015-03-10 --stop 2015-03-20 --archive https://spdf.gsfc.nasa.gov/pub/data --dry-run",
    more=f"Products: {', '.join(PRODUCTS)}.",
)
@click.argument("product", required=False, callback=one_of("product", PRODUCTS))
@click.option("-p", "--probe", type=click.Choice(["a", "b"]), help="Van Allen probe; none for an index.")
@click.option("--start", help="First day, such as 2015-03-10.")
@click.option("--stop", help="Day after the last.")
@click.option("--archive", required=True, multiple=True, help=ARCHIVE)
@click.option("--cache", type=FILE, help="Folder for downloads; $RINGDECAY_CACHE or the user's cache folder if not given.")
@click.option("--lock", type=FILE, help="Write the table of files (version, size, SHA-256) here.")
@click.option("--locked", type=IN, help="Fetch exactly the files of this table (an inputs.tsv), byte for byte; no PRODUCT and no days.")
@click.option("--offline", is_flag=True, help="Use only what is in the cache and in folders, and say what is missing.")
@click.option("--dry-run", is_flag=True, help="Only list the files, their sizes and what is here already.")
@as_json_option
@stage
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
    as_json: bool,
) -> None:
    """Make the files of PRODUCT available on this machine, the newest version of each; or those of a lock.

    Their paths go to standard output, a line each.
    """
    from ringdecay import archive as room  # noqa: PLC0415

    if locked is not None:
        if product or probe or start or stop:
            raise click.UsageError("--locked says which files; leave PRODUCT, --probe, --start and --stop out")
        planned = room.plan_locked(room.read_lock(locked), archive, cache=cache, offline=offline)
    elif product is None or start is None or stop is None:
        raise click.UsageError("give PRODUCT, --start and --stop, or a table of files with --locked")
    else:
        planned = room.plan(product, probe, start, stop, archive, cache=cache, offline=offline)
    if dry_run:
        _show_preview(planned, as_json=as_json)
        return
    fetched = room.fetch_planned(planned)
    if lock is not None:
        room.write_lock(fetched.lock, lock)
    answer("\n".join(map(str, fetched.files)), _fetched_record(fetched, lock), as_json=as_json)
    click.echo(f"{len(fetched.files)} files; {_missing(fetched.missing)}{simulated(fetched.lock)}", err=True)


def _fetched_record(fetched: Fetched, lock: Path | None) -> dict[str, Any]:
    from ringdecay.cli.answers import rows_of  # noqa: PLC0415
    from ringdecay.store import is_simulated  # noqa: PLC0415

    files = [{"file": str(local)} | row for local, row in zip(fetched.files, rows_of(fetched.lock), strict=True)]
    return {
        "files": files,
        "missing": _days(fetched.missing),
        "superseded": list(fetched.superseded),
        "undecided": list(fetched.undecided),
        "lock": None if lock is None else str(lock),
        "simulated": is_simulated(fetched.lock),
    }


def _show_preview(planned: Plan, *, as_json: bool) -> None:
    """Write each file of a plan with its size and state, and the sums."""
    from ringdecay import archive as room  # noqa: PLC0415

    found = room.preview(planned)
    here = sum((one.sizes or (0, 0))[0] for one in found if one.local)
    to_load = sum(sum(one.sizes or (0, 0)) // 2 for one in found if not one.local)
    unknown = sum(one.sizes is None for one in found)
    lines = []
    for one in found:
        low, high = one.sizes or (0, 0)
        size = "size unknown" if one.sizes is None else f"{'' if low == high else 'about '}{(low + high) / 2e6:.3f} MB"
        lines.append(f"{'here' if one.local else 'to load':8}{size:>16}  {one.file.path}")
    loads = sum(one.local is None for one in found)
    about = "about " * any(one.sizes and one.sizes[0] != one.sizes[1] for one in found if one.local is None)
    more = f" and {unknown} of unknown size" if unknown else ""
    lines.append(
        f"{len(found)} files: {len(found) - loads} here ({here / 1e6:.1f} MB), {loads} to load ({about}{to_load / 1e6:.1f} MB{more}); "
        f"{_missing(planned.missing)}; nothing was loaded"
    )
    record = {
        "files": [{"path": one.file.path, "local": one.local, "bytes": one.sizes} for one in found],
        "bytes_here": here,
        "bytes_to_load": to_load,
        "files_of_unknown_size": unknown,
        "missing": _days(planned.missing),
    }
    answer("\n".join(lines), record, as_json=as_json)


def _days(dates: pd.DatetimeIndex) -> list[str]:
    return [f"{date:%Y-%m-%d}" for date in dates]


def _missing(dates: pd.DatetimeIndex) -> str:
    shown, more = ", ".join(_days(dates[:10])), ", ..." if len(dates) > 10 else ""
    return f"missing: {len(dates)}" + (f" ({shown}{more})" if shown else "")


@command("Say whether files are as expected and can be used.", "ringdecay check rbsp-a-rbspice_lev-3-pap_tofxeh_20150417_v1.1.9-00.cdf")
@click.argument("files", nargs=-1, required=True, type=IN)
@click.option(
    "--product",
    callback=one_of("product", PRODUCTS),
    help="Product that the files should be of; found from the name or the content of each if not given.",
)
@as_json_option
@click.option("-q", "--quiet", is_flag=True, help="One line a file: name, product, verdict.")
@stage
def check(files: tuple[Path, ...], product: str | None, as_json: bool, quiet: bool) -> None:
    """Say of FILES what is as expected, what differs, and whether each can be used.

    The exit status is 0 if all can be used, 1 if one cannot, 2 for a wrong call. The report of one file is what to put into an issue.
    """
    from ringdecay import check as room  # noqa: PLC0415

    # What the reader warns of is in the report.
    logger = logging.getLogger("ringdecay")
    level = logger.level
    logger.setLevel(logging.ERROR)
    usable, records = True, list[dict[str, Any]]()
    try:
        # Without --json each report is written at once, and a bar would be in its way.
        with showing("nothing") if not as_json else nullcontext(), progress("checking", len(files), "files") as advance:
            for path in files:
                # A file that holds several ions is one of several products.
                for name in [product] if product is not None else room.recognise(path) or [None]:
                    table = room.check_file(path, name)
                    usable &= table.attrs["usable"]
                    if not as_json:
                        click.echo(room.one_line(table) if quiet else ("\n" if records else "") + room.report(table))
                    records.append(room.to_record(table, rows=not quiet))
                advance()
    finally:
        logger.setLevel(level)
    if as_json:
        answer("", {"usable": usable, "files": records}, as_json=True)
    if not usable:
        raise click.exceptions.Exit(1)
