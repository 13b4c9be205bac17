"""Subcommands that show: table, plot, info."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ringdecay.cli.group import FILE, IN, expect, main, simulated, stage
from ringdecay.errors import InputError
from ringdecay.products import PRODUCTS


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
