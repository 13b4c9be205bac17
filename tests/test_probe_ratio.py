"""Two probes side by side: which pairs count, and an interval that knows that pairs of a storm are not independent."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from fake_closer import varied

from ringdecay.decays import paired_rates, probe_ratio
from ringdecay.errors import InputError


def test_pairs_count_where_the_merged_flux_resolves_the_decay():
    given = varied()
    pairs = paired_rates(given)
    assert pairs["probe"].to_numpy().tolist() == ["a", "b"]
    resolved = (given["rate_low"].sel(probe="merged") > 0).to_numpy()
    np.testing.assert_array_equal(pairs["rate"].notnull().all("probe").to_numpy(), resolved)
    np.testing.assert_array_equal(pairs["rate"].sel(probe="b").to_numpy()[resolved], given["rate"].sel(probe="b").to_numpy()[resolved])
    # Without a merged fit both have to resolve it.
    given["rate_low"].loc[{"probe": "a", "storm": 3}] = -1.0
    alone = paired_rates(given.sel(probe=["b", "a"]))
    assert alone["rate"].sel(storm=3).isnull().all()
    assert alone["probe"].to_numpy().tolist() == ["a", "b"]


def test_the_ratio_is_of_the_second_to_the_first_and_says_of_how_many():
    found = probe_ratio(varied())
    assert found.probes == ("a", "b")
    assert found.median == pytest.approx(1.1, rel=0.03)
    assert found.low <= found.median <= found.high
    # Three energies of five shells, but one cell without a fit.
    assert (found.n, found.n_storms) == (8 * 14, 8)
    one = probe_ratio(varied(1))
    assert (one.n_storms, np.isnan(one.low), np.isnan(one.high)) == (1, True, True)
    none = probe_ratio(varied().assign(rate_low=-abs(varied()["rate_low"])))
    assert (none.n, none.n_storms, np.isnan(none.median)) == (0, 0, True)
    assert probe_ratio(varied().isel(storm=[])).n == 0


def test_the_interval_holds_though_cells_of_a_storm_are_alike():
    # Twelve storms of 60 cells each, whose ratios differ by 20 % between storms and hardly within one.
    held = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        ratio = 1.2 * np.exp(0.2 * rng.normal(size=(12, 1, 1)) + 0.02 * rng.normal(size=(12, 6, 10)))
        rate = np.stack([np.full(ratio.shape, 0.1), 0.1 * ratio], axis=1)
        variables = {"rate": rate, "rate_low": 0.9 * rate, "rate_high": 1.1 * rate}
        decays = xr.Dataset(
            {name: (("storm", "probe", "energy", "L"), values) for name, values in variables.items()}, coords={"probe": ["a", "b"]}
        )
        found = probe_ratio(decays)
        held.append(found.low < 1.2 < found.high)
    # 28 of 30 expected; were cells independent the interval would be a few per mille wide and hold in one of ten.
    assert np.mean(held) > 0.8


def test_other_than_two_probes_are_refused():
    with pytest.raises(InputError, match="are of a"):
        paired_rates(varied(probes=("a", "merged")))
    with pytest.raises(InputError, match="confidence"):
        probe_ratio(varied(), confidence=95.0)
