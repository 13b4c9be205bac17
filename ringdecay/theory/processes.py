"""Which process dominates: charge exchange or Coulomb drag."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ringdecay.errors import InputError

PROCESSES = {"not_predicted": 0, "charge_exchange": 1, "coulomb_loss": 2, "coulomb_growth": 3, "not_sure": 4}
"""What `dominant_process` can be, and its number."""

_NEEDED = [f"rate_{part}{ending}" for part in ("charge_exchange", "coulomb") for ending in ("", "_low", "_high")]


def dominant_process(rates: xr.Dataset) -> xr.Dataset:
    """Tell which of charge exchange and Coulomb drag changes the flux faster, and where the models do not agree on that.

    Parameters
    ----------
    rates : Dataset
        From `loss_rate`; of its variables `rate_charge_exchange` and `rate_coulomb` with their `_low` and `_high` are used.

    Returns
    -------
    xarray.Dataset
        Over the dimensions of `rates`: `coulomb_ratio`, float64, the size of the Coulomb rate over the rate of charge exchange for the
        chosen models (1 where both are alike, infinite where there is no charge exchange), with the ends of its band over all models,
        `coulomb_ratio_low` and `coulomb_ratio_high`; and `dominant_process`, int8 (`PROCESSES`, its `flag_values` and
        `flag_meanings`): charge exchange, or Coulomb drag as loss or as growth, if that process is the faster one in every choice of
        models, "not_sure" where the choices do not agree, "not_predicted" where a rate is NaN. Models of charge exchange and of
        Coulomb drag are chosen independently, so the bands of the two rates give that of their ratio.

    Raises
    ------
    InputError
        If `rates` is not from `loss_rate`.
    """
    missing = [name for name in _NEEDED if name not in rates]
    if missing:
        raise InputError(f"dominant_process needs a result of loss_rate, but {', '.join(missing)} is not in it.")
    exchange, exchange_low, exchange_high, drag, drag_low, drag_high = (rates[name] for name in _NEEDED)
    # The sign of the Coulomb rate is that of g + 1, the same in all models; the least size is zero if a band holds zero.
    least = drag_low.where(drag_low > -drag_high, -drag_high).clip(min=0.0)
    most = abs(drag_low).where(abs(drag_low) > abs(drag_high), abs(drag_high))
    ratio, low, high = _over(abs(drag), exchange), _over(least, exchange_high), _over(most, exchange_low)
    by_drag = xr.full_like(low, PROCESSES["coulomb_loss"]).where(drag_high > 0.0, PROCESSES["coulomb_growth"])
    number = xr.full_like(low, PROCESSES["not_sure"]).where(~(low > 1.0), by_drag).where(~(high < 1.0), PROCESSES["charge_exchange"])
    known = low.notnull() & high.notnull()
    result = xr.Dataset(
        {
            "coulomb_ratio": ratio,
            "coulomb_ratio_low": low,
            "coulomb_ratio_high": high,
            "dominant_process": number.where(known, PROCESSES["not_predicted"]).astype(np.int8),
        }
    )
    for ending, words in (("", "chosen models"), ("_low", "least over the models"), ("_high", "greatest over the models")):
        result[f"coulomb_ratio{ending}"].attrs = {
            "units": "1",
            "long_name": f"size of the Coulomb rate over that of charge exchange, {words}",
        }
    result["dominant_process"].attrs = {
        "long_name": "process that changes the flux faster in every choice of models",
        "flag_values": np.array(list(PROCESSES.values()), dtype=np.int8),
        "flag_meanings": " ".join(PROCESSES),
    }
    result.attrs = {**rates.attrs, "title": "Which predicted process dominates"}
    return result


def _over(upper: xr.DataArray, lower: xr.DataArray) -> xr.DataArray:
    """Give the ratio, infinite over zero and NaN for zero over zero, without a warning."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return upper / lower
