"""Subcommands that show: table, plot, validate, info."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ringdecay.cli.group import FILE, IN, expect, main, simulated, stage
from ringdecay.errors import InputError
from ringdecay.products import PRODUCTS

_FOLDER = click.Path(path_type=Path, file_okay=False)


@main.command()
@click.argument("result", type=IN)
@click.option("-o", "--output", type=FILE, help="CSV file to write; the terminal if not given.")
@stage
def table(result: Path, output: Path | None) -> None:
    """Write RESULT (decays.nc or lifetimes.nc) as a table."""
    from ringdecay import tables  # noqa: PLC0415
    from ringdecay.store import open_dataset  # noqa: PLC0415

    dataset = open_dataset(result)
    expect(dataset, result, {"energy", "L"}, "decays.nc or lifetimes.nc")
    if "tau" not in dataset:
        raise InputError(f"{result} is no decays.nc or lifetimes.nc: it has no tau")
    frame = tables.decay_table(dataset) if "storm" in dataset.dims else tables.lifetime_table(dataset)
    if output is None:
        click.echo(frame.to_csv(index=False), nl=False)
        click.echo(f"{len(frame)} rows{simulated(dataset)}", err=True)
    else:
        title = "Decays" if "storm" in dataset.dims else "Decay times"
        tables.write_csv(frame, output, tables.csv_header(dataset, frame, title))


@main.command()
@click.argument("lifetimes_file", metavar="LIFETIMES", type=IN)
@click.option("-o", "--output", required=True, type=FILE, help="PNG or SVG file to write.")
@stage
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
@click.option("-o", "--output", type=_FOLDER, help="Folder for the tables and figures; only the sum on the terminal if not given.")
@click.option("--trials", default="full", help="Trials of each entry: quick (100, some of the worlds), full (2000), or a number.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the simulated worlds; always the same if not given.")
@click.option("--workers", default=1, type=click.IntRange(min=1), help="Processes.")
@stage
def validate(output: Path | None, trials: str, seed: int | None, workers: int) -> None:
    """Measure on simulated data whether intervals, means and limits hold the truth as often as they say.

    Ten minutes on two cores, or less than one with --trials quick. What is claimed and how it is measured: docs/validation.md.
    """
    from ringdecay import plots  # noqa: PLC0415
    from ringdecay import validate as room  # noqa: PLC0415

    number = int(trials) if trials.isdecimal() else trials
    entries = room.validate(number, seed=room.DEFAULT_SEED if seed is None else seed, workers=workers)
    if output is not None:
        for path in room.write_report(entries, output):
            click.echo(str(path))
        for name, draw in (("coverage", plots.validation_coverage), ("bias", plots.validation_bias)):
            for suffix in ("png", "svg"):
                plots.save(draw(entries), output / f"figures/{name}.{suffix}")
    click.echo(room.summary(entries).to_string(index=False, float_format="%.3f"))


@main.command()
@click.option("--config", "config_file", type=IN, help="A config file to check and show with its defaults.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@stage
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
