"""The compiled sums of binning against a plain loop over single samples, and what they must not depend on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ringdecay.binned.sums import SUMS, FluxSums

N_CELLS, N_ANGLES = 5, 3
NAMES = list(SUMS)


def world(n=700, energies=3, directions=4, *, dtype=np.float32, errors=True, seed=1):
    """Make records with zeros, NaN, infinities, unknown counts, and cells and angles that change now and then."""
    random = np.random.default_rng(seed)
    shape = (n, energies, directions)
    flux = random.lognormal(3, 2, shape).astype(dtype)
    flux[random.random(shape) < 0.3] = 0
    flux[random.random(shape) < 0.1] = np.nan
    flux[random.random(shape) < 0.01] = np.inf
    error = None
    if errors:
        error = np.where(flux > 0, random.uniform(1, 100, shape), np.nan).astype(dtype)
        error[random.random(shape) < 0.1] = np.nan
    runs = np.repeat(np.arange(n), random.integers(1, 40, n))[:n]
    return {
        "flux": flux,
        "counting_error": error,
        "seconds": random.uniform(-1e4, 1e4, n),
        "cell": random.integers(-1, N_CELLS, n)[runs],
        "near_equator": random.random(n) < 0.6,
        "angle": random.integers(-1, N_ANGLES, (n, directions))[np.repeat(np.arange(n), 7)[:n]].astype(np.int8),
    }


SOLID_ANGLE = np.array([0.1, 0.4, 0.3, 0.2])


def compiled(records, pieces=1):
    n, energies, directions = records["flux"].shape
    sums = FluxSums(N_CELLS, energies, SOLID_ANGLE[:directions], N_ANGLES)
    measured = [
        sums.add(**{name: None if values is None else values[part] for name, values in records.items()})
        for part in (slice(i[0], i[-1] + 1) for i in np.array_split(np.arange(n), pieces))
    ]
    return *sums.finish(), np.concatenate(measured)


def one_by_one(records):
    """The same with Python's own numbers, sample by sample, and exact sums (math.fsum)."""
    flux, error, cell = records["flux"].astype(float), records["counting_error"], records["cell"]
    n, energies, directions = flux.shape
    samples = {"omnidirectional": {}, "resolved": {}}
    for i in range(n):
        if cell[i] < 0:
            continue
        for e in range(energies):
            seen = [d for d in range(directions) if math.isfinite(flux[i, e, d])]
            counts = {d: (100 / float(error[i, e, d])) ** 2 for d in seen if error is not None and error[i, e, d] > 0}
            for d in seen:
                key = (e, cell[i], records["angle"][i, d])
                samples["resolved"].setdefault(key, []).append((flux[i, e, d], counts.get(d), records["seconds"][i]))
            covered = math.fsum(SOLID_ANGLE[d] for d in seen)
            if records["near_equator"][i] and covered >= 0.5:
                mean = math.fsum(SOLID_ANGLE[d] * flux[i, e, d] for d in seen) / covered
                known = math.fsum(counts.values()) if counts else None
                samples["omnidirectional"].setdefault((e, cell[i]), []).append((mean, known, records["seconds"][i]))
    result = []
    for kind, shape in (("omnidirectional", (N_CELLS, energies)), ("resolved", (N_CELLS, energies, N_ANGLES))):
        sums = np.zeros((len(NAMES), *shape))
        for e in range(energies):
            of_channel = [sample for key, found in samples[kind].items() if key[0] == e for sample in found]
            known = [(f, c) for f, c, _ in of_channel if c is not None and f > 0]
            total = math.fsum(f for f, _ in known)
            typical = math.fsum(c for _, c in known) / total if total > 0 else 0.0
            for key, found in samples[kind].items():
                if key[0] != e or key[-1] < 0:
                    continue
                above = [math.log(f) for f, _, _ in found if f > 0]
                values = {
                    "n_samples": len(found),
                    "n_zero": sum(f == 0 for f, _, _ in found),
                    "sum_flux": math.fsum(f for f, _, _ in found),
                    "sum_flux_squared": math.fsum(f * f for f, _, _ in found),
                    "sum_log_flux": math.fsum(above),
                    "sum_log_flux_squared": math.fsum(log * log for log in above),
                    "counts": math.fsum(c for f, c, _ in found if c is not None and f > 0),
                    "exposure": math.fsum(typical if f == 0 else (c or 0.0) / f for f, c, _ in found),
                    "sum_time": math.fsum(t for _, _, t in found),
                }
                sums[(slice(None), key[1], e, *key[2:])] = [values[name] for name in NAMES]
        result.append(sums)
    return result


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("errors", [True, False])
def test_sums_are_those_of_a_loop_over_single_samples(dtype, errors):
    records = world(dtype=dtype, errors=errors)
    omni, resolved, measured = compiled(records)
    for found, expected in zip((omni, resolved), one_by_one(records), strict=True):
        for name, one, other in zip(NAMES, found, expected, strict=True):
            # Sums of numbers of both signs cancel; they are exact to a part of the largest of them.
            scale = np.abs(other).max() or 1.0
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13 * scale, err_msg=name)
    np.testing.assert_array_equal(measured, (records["cell"] >= 0) & np.isfinite(records["flux"]).any(axis=(1, 2)))
    assert errors == bool(omni[NAMES.index("counts")].any())


def test_a_zero_has_the_exposure_of_the_other_samples():
    records = world(4, 1, 1)
    records |= {
        "flux": np.array([10.0, 0.0, 30.0, np.nan]).reshape(4, 1, 1),
        "counting_error": (100 / np.sqrt([20.0, np.nan, 60.0, np.nan])).reshape(4, 1, 1),
        "cell": np.zeros(4, dtype=np.int64),
        "angle": np.zeros((4, 1), dtype=np.int8),
    }
    _, resolved, _ = compiled(records)
    assert resolved[NAMES.index("counts"), 0, 0, 0] == pytest.approx(80)
    assert resolved[NAMES.index("exposure"), 0, 0, 0] == pytest.approx(6)  # 2 for each of the three samples
    records["counting_error"] = None
    _, resolved, _ = compiled(records)
    assert not resolved[NAMES.index("exposure")].any()


def test_records_outside_the_grid_change_nothing():
    records = world()
    outside = world(100, seed=2)
    outside["cell"][:] = -1
    both = {name: np.concatenate([outside[name], values]) for name, values in records.items()}
    for one, other in zip(compiled(records)[:2], compiled(both)[:2], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-6)


def test_pieces_of_whole_blocks_give_the_same_to_the_last_bit():
    # Binning adds in blocks of 128 records from the first on; the readers' pieces are multiples of that, whatever they read at a time.
    records = world(7 * 128)
    for one, other in zip(compiled(records), compiled(records, pieces=7), strict=True):
        np.testing.assert_array_equal(one, other)
