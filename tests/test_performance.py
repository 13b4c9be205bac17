"""The benchmark of speed runs, its candidates agree, and docs/performance.md is what benchmarks/results say."""

from __future__ import annotations

import json
import os
import sys
import zlib
from pathlib import Path

import cdflib
import numpy as np
import pytest
from click.testing import CliRunner
from conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import bench
import blocks
import figure
import goals
import measure
import mission
import page
import readers
import simulated_files

from ringdecay import simulate
from ringdecay.binned import file_table
from ringdecay.cdf import blocks as reading
from ringdecay.flux import open_flux
from ringdecay.simulate.orbit import field_ratio
from ringdecay.storms.table import write_storms
from ringdecay.tables import write_csv

pytestmark = pytest.mark.xdist_group("performance")
SPIN, TELESCOPES = goals.CADENCES
OTHERS = list(goals.OTHERS)


@pytest.fixture(scope="module")
def truth() -> simulate.Truth:
    # A storm at noon of the day before that of the file by telescope.
    return simulate.make_truth(start="2015-04-14", days=8)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, truth: simulate.Truth) -> dict[str, list[Path]]:
    folder = tmp_path_factory.mktemp("files")
    name = "rbsp/rbspa/l3/rbspice/tofxeh/2015/rbsp-a-rbspice_lev-3_tofxeh_20150420_v1.2.4-03.cdf"
    simulated_files.write_telescope_day(truth, "a", np.datetime64("2015-04-20"), folder / name, sensitivity=1.0)
    return {SPIN: simulated_files.spin_files(folder, "2015-04-20", 1), TELESCOPES: [folder / name]}


@pytest.fixture(scope="module")
def ours(files: dict[str, list[Path]]) -> dict[str, np.ndarray]:
    """Mean log flux in the second time bin of the first file, which lies in it as a whole."""
    found = {}
    for product, paths in files.items():
        with readers.scheduler("synchronous", 1):
            (sums,) = readers.ringdecay(paths, product)
        mean = sums["sum_log_flux"] / (sums["n_samples"] - sums["n_zero"])
        found[product] = mean.isel(probe=0, time=1).transpose("L", "energy").to_numpy()
    return found


def second_bin(name: str, files: list[Path], product: str) -> np.ndarray:
    return readers.CANDIDATES[name](files[:1], product)[0].isel(bin=1).transpose("L_bins", "energy").to_numpy()


@pytest.mark.parametrize("name", OTHERS)
def test_every_way_to_read_and_bin_gives_the_same_mean_log_flux(
    name: str, files: dict[str, list[Path]], ours: dict[str, np.ndarray]
) -> None:
    if name.startswith("pySPEDAS"):
        pytest.importorskip("pyspedas", reason="pySPEDAS is no part of the environment; make bench installs it")
    found = second_bin(name, files[SPIN], SPIN)
    assert np.isfinite(found).sum() > 150
    np.testing.assert_allclose(found, ours[SPIN], rtol=0, atol=1e-6)
    # By telescope the others take every record as it is, and this project combines them spin by spin over the sphere.
    found = second_bin(name, files[TELESCOPES], TELESCOPES)
    both = np.isfinite(found) & np.isfinite(ours[TELESCOPES])
    assert both.sum() > 150
    assert abs(np.median((found - ours[TELESCOPES])[both][:, ...])) < 0.5


