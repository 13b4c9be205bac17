"""How many of the decays that are claimed over a map are false."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from storm_fits import decays_of

from ringdecay.errors import InputError
from ringdecay.lifetime import discoveries, lifetimes
from ringdecay.lifetime.discoveries import benjamini_hochberg


def test_adjusted_p_values_equal_scipy():
    rng = np.random.default_rng(1)
    p = np.concatenate([rng.random(40), rng.random(20) ** 6, [0.0, 1.0, 0.5, 0.5]]).reshape(8, 8)
    np.testing.assert_allclose(benjamini_hochberg(p).ravel(), stats.false_discovery_control(p.ravel()))
    holes = np.where(rng.random(p.shape) < 0.3, np.nan, p)
    known = np.isfinite(holes)
    np.testing.assert_allclose(benjamini_hochberg(holes)[known], stats.false_discovery_control(holes[known]))
    assert np.isnan(benjamini_hochberg(holes)[~known]).all()
    assert benjamini_hochberg(np.array([])).size == 0


def test_p_value_is_that_of_a_one_sided_t_test():
    rate = np.array([0.02, 0.05, -0.01, 0.04, 0.03, 0.01])
    found = lifetimes(decays_of(rate, np.full(6, 0.001))).squeeze()
    assert float(found["p_value"]) == pytest.approx(stats.ttest_1samp(rate, 0, alternative="greater").pvalue)


def test_false_discoveries_are_as_rare_as_asked_for_and_true_ones_found():
    """Cells of a map share their storms: 100 without decay, 50 with one."""
    rng = np.random.default_rng(2)
    false, found_true = [], []
    for _ in range(150):
        common = rng.normal(size=(8, 1))
        noise = np.sqrt(0.5) * common + np.sqrt(0.5) * rng.normal(size=(8, 150))
        rate = 0.02 * noise + np.where(np.arange(150) < 100, 0.0, 0.06)
        means = decays_of(rate.mean(0)[None], rate.std(0, ddof=1)[None] / np.sqrt(8), df=7)
        found = discoveries(means, false_discovery_rate=0.1)["discovered"].to_numpy()[0, 0, 0]
        false.append(found[:100].sum() / max(found.sum(), 1))
        found_true.append(found[100:].mean())
    assert np.mean(false) <= 0.1
    assert np.mean(found_true) > 0.9


def test_probes_are_families_of_their_own_and_mean_and_fits_agree():
    fits = decays_of(np.array([0.1, 0.02, -0.05, np.nan]), np.array([0.01, 0.02, 0.01, np.nan]), df=20)
    both = xr.concat([fits.assign_coords(probe=["a"]), fits.assign_coords(probe=["b"])], "probe").transpose("storm", "probe", ...)
    one, two = discoveries(fits), discoveries(both)
    for probe in ("a", "b"):
        np.testing.assert_allclose(two["q_value"].sel(probe=probe), one["q_value"].squeeze("probe"))
    assert one["discovered"].squeeze().to_numpy().tolist() == [1, 0, 0, 0]
    assert float(one["p_value"].squeeze()[2]) > 0.99
    mean = lifetimes(fits)
    xr.testing.assert_allclose(discoveries(mean)["q_value"].drop_attrs(), mean["q_value"].drop_attrs())


def test_what_has_no_rate_is_said():
    with pytest.raises(InputError, match="calibrated"):
        discoveries(lifetimes(decays_of(np.array([0.1]), np.array([0.01]), mode="paper")))
    with pytest.raises(InputError, match="false_discovery_rate"):
        discoveries(decays_of(np.array([0.1]), np.array([0.01])), false_discovery_rate=5)
