"""The benchmarks still run, and say what the tests of the statistics say too."""

from __future__ import annotations

import json
import subprocess
import sys

from conftest import ROOT


def test_coverage_of_the_surface_prints_a_table():
    command = [sys.executable, ROOT / "benchmarks/surface_coverage.py", "--seeds", "1", "--first-seed", "3"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head, by_range = rows[0], {row[0]: row for row in rows[2:]}
    assert {len(row) for row in rows} == {len(head)}
    assert 100 < int(by_range["0-250"][head.index("points")]) <= 14 * 14
    stated = [float(by_range[name][head.index("tau stated")]) for name in ("8-15", "120-250")]
    assert stated[0] > 0.9 > stated[1]


def test_intervals_over_storms_are_printed_and_hold_most_truths():
    command = [sys.executable, ROOT / "benchmarks/over_storms.py", "--cells", "60"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert len(rows) == 2 + 4 * 5
    means = [float(share) for row in rows[2:] for share in row[rows[0].index("mean")].split("/")]
    assert sum(means) / len(means) > 0.92


def test_floors_that_are_known_leave_the_median_rate_nearly_as_it_is():
    command = [sys.executable, ROOT / "benchmarks/shape.py", "--series", "40", "--part", "known"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert len(rows) == 2 + 2 * 2 * 2 * 3
    # The second column "median (%)" is that of the fits as `fit_decays` gives them.
    medians = {row[4]: [] for row in rows[2:]}
    for row in rows[2:]:
        medians[row[4]].append(abs(float(row[7])))
    assert sum(medians["1.00 of it"]) < 0.5 * sum(medians["no"])


def test_intervals_of_the_factors_of_the_theory_are_printed_and_hold_most_truths():
    command = [sys.executable, ROOT / "benchmarks/theory_factors.py", "--trials", "20"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert len(rows) == 2 + 14
    assert {len(row) for row in rows} == {9}
    shares = [float(share) for row in rows[2:] for share in row[1:3]]
    assert sum(shares) / len(shares) > 0.9


def test_fits_of_a_few_storms_are_timed_and_agree_with_linregress(tmp_path):
    command = [sys.executable, ROOT / "benchmarks/fits.py", "--quick", "--rounds", "2", "--workers", "1", "--json", tmp_path / "fits.json"]
    subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    report = json.loads((tmp_path / "fits.json").read_text())
    assert set(report["candidates"]) == {"ours", "linregress", "calibrated"}
    for candidate in report["candidates"].values():
        assert len(candidate["seconds"]) == 2
        assert min(candidate["seconds"]) > 0
    assert 0 < report["largest_difference"] < 1e-12
    assert 0.8 * report["candidates"]["calibrated"]["series"] < report["candidates"]["calibrated"]["fits"]
    # Far from the goal of fifty, which few series on a busy machine do not show.
    assert min(report["ratio_linregress_ours"]) > 3
