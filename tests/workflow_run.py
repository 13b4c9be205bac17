"""Running the workflow in a copy of the repository, so that nothing of one test is left for another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

# What runs the short demonstration of one storm.
SHORT = ("--configfile", ".test/config/config.yaml")
# What a clone would hold; what runs and tools leave behind stays out.
_PARTS = ["Snakefile", "profiles", "workflow", "config", "ringdecay", ".test", "pyproject.toml"]


def clone(folder: Path, like: Path | None = None) -> Path:
    """Copy the parts of the repository that a run needs, or those of another clone with what it has compiled, which takes long."""
    folder.mkdir(parents=True)
    left = ("results", "resources", "logs", ".snakemake", *(() if like else ("__pycache__",)))
    for part in _PARTS:
        source = (like or ROOT) / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns(*left))
        else:
            shutil.copy2(source, folder / part)
    return folder


def snakemake(folder: Path, *arguments: str, check: bool = True, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a clone, on the clone's own package."""
    command = [str(Path(sys.executable).with_name("snakemake")), "--cores", "2", *arguments]
    environment = os.environ | {"PYTHONPATH": str(folder), "RINGDECAY_CACHE": str(folder / "cache")} | (env or {})
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=900)
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def jobs(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> dict[str, int]:
    """Tell how many jobs of each rule a dry run would do."""
    done = snakemake(folder, "--dry-run", *arguments, env=env)
    lines = (done.stdout + done.stderr).splitlines()
    if any("Nothing to be done" in line for line in lines):
        return {}
    start = next(i for i, line in enumerate(lines) if line.startswith("job ")) + 2
    found = {}
    for line in lines[start:]:
        if not line.strip():
            break
        rule, count = line.split()
        found[rule] = int(count)
    return found
