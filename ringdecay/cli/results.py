"""Subcommands that show: table, plot, explore, validate, info."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from ringdecay.cli.answers import answer, is_looked_at, rows_of, show_table, simulated
from ringdecay.cli.group import FILE, FOLDER, IN, as_json_option, command, expect, stage
from ringdecay.products import PRODUCTS


@command("Write fits or decay times as a table.", "ringdecay table lifetimes.nc -o lifetimes.csv")
@click.argument("result", type=IN)
@click.option("-o", "--output", type=FILE, help="CSV file to write; standard output if not given.")
@as_json_option
@stage
def table(result: Path, output: Path | None, as_json: bool) -> None:
    """Write RESULT (decays.nc or lifetimes.nc) as a table.

    Standard output gets CSV, or, if it is a terminal, the columns that matter most.
    """
    from ringdecay import tables  # noqa: PLC0415
    from ringdecay.store import is_simulated, open_dataset  # noqa: PLC0415

    dataset = open_dataset(result)
    expect(dataset, result, {"energy", "L"}, "decays.nc or lifetimes.nc", more=True)
    of_storms = "storm" in dataset.dims
    frame = tables.decay_table(dataset) if of_storms else tables.lifetime_table(dataset)
    title = "Decays" if of_storms else "Decay times"
    if output is not None:
        tables.write_csv(frame, output, tables.csv_header(dataset, frame, title))
    if as_json:
        record = {"output": output, "simulated": is_simulated(dataset), "n_rows": len(frame)}
        answer("", record | ({"rows": rows_of(frame)} if output is None else {}), as_json=True)
    elif output is None and is_looked_at():
        names = ("storm", "probe", "energy", "L", "tau", "tau_low", "tau_high", "tau_limit", "n", "n_storms", "flag_meanings")
        shown = frame[[name for name in names if name in frame]]
        show_table(f"{title}{simulated(dataset)}", list(shown.columns), (map(_cell, row) for row in shown.itertuples(index=False)))
    elif output is None:
        click.echo(frame.to_csv(index=False), nl=False)
    if output is None:
        click.echo(f"{len(frame)} rows{simulated(dataset)}", err=True)
    elif not as_json:
        click.echo(f"{output}: {len(frame)} rows{simulated(dataset)}")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:g}"
    return str(value)


@command("Draw the map of decay times.", "ringdecay plot lifetimes.nc -o map.png")
@click.argument("lifetimes_file", metavar="LIFETIMES", type=IN)
@click.option("-o", "--output", required=True, type=FILE, help="PNG or SVG file to write.")
@stage
def plot(lifetimes_file: Path, output: Path) -> None:
    """Draw the map of decay times of LIFETIMES (a lifetimes.nc)."""
    from ringdecay import plots  # noqa: PLC0415
    from ringdecay.store import open_dataset  # noqa: PLC0415

    lifetimes_found = expect(open_dataset(lifetimes_file), lifetimes_file, {"energy", "L"}, "lifetimes.nc")
    plots.save(plots.lifetime_map(lifetimes_found), output)
    click.echo(str(output))


@command("Open the explorer of a run in the browser.", "ringdecay explore results/demo")
@click.argument("folder", metavar="RUN", type=FOLDER)
@click.option("--no-browser", is_flag=True, help="Only say where the page is.")
@stage
def explore(folder: Path, no_browser: bool) -> None:
    """Open the explorer of a RUN (a folder such as results/demo): every decay time, fit and storm on one page.

    The page is one file that needs no network; its path goes to standard output.
    """
    from ringdecay.explorer import explore as open_page  # noqa: PLC0415

    click.echo(str(open_page(folder, open_browser=not no_browser)))


@command("Measure on simulated data how often intervals hold.", "ringdecay validate --trials quick --workers 2")
@click.option("-o", "--output", type=FOLDER, help="Folder for the tables and figures; only the sum on standard output if not given.")
@click.option("--trials", default="full", help="Trials of each entry: quick (100, some of the worlds), full (2000), or a number.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the simulated worlds; always the same if not given.")
@click.option("--workers", default=1, type=click.IntRange(min=1), help="Processes.")
@as_json_option
@stage
def validate(output: Path | None, trials: str, seed: int | None, workers: int, as_json: bool) -> None:
    """Measure on simulated data whether intervals, means and limits hold the truth as often as they say.

    Ten minutes on two cores, or less than one with --trials quick. What is claimed and how it is measured: docs/validation.md.
    """
    from ringdecay import plots  # noqa: PLC0415
    from ringdecay import validate as room  # noqa: PLC0415

    number = int(trials) if trials.isdecimal() else trials
    entries = room.validate(number, seed=room.DEFAULT_SEED if seed is None else seed, workers=workers)
    paths: list[Path] = []
    if output is not None:
        paths += room.write_report(entries, output)
        for name, draw in (("coverage", plots.validation_coverage), ("bias", plots.validation_bias)):
            files = [output / f"figures/{name}.{suffix}" for suffix in ("png", "svg")]
            plots.save(draw(entries), *files)
            paths += files
    found = room.summary(entries)
    said = {str(name): value for name, value in entries.attrs.items()}
    record = {"claims": rows_of(found), "entries": len(entries), "outputs": paths} | said
    answer("\n".join([*map(str, paths), found.to_string(index=False, float_format="%.3f")]), record, as_json=as_json)


@command("Show versions, cache folder, products and a config.", "ringdecay info --config config/mission.yaml")
@click.option("--config", "config_file", type=IN, help="A config file to check and show with its defaults.")
@as_json_option
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
    answer("" if as_json else yaml.safe_dump(record, sort_keys=False).rstrip(), record, as_json=as_json)
