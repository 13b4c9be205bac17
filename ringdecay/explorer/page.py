"""The page as one file."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ringdecay.explorer.contents import contents
from ringdecay.explorer.packing import packed
from ringdecay.store import written_whole

ASSETS = Path(__file__).parent / "assets"
#: Put one after the other: the later know the earlier.
PROGRAM = ("unpack.js", "words.js", "state.js", "csv.js", "drawing.js", "map.js", "cell.js", "storm.js", "table.js", "explorer.js")
# What lies beside the page in the folder of a run.
_BESIDE = {
    "lifetimes.csv": "decay times as a table",
    "decays.csv": "every fit as a table",
    "theory.csv": "observed beside predicted",
    "storms.csv": "the storms",
    "coverage.html": "which days were there",
    "report.html": "the report with all figures, if it was made",
    "provenance.json": "what it was made from",
}


def write_explorer(
    path: str | PathLike[str],
    binned: xr.Dataset,
    all_decays: Sequence[xr.Dataset],
    lifetimes: xr.Dataset,
    *,
    theory: xr.Dataset,
    index: xr.DataArray,
    storms: pd.DataFrame,
    run: str = "",
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write the explorer of a run: one HTML file that needs nothing else, no network either.

    Parameters
    ----------
    path : path-like
        The file to write.
    binned : Dataset
        From `with_merged_probe`; the flux that is drawn.
    all_decays : sequence of Dataset
        From `fit_decays` of `binned`: those that `lifetimes` is of, then any in other modes. Estimators that they compare can be chosen in
        the page, too; the means over storms of all these are found by `lifetimes` while the page is made.
    lifetimes : Dataset
        From `lifetimes`.
    theory : Dataset
        From `compare_with_theory` of these lifetimes.
    index : DataArray
        Storm index over time, nT.
    storms : DataFrame
        From `find_storms`.
    run : str
        Name of the run.
    provenance : mapping, optional
        From `ringdecay.provenance.provenance`; what the page says of its making.
    """
    said, arrays = contents(binned, all_decays, lifetimes, theory=theory, index=index, storms=storms)
    said["about"]["run"] = run
    text = page(said, arrays, provenance or {})
    with written_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


def page(said: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[np.floating]], provenance: Mapping[str, Any]) -> str:
    """Put the page together from the assets, Plotly, and what it shows.

    Parameters
    ----------
    said, arrays
        From `contents`.
    provenance : mapping
        As for `write_explorer`.

    Returns
    -------
    str
        HTML.
    """
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - quick to import, but of no use to who only opens a page

    about = said["about"]
    title = f"{about['run'] or 'ringdecay'}: decay times of ring-current ions"
    parts = {
        "TITLE": html.escape(f"SIMULATED {title}" if about["simulated"] else title),
        "HEADING": html.escape(str(about["run"] or "ringdecay")),
        "SOURCE": html.escape(str(about["source"])),
        "SIMULATED": '<strong class="simulated" id="simulated">SIMULATED</strong>' if about["simulated"] else "",
        "LINKS": "".join(f'<li><a href="{name}">{name}</a>: {html.escape(text)}</li>' for name, text in _BESIDE.items()),
        "PROVENANCE": provenance_list(provenance),
        "STYLE": (ASSETS / "explorer.css").read_text(encoding="utf-8"),
        "ARRAYS": "\n".join(f'<script type="text/plain" data-array="{name}">{packed(array)}</script>' for name, array in arrays.items()),
        # No end of a script in it.
        "CONTENTS": json.dumps(said, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
        "PLOTLY": get_plotlyjs(),
        "PROGRAM": "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in PROGRAM),
    }
    # Split first: nothing that is put in is looked at again.
    pieces = (ASSETS / "page.html").read_text(encoding="utf-8").split("@@")
    return "".join(parts[piece] if k % 2 else piece for k, piece in enumerate(pieces))


def provenance_list(provenance: Mapping[str, Any]) -> str:
    """Write a provenance record as a list of terms; the config and the versions as blocks that fold."""
    inputs = provenance.get("inputs") or {}
    short = {
        "made": provenance.get("date_created"),
        "source fingerprint": provenance.get("source_fingerprint"),
        "git commit": provenance.get("git_commit"),
        "input files": f"{inputs['files']} of {inputs['bytes'] / 1e6:.1f} MB together, digest {inputs['sha256_of_all']}"
        if inputs
        else None,
        **{f"content hash of {name}": value for name, value in (provenance.get("content_hash") or {}).items()},
    }
    terms = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>" for name, value in short.items() if value)
    folded = "".join(
        f"<details><summary>{word}</summary><pre>{html.escape(json.dumps(provenance[key], indent=2))}</pre></details>"
        for key, word in (("versions", "Versions"), ("config", "Config"))
        if provenance.get(key)
    )
    return f"<dl>{terms}</dl>{folded}" if terms or folded else "<p>Not known.</p>"
