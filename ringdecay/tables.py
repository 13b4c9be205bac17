"""Results as tables: for pandas, as CSV that explains itself, and for a paper.

The number of a cell is written the same way in the LaTeX table and in the figures; that wording is here too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ringdecay.errors import InputError
from ringdecay.products import ion_name
from ringdecay.store import SIMULATED_NOTE, is_simulated, iso_times, written_whole

# Eight digits are exact to 5e-8 and hide the last bits, in which machines differ.
FLOAT_FORMAT = "%.8g"
_FIRST_COLUMNS = (
    "storm",
    "onset",
    "minimum",
    "depth",
    "storm_class",
    "probe",
    "energy",
    "L",
    "start_delay_days",
    "choice",
    "kind",
    "equatorial_pitch_angle",
)
# A cell with no bin in its window and only these flags had nothing to fit.
_NOTHING_THERE = ("no_window", "too_few_points")


def decay_table(decays: xr.Dataset) -> pd.DataFrame:
    """Write the fits as a long table, one row for each storm, probe, energy and L-shell.

    Parameters
    ----------
    decays : Dataset
        From `fit_decays`.

    Returns
    -------
    DataFrame
        Columns `storm`, `onset`, `minimum`, `depth`, `storm_class`, `probe`, `energy` (keV), `L`, then every variable of `decays` under
        its own name and in its own unit, and `flag_meanings`, the flag in words. Times are datetime64[ns], UTC. A fit without decay is
        a row like any other. Left out are only cells with nothing to fit: n is 0 and no flag says more than that there was no window
        or no point; cells whose bins were all below the instrument's floor or had too few counts are therefore in.

    Raises
    ------
    InputError
        If the Dataset has no `n` and `flag` over storm, energy and L.
    """
    require(decays, ("n", "flag"), ("storm", "energy", "L"), "fit_decays")
    more = decays["flag"].to_numpy() & ~np.int64(_mask(decays["flag"], _NOTHING_THERE))
    return _long(decays, (decays["n"].to_numpy() > 0) | (more > 0))


def lifetime_table(lifetimes: xr.Dataset) -> pd.DataFrame:
    """Write the lifetimes as a long table, one row for each energy and L-shell that has a fit, or a flag that says why not.

    Parameters
    ----------
    lifetimes : Dataset
        From `lifetimes`.

    Returns
    -------
    DataFrame
        Columns `energy` (keV), `L`, then every variable under its own name and in its own unit, and `flag_meanings`.

    Raises
    ------
    InputError
        If the Dataset has no `tau`, `n_storms` and `flag` over energy and L.
    """
    require(lifetimes, ("tau", "n_storms", "flag"), ("energy", "L"), "lifetimes")
    more = lifetimes["flag"].to_numpy() & ~np.int64(_mask(lifetimes["flag"], ("no_fits",)))
    return _long(lifetimes, (lifetimes["n_storms"].to_numpy() > 0) | (more > 0))


def long_table(dataset: xr.Dataset, known: str) -> pd.DataFrame:
    """Write what `influence` or `dependence` say as a long table.

    Parameters
    ----------
    dataset : Dataset
        From `influence` or `dependence`.
    known : str
        Variable over all dimensions; rows where it is NaN or zero are left out.

    Returns
    -------
    DataFrame
        The dimensions, then every coordinate and variable over some of them under its own name.
    """
    dims = [str(dim) for dim in dataset[known].dims]
    names = [*dataset.coords, *dataset.data_vars]
    columns = [name for name in names if set(dataset[name].dims) <= set(dims) and name not in dims and dataset[name].ndim]
    table = dataset.drop_vars([name for name in names if name not in columns and name not in dims]).to_dataframe(dim_order=dims)
    return table.loc[table[known].fillna(0) != 0, columns].reset_index()


def csv_header(dataset: xr.Dataset, table: pd.DataFrame, title: str) -> list[str]:
    """Say what a table is: title, whether it is simulated, product and mode, the unit and meaning of each column, how to read it.

    Parameters
    ----------
    dataset : Dataset
        What the table was made from.
    table : DataFrame
        From `decay_table` or `lifetime_table`.
    title : str
        First line.

    Returns
    -------
    list of str
        Lines for `write_csv`, without the comment sign.
    """
    names = (
        "product",
        "flux",
        "max_MLAT",
        "L_definition",
        "L_method",
        "time_bin_hours",
        "mode",
        "estimator",
        "probe",
        "floor_from",
        "confidence",
        "window",
        "start_delay_days",
        "max_days",
        "max_gap_days",
        "injection_dip",
        "handover",
    )
    lines = about_lines(dataset, title, names)
    dims = list((dataset["flag"] if "flag" in dataset else max(dataset.data_vars.values(), key=lambda values: values.ndim)).dims)
    cells = math.prod(dataset.sizes[dim] for dim in dims)
    lines.append(f"rows: {len(table)} of {cells} cells ({', '.join(map(str, dims))}); the others had nothing to fit")
    lines.append("columns:")
    for name in table.columns:
        if name == "flag_meanings":
            lines.append("  flag_meanings: the flag in words, separated by blanks")
            continue
        attributes = dataset[name].attrs
        is_time = dataset[name].dtype.kind == "M"
        unit = "UTC" if is_time else str(attributes.get("units", {"energy": "keV"}.get(str(name), "")))
        unit = f" [{unit}]" if unit not in ("", "1") else ""
        meaning = f": {attributes['long_name']}" if "long_name" in attributes else ""
        lines.append(f"  {name}{unit}{meaning}")
        if name == "flag":
            masks = np.atleast_1d(attributes["flag_masks"]).tolist()
            lines.append(
                "    " + ", ".join(f"{mask} {word}" for mask, word in zip(masks, attributes["flag_meanings"].split(), strict=True))
            )
    return lines


def about_lines(dataset: xr.Dataset, title: str, names: Iterable[str]) -> list[str]:
    """Say whether data are simulated, what a table of them is, how to read it, and those of some attributes that the data have."""
    lines = [SIMULATED_NOTE] if is_simulated(dataset) else []
    lines += [title, "read with pandas.read_csv(path, comment='#')"]
    return lines + [f"{name}: {dataset.attrs[name]}" for name in names if name in dataset.attrs]


def write_csv(table: pd.DataFrame, path: str | PathLike[str], header_lines: Iterable[str] = ()) -> None:
    """Write a table as CSV with comment lines at its top, whole or not at all.

    Parameters
    ----------
    table : DataFrame
        The table; its index is not written.
    path : path-like
        The file to write.
    header_lines : iterable of str
        What to write above the table, each line after "# ".

    Notes
    -----
    Numbers have eight significant digits, times are ISO 8601 in UTC ("2015-06-23T04:30:00Z", with as many decimals as they need). A "#"
    inside a text would end the line for a reader that knows comments; it is written as "no.".
    """
    out = table.copy()
    for name in out.columns:
        values = out[name]
        if values.dtype.kind == "M":
            out[name] = iso_times(values.to_numpy().astype("datetime64[ns]"))
        elif not pd.api.types.is_numeric_dtype(values):
            out[name] = [str(value).replace("#", "no.") for value in values]
    with written_whole(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        file.writelines("# " + " ".join(line.splitlines()) + "\n" if line.strip() else "#\n" for line in _as_lines(header_lines))
        out.to_csv(file, index=False, float_format=FLOAT_FORMAT, lineterminator="\n")


def lifetime_latex(lifetimes: xr.Dataset, L: Sequence[float]) -> str:
    r"""Write lifetimes as a LaTeX table (package booktabs): a row for each energy, a column for each chosen L.

    Parameters
    ----------
    lifetimes : Dataset
        From `lifetimes`.
    L : sequence of float
        L-shells; the nearest bins are taken.

    Returns
    -------
    str
        A `table` environment. A cell is tau with its interval in days, ``$>$ 35`` for a limit (rounded down), "growing" where the flux
        grows, ``--`` where there is no fit; in paper mode tau with the standard deviation of the fits.

    Raises
    ------
    InputError
        If the Dataset has no `tau` over energy and L.
    """
    require(lifetimes, ("tau", "flag"), ("energy", "L"), "lifetimes")
    columns = nearest(lifetimes["L"].to_numpy(), L)
    chosen = lifetimes.transpose(..., "energy", "L").isel(L=columns)
    marks = {"a": flagged(chosen, "single_storm").to_numpy(), "b": flagged(chosen, "storms_lost_to_floor").to_numpy()}
    rows = []
    for i, energy in enumerate(chosen["energy"].to_numpy()):
        cells = []
        for j in range(len(columns)):
            text = tau_text(chosen.isel(energy=i, L=j)).replace("\N{EN DASH}", "--").replace("\N{PLUS-MINUS SIGN}", r"$\pm$")
            text = text.replace(">", "$>$") or "--"
            marked = ",".join(letter for letter, where in marks.items() if where[i, j] and text != "--")
            cells.append(text + (rf"\textsuperscript{{{marked}}}" if marked else ""))
        rows.append(f"{energy:g} & " + " & ".join(cells) + r" \\")
    attributes = lifetimes.attrs
    about = f"Decay times (e-folding, days) of the {ion_name(attributes)} flux"
    about += f" against energy and {_escape(str(attributes.get('L_definition', 'L')))}"
    about += f", {_escape(str(attributes['product']))}" if "product" in attributes else ""
    about += f", mode {_escape(str(attributes['mode']))}" if "mode" in attributes else ""
    if "tau_sd" in lifetimes:
        about += r", with the standard deviation of the accepted fits"
    else:
        about += f", with {confidence_text(lifetimes, percent=chr(92) + '%')} intervals; limits are one-sided"
    about += r"; \textsuperscript{a}\,from a single storm, without the scatter between storms" if marks["a"].any() else ""
    about += (
        r"; \textsuperscript{b}\,storms of fast decay were lost to the instrument's floor, tau may be too long" if marks["b"].any() else ""
    )
    about += "."
    caption = (r"\textbf{SIMULATED.} " if is_simulated(lifetimes) else "") + about
    heads = " & ".join(f"$L = {value:g}$" for value in chosen["L"].to_numpy())
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{caption}}}",
        r"\centering",
        rf"\begin{{tabular}}{{r{'l' * len(columns)}}}",
        r"\toprule",
        f"Energy (keV) & {heads} " + r"\\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def nearest(values: npt.NDArray[np.floating], wanted: Sequence[float]) -> list[int]:
    """Find the positions of the values nearest to the wanted ones, each once, in rising order.

    An L halfway between two bins is an edge between them, and belongs to the upper one, as in the binning.
    """
    if len(values) == 0:
        return []
    distance = np.abs(np.asarray(values, dtype=np.float64)[None, :] - np.asarray(wanted, dtype=np.float64)[:, None])
    tied = distance <= distance.min(axis=1, keepdims=True) + 1e-9
    # argmax of the reversed row is the last of equals.
    return sorted({len(values) - 1 - int(np.argmax(row[::-1])) for row in tied})


def tau_text(cell: xr.Dataset) -> str:
    """Say the decay time of one cell in a few signs.

    Parameters
    ----------
    cell : Dataset
        One fit or lifetime, without dimensions.

    Returns
    -------
    str
        "10.2 (8.9–12.1)", "> 35" for a limit, "growing", "10.2 ± 1.3" for a lifetime of the paper mode, "" where there is no result. Digits
        follow the width of the interval; a limit is rounded down.
    """
    tau, low, high, limit = (float(cell[name]) if name in cell else math.nan for name in ("tau", "tau_low", "tau_high", "tau_limit"))
    if bool(grows(cell)):
        return "growing"
    if not math.isnan(limit):
        return f"> {_rounded_down(limit)}"
    if not math.isfinite(tau):
        return ""
    if "tau_sd" in cell:
        sd = float(cell["tau_sd"])
        if math.isnan(sd):
            return f"{tau:.3g}"
        digits = _decimals(sd)
        return f"{tau:.{digits}f} ± {sd:.{digits}f}"
    digits = _decimals((high - low) / 2 if math.isfinite(high - low) else tau / 10)
    return f"{tau:.{digits}f} ({low:.{digits}f}\N{EN DASH}{high:.{digits}f})"


def flagged(cells: xr.Dataset, *names: str) -> xr.DataArray:
    """Tell where any of the named flags is set; a name that the flag's own attributes do not define is set nowhere."""
    return (cells["flag"] & _mask(cells["flag"], names)) > 0


