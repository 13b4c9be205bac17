"""Two factors for the whole: observed rate = a (charge exchange) + b (Coulomb drag).

All storms and cells enter, each with its rate, whether resolved, a limit or growth. How they are fitted is in `two_factors`.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import stdtrit

from ringdecay.beside_theory.prediction import arguments_of, check_cells, check_lifetimes, shells_of
from ringdecay.beside_theory.spectrum import over_storms, spectral_index
from ringdecay.beside_theory.two_factors import DECIDES, Estimate, Floats, clustered, two_factors, weights
from ringdecay.decays.result import flag_attrs
from ringdecay.lifetime.fits import Fits, fits_of, one_probe
from ringdecay.tables import flagged
from ringdecay.theory import CROSS_SECTIONS, GEOCORONAS, loss_rate

logger = logging.getLogger(__name__)

PROCESSES = ("charge_exchange", "coulomb")
FACTOR_FLAGS = {"no_fit": 1, "not_separable": 2, "one_storm_decides": 4, "few_storms": 8}
# Two processes whose predicted rates go together like this over the cells are not told apart: a correlation of the errors of a and b of
# -0.99 makes their errors seven times those that each would have alone.
_COLLINEAR = 0.99
# Cells that decay faster (1/day) stay out. Of decay times below 2 days the fastest storms are lost in the floor, and means are low by 4 %
# and more (docs/limitations.md). On simulated flux (66 runs of a textbook world) they made a 2 % too low and b 17 % too high, and 79
# and 80 % of the 95 % intervals held the truth; without them there is no bias, and 88 and 91 % (+- 4 %) do.
FASTEST = 0.5
# Names as in `theory.loss_rate`; the last one only with Kp.
_PLASMASPHERES = ("saturated", "saturated_low", "saturated_high", "trough", "plasmapause")
_FIELD_LINES = ("constant", "proportional_to_field")


def fit_factors(
    decays: xr.Dataset, lifetimes: xr.Dataset, *, kp: xr.DataArray | None = None, equatorial_pitch_angle: float = 90.0
) -> xr.Dataset:
    """Fit rate = a (charge exchange) + b (Coulomb drag) to all storms and cells, and to those of each L-shell.

    Weighted least squares on the rates of the single storms; a and b are at one where the textbook holds. The weight of a rate is
    1 / max(T, 4 median T), T its variance and the scatter between storms (in proportion to the fitted rate) together, as in the mean
    over storms. The variance of a and b is the sum over storms of v_s v_s' with v_s = (1 - H_s)^(-1/2) u_s: u_s is the storm's part of
    what a and b are off by, H_s = (sum A)^-1 A_s its share in the weighted design A. This is the robust variance for clusters after Bell
    and McCaffrey (2002, Survey Methodology 28, 169), reduced to what the clusters do to the factors; with one factor and one cell it is
    that of the mean over storms. Intervals are Student's t with the effective number of storms less one degrees of freedom,
    1 / sum h^2 - 1, h the storms' shares in the factor.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`, calibrated mode.
    lifetimes : xarray.Dataset
        From `lifetimes` of these decays: its probe, its confidence, and the cells that lost storms to the floor, which are left out.
    kp, equatorial_pitch_angle
        As in `predicted_rates`.

    Returns
    -------
    xarray.Dataset
        Over `fit`, whose coordinate `fit_L` is NaN for all L together and else the L-shell: for `a` and `b` each the factor, `_se`, `_df`,
        `_low`, `_high` (the interval), for the default models, and `_models_low`, `_models_high`, least and greatest factor over all
        model choices, intervals left aside; `correlation` of the errors of a and b; `collinearity` of the two predictions; `agreeing`,
        the share of the cells whose own interval holds a and b's rate (if the two-factor law were true, the confidence); `fit_storms`,
        `fit_cells`, `fit_rates`, and `fit_too_fast`, the cells left out because their fitted rate is above 0.5/day; `fit_flag`
        (`FACTOR_FLAGS`). Where the predictions are nearly in proportion over the cells (one energy, say), a and b are not separable: the
        flag says so, and the intervals are wide or none. With one storm there is no interval. The interval is of the two factors that
        fit best; it does not say that the law holds, which `agreeing` does.

    Raises
    ------
    InputError
        If `lifetimes` is not what `lifetimes` returns, the two are not of the same cells, or `decays` has no such probe.
    """
    check_lifetimes(lifetimes)
    check_cells(lifetimes, decays)
    chosen = one_probe(decays, str(lifetimes.attrs.get("probe", "merged")))
    mean = lifetimes.transpose("energy", "L", ...)
    exchange, drag = _choices(decays, kp, equatorial_pitch_angle, str(lifetimes.attrs.get("probe", "merged")))
    fits = fits_of(chosen)
    there = ~flagged(mean, "storms_lost_to_floor").to_numpy().ravel() & np.isfinite(exchange).all(0) & np.isfinite(drag).all(0)
    # Fits of paper mode have errors that know nothing of autocorrelation, and no mean rate to compare with.
    there &= decays.attrs.get("mode") != "paper"
    fits = fits.but(there[None])
    shells = np.broadcast_to(chosen["L"].to_numpy(), (chosen.sizes["energy"], chosen.sizes["L"])).ravel()
    # By the law that is fitted to all, not by the cell's own rate, which would choose the cells that are low by chance.
    a, b = two_factors(fits, exchange[0], drag[0]).factor
    law = a * exchange[0] + b * drag[0]
    fast = fits.use.any(0) & (np.nan_to_num(law) > FASTEST)
    fits = fits.but(~fast[None])
    weight, scatter = weights(fits, exchange[0], drag[0])
    wholes = [np.ones(len(shells), dtype=bool), *(shells == value for value in chosen["L"].to_numpy())]
    rows = [_one_fit(fits, weight, exchange, drag, cells, mean) | {"fit_too_fast": int((fast & cells).sum())} for cells in wholes]
    return _dataset(rows, chosen["L"].to_numpy(), scatter)


def _choices(decays: xr.Dataset, kp: xr.DataArray | None, angle: float, probe: str) -> tuple[Floats, Floats]:
    """Predicted rates of each process over (choice, cell), the default models first; of Coulomb drag only where a spectrum is known."""
    settings = arguments_of(decays, kp, angle)
    spectrum = over_storms(spectral_index(decays, probe=probe)).sel(spectrum="median", drop=True)
    plasmaspheres = [name for name in _PLASMASPHERES if name != "plasmapause" or "kp_max" in settings]
    hydrogen = [{"cross_section": s, "geocorona": g} for s in CROSS_SECTIONS[settings["species"]] for g in GEOCORONAS]
    plasma = [{"plasmasphere": p, "field_line": f} for p in plasmaspheres for f in _FIELD_LINES]
    if "kp_max" in settings:
        plasma.sort(key=lambda models: models["plasmasphere"] != "plasmapause")
    exchange, drag = [], []
    for i in range(max(len(hydrogen), len(plasma))):
        models = hydrogen[min(i, len(hydrogen) - 1)] | plasma[min(i, len(plasma) - 1)]
        found = loss_rate(decays["energy"], shells_of(decays), spectral_index=spectrum, models=models, **settings)
        if i < len(hydrogen):
            exchange.append(found["rate_charge_exchange"].transpose("energy", "L").to_numpy().ravel())
        if i < len(plasma):
            drag.append(found["rate_coulomb"].transpose("energy", "L").to_numpy().ravel())
    return np.stack(exchange), np.stack(drag)


def _one_fit(fits: Fits, weight: Floats, exchange: Floats, drag: Floats, cells: NDArray[np.bool_], mean: xr.Dataset) -> dict[str, Any]:
    used = cells & fits.use.any(0)
    storms = fits.use[:, used].any(1)
    some, w = fits.cells(np.flatnonzero(used)).rate[storms], weight[np.ix_(storms, used)]
    x, z, rate = exchange[:, used], drag[:, used], np.where(w > 0, some, 0.0)
    design = np.empty((len(x), len(z), storms.sum(), 2, 2))
    design[..., 0, 0] = ((x**2) @ w.T)[:, None]
    design[..., 1, 1] = ((z**2) @ w.T)[None]
    design[..., 0, 1] = design[..., 1, 0] = np.einsum("sc,ic,jc->ijs", w, x, z, optimize=True)
    pull = np.empty((len(x), len(z), storms.sum(), 2))
    pull[..., 0], pull[..., 1] = (x @ (w * rate).T)[:, None], (z @ (w * rate).T)[None]
    every = clustered(design, pull)
    textbook = Estimate(*(values[0, 0] for values in every))
    out: dict[str, Any] = {"fit_storms": int(storms.sum()), "fit_cells": int(used.sum()), "fit_rates": int((w > 0).sum())}
    confidence = float(mean.attrs.get("confidence", 0.95))
    for p, name in enumerate(("a", "b")):
        factor, se, df = textbook.factor[p], textbook.se[p], textbook.df[p]
        half = stdtrit(df, 0.5 + confidence / 2) * se if df > 0 else np.nan
        of_models = every.factor[..., p][np.isfinite(every.factor[..., p])]
        out |= {name: factor, f"{name}_se": se, f"{name}_df": df, f"{name}_low": factor - half, f"{name}_high": factor + half}
        out |= {f"{name}_models_low": of_models.min(initial=np.inf), f"{name}_models_high": of_models.max(initial=-np.inf)}
        if not of_models.size:
            out |= {f"{name}_models_low": np.nan, f"{name}_models_high": np.nan}
    out["correlation"] = textbook.covariance / (textbook.se[0] * textbook.se[1])
    out["collinearity"] = textbook.collinearity
    low, high = (mean[name].to_numpy().ravel()[used] if name in mean else np.full(used.sum(), np.nan) for name in ("rate_low", "rate_high"))
    law, judged = textbook.factor[0] * x[0] + textbook.factor[1] * z[0] if used.any() else np.empty(0), np.isfinite(low) & np.isfinite(high)
    fitted = np.isfinite(textbook.factor).all()
    out["agreeing"] = float(((low <= law) & (law <= high))[judged].mean()) if judged.any() and fitted else np.nan
    none, close = not fitted, not abs(textbook.collinearity) < _COLLINEAR
    decides, few = fitted and bool((textbook.share > DECIDES).any()), fitted and out["fit_storms"] < 3
    bits = {"no_fit": none, "not_separable": close and out["fit_cells"] > 0, "one_storm_decides": decides, "few_storms": few}
    out["fit_flag"] = sum(FACTOR_FLAGS[name] for name, said in bits.items() if said)
    return out


def _dataset(rows: list[dict[str, Any]], shells: Floats, scatter: float) -> xr.Dataset:
    said: dict[str, str] = {
        "correlation": "correlation of the errors of a and b",
        "collinearity": "cosine of the angle between the two predicted rates over the cells; at 1 or -1 a and b cannot be told apart",
        "fit_storms": "storms with a fit",
        "fit_cells": "energies and L-shells with a fit",
        "fit_rates": "fits",
        "fit_too_fast": f"energies and L-shells left out because their fitted rate is above {FASTEST:g}/day, which is measured too low",
        "agreeing": "share of the cells whose own interval of the mean rate holds a and b's rate",
        "fit_flag": "what a reader of the factors should know",
    }
    for name, process in (("a", "charge exchange"), ("b", "Coulomb drag")):
        said[name] = f"factor of the predicted rate of {process} (1: as the default models have it)"
        said[f"{name}_se"] = f"standard error of {name}, from the deviations of whole storms"
        said[f"{name}_df"] = f"degrees of freedom of the interval of {name}"
        said[f"{name}_low"], said[f"{name}_high"] = (f"{end} end of the two-sided interval of {name}" for end in ("lower", "upper"))
        said[f"{name}_models_low"], said[f"{name}_models_high"] = (f"{end} {name} over all model choices" for end in ("least", "greatest"))
    variables: dict[str, Any] = {}
    for name in rows[0]:
        values = np.array([row[name] for row in rows], dtype=np.int32 if name.startswith("fit_") else np.float64)
        variables[name] = ("fit", values, {"units": "1", "long_name": said[name]})
    variables["fit_flag"][2].update(flag_attrs(FACTOR_FLAGS))
    del variables["fit_flag"][2]["units"]
    note = {"units": "1", "long_name": "L-shell of the fit; NaN: all L together"}
    attrs = {"fit_scatter": scatter, "fit_weights": "as in the mean over storms, the scatter in proportion to the fitted rate"}
    if rows[0]["fit_flag"]:
        words = [name for name, bit in FACTOR_FLAGS.items() if rows[0]["fit_flag"] & bit]
        logger.warning("the two factors of the theory over all L: %s", ", ".join(words))
    return xr.Dataset(variables, coords={"fit_L": ("fit", np.array([np.nan, *shells]), note)}, attrs=attrs)
