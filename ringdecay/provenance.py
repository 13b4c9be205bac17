"""What a result was made from: inputs, settings, code and software."""

from __future__ import annotations

import datetime
import hashlib
import json
import platform
import subprocess
from importlib import metadata
from os import PathLike
from typing import Any

import pandas as pd
import xarray as xr

from ringdecay.fingerprint import ROOT, source_fingerprint

# The packages whose version can change a number.
PACKAGES = ("cdflib", "dask", "matplotlib", "netcdf4", "numpy", "pandas", "scipy", "snakemake", "xarray")


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of those it computes with; "not installed" where one is missing."""
    found = {"python": platform.python_version()}
    for package in ("ringdecay", *PACKAGES):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def provenance(config: dict[str, Any] | None = None, lock: pd.DataFrame | None = None) -> dict[str, Any]:
    """Collect what a result is made from.

    Parameters
    ----------
    config : dict, optional
        The settings of the run.
    lock : DataFrame, optional
        Every input file, with its `sha256` (see `ringdecay.archive`).

    Returns
    -------
    dict
        Ready for JSON: `inputs` (how many files and bytes, and one digest over all of them), `config`, `source_fingerprint`, `git_commit`
        (None outside a clone), `versions` and `date_created` (UTC).
    """
    inputs = None
    if lock is not None:
        digest = hashlib.sha256("\n".join(sorted(lock["sha256"].astype(str))).encode()).hexdigest()
        inputs = {"files": len(lock), "bytes": int(lock["size"].sum()), "sha256_of_all": digest}
    return {
        "inputs": inputs,
        "config": config,
        "source_fingerprint": source_fingerprint(),
        "git_commit": _git_commit(),
        "versions": versions(),
        "date_created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def with_provenance(dataset: xr.Dataset, record: dict[str, Any]) -> xr.Dataset:
    """Put a provenance record into a Dataset's attributes, outside what `content_hash` looks at."""
    return dataset.assign_attrs(
        Conventions="CF-1.11",
        institution="made with ringdecay " + record["versions"]["ringdecay"],
        date_created=record["date_created"],
        provenance=json.dumps(record, sort_keys=True),
    )


def write_provenance(record: dict[str, Any], path: str | PathLike[str]) -> None:
    """Write a provenance record as JSON."""
    from ringdecay.store import written_whole  # noqa: PLC0415 - store needs netCDF, which `ringdecay info` does not

    with written_whole(path) as beside:
        beside.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _git_commit() -> str | None:
    if not (ROOT.parent / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(ROOT.parent), "describe", "--always", "--dirty", "--abbrev=40"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None
