"""The spectral index that a run shows."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_decays import simulate
from theory_decays import decays

import ringdecay as rd
from ringdecay.beside_theory import spectral_index
from ringdecay.beside_theory.spectrum import over_storms
from ringdecay.errors import InputError

ENERGY = np.array([45.0, 55.0, 67.0, 99.0, 148.0, 269.0])
SHELLS = np.array([3.0, 4.0])


def rates(*values: float, storms: int = 3) -> np.ndarray:
    return np.broadcast_to(np.asarray(values)[:, None], (storms, len(values), len(SHELLS))).copy()


@pytest.mark.parametrize("g", [-2.0, 0.0, 3.5])
def test_a_power_law_has_its_own_index_whatever_the_rates_and_the_spacing_of_channels(g):
    found = spectral_index(decays(rates(1.0, 0.7, 0.5, 0.1, 0.03, -0.01), ENERGY, SHELLS, g=g))
    assert found.dims == ("storm", "energy", "L")
    np.testing.assert_allclose(found, g, atol=1e-9)


def test_inside_a_curved_spectrum_has_its_local_slope():
    # ln j = -(ln E)^2, so g = 2 ln E; a parabola is followed exactly but at the ends, where one slope stands for the channel.
    fits = decays(rates(0.1, 0.1, 0.1, 0.1, 0.1, 0.1), ENERGY, SHELLS, g=np.log(ENERGY)[None, :, None])
    found = spectral_index(fits).isel(storm=0, L=0).to_numpy()
    np.testing.assert_allclose(found[1:-1], 2 * np.log(ENERGY[1:-1]), rtol=1e-9)
    np.testing.assert_allclose(found[[0, -1]], [np.log(45.0 * 55.0), np.log(148.0 * 269.0)], rtol=1e-9)


def test_fits_of_other_length_are_compared_while_both_last():
    # The first channel is fitted for 4 days, the second for 20; at day 2 of a power law with g = 1 both are known.
    length = np.array([4.0, 20.0])[None, :, None]
    fits = decays(rates(0.5, 0.1), [50.0, 100.0], SHELLS, length=length)
    levels = np.array([-np.log(50.0) + 0.5 * 2, -np.log(100.0) + 0.1 * 2])
    fits["log_flux_start"][:] = levels[None, None, :, None]
    found = spectral_index(fits).isel(storm=0, L=0).to_numpy()
    # The second's middle, day 10, is beyond the first's end: day 4 is the nearest. By then g has grown by (0.1 - 0.5) * 2 / ln 2.
    np.testing.assert_allclose(found, [1.0, 1.0 + (0.1 - 0.5) * 2 / np.log(2.0)], rtol=1e-9)


def test_without_a_neighbour_it_is_unknown():
    assert spectral_index(decays(rates(0.1), [50.0], SHELLS)).isnull().all()
    alone = rates(0.1, 0.1, 0.1, np.nan, 0.1, np.nan)
    found = spectral_index(decays(alone, ENERGY, SHELLS, g=2.0)).isel(storm=0, L=0).to_numpy()
    np.testing.assert_allclose(found, [2, 2, 2, np.nan, np.nan, np.nan], atol=1e-9)
    # Channels of one energy, as where two instruments meet, say nothing of each other.
    twice = spectral_index(decays(rates(0.1, 0.1, 0.1), [50.0, 50.0, 99.0], SHELLS, g=2.0)).isel(storm=0, L=0).to_numpy()
    np.testing.assert_allclose(twice, [np.nan, 2, 2], atol=1e-9)


def test_the_order_of_energies_does_not_matter():
    fits = decays(rates(1.0, 0.7, 0.5, 0.1, 0.03, 0.01), ENERGY, SHELLS, g=np.log(ENERGY)[None, :, None])
    turned = spectral_index(fits.isel(energy=[3, 0, 5, 1, 4, 2]))
    np.testing.assert_allclose(turned.sortby("energy"), spectral_index(fits), rtol=1e-12)


def test_storms_are_summed_up_by_their_median_and_their_spread():
    g = np.arange(21.0)[:, None, None]
    found = over_storms(spectral_index(decays(rates(0.1, 0.1, storms=21), [50.0, 100.0], SHELLS, g=g)))
    np.testing.assert_allclose(found.sel(spectrum="median"), 10.0, atol=1e-9)
    np.testing.assert_allclose(found.sel(spectrum="low"), 20 * 0.159, atol=1e-9)
    np.testing.assert_allclose(found.sel(spectrum="high"), 20 * 0.841, atol=1e-9)


def test_it_is_that_of_the_binned_flux():
    # Flux at the minimum falls by 1000 over the energies, then every channel at its own rate; noise, gaps and a floor are in the bins.
    tau = np.geomspace(5, 100, 8)[:, None] * np.ones(2)
    world = simulate(5, tau, np.geomspace(1e5, 2e3, 8), gaps=(20.0, 20.0, 20.0))
    fits = rd.fit_decays(world.binned, world.storms)
    found = spectral_index(fits)
    energy = fits["energy"].to_numpy()
    middle = fits["start"] + (fits["stop"] - fits["start"]) / 2
    since = ((middle - fits["minimum"]) / np.timedelta64(1, "D")).isel(probe=0).transpose("storm", "energy", "L").to_numpy()
    step = np.log(energy[1] / energy[0])
    slope_at_minimum = np.log(1e3) / np.log(energy[-1] / energy[0])
    differ = np.gradient(world.storm_rate, step, axis=1)
    expected = slope_at_minimum + differ * since
    known = np.isfinite(found.to_numpy())
    assert known.mean() > 0.8
    # An error of a tenth in the level of one channel is one of 0.1 / 0.74 in the slope over two steps.
    errors = (found.to_numpy() - expected)[known]
    assert abs(np.median(errors)) < 0.1
    assert np.std(errors) < 0.35


def test_what_is_no_result_of_fits_is_refused():
    with pytest.raises(InputError, match="log_flux_start"):
        spectral_index(decays(rates(0.1), [50.0], SHELLS).drop_vars("log_flux_start"))
