"""The observed rate over the predicted one, cell by cell, and what that means."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import stdtrit

from ringdecay.beside_theory.factors import fit_factors
from ringdecay.beside_theory.prediction import check_cells, check_lifetimes, predicted_rates
from ringdecay.decays.result import flag_attrs
from ringdecay.lifetime import FLAGS as LIFETIME_FLAGS
from ringdecay.products import ion_name
from ringdecay.theory.loss import FLAGS as THEORY_FLAGS

Floats = NDArray[np.float64]

#: An observation agrees only if neither end of its interval is further than this factor beyond the band; one that reaches further
#: would agree with much more, or nothing, being lost, too.
WIDEST = 3.0

VERDICTS = {"no_observation": 0, "no_prediction": 1, "cannot_tell": 2, "slower": 3, "agrees": 4, "faster": 5}
FLAGS = THEORY_FLAGS | {"spectral_index_assumed": 128, "single_storm": 256, "storms_lost_to_floor": 512, "not_resolved": 1024}

# What is taken over from lifetimes as it is.
_OBSERVED = ("rate", "rate_se", "df", "rate_low", "rate_high", "n_storms")
_SAID = {
    "ratio": "observed rate over rate_predicted (negative: the flux grows)",
    "ratio_low": "lower end of the two-sided interval of the ratio, from the observation alone",
    "ratio_high": "upper end of the two-sided interval of the ratio, from the observation alone",
    "ratio_limit": "one-sided upper limit on the ratio, where the decay is not resolved",
    "ratio_least": "least ratio over the models and the spectra of the storms",
    "ratio_greatest": "greatest ratio over the models and the spectra of the storms (infinite: a model predicts no loss)",
    "band_low": "lower end of the band of the predicted rate, over its median",
    "band_high": "upper end of the band of the predicted rate, over its median",
}
_EXCESS = {
    "rate_excess": "observed less predicted rate: what is left for other processes",
    "rate_excess_low": "lower end of the interval of the observed rate less the upper end of the band",
    "rate_excess_high": "upper end of the interval of the observed rate less the lower end of the band",
}
_MEANING = {
    "no_observation": "no storm has a fit",
    "no_prediction": "the models say nothing there (the loss cone)",
    "cannot_tell": "the interval overlaps the band, but reaches more than a factor of 3 beyond it",
    "slower": "the whole interval of the observed rate is below the band",
    "agrees": "the interval overlaps the band, and reaches no more than a factor of 3 beyond it",
    "faster": "the whole interval of the observed rate is above the band: something else is needed",
}


def compare_with_theory(
    decays: xr.Dataset, lifetimes: xr.Dataset, *, kp: xr.DataArray | None = None, equatorial_pitch_angle: float = 90.0
) -> xr.Dataset:
    """Compare a run with theory: every cell, and the two factors of the whole.

    Parameters
    ----------
    decays : xarray.Dataset
        From `fit_decays`.
    lifetimes : xarray.Dataset
        From `lifetimes` of these decays.
    kp, equatorial_pitch_angle
        As in `predicted_rates`.

    Returns
    -------
    xarray.Dataset
        What `compare_cells` and `fit_factors` give, in one.

    Raises
    ------
    InputError
        As they do.
    """
    check_lifetimes(lifetimes)
    settings: dict[str, Any] = {"kp": kp, "equatorial_pitch_angle": equatorial_pitch_angle}
    prediction = predicted_rates(decays, probe=str(lifetimes.attrs.get("probe", "merged")), **settings)
    factors = fit_factors(decays, lifetimes, **settings)
    return compare_cells(lifetimes, prediction).merge(factors, join="exact", combine_attrs="no_conflicts")


def compare_cells(lifetimes: xr.Dataset, prediction: xr.Dataset) -> xr.Dataset:
    """Compare the mean rate over storms with the predicted rate in every energy and L-shell.

    Parameters
    ----------
    lifetimes : xarray.Dataset
        From `lifetimes`, calibrated mode. One of paper mode has no mean rate: then nothing is observed.
    prediction : xarray.Dataset
        From `predicted_rates` of the same decays.

    Returns
    -------
    xarray.Dataset
        Over energy and L: everything of `prediction`; of the observation `rate`, `rate_se`, `df`, `rate_low`, `rate_high` and `n_storms`;
        `ratio` = rate / rate_predicted with `ratio_low` and `ratio_high`, the interval from the observation alone, and `ratio_least` and
        `ratio_greatest`, what it would be with any of the models; `ratio_limit`, one-sided, where the decay is not resolved; `band_low` and
        `band_high`, the band of the theory over its median; `rate_excess` with its ends (1/day); `verdict` (`VERDICTS`), which says where
        the observation `agrees` with the band or is `faster` or `slower`, and where that `cannot_tell`; `flag` (`FLAGS`). A mean that is a
        limit, or grows, has a ratio like any other. Where the prediction is not a loss (rate_predicted at or below zero) a ratio means
        nothing and is NaN, and the verdict and the excess still stand. Each verdict is of its cell alone: with intervals of 95 %, about
        one cell in forty is outside by chance on each side, and neighbouring cells together.

    Raises
    ------
    InputError
        If `lifetimes` is not what `lifetimes` returns, or the two do not have the same cells.
    """
    check_lifetimes(lifetimes)
    check_cells(lifetimes, prediction)
    ordered = lifetimes.transpose("energy", "L", ...)
    shape = ordered["flag"].shape
    seen = {name: ordered[name].to_numpy().astype(np.float64) if name in ordered else np.full(shape, np.nan) for name in _OBSERVED}
    predicted, low, high = (
        prediction[name].transpose("energy", "L").to_numpy() for name in ("rate_predicted", "rate_predicted_low", "rate_predicted_high")
    )
    confidence = float(lifetimes.attrs.get("confidence", 0.95))
    values = _ratios(seen, predicted, low, high, confidence)
    values["verdict"] = _verdict(seen["rate_low"], seen["rate_high"], low, high).astype(np.int8)
    # The rest of the lifetimes' flags is in lifetimes.nc.
    bits = prediction["theory_flag"].transpose("energy", "L").to_numpy().astype(np.int32)
    bits |= np.where(prediction["n_spectra"].transpose("energy", "L").to_numpy() == 0, FLAGS["spectral_index_assumed"], 0)
    for name in ("single_storm", "storms_lost_to_floor", "not_resolved"):
        bits |= np.where(ordered["flag"].to_numpy() & LIFETIME_FLAGS[name] > 0, FLAGS[name], 0)
    values["flag"] = bits.astype(np.int32)

    said: dict[str, dict[str, Any]] = {name: {"units": "1", "long_name": text} for name, text in _SAID.items()}
    said |= {name: {"units": "1/day", "long_name": text} for name, text in _EXCESS.items()}
    said["verdict"] = {
        "long_name": "what the observation says of the prediction: " + "; ".join(f"{name}: {text}" for name, text in _MEANING.items()),
        "flag_values": np.array(list(VERDICTS.values()), dtype=np.int8),
        "flag_meanings": " ".join(VERDICTS),
    }
    said["flag"] = {"long_name": "what a reader of the comparison should know"} | flag_attrs(FLAGS)
    observed = {name: (("energy", "L"), seen[name], dict(ordered[name].attrs)) for name in _OBSERVED if name in ordered}
    variables = observed | {name: (("energy", "L"), value, said[name]) for name, value in values.items()}
    attrs = {str(name): value for name, value in lifetimes.attrs.items() if name not in ("title", "provenance", "date_created")}
    attrs |= dict(prediction.attrs) | {"title": f"Observed loss of the {ion_name(lifetimes.attrs)} flux beside the predicted"}
    return prediction.drop_vars("theory_flag").assign(variables).assign_attrs(attrs)


def _ratios(seen: dict[str, Floats], predicted: Floats, low: Floats, high: Floats, confidence: float) -> dict[str, Any]:
    with np.errstate(invalid="ignore", divide="ignore"):
        over = np.where(predicted > 0, predicted, np.nan)
        # A model that predicts no loss can be any factor below the observation; one of growth has no ratio at all.
        by_model = [
            np.where(end > 0, seen["rate"] / end, np.where(predicted > 0, np.copysign(np.inf, seen["rate"]), np.nan)) for end in (low, high)
        ]
        one_sided = seen["rate"] + stdtrit(seen["df"], confidence) * seen["rate_se"]
        return {
            "ratio": seen["rate"] / over,
            "ratio_low": seen["rate_low"] / over,
            "ratio_high": seen["rate_high"] / over,
            "ratio_limit": np.where(seen["rate_low"] <= 0, one_sided / over, np.nan),
            "ratio_least": np.where(np.isfinite(seen["rate"]), np.minimum(*by_model), np.nan),
            "ratio_greatest": np.where(np.isfinite(seen["rate"]), np.maximum(*by_model), np.nan),
            "band_low": low / over,
            "band_high": high / over,
            "rate_excess": seen["rate"] - predicted,
            "rate_excess_low": seen["rate_low"] - high,
            "rate_excess_high": seen["rate_high"] - low,
        }


def _verdict(rate_low: Floats, rate_high: Floats, low: Floats, high: Floats) -> NDArray[np.int64]:
    """Compare intervals of the observation with bands of the theory."""
    # A factor beyond the band, whatever the sign of its ends.
    least = np.where(low > 0, low / WIDEST, low * WIDEST)
    greatest = np.where(high > 0, high * WIDEST, high / WIDEST)
    known, predicted = np.isfinite(rate_low) & np.isfinite(rate_high), np.isfinite(low) & np.isfinite(high)
    with np.errstate(invalid="ignore"):
        return np.select(
            [~known, ~predicted, rate_low > high, rate_high < low, (rate_low >= least) & (rate_high <= greatest)],
            [VERDICTS[name] for name in ("no_observation", "no_prediction", "faster", "slower", "agrees")],
            VERDICTS["cannot_tell"],
        )
