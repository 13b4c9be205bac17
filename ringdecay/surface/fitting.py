"""From the decays of all storms to a smooth surface of the decay time over energy and L."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.special import stdtrit

from ringdecay.decays.fit import KEPT_ATTRIBUTES
from ringdecay.decays.intervals import intervals
from ringdecay.decays.result import flag_attrs
from ringdecay.errors import InputError
from ringdecay.lifetime import lifetimes
from ringdecay.products import ion_name
from ringdecay.surface.smoothing import Data, choose, height_variance, rate_of, relative_scatter
from ringdecay.surface.splines import Floats, axis_over, penalties, product_basis
from ringdecay.tables import flagged

logger = logging.getLogger(__name__)

#: Storms that a cell needs: with two the interval of a mean has one degree of freedom and says nothing (t = 12.7).
MIN_STORMS = 3
# Of equal weight. Below, one storm has more than half of the weight.
_LEAST_WORTH = 2.0
#: A decay time is stated where the ends of its interval are at most this factor apart, about three to each side: tau varies a hundredfold
#: over a decade of energy, and a number that is not known to a factor of three is better given as a limit.
WIDEST = 9.0
# How many errors of a well-known cell the rate must be for the surface to be its log; below, it is linear in the rate. At one error the
# surface was too sure of itself where slow cells averaged near zero by chance: for tau of 60 to 250 d its intervals held the truth in
# 90 +- 3 %; at five in 93 +- 2 % (70 simulated missions).
_LOG_ABOVE = 5.0
# Steps of the grid. Between its points the height of the surface is interpolated linearly, which is within 0.3 % of the splines (tested).
_STEP_LOG_ENERGY, _STEP_L = 0.051, 0.1001

FLAGS = {"no_data": 1, "few_storms": 2, "wide": 4}

VARIABLES: dict[str, dict[str, str]] = {
    "tau": {"units": "days", "long_name": "e-folding time of the mean rate; only where supported"},
    "tau_low": {"units": "days", "long_name": "lower end of the two-sided interval of tau"},
    "tau_high": {"units": "days", "long_name": "upper end of the two-sided interval of tau"},
    "tau_limit": {"units": "days", "long_name": "one-sided lower limit on tau, where there are data but too little is known to state tau"},
    "rate": {"units": "1/day", "long_name": "mean decay rate over storms, smooth in energy and L (negative: the flux grows)"},
    "rate_se": {"units": "1/day", "long_name": "standard error of the rate, from the deviations of whole storms"},
    "df": {"units": "1", "long_name": "degrees of freedom of the interval of the rate"},
    "rate_low": {"units": "1/day", "long_name": "lower end of the two-sided interval of the rate"},
    "rate_high": {"units": "1/day", "long_name": "upper end of the two-sided interval of the rate"},
    "n_storms": {"units": "1", "long_name": "how many storms of equal weight the surface is worth there"},
    "supported": {"units": "1", "long_name": "1 where tau is stated, 0 elsewhere"},
    "flag": {"long_name": "why tau is not stated"},
}
HOW = {
    "surface": "scale * sinh(f), f a sum of products of cubic B-splines in ln energy and ln L with a penalty on second differences; "
    "least squares on the rates of all storms and cells, limits and growth included",
    "smoothness": "the penalties (along energy, along L) that predict the rates of left-out storms best",
    "uncertainty": "deviations of whole storms, with Student's t for their effective number, and the part due to the penalty",
}


class NoSurfaceError(InputError):
    """There are too few fits for a surface, or fits of the wrong kind."""


def fit_surface(decays: xr.Dataset, *, probe: str = "merged", confidence: float = 0.95) -> xr.Dataset:
    """Fit a smooth surface of the mean decay rate over energy and L to the decays of all storms.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays` in calibrated mode. Every rate enters with its error, whether resolved, a limit or growth.
    probe : str
        Which probe's fits.
    confidence : float
        Of the intervals (two-sided) and limits (one-sided).

    Returns
    -------
    xarray.Dataset
        `VARIABLES` over energy (keV) and L, on a grid that holds the channels and L-bins and is finer than 5 % in energy and 0.1 in L.
        `supported` is 1 inside the stated range, where `tau` is given: within the rectangles spanned by cells that have at least three
        storms and did not lose more than a tenth of them to the instrument's floor, and where tau_high is at most nine times tau_low.
        Elsewhere `tau` is NaN and `flag` says why; where there are data at least, there is `tau_limit`. Nothing is extrapolated.
        Attributes say how it was made, from how many storms, and the range.

    Raises
    ------
    InputError
        If `decays` is not what `fit_decays` returns, or there is no surface to fit (`NoSurfaceError`): decays in paper mode, fewer than
        three storms, or fewer than two energies or L-shells that have as many.
    """
    mean = lifetimes(decays, probe=probe, confidence=confidence)
    if decays.attrs.get("mode") == "paper":
        raise NoSurfaceError("a surface needs fits of calibrated mode; the errors of paper mode know nothing of autocorrelation")
    probes = [str(name) for name in decays["probe"].to_numpy()]
    chosen = decays.isel(probe=probes.index(probe)).sortby(["energy", "L"]).transpose("storm", "energy", "L", ...)
    mean = mean.sortby(["energy", "L"]).transpose("energy", "L", ...)
    rate, se, df = (chosen[name].to_numpy() for name in ("rate", "rate_se", "df"))
    use = np.isfinite(rate) & (se > 0)
    used = (use.sum(0) >= MIN_STORMS) & ~flagged(mean, "storms_lost_to_floor").to_numpy()
    rate, se, df, use = (values[:, used] for values in (rate, se, df, use))
    energies, shells = chosen["energy"].to_numpy(), chosen["L"].to_numpy()
    own_energy, own_L = (grid[used] for grid in np.meshgrid(energies, shells, indexing="ij"))
    storms = int(use.any(1).sum())
    if storms < MIN_STORMS or min(len(np.unique(own_energy)), len(np.unique(own_L))) < 2:
        raise NoSurfaceError(
            f"a surface of tau(E, L) needs fits of at least {MIN_STORMS} storms at two energies and two L-shells or more; "
            f"storms here: {len(rate)}, energies with so many: {len(np.unique(own_energy))}, L-shells: {len(np.unique(own_L))}"
        )
    # A t distribution with few degrees of freedom is wider than its scale says.
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(use, se**2 * np.where(df > 2, df / (df - 2), 1.0), 1.0)
    along_energy, along_L = axis_over(own_energy), axis_over(own_L)
    scatter = relative_scatter(rate, variance, use)
    data = Data(rate, variance, use, product_basis(along_energy, along_L, own_energy, own_L), _scale(variance, use), scatter)
    fitted, factors = choose(data, penalties(along_energy, along_L))

    grid_energy = _finer(np.unique(own_energy), _STEP_LOG_ENERGY, logarithmic=True)
    grid_L = _finer(np.unique(own_L), _STEP_L, logarithmic=False)
    shape = len(grid_energy), len(grid_L)
    points = [axis.ravel() for axis in np.meshgrid(grid_energy, grid_L, indexing="ij")]
    basis = product_basis(along_energy, along_L, *points)
    height = basis @ fitted.coefficients
    height_var, n_storms = height_variance(data, fitted, basis)
    surface_rate, growth = rate_of(height, data.scale)
    values = {
        "rate": surface_rate.reshape(shape),
        "rate_se": (growth * np.sqrt(height_var)).reshape(shape),
        "df": np.maximum(n_storms - 1, 1.0).reshape(shape),
        "n_storms": n_storms.reshape(shape),
    }
    there = _within(used, energies, shells, grid_energy, grid_L)
    attrs = _attrs(decays, probe, confidence) | HOW
    attrs |= {"storms": storms, "cells": int(used.sum()), "penalty_energy": factors[0], "penalty_L": factors[1]}
    attrs |= {"scatter": scatter, "rate_scale": data.scale}
    surface = _dataset(values, there, grid_energy, grid_L, attrs)
    surface.attrs["range"] = stated_range(surface)
    logger.info("surface from %d storms and %d cells; %s", storms, used.sum(), surface.attrs["range"])
    return surface


def surface_or_reason(decays: xr.Dataset, *, probe: str = "merged", confidence: float = 0.95) -> xr.Dataset:
    """Fit the surface, or make one without a point that says in its attribute `range` why there is none; the arguments of `fit_surface`."""
    try:
        return fit_surface(decays, probe=probe, confidence=confidence)
    except NoSurfaceError as error:
        logger.warning("%s", error)
        nothing = {name: np.empty((0, 0)) for name in ("rate", "rate_se", "df", "n_storms")}
        attrs = _attrs(decays, probe, confidence) | {"rate_scale": 1.0, "range": f"none: {error}"}
        return _dataset(nothing, np.empty((0, 0), dtype=bool), np.empty(0), np.empty(0), attrs)


def stated(values: dict[str, Floats], there: npt.NDArray[np.bool_], confidence: float) -> dict[str, npt.NDArray[Any]]:
    """Tell from rates and errors what may be said of tau, and blank the rest.

    Parameters
    ----------
    values : dict
        `rate`, `rate_se` (1/day), `df` and `n_storms`.
    there : ndarray of bool
        Where there are data.
    confidence : float
        Of the intervals and limits.

    Returns
    -------
    dict
        All `VARIABLES`.
    """
    out: dict[str, npt.NDArray[Any]] = {name: np.where(there, value, np.nan) for name, value in values.items()}
    out |= intervals(out["rate"], out["rate_se"], out["df"], confidence)
    one_sided = out["rate"] + stdtrit(out["df"], confidence) * out["rate_se"]
    few = there & (out["n_storms"] < _LEAST_WORTH)
    # Half the width of the interval over the rate, at a ratio of the ends of WIDEST; negative rates are never narrow enough.
    widest = (WIDEST - 1) / (WIDEST + 1)
    wide = there & ~(out["rate_high"] - out["rate"] <= widest * out["rate"])
    supported = there & ~few & ~wide
    with np.errstate(divide="ignore"):
        limit = np.where(one_sided > 0, 1 / np.where(one_sided > 0, one_sided, 1.0), np.inf)
    out["tau_limit"] = np.where(there & ~supported, limit, np.nan)
    out |= {name: np.where(supported, out[name], np.nan) for name in ("tau", "tau_low", "tau_high")}
    out["supported"] = supported.astype(np.int8)
    out["flag"] = (~there * FLAGS["no_data"] + few * FLAGS["few_storms"] + wide * FLAGS["wide"]).astype(np.int32)
    return out


def stated_range(surface: xr.Dataset) -> str:
    """Say in words where tau is stated."""
    supported = surface["supported"].to_numpy() > 0
    if not supported.any():
        return "none: tau is known nowhere to a factor of three; there are limits only"
    energy, shells = surface["energy"].to_numpy()[supported.any(1)], surface["L"].to_numpy()[supported.any(0)]
    tau = surface["tau"].to_numpy()[supported]
    share = 100 * supported.sum() / (surface["flag"].to_numpy() & FLAGS["no_data"] == 0).sum()
    return (
        f"within {energy.min():g} to {energy.max():g} keV and L = {shells.min():g} to {shells.max():g}, where supported = 1 "
        f"({share:.0f} % of the points with data); there tau is {tau.min():.3g} to {tau.max():.3g} days"
    )


def _dataset(values: dict[str, Floats], there: npt.NDArray[np.bool_], energy: Floats, shells: Floats, attrs: dict[str, Any]) -> xr.Dataset:
    all_values = stated(values, there, float(attrs["confidence"]))
    variables = {
        name: (("energy", "L"), all_values[name], dict(said) | (flag_attrs(FLAGS) if name == "flag" else {}))
        for name, said in VARIABLES.items()
    }
    coords = {
        "energy": ("energy", energy, {"units": "keV", "long_name": "energy"}),
        "L": ("L", shells, {"units": "1", "long_name": "L-shell"}),
    }
    return xr.Dataset(variables, coords=coords, attrs=attrs)


def _attrs(decays: xr.Dataset, probe: str, confidence: float) -> dict[str, Any]:
    kept: dict[str, Any] = {name: decays.attrs[name] for name in (*KEPT_ATTRIBUTES, "mode") if name in decays.attrs}
    return kept | {"title": f"Decay times of the {ion_name(kept)} flux as a smooth surface", "probe": probe, "confidence": confidence}


def _scale(variance: Floats, use: npt.NDArray[np.bool_]) -> float:
    """Rate at which the surface turns from exponential to linear, from the errors of the cells' means (without the scatter between storms).

    The tenth part of the errors, not the least, so that one odd cell does not decide.
    """
    errors = 1 / np.sqrt(np.where(use, 1 / variance, 0.0).sum(0))
    return _LOG_ABOVE * float(np.quantile(errors, 0.1))


def _finer(values: Floats, step: float, *, logarithmic: bool) -> Floats:
    """Put points between, so many that no step is larger; the values themselves stay as they are."""
    x = np.log(values) if logarithmic else values
    pieces = [values[:1]]
    for left, right, end in zip(x[:-1], x[1:], values[1:], strict=True):
        between = np.linspace(left, right, max(1, int(np.ceil((right - left) / step))) + 1)[1:-1]
        pieces += [np.exp(between) if logarithmic else between, np.array([end])]
    # Seven digits are what a table shows; so the grid in netCDF and in CSV is the same.
    out: Floats = np.round(np.concatenate(pieces), 7).astype(np.float64)
    return out


def _within(used: npt.NDArray[np.bool_], energies: Floats, shells: Floats, grid_energy: Floats, grid_L: Floats) -> npt.NDArray[np.bool_]:
    """Tell which grid points lie in a rectangle of cells that were all used, or on the line between two."""
    (low_e, high_e), (low_l, high_l) = _neighbours(energies, grid_energy), _neighbours(shells, grid_L)
    corners = [used[np.ix_(e, k)] for e in (low_e, high_e) for k in (low_l, high_l)]
    out: npt.NDArray[np.bool_] = np.all(corners, axis=0)
    return out


def _neighbours(known: Floats, wanted: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions of the known values next below and next above; the same one where a value is known."""
    above = np.minimum(np.searchsorted(known, wanted - 1e-6), len(known) - 1)
    same = np.abs(known[above] - wanted) <= 1e-6
    return np.where(same, above, np.maximum(above - 1, 0)), above
