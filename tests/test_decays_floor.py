"""The floor is found where there is one, and only there."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from synthetic_decays import mission, simulate

from ringdecay.decays import fit_decays, instrument_floor


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_floor_that_fast_channels_reach_is_found_at_its_level(seed: int):
    truth = mission(seed, n_e=14, n_l=12, floor_decades=2)
    floor = instrument_floor(truth.binned)
    assert floor.to_numpy()[0] == pytest.approx(truth.floor[0], rel=0.2)
    found = np.isfinite(floor.to_numpy())
    assert np.allclose(floor.to_numpy()[found], truth.floor[found], rtol=0.4)
    # Channels of more than 13 days never reach it.
    assert not found[7:].any()
    assert floor.dims == ("energy",)
    assert floor.attrs["units"] == "cm-2 s-1 sr-1 keV-1"


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_floor_is_seen_where_there_is_none(seed: int):
    truth = mission(seed, n_e=14, n_l=12, floor_decades=30)
    assert np.isnan(instrument_floor(truth.binned).to_numpy()).all()


def test_data_without_bins_have_no_floor():
    truth = mission(1, n_e=2, n_l=3)
    assert np.isnan(instrument_floor(truth.binned * 0).to_numpy()).all()


def test_the_default_factor_takes_the_floors_bias_well_below_the_standard_error():
    """Left alone, a floor puts the rate of a 3-day decay off by more than a standard error; cut and subtracted, by a fraction of one."""
    z: dict[str, list[np.ndarray]] = {"none": [], "known": []}
    for seed in range(4):
        truth = simulate(seed, np.full((1, 6), 3.0), np.array([1e5]), floor_decades=2)
        for name, floor in (("none", None), ("known", xr.DataArray(truth.floor, dims="energy"))):
            result = fit_decays(truth.binned, truth.storms, floor=floor)
            z[name].append((result["rate"].to_numpy()[:, 0] - truth.storm_rate) / result["rate_se"].to_numpy()[:, 0])
    assert np.median(z["none"]) < -1
    # 40 storms in fluctuations of their own: the mean of z has an error of 0.16.
    assert abs(np.nanmean(z["known"])) < 0.5
