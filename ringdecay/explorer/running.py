"""The explorer of a run's folder."""

from __future__ import annotations

import json
import logging
import webbrowser
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from ringdecay.binned import with_merged_probe
from ringdecay.config import check_config
from ringdecay.decays import FLUX_SUMS, choose_windows, fit_decays
from ringdecay.errors import FileError, InputError
from ringdecay.explorer.page import write_explorer
from ringdecay.progress import progress
from ringdecay.store import open_array, open_dataset
from ringdecay.storms import read_storms

logger = logging.getLogger(__name__)

PAGE = "explorer.html"
Place = str | PathLike[str]


def explore(folder: Path, *, open_browser: bool = True) -> Path:
    """Find the explorer of a run, make it from the run's files if it is not there, and open it in the browser.

    A page that is there is kept; a warning says so if it does not hold the results that lie beside it.

    Parameters
    ----------
    folder : Path
        Results of a run, ``results/<run>``; its binned flux and its index are expected in ``resources/<run>`` beside ``results``.
    open_browser : bool
        Whether to open it.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    FileError
        If there is no such folder, or a file of the run is missing.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileError(folder, "the folder of a run's results", "no folder", "name one, such as results/demo, or run the workflow first")
    page = folder / PAGE
    if not page.is_file() or not page.stat().st_size:
        with progress("making the explorer", None):
            explorer_of_run(run_files(folder), page)
    else:
        _look_whether_it_is_of_this_run(page, folder / "provenance.json")
    if open_browser and not webbrowser.open(page.resolve().as_uri()):
        logger.warning("no browser could be opened; open %s in one", page)
    return page


def run_files(folder: Path) -> dict[str, Path]:
    """Say where the files of a run are that its explorer is made from.

    Raises
    ------
    FileError
        If one is missing.
    """
    files = {name: folder / f"{name}.nc" for name in ("decays", "lifetimes", "theory")}
    files |= {"storms": folder / "storms.csv", "provenance": folder / "provenance.json"}
    # Not parents[1], which a folder right below the root has not.
    whole = folder.resolve()
    files |= {name: whole.parent.parent / "resources" / whole.name / f"{name}.nc" for name in ("binned", "index")}
    for path in files.values():
        if not path.is_file():
            raise FileError(path, "a file of the run", "no file", "run the workflow first, to its end")
    return files


def explorer_of_run(files: Mapping[str, Place], output: Place) -> None:
    """Make the explorer from the files of a run.

    Parameters
    ----------
    files : mapping of str to path
        binned, index, decays, lifetimes, theory (netCDF), storms (CSV) and provenance (JSON, which holds the config).
    output : path-like
        The page to write.

    Raises
    ------
    FileError
        If a file cannot be read, or is another one or of another run.
    """
    provenance = _provenance(Path(files["provenance"]))
    config = provenance["config"]
    binned = with_merged_probe(open_dataset(files["binned"], over_time=FLUX_SUMS))
    index, storms = open_array(files["index"]), read_storms(files["storms"])
    decays = _with(files["decays"], "rate", ("storm", "probe", "energy", "L"))
    means = {name: _with(files[name], variable, ("energy", "L")) for name, variable in (("lifetimes", "tau"), ("theory", "ratio"))}
    for name, found in means.items():
        if not (found["energy"].equals(decays["energy"]) and found["L"].equals(decays["L"])):
            raise FileError(Path(files[name]), "the energies and L-shells of the fits", "others", "run the workflow again")
    if len(storms) != decays.sizes["storm"]:
        raise FileError(
            Path(files["storms"]), f"the {decays.sizes['storm']} storms of the fits", str(len(storms)), "run the workflow again"
        )
    all_decays = [decays]
    if decays.attrs["mode"] != "paper":
        all_decays.append(paper_decays(binned, storms, index, config, joint="joint" in decays["probe"].to_numpy().tolist()))
    write_explorer(
        output,
        binned,
        all_decays,
        means["lifetimes"],
        theory=means["theory"],
        index=index,
        storms=storms,
        run=str(config["run"]),
        provenance=provenance,
    )


def _with(path: Place, name: str, dims: tuple[str, ...]) -> xr.Dataset:
    """Open a file of the run that must have a variable over these dimensions and no others."""
    found = open_dataset(path)
    if name not in found or set(found[name].dims) != set(dims):
        has = f"{name} over {', '.join(map(str, found[name].dims))}" if name in found else f"no {name}"
        raise FileError(path, f"{name} over {', '.join(dims)}", has, "run the workflow again")
    return found


def _provenance(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileError(path, "the provenance of a run", f"no JSON ({error})", "run the workflow again") from error
    if not isinstance(found, dict) or not isinstance(found.get("config"), dict):
        raise FileError(path, "the provenance of a run", "a record without a config", "run the workflow again")
    try:
        check_config(found["config"])
    except InputError as error:
        raise FileError(path, "the provenance of a run", f"a config that is none ({error})", "run the workflow again") from error
    return found


def _look_whether_it_is_of_this_run(page: Path, record: Path) -> None:
    """Warn of a page that does not hold the results that lie beside it; it says the content hashes of its own."""
    try:
        hashes = (_provenance(record).get("content_hash") or {}) if record.is_file() else {}
    except FileError as error:
        logger.warning("%s", error)
        return
    text = page.read_text(encoding="utf-8", errors="replace")
    if other := [name for name, value in hashes.items() if str(value) not in text]:
        logger.warning("%s is not of the %s beside it; run the workflow again", page, " and ".join(other))


def paper_decays(binned: xr.Dataset, storms: pd.DataFrame, index: xr.DataArray, config: Mapping[str, Any], *, joint: bool) -> xr.Dataset:
    """Fit the run's series by the recipe of mode "paper", with all other settings as in its config.

    The calibrated fits of a run in paper mode are not made here: they take minutes for a mission.

    Parameters
    ----------
    binned, storms, index
        Of the run.
    config : mapping
        Of the run, with its defaults filled in.
    joint : bool
        Whether to fit both probes jointly, too.
    """
    windows = {name: value for name, value in config["windows"].items() if name != "compare_delays"}
    # The page shows neither two stages nor other estimators of these.
    fit = dict(config["fit"]) | {"mode": "paper", "compare": False, "two_stages": False}
    return fit_decays(binned, storms, windows=choose_windows(binned, storms, index, **windows), index=index, joint=joint, **fit)
