"""Damage CDF files in every way and see that reading ends in the same data or in a clear error: `make fuzz`, and the test beside it.

A mutant is known by two numbers, the seed and its own: `python tests/fuzz_cdf.py --seed 1 --only 4711` makes it again and says what
becomes of it. Reading is done in processes with a limit on memory; one that dies names the mutant that it died of.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import click
from fuzz_judge import Original, judge
from fuzz_mutate import Mutant, mutate
from fuzz_seeds import Seed, make_seeds

from ringdecay.progress import progress, showing

ROOT = Path(__file__).resolve().parents[1]
SECONDS, MEMORY = 5.0, 2**30
REAL = Path(os.environ.get("RINGDECAY_TEST_DATA", ROOT.parent / "shared" / "data"))


class TooSlow(BaseException):
    """A mutant took too long. Not an Exception, so that no handler in the reader takes it for damage."""


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlow


def limit_memory() -> None:
    """Let this process have no more than MEMORY above what it has now (Linux only: others do not tell or do not hold it)."""
    used = Path("/proc/self/statm")
    if used.exists():
        now = int(used.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, resource.RLIM_INFINITY))


def one(folder: Path, original: Original, mutant: Mutant) -> tuple[str, str]:
    """Read one mutant and judge it: outcome, and what there is to say about it."""
    path = folder / mutant.file_name
    path.write_bytes(mutant.content)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    # That was processor time, because a busy machine is no fault of the reader. Where the alarm is not heard, because the time is spent
    # outside Python or in waiting, the process is ended.
    faulthandler.dump_traceback_later(4 * SECONDS, exit=True)
    try:
        outcome = judge(path, original, mutant)
        signal.setitimer(signal.ITIMER_PROF, 0)
    except TooSlow:
        return "FAILURE", f"more than {SECONDS:g} s"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.cancel_dump_traceback_later()
        path.unlink()
    return outcome


def originals(seeds: list[Seed], folder: Path) -> dict[str, Original]:
    """Read every sound file once, with everything that a mutant will go through, so that no import is left for one."""
    found = {}
    for seed in seeds:
        path = folder / f"sound-{seed.name}.cdf"
        path.write_bytes(seed.content)
        found[seed.name] = Original.read(path, seed)
        outcome = judge(path, found[seed.name], Mutant(-1, seed, "sound", "nothing", seed.content))
        if outcome[0] != "same":
            raise RuntimeError(f"the sound file {seed.name}: {outcome}")
    return found


def work(folder: Path, real: Path | None, seed: int, numbers: range) -> None:
    """Do a share of the mutants and write a line each."""
    # What the reader prints or logs must not get between the lines.
    lines = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    logging.disable()
    with tempfile.TemporaryDirectory(dir=folder) as own:
        seeds = make_seeds(Path(own), real)
        known = originals(seeds, Path(own))
        signal.signal(signal.SIGPROF, _too_slow)
        limit_memory()
        for number in numbers:
            mutant = mutate(seeds, seed, number)
            begin = time.perf_counter()
            outcome, text = one(Path(own), known[mutant.seed.name], mutant)
            took = time.perf_counter() - begin
            lines.write(json.dumps([number, mutant.seed.name, mutant.kind, outcome, text, round(took, 3)]) + "\n")


class Tally:
    """What became of the mutants."""

    def __init__(self, advance: Callable[[], None] = lambda: None) -> None:
        self.advance = advance
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.explained: Counter[str] = Counter()
        self.failures: list[str] = []
        self.slowest = 0.0
        self.lock = threading.Lock()

    def add(self, number: int, name: str, kind: str, outcome: str, text: str, took: float) -> None:
        with self.lock:
            self.advance()
            self.outcomes[kind, outcome] += 1
            self.slowest = max(self.slowest, took)
            if outcome == "FAILURE":
                self.failures.append(f"mutant {number} ({name}, {kind}): {text}")
            elif outcome == "other":
                self.explained[text] += 1

    def report(self) -> str:
        """Say how many mutants of each kind had each outcome, and which bytes explain other values."""
        columns = ["error", "same", "other", "FAILURE"]
        lines = [f"{'':12s}" + "".join(f"{column:>9s}" for column in columns)]
        kinds = sorted({kind for kind, _ in self.outcomes})
        lines += [f"{kind:12s}" + "".join(f"{self.outcomes[kind, column]:9d}" for column in columns) for kind in kinds]
        totals = [sum(self.outcomes[kind, column] for kind in kinds) for column in columns]
        lines += [
            "all         " + "".join(f"{total:9d}" for total in totals),
            "other values or attributes, by the bytes that were changed:",
        ]
        lines += [f"{count:9d}  {text}" for text, count in self.explained.most_common()]
        lines.append(f"slowest mutant: {self.slowest:.2f} s")
        return "\n".join([*lines, *self.failures[:50]])


def _share(folder: Path, real: Path | None, seed: int, numbers: range, tally: Tally) -> None:
    """Run one process after another until a share is done; a process that dies is a failure of the mutant it was at."""
    while len(numbers):
        command = [
            sys.executable,
            str(Path(__file__)),
            "--seed",
            str(seed),
            "--worker",
            *map(str, (numbers.start, numbers.stop, numbers.step)),
        ]
        command += ["--folder", str(folder), "--real", str(real or "")]
        errors = folder / f"errors-{numbers.start}"
        done = 0
        with errors.open("w") as stream, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream, text=True) as process:
            for line in process.stdout or []:
                tally.add(*json.loads(line))
                done += 1
        if done == len(numbers) and process.returncode == 0:
            return
        number = numbers[min(done, len(numbers) - 1)]
        text = f"the process ended with {process.returncode}: {errors.read_text()[-1500:]}"
        tally.add(number, "?", "died", "FAILURE", text, 0.0)
        if not done:
            return
        numbers = numbers[done + 1 :]


def run(folder: Path, *, mutants: int, seed: int, workers: int, real: Path | None = REAL) -> Tally:
    """Read mutants 0 to `mutants` (not included) of a seed."""
    real = real if real and real.is_dir() else None
    with showing("bars" if sys.stderr.isatty() else "nothing"), progress("reading", mutants, "mutants") as advance:
        tally = Tally(advance)
        threads = [
            threading.Thread(target=_share, args=(folder, real, seed, range(first, mutants, workers), tally)) for first in range(workers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return tally


def main() -> int:
    """Read the mutants, say what became of them, and tell by the exit status whether all was well."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mutants", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    parser.add_argument("--only", type=int, help="make this mutant, keep its file and say what becomes of it")
    parser.add_argument("--real", default=str(REAL), help="folder of real files")
    parser.add_argument("--worker", type=int, nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options: Any = parser.parse_args()
    real = Path(options.real) if options.real and Path(options.real).is_dir() else None
    if options.worker:
        work(options.folder, real, options.seed, range(*options.worker))
        return 0
    if options.only is not None:
        folder = Path(tempfile.mkdtemp(prefix="ringdecay-fuzz-"))
        seeds = make_seeds(folder, real)
        mutant = mutate(seeds, options.seed, options.only)
        kept = folder / f"mutant-{options.only}.cdf"
        kept.write_bytes(mutant.content)
        click.echo(f"{kept}: {mutant.seed.name}, {mutant.kind}, {mutant.what}")
        signal.signal(signal.SIGPROF, _too_slow)
        click.echo(" ".join(one(folder, originals(seeds, folder)[mutant.seed.name], mutant)))
        return 0
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ringdecay-fuzz-") as folder:
        tally = run(Path(folder), mutants=options.mutants, seed=options.seed, workers=options.workers, real=real)
    click.echo(tally.report())
    took = time.monotonic() - begin
    click.echo(f"{options.mutants} mutants of seed {options.seed} in {took:.0f} s, {len(tally.failures)} failures")
    return int(bool(tally.failures) or sum(tally.outcomes.values()) < options.mutants)


if __name__ == "__main__":
    sys.exit(main())
