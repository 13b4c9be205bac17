"""The simulated world: its rates, its fluctuation, its storms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ringdecay import simulate
from ringdecay.errors import InputError
from ringdecay.simulate.index import QUIET_INDEX, hourly_mean, storm_profile
from ringdecay.simulate.truth import ENERGY, L_CENTRES, Truth, at_days, elapsed_days, population_tau
from ringdecay.storms import read_storms, write_storms


@pytest.fixture(scope="module")
def truth() -> Truth:
    return simulate.make_truth()


def test_population_rates_are_those_of_the_published_abstract() -> None:
    # arXiv:2307.08907: tens of keV a few days, ~100 keV about 10 days, 269 keV up to about 118 days; rising with energy and L.
    assert 2.0 < population_tau(44.7, 4.0) < population_tau(67.1, 4.0) < 6.0
    assert population_tau(99.4, 4.0) == pytest.approx(10.0, rel=0.03)
    assert population_tau(269.0, 4.0) == pytest.approx(100.0, rel=0.03)
    tau = population_tau(ENERGY[:, None], L_CENTRES)
    assert (np.diff(tau, axis=0) > 0).all()
    assert (np.diff(tau, axis=1) > 0).all()


def test_storm_rates_scatter_around_the_population_rate_as_their_arithmetic_mean() -> None:
    worlds = [simulate.make_truth(seed) for seed in range(200)]
    factor = np.concatenate([world.storm_rate / world.population_rate for world in worlds])
    # 2000 storms: the standard error of the mean of a cell is 0.2 / sqrt(2000) = 0.0045.
    np.testing.assert_allclose(factor.mean(axis=0), 1.0, atol=5 * 0.0045)
    np.testing.assert_allclose(factor.std(axis=0), 0.2, rtol=0.1)
    # Partly common, partly not: far cells are correlated, but not identical; near cells nearly so.
    near = np.corrcoef(factor[:, 4, 30], factor[:, 4, 31])[0, 1]
    far = np.corrcoef(factor[:, 0, 20], factor[:, 13, 45])[0, 1]
    assert near > 0.99
    assert 0.4 < far < 0.8


def test_every_recovery_decays_at_its_storms_rate_and_nothing_else(truth: Truth) -> None:
    ends = np.append(truth.onset[1:], truth.days)
    for storm, (begin, end) in enumerate(zip(truth.last_minimum, ends, strict=True)):
        days = np.linspace(begin + 0.01, end - 0.01, 40)
        for index in (15, 30, 44):
            log_flux = simulate.log_flux(truth, at_days(truth, days), np.full(40, L_CENTRES[index]), fluctuation=False)
            slopes = np.diff(log_flux, axis=0) / np.diff(days)[:, None]
            np.testing.assert_allclose(slopes, np.broadcast_to(-truth.storm_rate[storm, :, index], slopes.shape), rtol=1e-6)


def test_flux_is_continuous_and_rises_in_the_main_phase(truth: Truth) -> None:
    for boundary in truth.segment_start[1:]:
        time = at_days(truth, boundary + np.array([-1.0, 1.0]) / 86400.0)
        before, after = simulate.log_flux(truth, time, np.array([4.05, 4.05]))
        np.testing.assert_allclose(before, after, atol=2e-3)
    rise = simulate.log_flux(truth, at_days(truth, [truth.onset[0], truth.minimum[0]]), np.array([4.05, 4.05]), fluctuation=False)
    assert (np.diff(rise, axis=0) > 0).all()
    assert rise[1, 0] - rise[0, 0] > 4.0


def test_fluctuation_is_ornstein_uhlenbeck_of_the_stated_size() -> None:
    world = simulate.make_truth(3, days=4000)
    time = at_days(world, np.arange(0.0, 3999.0, 0.25))
    for L, energy in ((3.0, 0), (4.05, 5), (5.5, 13)):
        where = np.full(time.size, L)
        x = (simulate.log_flux(world, time, where) - simulate.log_flux(world, time, where, fluctuation=False))[:, energy]
        # 8000 correlation times: the standard deviation is known to about 1 %.
        assert x.std() == pytest.approx(0.15, rel=0.04)
        for hours in (6, 12, 24):
            lag = hours // 6
            assert np.corrcoef(x[:-lag], x[lag:])[0, 1] == pytest.approx(np.exp(-hours / 12.0), abs=0.04)


def test_a_seed_gives_the_same_world_and_a_longer_world_begins_with_the_same_storms(truth: Truth) -> None:
    again, other, longer = simulate.make_truth(), simulate.make_truth(1), simulate.make_truth(days=300)
    np.testing.assert_array_equal(again.fluctuation, truth.fluctuation)
    np.testing.assert_array_equal(again.storm_rate, truth.storm_rate)
    assert not np.array_equal(other.storm_rate, truth.storm_rate)
    np.testing.assert_array_equal(longer.minimum[:10], truth.minimum)
    np.testing.assert_array_equal(longer.storm_rate[:10], truth.storm_rate)


@pytest.mark.parametrize("seed", [simulate.make_truth().seed, 1, 2, 3])
def test_a_plain_rule_finds_ten_storms_in_the_index(seed: int) -> None:
    world = simulate.make_truth(seed)
    table = simulate.storms(world)
    assert len(table) == 10
    assert sorted(table["n_dips"]) == [1] * 9 + [2]
    gaps = table["minimum"].diff().dropna().dt.total_seconds() / 86400
    assert gaps.max() == pytest.approx(35.0, abs=0.31)
    assert ((gaps > 11.5) & (gaps < 16.0)).sum() == 8
    assert table["depth"].between(-200, -90).all()

    for series in (simulate.index(world), hourly_mean(simulate.index(world))):
        # A storm is a stretch below -15 nT that reaches -80 nT.
        values = series.interpolate_na("time").values
        below = np.flatnonzero(values < -15.0)
        stretches = np.split(below, np.flatnonzero(np.diff(below) > 1) + 1)
        minima = [stretch[values[stretch].argmin()] for stretch in stretches if values[stretch].min() <= -80.0]
        assert len(minima) == 10
        late = (series["time"].values[minima] - table["minimum"].to_numpy()) / np.timedelta64(1, "h")
        assert np.abs(late).max() < 2.0
        np.testing.assert_allclose(values[minima], table["depth"], atol=10.0)


def test_the_second_dip_comes_26_hours_later_with_its_own_injection(truth: Truth) -> None:
    storm = int(np.flatnonzero(np.bincount(truth.dip_storm) == 2)[0])
    first, second = at_days(truth, truth.dip_minimum[truth.dip_storm == storm])
    assert second - first == np.timedelta64(26, "h")
    at_dips = storm_profile(truth, np.array([first, second])) + QUIET_INDEX
    np.testing.assert_allclose(at_dips, [-150.0, -110.0], atol=0.01)
    time = np.array([second - np.timedelta64(8, "h"), second])
    onset, minimum = simulate.log_flux(truth, time, np.array([4.05, 4.05]), fluctuation=False)
    assert minimum[0] > onset[0]


def test_recovery_ends_where_the_index_without_noise_passes_minus_15(truth: Truth) -> None:
    at_end = storm_profile(truth, simulate.storms(truth)["recovery_end"].to_numpy()) + QUIET_INDEX
    np.testing.assert_allclose(at_end, -15.0, atol=0.01)


def test_the_table_of_storms_is_one_that_can_be_written_and_read(truth: Truth, tmp_path) -> None:
    table = simulate.storms(truth)
    write_storms(table, tmp_path / "storms.csv")
    again = read_storms(tmp_path / "storms.csv")
    pd.testing.assert_frame_equal(again, table)
    assert again.attrs["simulated"] == table.attrs["simulated"] == "yes"
    assert table["complete"].all()
    assert not simulate.storms(simulate.make_truth(days=7))["complete"].any(), "the world ends in the recovery of its first storm"


def test_truth_dataset_says_what_the_world_does(truth: Truth) -> None:
    dataset = simulate.truth_dataset(truth)
    assert dataset["storm_rate"].dims == ("storm", "energy", "L")
    assert dataset.sizes == {"storm": 10, "energy": 14, "L": 40}
    np.testing.assert_allclose(dataset["L"][[0, -1]], [2.05, 5.95])
    np.testing.assert_allclose(1.0 / dataset["population_rate"].sel(energy=269.0).sel(L=4.05), population_tau(269.0, 4.05))
    np.testing.assert_allclose(elapsed_days(truth, dataset["storm_minimum"].values), truth.minimum, atol=1e-9)
    assert dataset.attrs["simulated"] == "yes"
    assert "SIMULATED" in dataset.attrs["title"]


def test_a_world_too_short_for_a_storm_is_a_quiet_one() -> None:
    world = simulate.make_truth(days=3)
    assert simulate.storms(world).empty
    assert float(simulate.index(world).min()) > -30.0


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="days=-1"):
        simulate.make_truth(days=-1)
    with pytest.raises(InputError, match="scatter"):
        simulate.make_truth(scatter=-0.1)