def grows(cells: xr.Dataset) -> xr.DataArray:
    """Tell where the flux is found to grow: the flag says so, or even the one-sided limit on tau is infinite."""
    growing = flagged(cells, "growth")
    # A lifetime of the paper mode has no limit, and never grows: a growing storm is only not among the accepted.
    return growing | np.isinf(cells["tau_limit"]) if "tau_limit" in cells else growing


def confidence_text(dataset: xr.Dataset, percent: str = "%") -> str:
    """Say the confidence of the intervals, for example "95 %"."""
    return f"{100 * float(dataset.attrs.get('confidence', 0.95)):g} {percent}"


def require(dataset: xr.Dataset, variables: Sequence[str], dims: Sequence[str], maker: str) -> None:
    """Refuse a dataset that another function has made.

    Raises
    ------
    InputError
        If it is no Dataset, or lacks a variable or a dimension; `maker` is the function that makes such a one.
    """
    if not isinstance(dataset, xr.Dataset):
        raise InputError(f"{type(dataset).__name__} is no Dataset; give what {maker} returns, or open its file with open_dataset")
    missing = [name for name in variables if name not in dataset] + [f"dimension {dim}" for dim in dims if dim not in dataset.dims]
    if missing:
        raise InputError(f"the dataset has no {' and no '.join(missing)}; give what {maker} returns")


