"""A whole mission through the workflow, how the cost grows with the number of files, and how long the program takes to start.

`workflow ARCHIVE` runs Snakemake on a simulated archive (`simulated_files.py spin FOLDER` makes one), `scaling FOLDER` reads and bins
growing numbers of files by telescope (`simulated_files.py telescopes FOLDER`), `starts` times imports. Each writes its own JSON.
"""

from __future__ import annotations

import csv
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from itertools import groupby
from pathlib import Path

import click
import readers
from bench import RESULTS, write
from machine import described

REPOSITORY = Path(__file__).resolve().parents[1]
RUN = "bench-mission"
TELESCOPES = "rbspice-tofxeh"
OUT = click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="Folder of the results.")
ROUNDS = click.option("--rounds", default=3, type=click.IntRange(min=1))


@click.group()
def main() -> None:
    """Measure what takes a whole mission, or no file at all."""


@main.command()
@click.argument("archive", type=click.Path(path_type=Path, exists=True))
@click.option("--start", default="2012-10-01")
@click.option("--stop", default="2019-10-01")
@click.option("--threshold", default=-80.0, help="Deepest value of the index (nT) that makes a storm.")
@click.option("--cores", default=2)
@OUT
def workflow(archive: Path, start: str, stop: str, threshold: float, cores: int, out: Path) -> None:
    """Run the workflow on ARCHIVE from nothing but files that were fetched before, then again with nothing to do.

    The simulated world has a storm every fortnight, all below -80 nT, 173 in seven years; the real index has 55. With a threshold of
    -156 nT there are about as many in the simulated mission as in the real one.
    """
    config = REPOSITORY / f"resources/{RUN}.yaml"
    config.parent.mkdir(exist_ok=True)
    settings = f'run: {RUN}\narchive: {archive.resolve()}\nstart: "{start}"\nstop: "{stop}"\nbinning_job: year\n'
    config.write_text(f"{settings}storms:\n  threshold: {threshold}\n", encoding="utf-8")
    _remove_run()
    # A first fetch brings the files into the page cache, as a download or an earlier run would.
    fetching = _snakemake(config, cores, "--until", "fetch_flux", "fetch_index")
    _remove_run()
    seconds = _snakemake(config, cores)
    rules = _rules()
    nothing = [_snakemake(config, cores) for _ in range(3)]
    files = _used(archive)
    storms = len(_table("storms.csv"))
    result = {
        "machine": described(),
        "cores": cores,
        "start": start,
        "stop": stop,
        "files": len(files),
        "bytes": sum(file.stat().st_size for file in files),
        "threshold": threshold,
        "storms": storms,
        "first_fetch_seconds": fetching,
        "seconds": seconds,
        "nothing_to_do_seconds": nothing,
        "rules": rules,
    }
    write(result, out / "workflow.json")
    click.echo(f"{len(files)} files: {seconds:.1f} s; with nothing to do {min(nothing):.1f} s")


def _used(archive: Path) -> list[Path]:
    """Give the files of flux that the run used, by its own table of them."""
    names = {row["name"] for row in _table("files.csv") if row["status"] == "used"}
    return [path for path in archive.glob("rbsp/**/*.cdf") if path.name in names]


def _table(name: str) -> list[dict[str, str]]:
    """Read a table of the run."""
    with (REPOSITORY / "results" / RUN / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def _remove_run() -> None:
    for folder in ("results", "resources", "logs"):
        shutil.rmtree(REPOSITORY / folder / RUN, ignore_errors=True)


def _snakemake(config: Path, cores: int, *arguments: str) -> float:
    """Give the seconds that a run takes."""
    command = [str(Path(sys.executable).with_name("snakemake")), "--cores", str(cores), "--configfile", str(config), *arguments]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "MPLBACKEND": "Agg"}
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"snakemake failed:\n{(done.stdout + done.stderr)[-4000:]}")
    return round(time.perf_counter() - begin, 2)


