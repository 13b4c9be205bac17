"""Kill the whole workflow at random moments and see that a run afterwards gives what a run without a kill gives.

Not a test that pytest collects, because twenty kills take twenty minutes: `make chaos`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import click
import matplotlib.image
import numpy as np
from workflow_run import clone, snakemake

from ringdecay.archive import read_lock
from ringdecay.store import content_hash, open_dataset

CONFIG = ("--configfile", ".test/config/config.yaml")
RESULTS, ARCHIVE = "results/short", "resources/short/demo-archive"
# Bytes of the archive differ from run to run, because compressed blocks carry the time of writing.
NOT_COMPARED = {"sha256", "modified", "url"}


@dataclass(frozen=True)
class Killed:
    """What a kill met."""

    moment: float
    running: list[str]
    left: list[str]
    survivors: list[str]


def run_until(folder: Path, moment: float) -> Killed | None:
    """Start a run as a process group of its own and kill it after `moment` seconds; None if it ended before."""
    command = [str(Path(sys.executable).with_name("snakemake")), "--cores", "2", *CONFIG]
    environment = os.environ | {"PYTHONPATH": str(folder), "RINGDECAY_CACHE": str(folder / "cache")}
    log = folder / "killed.log"
    with log.open("w") as stream:
        run = subprocess.Popen(command, cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            run.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
        else:
            if run.returncode != 0:
                raise RuntimeError(log.read_text())
            return None
    survivors = _survivors(folder)
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.partial*"))
    return Killed(moment, _running(log.read_text()), left, survivors)


def unlock(folder: Path) -> None:
    """Take off the lock of the killed run, as a user has to do: Snakemake cannot tell that the run is dead."""
    snakemake(folder, *CONFIG, "--unlock")


def differences(folder: Path, reference: Path) -> list[str]:
    """Say where the results of `folder` differ from those of the reference, one sentence a difference."""
    found: list[str] = []
    files = _files(folder / RESULTS)
    if files != _files(reference / RESULTS):
        found.append(f"other files: {sorted(files ^ _files(reference / RESULTS))}")
    both = sorted(files & _files(reference / RESULTS))
    found += [f"{name} differs" for name in both if _content(folder / RESULTS / name) != _content(reference / RESULTS / name)]
    partial = [path for path in folder.rglob("*.partial*") if not path.name.startswith(".")]
    found += [f"half a file in sight: {path.relative_to(folder)}" for path in partial]
    lock = read_lock(folder / RESULTS / "inputs.tsv")
    for path, sha256 in zip(lock["path"], lock["sha256"], strict=True):
        if hashlib.sha256((folder / ARCHIVE / path).read_bytes()).hexdigest() != sha256:
            found.append(f"inputs.tsv has another SHA-256 for {path} than the file")
    if incomplete := list((folder / ".snakemake/incomplete").glob("*")):
        found.append(f"{len(incomplete)} outputs still marked as incomplete")
    return found


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")}


def _content(path: Path) -> object:
    """Give what a result says, without when and from which bytes it was made."""
    if path.suffix == ".nc":
        return content_hash(open_dataset(path))
    if path.suffix == ".tsv":
        return read_lock(path).drop(columns=list(NOT_COMPARED)).to_csv()
    if path.suffix == ".json":
        record = json.loads(path.read_text())
        record["inputs"].pop("sha256_of_all")
        return {key: value for key, value in record.items() if key != "date_created"}
    if path.suffix == ".png":
        return hashlib.sha256(np.ascontiguousarray(matplotlib.image.imread(path)).tobytes()).hexdigest()
    if path.suffix == ".svg":
        # Matplotlib writes the date and random names of clip paths; the drawing's texts and number of parts stay.
        return sum(1 for _ in ET.parse(path).iter()), re.findall(r"<!--.*?-->", path.read_text())
    return path.read_bytes()


def _running(log: str) -> list[str]:
    """Say which jobs had been started and had not ended."""
    started = dict(re.findall(r"^Job (\d+): (.+)$", log, flags=re.MULTILINE))
    ended = set(re.findall(r"^Finished jobid: (\d+)", log, flags=re.MULTILINE))
    return [text for job, text in started.items() if job not in ended]


def _survivors(folder: Path) -> list[str]:
    """List processes that still work in the folder two seconds after their process group was killed (Linux only)."""
    for _ in range(20):
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink().is_relative_to(folder):
                    found.append((process / "cmdline").read_bytes().replace(b"\x00", b" ").decode()[:80])
            except OSError:
                continue
        if not found:
            break
        time.sleep(0.1)
    return found


def one_round(folder: Path, reference: Path, moments: list[float]) -> tuple[list[Killed], list[str]]:
    """Kill a run from an empty state at the first moment, each resumed one at the next, and compare what the last resume gives."""
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        clone(folder)
        kills: list[Killed] = []
        for moment in moments:
            if kills:
                unlock(folder)
            killed = run_until(folder, moment)
            if killed is None:
                break
            kills.append(killed)
        if len(kills) == len(moments):
            break
        # The run was over before the kill, because the machine was quicker than at the reference.
        moments = [0.8 * moment for moment in moments]
    unlock(folder)
    snakemake(folder, *CONFIG)
    return kills, differences(folder, reference)


def plan(kills: int, duration: float, seed: int) -> list[list[float]]:
    """Spread the kills over a run: half of them alone, the other half in pairs, the second of which kills the resumed run.

    The first kills of the rounds are one in each equal part of the duration, at a random moment within it.
    """
    rng = np.random.default_rng(seed)
    pairs = kills // 4
    rounds = kills - pairs
    first = duration * (0.03 + 0.94 * (rng.permutation(rounds) + rng.uniform(size=rounds)) / rounds)
    second = np.maximum((duration - first) * rng.uniform(0.2, 0.9, size=rounds), 2.5)
    return [[float(a), float(b)] if i < pairs else [float(a)] for i, (a, b) in enumerate(zip(first, second, strict=True))]


def main() -> int:
    """Run the reference and all kills, print a line a kill, and tell by the exit status whether all was well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the runs are made; default a temporary folder, removed if all is well")
    options = parser.parse_args()
    base = Path(options.folder or tempfile.mkdtemp(prefix="ringdecay-chaos-")).resolve()
    begin = time.monotonic()
    reference = clone(base / "reference")
    snakemake(reference, *CONFIG)
    duration = time.monotonic() - begin
    click.echo(f"reference: {duration:.0f} s; seed {options.seed}; in {base}\nkill  at (s)  killed while running; hidden leftovers; result")
    number, bad, left = 0, 0, set()
    for index, moments in enumerate(plan(options.kills, duration, options.seed)):
        folder = base / f"round-{index}"
        try:
            kills, wrong = one_round(folder, reference, moments)
        except (AssertionError, RuntimeError, OSError, subprocess.SubprocessError) as error:
            kills, wrong = [Killed(moment, [], [], []) for moment in moments], [f"a run failed: {str(error)[-1500:]}"]
        for place, killed in enumerate(kills):
            number += 1
            last = place == len(kills) - 1
            wrong += [f"still alive after the kill: {name}" for name in killed.survivors]
            result = ("DIFFERS" if wrong else "same") if last else "killed again while resuming:"
            left |= {re.sub(r"\.[0-9a-f]{8}\.", ".*.", name) for name in killed.left}
            click.echo(f"{number:4d} {killed.moment:7.1f}  {', '.join(killed.running) or 'between jobs'}; {len(killed.left)}; {result}")
        bad += bool(wrong)
        for sentence in wrong:
            click.echo(f"      {sentence}")
        if not wrong:
            shutil.rmtree(folder)
    for name in sorted(left):
        click.echo(f"left by a kill: {name}")
    click.echo(f"{number} kills in {(time.monotonic() - begin) / 60:.0f} min, {bad} rounds with a difference")
    if bad:
        click.echo(f"the runs that differ are in {base}")
    elif not options.folder:
        shutil.rmtree(base)
    return int(bad > 0 or number < options.kills)


if __name__ == "__main__":
    sys.exit(main())
