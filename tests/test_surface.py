"""The surface tau(E, L): it finds a known one, says how sure it is, and says nothing where it knows nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from surface_decays import ENERGY, SHELLS, decays, population_rate

import ringdecay as rd
from ringdecay.errors import InputError
from ringdecay.store import write_dataset
from ringdecay.surface import FLAGS, NoSurfaceError, surface_header, surface_or_reason, surface_table
from ringdecay.tables import write_csv

FLOOR_REACHED = 16


@pytest.fixture(scope="module")
def surface() -> xr.Dataset:
    return rd.fit_surface(decays(1))


def mesh(dataset: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(dataset["energy"].to_numpy(), dataset["L"].to_numpy(), indexing="ij")


def without(data: xr.Dataset, where: np.ndarray) -> xr.Dataset:
    """Take away the fits where True, over (storm, energy, L)."""
    gone = xr.DataArray(where, dims=("storm", "energy", "L"))
    return data.assign({name: data[name].where(~gone) for name in ("rate", "rate_se", "df")})


def test_a_surface_without_noise_is_found_between_the_cells_too() -> None:
    found = rd.fit_surface(decays(scatter=0.0, noise=1e-6))
    truth = population_rate(*mesh(found))
    # Seven splines over a decade of energy follow the bend to a percent.
    assert np.abs(found["rate"].to_numpy() / truth - 1).max() < 0.01
    assert (found["supported"] == 1).all()
    assert found.attrs["scatter"] < 0.02


def test_a_power_law_is_found_exactly() -> None:
    def power_law(energy, L):
        return 0.2 * (energy / 100) ** -1.5 * (L / 4) ** -3.0

    found = rd.fit_surface(decays(scatter=0.0, noise=1e-6, rate=power_law))
    np.testing.assert_allclose(found["rate"], power_law(*mesh(found)), rtol=1e-3)


def test_a_common_factor_of_all_storms_is_a_factor_of_the_surface() -> None:
    # Units: rates in 1/hour instead of 1/day give the same surface in other units.
    data = decays(2)
    scaled = data.assign(rate=data["rate"] * 24, rate_se=data["rate_se"] * 24)
    first, second = rd.fit_surface(data), rd.fit_surface(scaled)
    np.testing.assert_allclose(second["rate"], first["rate"] * 24, rtol=1e-4)
    np.testing.assert_allclose(second["rate_se"], first["rate_se"] * 24, rtol=1e-3)


def test_the_order_of_cells_and_storms_does_not_matter() -> None:
    data = decays(3)
    turned = data.isel(energy=slice(None, None, -1), L=slice(None, None, -1), storm=slice(None, None, -1)).transpose("L", "energy", ...)
    np.testing.assert_allclose(rd.fit_surface(turned)["rate"], rd.fit_surface(data)["rate"], rtol=1e-5, atol=1e-8)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    # Storms share their noise and scatter over all cells, so that a draw counts little more than once: over 40 draws a share of 0.95 has an
    # error of about 0.025.
    held, se, missed = [], [], []
    for seed in range(40):
        found = rd.fit_surface(decays(1000 + seed)).isel(energy=slice(None, None, 6), L=slice(None, None, 6))
        truth = population_rate(*mesh(found))
        held.append(((found["rate_low"] <= truth) & (truth <= found["rate_high"])).to_numpy())
        se.append(found["rate_se"].to_numpy())
        missed.append(found["rate"].to_numpy() - truth)
    assert 0.90 < np.mean(held) < 0.99
    # At the slow end too, where single rates are not told from zero.
    assert 0.88 < np.mean(np.array(held)[:, -1, -1]) <= 1.0
    ratio = np.sqrt(np.mean(np.square(se), axis=0) / np.mean(np.square(missed), axis=0))
    assert 0.8 < np.median(ratio) < 1.25


def test_shared_noise_is_not_averaged_away() -> None:
    # With noise of size s, three quarters of its variance common to a storm's cells, K storms leave at least s sqrt(3/4 / K).
    found = rd.fit_surface(decays(5, scatter=0.0, noise=0.01))
    least = 0.01 * np.sqrt(0.75 / 10) * 0.5
    assert float(found["rate_se"].min()) > least


def test_limits_and_growth_enter_the_mean() -> None:
    # Slow cells whose single rates are half of them below zero: thrown away, the rest would give several times the rate.
    slow = 0.002
    bias = []
    for seed in range(8):
        data = decays(20 + seed, storms=20, noise=0.01, rate=lambda energy, L: slow * (energy / 100) ** -0.5 * (L / 4) ** 0.0)
        found = rd.fit_surface(data)
        truth = slow * (mesh(found)[0] / 100) ** -0.5
        bias.append(float((found["rate"] - truth).mean()))
        negative = float((data["rate"] < 0).mean())
        assert 0.2 < negative < 0.7
    spread = 0.011 / np.sqrt(20 * 8)  # of the mean over storms and draws
    assert abs(np.mean(bias)) < 3 * spread


def test_where_flux_grows_the_rate_is_negative_and_no_tau_is_stated() -> None:
    found = rd.fit_surface(decays(4, rate=lambda energy, L: 0.1 - 0.15 * (np.log(energy / 45) / 2.6) + 0 * L))
    grows = mesh(found)[0] > 450
    assert (found["rate"].to_numpy()[grows] < 0).all()
    assert np.isnan(found["tau"].to_numpy()[grows]).all()
    assert np.isinf(found["tau_limit"].to_numpy()[grows]).all()


def test_where_too_little_is_known_there_is_a_limit_instead(surface: xr.Dataset) -> None:
    stated = surface["supported"].to_numpy() == 1
    assert 0.3 < stated.mean() < 0.95
    tau, low, high, limit = (surface[name].to_numpy() for name in ("tau", "tau_low", "tau_high", "tau_limit"))
    assert (np.isfinite(tau) == stated).all()
    assert (np.isnan(limit) == stated).all()
    assert (high[stated] / low[stated] <= 9.001).all()
    assert (low[stated] < tau[stated]).all()
    assert (tau[stated] < high[stated]).all()
    np.testing.assert_allclose(tau[stated], 1 / surface["rate"].to_numpy()[stated])
    assert (surface["flag"].to_numpy()[~stated] == FLAGS["wide"]).all()
    # The limit is one-sided: longer than the lower end of the two-sided interval.
    assert (limit[~stated] > 1 / surface["rate_high"].to_numpy()[~stated]).all()


def test_the_range_is_that_of_cells_with_enough_storms() -> None:
    data = decays(6)
    gone = np.zeros((10, len(ENERGY), len(SHELLS)), dtype=bool)
    gone[2:, 0, :] = True  # two storms are left in the lowest channel
    gone[:, :, -1] = True  # and none in the last L
    gone[:8, 4, 5] = True  # a hole
    found = rd.fit_surface(without(data, gone))
    energy, shells = mesh(found)
    assert energy.min() == pytest.approx(ENERGY[1])
    assert shells.max() == pytest.approx(SHELLS[-2])
    hole = (energy > ENERGY[3] * 1.001) & (energy < ENERGY[5] * 0.999) & (shells > SHELLS[4] + 0.01) & (shells < SHELLS[6] - 0.01)
    no_data = found["flag"].to_numpy() & FLAGS["no_data"] > 0
    assert (no_data == hole).all()
    assert np.isnan(found["rate"].to_numpy()[hole]).all()


def test_cells_that_lost_fast_storms_to_the_floor_are_left_out() -> None:
    data = decays(7)
    gone = np.zeros((10, len(ENERGY), len(SHELLS)), dtype=bool)
    gone[:2, :, 0] = True
    lost = without(data, gone)
    lost["flag"] = lost["flag"] | xr.DataArray(np.where(gone, FLOOR_REACHED, 0).astype(np.int32), dims=("storm", "energy", "L"))
    lost["flag"].attrs = data["flag"].attrs
    assert float(rd.fit_surface(without(data, gone))["L"].min()) == pytest.approx(SHELLS[0])
    assert float(rd.fit_surface(lost)["L"].min()) == pytest.approx(SHELLS[1])


@pytest.mark.parametrize(
    ("change", "storms_said"),
    [
        (lambda d: d.isel(storm=slice(0, 0)), "storms here: 0"),
        (lambda d: d.isel(storm=slice(0, 1)), "storms here: 1"),
        (lambda d: d.isel(storm=slice(0, 2)), "storms here: 2"),
        (lambda d: d.isel(energy=[3]), "so many: 1, L-shells: 12"),
        (lambda d: d.isel(L=[3]), "so many: 10, L-shells: 1"),
        (lambda d: d.assign(rate=d["rate"] * np.nan), "so many: 0, L-shells: 0"),
        (lambda d: d.assign_attrs(mode="paper"), "paper"),
    ],
)
def test_without_enough_there_is_no_surface_and_the_reason_is_said(change, storms_said: str, tmp_path: Path) -> None:
    data = change(decays())
    if data.attrs["mode"] == "paper":
        data["tau"] = 1 / data["rate"]
    with pytest.raises(NoSurfaceError, match=storms_said):
        rd.fit_surface(data)
    empty = surface_or_reason(data)
    assert empty["tau"].size == 0
    assert storms_said in empty.attrs["range"]
    write_dataset(empty, tmp_path / "empty.nc")
    again = rd.open_dataset(tmp_path / "empty.nc")
    with pytest.raises(InputError, match="empty"):
        rd.tau(100.0, 4.0, again)
    table = surface_table(again)
    write_csv(table, tmp_path / "empty.csv", surface_header(again))
    assert len(table) == 0
    assert storms_said in (tmp_path / "empty.csv").read_text()


@pytest.mark.parametrize("shape", [(2, 2), (2, 12), (3, 3), (10, 2)])
def test_few_channels_and_shells_are_enough(shape: tuple[int, int]) -> None:
    data = decays(8, noise=1e-4, scatter=0.1).isel(energy=slice(0, shape[0]), L=slice(0, shape[1]))
    found = rd.fit_surface(data)
    assert np.abs(found["rate"].to_numpy() / population_rate(*mesh(found)) - 1).max() < 0.15


def test_three_storms_give_wide_intervals() -> None:
    three, ten = rd.fit_surface(decays(9, storms=3)), rd.fit_surface(decays(9))
    assert float(three["df"].max()) < 2.001
    assert 0 < float(three["supported"].mean()) < float(ten["supported"].mean())
