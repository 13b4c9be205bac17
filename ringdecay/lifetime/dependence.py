"""Whether the decay rate depends on what the storms were like: a regression over storms in every cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtr, stdtrit

from ringdecay.decays.fit import SAID_ATTRIBUTES
from ringdecay.decays.gls import Floats
from ringdecay.decays.intervals import check_confidence
from ringdecay.errors import InputError
from ringdecay.lifetime.discoveries import benjamini_hochberg
from ringdecay.lifetime.fits import Fits, fits_of, one_probe
from ringdecay.lifetime.mean import limited_weights
from ringdecay.lifetime.scatter import paule_mandel, weighted_line

UNITS = {"depth": "nT", "season_sin": "1", "season_cos": "1", "Kp": "1"}

_DESCRIBED = {
    "slope": {"units": "1/day per unit of the covariate", "long_name": "change of the decay rate with the covariate, the others kept"},
    "slope_se": {"units": "1/day per unit of the covariate", "long_name": "standard error of the slope"},
    "slope_low": {"units": "1/day per unit of the covariate", "long_name": "lower end of the two-sided interval of the slope"},
    "slope_high": {"units": "1/day per unit of the covariate", "long_name": "upper end of the two-sided interval of the slope"},
    "p_value": {"units": "1", "long_name": "p value of no slope, two-sided"},
    "q_value": {"units": "1", "long_name": "smallest false-discovery rate over the map at which this slope is a discovery"},
    "rate": {"units": "1/day", "long_name": "decay rate at the covariates' means over all storms"},
    "scatter": {"units": "1/day", "long_name": "standard deviation of the rate between storms that the covariates leave"},
    "p_all": {"units": "1", "long_name": "p value of no slope for any of the covariates"},
    "q_all": {"units": "1", "long_name": "smallest false-discovery rate over the map at which p_all is a discovery"},
    "df": {"units": "1", "long_name": "degrees of freedom: storms less coefficients"},
    "n_storms": {"units": "1", "long_name": "storms with a fit and all covariates"},
}


def dependence(decays: xr.Dataset, covariates: pd.DataFrame, *, probe: str = "merged", confidence: float = 0.95) -> xr.Dataset:
    """Regress the rates of every cell over storms on properties of the storms.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`, calibrated mode.
    covariates : pandas.DataFrame
        Indexed by the storms' numbers, one column for each covariate; all enter the regression together. `storm_covariates` makes one;
        choose columns of it, because ten storms do not bear many. A storm without a value is left out.
    probe : str
        Which probe's fits.
    confidence : float
        Of the two-sided intervals.

    Returns
    -------
    xarray.Dataset
        Dims energy, L and, for slopes, covariate: slope, slope_se, slope_low, slope_high, p_value, q_value (Benjamini-Hochberg, each
        covariate's map a family); rate, scatter, p_all, q_all, df, n_storms. NaN where there are not at least two storms more than
        coefficients, or the storms of a cell cannot tell the covariates apart. Random-effects meta-regression: scatter by Paule and
        Mandel about the line, weights limited as in the mean (`ringdecay.lifetime.mean`), variance and t or F distribution after
        Knapp and Hartung (2003, Stat. Med. 22, 2693).

    Raises
    ------
    InputError
        If `decays` is not what `fit_decays` returns or has no such probe, or the covariates are not numbers for its storms.
    """
    chosen = one_probe(decays, probe)
    names, x = _columns(covariates, chosen["storm"].to_numpy())
    check_confidence(confidence)
    fits = fits_of(chosen)
    fits = fits.but(np.isfinite(x.sum(axis=1))[:, None])
    found = _regress(fits, np.nan_to_num(x), confidence)
    cells = (chosen.sizes["energy"], chosen.sizes["L"])
    found["q_value"] = np.stack([benjamini_hochberg(p) for p in found["p_value"]])
    found["q_all"] = benjamini_hochberg(found["p_all"])
    variables = {}
    for name, described in _DESCRIBED.items():
        slopes = found[name].ndim == 2
        dims = ("covariate", "energy", "L") if slopes else ("energy", "L")
        variables[name] = (dims, found[name].reshape((len(names), *cells) if slopes else cells), described)
    attrs = {name: decays.attrs[name] for name in SAID_ATTRIBUTES if name in decays.attrs}
    attrs |= {"title": "Dependence of the decay rate on the storms", "probe": probe, "confidence": confidence}
    coords: dict[str, Any] = {name: chosen[name] for name in ("energy", "L", "L_bounds") if name in chosen.coords}
    units = [UNITS.get(name, "unknown") for name in names]
    coords |= {
        "covariate": ("covariate", names, {"long_name": "property of the storms"}),
        "covariate_units": ("covariate", units, {"long_name": "unit of the covariate"}),
    }
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def _columns(covariates: pd.DataFrame, storms: NDArray[np.generic]) -> tuple[list[str], Floats]:
    """Bring the covariates into the order of the storms; shape (storm, covariate)."""
    if not isinstance(covariates, pd.DataFrame) or not covariates.shape[1]:
        raise InputError("covariates must be a DataFrame with a column for each covariate, as storm_covariates makes it")
    if not covariates.index.is_unique:
        raise InputError("covariates must have one row for each storm; some storm has more")
    wrong = [str(name) for name in covariates if not pd.api.types.is_numeric_dtype(covariates[name]) or np.isinf(covariates[name]).any()]
    if wrong:
        raise InputError(f"covariates must be finite numbers or NaN; {', '.join(wrong)} is not")
    if len(storms) and not covariates.index.isin(storms).any():
        raise InputError("no row of the covariates is of a storm of the decays; index them by the storms' numbers")
    return [str(name) for name in covariates], covariates.reindex(storms).to_numpy(float)


def _regress(fits: Fits, x: Floats, confidence: float) -> dict[str, np.ndarray]:
    # One centre and scale for the whole map, so that slopes of different covariates are numerically alike.
    used = fits.use.any(1)
    centre = x[used].mean(0) if used.any() else np.zeros(x.shape[1])
    spread = x[used].std(0) if used.any() else np.zeros(x.shape[1])
    spread = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(x)), (x - centre) / spread])
    columns = design.shape[1]
    n = fits.use.sum(0)
    # One storm more than coefficients fits nearly anything.
    fits = fits.but((n > columns + 1)[None])
    between = paule_mandel(fits.rate, fits.variance, fits.use, design)
    able = np.isfinite(between)
    weight = np.where(fits.use & able, limited_weights(fits, np.nan_to_num(between)), 0.0)
    line = weighted_line(fits.rate, weight, design)
    df = np.where(able, n - float(columns), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        q = (weight * line.residual**2).sum(0) / df
        covariance = q[:, None, None] * line.inverse
        se = np.sqrt(np.einsum("cpp->pc", covariance)[1:])
        slope = line.slope[1:]
        inner = np.where(able[:, None, None], covariance[:, 1:, 1:], np.eye(columns - 1))
        f = np.einsum("pc,cp->c", slope, np.linalg.solve(inner, slope.T[..., None])[..., 0]) / (columns - 1)
        out = {
            "slope": slope / spread[:, None],
            "slope_se": se / spread[:, None],
            "p_value": 2 * stdtr(df, -np.abs(slope) / se),
            "p_all": fdtrc(columns - 1.0, df, f),
        }
    half = stdtrit(df, 0.5 + confidence / 2) * out["slope_se"]
    out |= {"slope_low": out["slope"] - half, "slope_high": out["slope"] + half}
    return out | {"rate": line.slope[0], "scatter": np.sqrt(between), "df": df, "n_storms": n}
