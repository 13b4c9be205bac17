"""A run is the same to the last bit whoever does its pieces, and many series fitted together are each as they are alone."""

from __future__ import annotations

import dask
import numpy as np
import pytest

from ringdecay import simulate
from ringdecay.binned import with_merged_probe
from ringdecay.decays import choose_windows, fit_decays
from ringdecay.decays.cells import packed
from ringdecay.decays.free_floor import fit_free_floor
from ringdecay.decays.gls import LINES, Series, least_squares
from ringdecay.decays.log_flux import read_bins
from ringdecay.decays.pooling import Pool
from ringdecay.decays.sharing import kept_workers, shared
from ringdecay.decays.windows import in_time_order
from ringdecay.schedule import dask_on
from ringdecay.start_delays import start_delays
from ringdecay.store import content_hash


@pytest.fixture(scope="module")
def world():
    truth = simulate.make_truth(5, days=45)
    binned = with_merged_probe(simulate.binned_series(truth)).isel(L=slice(18, 30, 4), energy=[1, 5])
    return binned, simulate.storms(truth), simulate.index(truth)


def number():
    return 7


@pytest.mark.parametrize("where", ["processes", "threads"])
def test_fits_are_the_same_whoever_makes_them(world, where):
    binned, storms, index = world
    windows = choose_windows(binned, storms, index)
    settings = {"windows": windows, "index": index, "joint": True, "compare": True}
    alone = fit_decays(binned, storms, **settings)
    assert np.isfinite(alone["rate"]).any(("storm", "energy", "L")).all()
    with dask_on(where, 2):
        assert content_hash(fit_decays(binned, storms, **settings)) == content_hash(alone)


def test_storms_are_fitted_in_any_order_of_the_pieces(world, monkeypatch):
    binned, storms, index = world
    alone = fit_decays(binned, storms, index=index, joint=True)

    def backwards(pieces, _):
        return [piece() for piece in reversed(pieces)][::-1]

    monkeypatch.setattr("ringdecay.decays.run.shared", backwards)
    assert content_hash(fit_decays(binned, storms, index=index, joint=True)) == content_hash(alone)


def test_start_delays_are_the_same_in_threads(world):
    binned, storms, index = world
    alone = start_delays(binned, storms, index, (0.5, 2.0))
    with dask_on("threads", 2):
        assert content_hash(start_delays(binned, storms, index, (0.5, 2.0))) == content_hash(alone)


def test_worker_processes_are_kept_for_a_block_and_gone_after_it():
    with dask.config.set(scheduler="processes", num_workers=1):
        with kept_workers():
            pool = dask.config.get("pool")
            with kept_workers():
                assert dask.config.get("pool") is pool
            assert shared([number, number], "numbers") == [7, 7]
        assert dask.config.get("pool", None) is None
        with pytest.raises(RuntimeError, match="shutdown"):
            pool.submit(number)


def test_lines_of_many_series_are_those_of_each_alone():
    rng = np.random.default_rng(2)
    shape = (LINES + 3, 30)
    t, y = np.sort(rng.uniform(0, 20, shape), 1), rng.normal(size=shape)
    valid = rng.random(shape) > 0.2
    (y, t), n = packed(valid, y, t)
    series = Series(y, t, np.zeros_like(y), n)
    together = least_squares(series)
    for k in (0, LINES - 1, LINES, LINES + 2):
        alone = least_squares(series.take(np.array([k])))
        slope, level = np.polyfit(t[k, : n[k]], y[k, : n[k]], 1)
        assert together.slope[k] == pytest.approx(alone.slope[0], rel=1e-12)
        assert together.slope[k] == pytest.approx(slope, rel=1e-9)
        assert together.mean_y[k] - together.slope[k] * together.mean_t[k] == pytest.approx(level, rel=1e-9)
        assert together.slope_se[k] == pytest.approx(alone.slope_se[0], rel=1e-12)


def test_what_is_packed_keeps_its_order_and_its_row():
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    valid = np.array([[False, True, True], [False, False, False], [True, False, False]])
    (out,), n = packed(valid, values)
    assert out.tolist() == [[2, 3], [0, 0], [7, 0]]
    assert n.tolist() == [2, 0, 1]


def test_free_floors_of_many_series_are_those_of_each_alone():
    rng = np.random.default_rng(4)
    n = rng.integers(20, 45, 150)
    t = np.cumsum(rng.uniform(0.3, 0.45, (150, 45)), 1)
    y = np.log(np.exp(9 - t / rng.uniform(2, 4, (150, 1)) + 0.1 * rng.normal(size=t.shape)) + 60)
    series = Series(y, t, np.full(t.shape, 1e-3), n)
    pooled = Pool(0.37, 0.02, -1.0, 0.5, -2.0, 0.3, 0.0, 150)
    together = fit_free_floor(series, pooled)
    for k in (0, 17, 80, 149):
        alone = fit_free_floor(series.take(np.array([k])), pooled)
        for name in ("rate", "rate_se", "floor", "level"):
            assert getattr(together, name)[k] == pytest.approx(getattr(alone, name)[0], rel=1e-9), name


def test_bins_of_a_window_are_those_of_the_whole(world):
    binned, _, _ = world
    whole = read_bins(binned, 2)
    part = read_bins(binned.isel(time=slice(30, 50)), 2, origin=binned["time"].to_numpy()[0])
    for name in ("log_flux", "flux", "days", "counts", "exposure"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[:, 30:50])


def test_what_is_in_order_of_time_is_not_copied(world):
    binned, _, _ = world
    assert in_time_order(binned) is binned
    turned = binned.isel(time=slice(None, None, -1))
    assert in_time_order(turned).identical(binned)
