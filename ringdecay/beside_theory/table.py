"""The comparison as tables that need no Python to be used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from ringdecay.beside_theory.comparison import VERDICTS
from ringdecay.products import ion_name
from ringdecay.store import is_simulated
from ringdecay.tables import about_lines, require

_SIMULATED_TRUTH = "the decay times of the demonstration archive were made up, not taken from theory: its ratios say nothing of nature"


def comparison_table(comparison: xr.Dataset) -> pd.DataFrame:
    """Write the comparison as a long table, a row for each energy and L-shell with an observation.

    Parameters
    ----------
    comparison : Dataset
        From `compare_with_theory`.

    Returns
    -------
    DataFrame
        Columns `energy` (keV), `L`, `verdict` in words, then every variable under its own name, and `flag_meanings`.

    Raises
    ------
    InputError
        If `comparison` is none.
    """
    require(comparison, ("ratio", "verdict", "flag"), ("energy", "L"), "compare_with_theory")
    names = [str(name) for name, variable in comparison.data_vars.items() if set(variable.dims) == {"energy", "L"}]
    rows = comparison[names].reset_coords(drop=True).to_dataframe(dim_order=["energy", "L"]).reset_index()
    rows = rows[rows["verdict"] != VERDICTS["no_observation"]].reset_index(drop=True)
    words = {value: name for name, value in VERDICTS.items()}
    rows["verdict"] = [words[int(value)] for value in rows["verdict"]]
    rows["flag_meanings"] = _meanings(rows["flag"], comparison["flag"])
    first = ["energy", "L", "verdict", "ratio", "ratio_low", "ratio_high", "ratio_limit"]
    return rows[[*first, *(name for name in rows.columns if name not in first)]]


def comparison_header(comparison: xr.Dataset) -> list[str]:
    """Say what the table of the comparison is, for `write_csv`."""
    lines = _head(comparison, f"Observed loss of the {ion_name(comparison.attrs)} flux beside the predicted: a row an energy and L-shell")
    counts = {name: int((comparison["verdict"] == value).sum()) for name, value in VERDICTS.items() if name != "no_observation"}
    lines.append("verdicts: " + ", ".join(f"{count} {name}" for name, count in counts.items() if count))
    return [*lines, "columns:", *_columns(comparison, comparison_table(comparison))]


def factor_table(comparison: xr.Dataset) -> pd.DataFrame:
    """Write the two factors as a table: the first row for all L together (`L` is "all"), then one for each L-shell with a fit.

    Parameters
    ----------
    comparison : Dataset
        From `compare_with_theory`.

    Returns
    -------
    DataFrame
        Columns `L`, then every variable of the fit under its own name, and `flag_meanings`.

    Raises
    ------
    InputError
        If `comparison` is none.
    """
    require(comparison, ("a", "b", "fit_flag"), ("fit",), "compare_with_theory")
    names = [str(name) for name, variable in comparison.data_vars.items() if variable.dims == ("fit",)]
    rows = pd.DataFrame({name: comparison[name].to_numpy() for name in names})
    shells = comparison["fit_L"].to_numpy()
    rows.insert(0, "L", ["all" if np.isnan(value) else f"{value:g}" for value in shells])
    rows["flag_meanings"] = _meanings(rows["fit_flag"], comparison["fit_flag"])
    return rows[(rows["fit_rates"] > 0) | (rows["L"] == "all")].reset_index(drop=True)


def factor_header(comparison: xr.Dataset) -> list[str]:
    """Say what the table of the factors is, for `write_csv`."""
    lines = _head(comparison, "Two factors for the textbook: observed rate = a (charge exchange) + b (Coulomb drag), fitted to all storms")
    if comparison.attrs.get("flux") == "omnidirectional" and comparison.attrs.get("theory_equatorial_pitch_angle") == 90.0:
        lines.append(
            "the prediction is for ions that mirror at the equator; omnidirectional flux as sin^2 of the pitch angle has a = 1.12 to 1.15"
        )
    lines.append("a = b = 1 is the textbook with the default models; intervals are from the storms, a_models and b_models over the models")
    return [*lines, "columns:", *_columns(comparison, factor_table(comparison))]


def _head(comparison: xr.Dataset, title: str) -> list[str]:
    names = ("product", "flux", "max_MLAT", "L_definition", "L_note", "mode", "estimator", "probe", "confidence")
    theory = [str(name) for name in comparison.attrs if str(name).startswith("theory_")]
    lines = about_lines(comparison, title, (*names, *theory))
    # Below the first line, which says that the data are simulated.
    return [lines[0], _SIMULATED_TRUTH, *lines[1:]] if is_simulated(comparison) else lines


def _columns(comparison: xr.Dataset, table: pd.DataFrame) -> list[str]:
    lines = []
    for name in table.columns:
        said = comparison[name].attrs if name in comparison.variables and name != "L" else {}
        unit = {"energy": "keV"}.get(name, str(said.get("units", "1")))
        meaning = {"energy": "energy", "L": "L-shell", "flag_meanings": "the flag in words, separated by blanks"}.get(
            name, said.get("long_name", "")
        )
        lines.append(f"  {name}{'' if unit == '1' else f' [{unit}]'}: {meaning}")
    return lines


def _meanings(bits: pd.Series, flag: xr.DataArray) -> list[str]:
    masks, words = np.atleast_1d(flag.attrs["flag_masks"]).tolist(), str(flag.attrs["flag_meanings"]).split()
    return [" ".join(word for word, mask in zip(words, masks, strict=True) if int(value) & int(mask)) for value in bits]