def _rules() -> dict[str, dict[str, float]]:
    """Sum Snakemake's own measurements of the jobs of each rule: how many, their seconds, the longest, the most memory."""
    jobs = defaultdict(list)
    folder = REPOSITORY / "logs" / RUN / "benchmarks"
    for path in folder.rglob("*.tsv"):
        with path.open(encoding="utf-8") as file:
            row = next(csv.DictReader(file, delimiter="\t"))
        # A job that is over before the first look at its memory has none.
        memory = float(row["max_rss"]) if row["max_rss"] not in ("", "-", "NA") else 0.0
        jobs[path.relative_to(folder).with_suffix("").parts[0]].append((float(row["s"]), memory))
    return {
        rule: {
            "jobs": len(found),
            "seconds": round(sum(seconds for seconds, _ in found), 2),
            "longest_seconds": round(max(seconds for seconds, _ in found), 2),
            "max_rss_mb": max(memory for _, memory in found),
        }
        for rule, found in sorted(jobs.items(), key=lambda item: -sum(seconds for seconds, _ in item[1]))
    }


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--files", "numbers", multiple=True, type=int, default=(50, 150, 500))
@click.option("--workers", default=2, help="Processes.")
@ROUNDS
@OUT
def scaling(folder: Path, numbers: tuple[int, ...], workers: int, rounds: int, out: Path) -> None:
    """Read and bin the first files by telescope of FOLDER, a month and probe at a time as the workflow does."""
    files = sorted(folder.glob("rbsp/*/l3/rbspice/tofxeh/*/*.cdf"))
    if len(files) < max(numbers):
        raise click.ClickException(f"{folder} has {len(files)} files by telescope, and {max(numbers)} are to be read")
    seconds: dict[int, list[float]] = {number: [] for number in numbers}
    with readers.scheduler("processes", workers):
        readers.ringdecay(files[:2], TELESCOPES)
        for turn in range(rounds):
            for number in numbers if turn % 2 == 0 else numbers[::-1]:
                for file in files[:number]:
                    file.read_bytes()
                begin = time.perf_counter()
                # Probe and month stand in the name: rbsp-a-rbspice_lev-3_tofxeh_20130301_v...
                for _, month in groupby(files[:number], key=lambda file: file.name.split("_v")[0][:-2]):
                    readers.ringdecay(list(month), TELESCOPES)
                seconds[number].append(round(time.perf_counter() - begin, 3))
                click.echo(f"{number} files: {seconds[number][-1]:.2f} s", err=True)
    result = {
        "machine": described(),
        "workers": workers,
        "bytes": {number: sum(file.stat().st_size for file in files[:number]) for number in numbers},
        "seconds": seconds,
        # Linux counts kB; of the workers the largest is counted.
        "worker_peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
    }
    write(result, out / "scaling.json")


@main.command()
@ROUNDS
@OUT
def starts(rounds: int, out: Path) -> None:
    """Time how long the package takes to import, and the program to print its help."""
    inside = "import time; begin = time.perf_counter(); import ringdecay; print(time.perf_counter() - begin)"
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    times: dict[str, list[float]] = {"import ringdecay": [], "ringdecay --help": []}

    def run(*command: str) -> tuple[float, str]:
        begin = time.perf_counter()
        done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=True)
        return time.perf_counter() - begin, done.stdout

    for turn in range(rounds + 1):
        imported, helped = float(run("-c", inside)[1]), run("-m", "ringdecay.cli", "--help")[0]
        if turn:  # the first may have to compile
            times["import ringdecay"].append(round(imported, 4))
            times["ringdecay --help"].append(round(helped, 4))
    write({"machine": described(), "seconds": times}, out / "starts.json")
    click.echo(", ".join(f"{name} {statistics.median(found):.3f} s" for name, found in times.items()))


if __name__ == "__main__":
    main()