def test_the_bound_inflates_the_blocks_that_the_reader_inflates(files: dict[str, list[Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    original = reading.inflate

    def counted(source, offset, stored, *more):
        done.append(stored)
        return original(source, offset, stored, *more)

    monkeypatch.setattr(reading, "inflate", counted)
    for product, paths in files.items():
        done.clear()
        open_flux(paths[0], product)
        found = blocks.compressed_blocks(paths[0], readers.variables_read(product))
        assert sorted(done) == sorted(map(len, found))
        with cdflib.CDF(paths[0]) as cdf:
            names = set(readers.variables_read(product)) & set(cdf.cdf_info().zVariables)
            size = sum(cdf.varget(name).nbytes for name in names if cdf.varinq(name).Compress)
        assert sum(len(zlib.decompress(block, wbits=31)) for block in found) == size
        assert {"FPDU", "FPDU_Error", "FPDU_Quality"} <= names


def test_files_by_telescope_have_the_cadence_the_shape_and_the_flux_they_say(files: dict[str, list[Path]], truth: simulate.Truth) -> None:
    with cdflib.CDF(files[TELESCOPES][0]) as cdf:
        epoch, flux, error = (cdf.varget(name) for name in ("Epoch", "FPDU", "FPDU_Error"))
    assert flux.shape[1:] == (6, 14)
    assert flux.dtype == np.float64
    assert np.diff(epoch).mean() / 1e9 == pytest.approx(10.87 / 12)
    good = (flux > 0) & (flux < 1e11)
    counts = (100.0 / error[good]) ** 2
    np.testing.assert_allclose(counts, np.round(counts), rtol=1e-9)
    # The flux of one count is the same in all records of a channel.
    one = np.where(good, flux, np.nan) / np.where(good, (100.0 / np.where(good, error, 1.0)) ** 2, np.nan)
    np.testing.assert_allclose(np.nanmax(one, axis=(0, 1)), np.nanmin(one, axis=(0, 1)), rtol=1e-9)
    described = open_flux(files[TELESCOPES][0], TELESCOPES)
    here = (described["L"].to_numpy() > 3.5) & (np.abs(described["MLAT"].to_numpy()) < 20)
    expected = np.exp(simulate.log_flux(truth, described["time"].to_numpy()[here], described["L"].to_numpy()[here]))
    expected = expected * field_ratio(described["MLAT"].to_numpy()[here])[:, None] + truth.floor
    found = described["flux"].to_numpy()[here, :, 8]  # local pitch angles of 85 to 95 degrees
    there = np.isfinite(found)
    share = np.where(there, found, 0).sum(axis=0) / np.where(there, expected, 0).sum(axis=0)
    np.testing.assert_allclose(share[:8], 1.0, atol=0.03)


def test_a_measurement_is_a_process_of_its_own(files: dict[str, list[Path]]) -> None:
    pinned = ["--core", str(min(os.sched_getaffinity(0)))] if hasattr(os, "sched_getaffinity") else []
    for name, how in ((measure.BOUND, pinned), ("ringdecay", []), (OTHERS[0], ["--no-deflate"])):
        found = bench.measure(name, SPIN, files[SPIN], how)
        assert 0 < found["seconds"] < 60
        assert 20 < found["peak_mb"] < 2000


def test_each_round_has_every_way_under_every_condition() -> None:
    runs = bench.runs(0)
    assert len({(name, where) for name, where, _ in runs}) == len(runs)
    assert {name for name, _, _ in runs} == {measure.BOUND, *readers.CANDIDATES}
    for name in OTHERS:
        assert {where for other, where, _ in runs if other == name} == {"one core", "all cores", "one core, deflate", "all cores, deflate"}
    for _, where, how in runs:
        assert ("--core" in how) == where.startswith("one core")


def test_tables_say_what_was_measured_and_which_goals_are_kept(tmp_path: Path) -> None:
    measured: dict[str, dict[str, dict[str, list[float]]]] = {}
    times = {measure.BOUND: 1.0, "ringdecay": 1.9, "ringdecay, 2 threads": 1.3, "ringdecay, 2 processes": 1.1, OTHERS[0]: 9.0}
    for name, where, _ in bench.runs(0):
        second = times.get(name, 10.0)
        measured.setdefault(name, {})[where] = {"seconds": [second, 2 * second, 3 * second], "peak_mb": [100.0, 120.0, 110.0]}
    reading = {
        "machine": bench.described(),
        "rounds": 3,
        "left_out": {},
        "sets": {SPIN: {"files": 10, "bytes": 30_000_000, "sensitivity": 0.1, "measured": measured}},
    }
    kept = {goal.text: goal.kept for goal in goals.goals({"reading": reading}) if goal.values}
    assert kept["read + bin by spin, one pinned core: bound x"]
    assert kept["read + bin by spin, two workers: bound x"]
    assert kept["read + bin by spin, two workers: faster than cdflib varget + groupby_bins x"]
    assert not kept["read + bin by spin, two workers: faster than cdf_to_xarray + groupby_bins x"]
    text = page.tables({"reading": reading})
    assert "| ringdecay | 190 (190 to 570) |" not in text
    assert "| ringdecay | 380 (190 to 570) | 1.9 (1.9 to 1.9) |" in text
    assert "1.1 (1.1 to 1.1) (2 processes) | yes" in text
    assert "not measured" in text
    figure.draw(reading, tmp_path / "performance.png")
    assert (tmp_path / "performance.png").stat().st_size > 10_000


def test_the_page_is_what_the_results_say() -> None:
    assert page.written() == page.tables(page.read_results())


def test_cost_of_many_files_is_measured_and_extrapolated(files: dict[str, list[Path]], tmp_path: Path) -> None:
    folder = files[TELESCOPES][0].parents[6]
    done = CliRunner().invoke(
        mission.main, ["scaling", str(folder), "--files", "1", "--rounds", "1", "--workers", "1", "--out", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    scaling = json.loads((tmp_path / "scaling.json").read_text())
    assert list(scaling["seconds"]) == ["1"]
    text = page.scaling_table(scaling)
    assert "Extrapolated" in text
    assert "Real sizes are unknown" in text
    refused = CliRunner().invoke(mission.main, ["scaling", str(folder), "--files", "2", "--out", str(tmp_path)])
    assert refused.exit_code == 1
    assert "has 1 files" in refused.output


def test_a_mission_is_what_its_run_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, list[Path]]) -> None:
    (sums,) = readers.ringdecay(files[SPIN], SPIN)
    monkeypatch.setattr(mission, "REPOSITORY", tmp_path)
    results, logs = tmp_path / "results" / mission.RUN, tmp_path / "logs" / mission.RUN / "benchmarks"
    logs.joinpath("bin_flux").mkdir(parents=True)
    results.mkdir(parents=True)
    write_csv(file_table(sums), results / "files.csv", ["SIMULATED data", "Flux files: used or refused, and why"])
    write_storms(simulate.storms(simulate.make_truth(days=40)), results / "storms.csv")
    # Two jobs of a rule, the second too short for Snakemake to have looked at its memory.
    head = "s\th:m:s\tmax_rss\tmax_vms\n"
    (logs / "bin_flux/a_2015.tsv").write_text(head + "12.5\t0:00:12\t230.5\t900\n")
    (logs / "bin_flux/b_2015.tsv").write_text(head + "0.5\t0:00:00\tNA\tNA\n")
    (logs / "merge_binned.tsv").write_text(head + "20.0\t0:00:20\t400\t900\n")
    monkeypatch.setattr(mission, "_snakemake", lambda *_: 1.5)
    monkeypatch.setattr(mission, "_remove_run", lambda: None)
    archive = files[SPIN][0].parents[6]
    done = CliRunner().invoke(mission.main, ["workflow", str(archive), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "workflow.json").read_text())
    assert (found["files"], found["bytes"], found["seconds"]) == (1, files[SPIN][0].stat().st_size, 1.5)
    assert found["storms"] == len(simulate.storms(simulate.make_truth(days=40)))
    assert list(found["rules"]) == ["merge_binned", "bin_flux"]
    assert found["rules"]["bin_flux"] == {"jobs": 2, "seconds": 13.0, "longest_seconds": 12.5, "max_rss_mb": 230.5}
    assert "| bin_flux | 2 | 13.0 | 12.5 | 230 |" in page.workflow_table(found)
    assert {goal.text: goal.kept for goal in goals.goals({"workflow": found}) if goal.values} == {
        "peak memory of a process that reads and bins": True,
        "peak memory of any job of a mission's workflow": True,
        "mission by spin through the workflow, two cores, files in the cache": True,
        "the same with nothing to do": True,
    }
