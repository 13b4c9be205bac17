"""The floor is found where there is one, and only there."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from synthetic_decays import mission, simulate

from ringdecay.binned import merge_probes
from ringdecay.decays import fit_decays, index_windows, instrument_floor
from ringdecay.simulate import binned_series, make_truth, storms, truth_dataset


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_floor_that_fast_channels_reach_is_found_at_its_level(seed: int):
    truth = mission(seed, n_e=14, n_l=12, floor_decades=2)
    floor = instrument_floor(truth.binned, index_windows(truth.binned, truth.storms))
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
    assert np.isnan(instrument_floor(truth.binned, index_windows(truth.binned, truth.storms)).to_numpy()).all()


def test_data_without_bins_have_no_floor():
    truth = mission(1, n_e=2, n_l=3)
    assert np.isnan(instrument_floor(truth.binned * 0, index_windows(truth.binned, truth.storms)).to_numpy()).all()


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


def test_a_floor_that_is_found_rather_than_known_does_not_bias_rates():
    """On the simulated archive, whose floor some channels reach, some only come near."""
    z, ratios = [], []
    for seed in range(50000, 50004):
        world = make_truth(seed)
        truth = truth_dataset(world).isel(energy=slice(0, 8))
        binned = merge_probes(binned_series(world)).isel(L=slice(1, 30, 3), energy=slice(0, 8))
        truth = truth.sel(L=binned["L"], method="nearest").transpose("storm", "energy", "L")
        decays = fit_decays(binned, storms(world))
        tau = 1 / truth["population_rate"].to_numpy()
        error = ((decays["rate"] - truth["storm_rate"].to_numpy()[:, None]) / decays["rate_se"]).to_numpy()[:, 0]
        z.append([np.nanmean(error[:, (tau > low) & (tau <= 2 * low)]) for low in (1, 2)])
        ratios.append(decays["floor"].to_numpy()[0, 0, :, 0] / truth["floor"].to_numpy())
    # Fluctuations shared by the cells of a mission leave an error of about 0.15; with floors from a pile-up of bins the second was -0.5.
    assert (np.abs(np.mean(z, axis=0)) < 0.35).all()
    # 45 to 76 keV reach the floor, and it is found at its level.
    assert np.allclose(np.array(ratios)[:, :5], 1, atol=0.06)
