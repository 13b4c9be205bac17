"""The benchmark of reading, binning and fitting: every candidate in the same run, in turn, round after round.

`make bench` runs it and then makes the page. Each measurement is a process of its own (`measure.py`) that goes through the whole set of
files. The order of the candidates is drawn anew in each round, so that none has always the same neighbour on a machine with others on it.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from machine import described
from measure import BOUND
from simulated_files import SENSITIVITY, newest_spin_files, spin_files, telescope_files

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
START = "2015-03-10"
PROJECT = ("ringdecay", "ringdecay, 2 threads", "ringdecay, 2 processes")
OTHERS = ("cdflib varget + groupby_bins", "cdf_to_xarray + groupby_bins", "pySPEDAS + groupby_bins")


def runs(core: int) -> list[tuple[str, str, list[str]]]:
    """List what is measured in a round: candidate, under which conditions, and how `measure.py` is told."""
    pinned = ["--core", str(core)]
    with_deflate = [(name, [], ", deflate") for name in OTHERS]
    without = [(name, ["--no-deflate"], "") for name in OTHERS]
    found: list[tuple[str, str, list[str]]] = []
    for where, how in (("one core", pinned), ("all cores", [])):
        ours = PROJECT[:1] if where == "one core" else PROJECT
        found += [(name, where, how) for name in (BOUND, *ours)]
        found += [(name, where + more, [*how, *flag]) for name, flag, more in (*without, *with_deflate)]
    return found


def measure(name: str, product: str, files: Sequence[Path], how: list[str]) -> dict[str, float]:
    """Measure a candidate in a process of its own."""
    # One thread of linear algebra: none of the candidates has any, and idle pools only cost memory.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path[:1] + _here())}
    command = [sys.executable, str(HERE / "measure.py"), name, product, *map(str, files), *how]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"{name} on {product} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _here() -> list[str]:
    """Folders that the other process must find modules in: this one, the repository, and what the caller had."""
    return [str(HERE), str(HERE.parent), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]


def bench_reading(sets: dict[str, list[Path]], rounds: int, core: int, out: Path) -> dict[str, Any]:
    """Measure every candidate on every set of files, and write what is known after each round."""
    missing = [] if find_spec("pyspedas") else ["pySPEDAS + groupby_bins"]
    todo = [(product, *run) for product in sets for run in runs(core) if run[0] not in missing]
    result: dict[str, Any] = {
        "machine": described(),
        "rounds": rounds,
        "left_out": dict.fromkeys(missing, "pySPEDAS is not installed"),
        "sets": {
            product: {"files": len(files), "bytes": sum(file.stat().st_size for file in files), "sensitivity": SENSITIVITY, "measured": {}}
            for product, files in sets.items()
        },
    }
    for number in range(rounds):
        for files in sets.values():
            for file in files:
                file.read_bytes()  # so that all find it in the page cache
        for product, name, where, how in random.Random(number).sample(todo, len(todo)):
            found = measure(name, product, sets[product], how)
            place = result["sets"][product]["measured"].setdefault(name, {}).setdefault(where, {})
            for quantity, value in found.items():
                place.setdefault(quantity, []).append(round(value, 4))
            click.echo(
                f"round {number + 1}: {product}, {name}, {where}: {found['seconds'] / len(sets[product]) * 1e3:.1f} ms a file", err=True
            )
        write(result, out)
    return result


def write(result: dict[str, Any], out: Path) -> None:
    """Write a result as JSON."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


@click.command()
@click.option("--rounds", default=5, type=click.IntRange(min=1))
@click.option("--spin-files", "n_spin", default=30, help="Days of level 3 PAP with a record a spin.")
@click.option("--telescope-files", "n_telescope", default=6, help="Days of level 3 by telescope with a record a twelfth of a spin.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("resources/benchmark"), help="Where the simulated files are or go.")
@click.option("--core", default=0, help="The core of the pinned runs.")
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="Folder of the results.")
@click.option("--fits/--no-fits", default=True, help="Whether the fits are measured too.")
@click.option("--quick", is_flag=True, help="Few fits.")
def main(rounds: int, n_spin: int, n_telescope: int, folder: Path, core: int, out: Path, *, fits: bool, quick: bool) -> None:
    """Measure, and write reading.json and fits.json."""
    sets = {"rbspice-pap-tofxeh": _spin(folder, n_spin), "rbspice-tofxeh": telescope_files(folder, START, n_telescope)}
    bench_reading(sets, rounds, core, out / "reading.json")
    if fits:
        command = [sys.executable, str(HERE / "fits.py"), "--rounds", str(rounds), "--json", str(out / "fits.json"), *(["--quick"] * quick)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(_here())})


def _spin(folder: Path, days: int) -> list[Path]:
    """Give the files by spin, written unless as many are there."""
    there = newest_spin_files(folder)
    # One day more, because one is missing.
    return (there if len(there) >= days else spin_files(folder, START, days + 1))[:days]


if __name__ == "__main__":
    main()