def _mask(flag: xr.DataArray, names: Sequence[str]) -> int:
    """Bits of the named flags, as the variable's CF attributes define them; a name that is not defined has none."""
    words = str(flag.attrs.get("flag_meanings", "")).split()
    masks = np.atleast_1d(flag.attrs.get("flag_masks", [])).tolist()
    return sum(int(mask) for word, mask in zip(words, masks, strict=True) if word in names)


def _long(dataset: xr.Dataset, keep: npt.NDArray[np.bool_]) -> pd.DataFrame:
    flag = dataset["flag"]
    where = np.nonzero(keep)
    columns: dict[str, Any] = {}
    names = [str(name) for name in dataset.variables if set(dataset[name].dims) <= set(flag.dims) and dataset[name].ndim]
    for name in [*(first for first in _FIRST_COLUMNS if first in names), *(name for name in names if name not in _FIRST_COLUMNS)]:
        variable = dataset[name]
        columns[name] = variable.to_numpy()[tuple(where[flag.dims.index(dim)] for dim in variable.dims)]
    words = str(flag.attrs["flag_meanings"]).split()
    masks = np.atleast_1d(flag.attrs["flag_masks"]).tolist()
    said = {value: " ".join(w for w, m in zip(words, masks, strict=True) if value & m) for value in np.unique(columns["flag"]).tolist()}
    table = pd.DataFrame(columns)
    table["flag_meanings"] = [said[value] for value in columns["flag"].tolist()]
    return table


def _as_lines(lines: Iterable[str]) -> list[str]:
    """Make a list of lines; a single text is one line, not its letters."""
    return [lines] if isinstance(lines, str) else list(lines)


def _decimals(width: float) -> int:
    """Decimals that show two digits of a width."""
    return max(0, 1 - math.floor(math.log10(width))) if width > 0 else 1


def _rounded_down(value: float) -> str:
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{math.floor(value / step + 1e-9) * step:.{max(0, -round(math.log10(step)))}f}"


def _escape(text: str) -> str:
    table = {c: f"\\{c}" for c in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(table.get(c, c) for c in text)
