"""The captions of the report: rendered as Snakemake renders them, they are sound reStructuredText and say what the config says."""

from __future__ import annotations

import re

import pytest
from captions import CAPTIONS, render

NAMES = [
    "workflow",
    "coverage",
    "coverage_calendar",
    "coverage_cells",
    "files",
    "storms",
    "summary",
    "inputs",
    "influence",
    "dependence",
    "estimator_ratios",
    "overview",
    "storm_fits",
    "estimators",
    "lifetime_map",
    "lifetime_curves",
    "lifetime_surface",
    "lifetimes",
    "surface",
    "theory_map",
    "start_delays",
    "energy_content",
    "energy_decay",
    "pressure",
    "theory",
    "theory_factors",
    "theory_ratio",
    "provenance",
    "storm_channels",
    "residuals",
    "rate_distributions",
    "pitch_angles",
    "pitch_angles_table",
    "probes",
    "sensitivity",
    "sensitivity_table",
]


def test_every_caption_is_here() -> None:
    assert {path.stem for path in CAPTIONS.glob("*.rst")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["calibrated", "paper"])
def test_captions_say_simulated_only_for_the_demonstration(name: str, mode: str) -> None:
    shown = render(name, fit={"mode": mode})
    # Predictions are neither measured nor simulated, wherever the run's data come from.
    assert ("<strong>THEORY.</strong>" if name == "theory_map" else "<strong>SIMULATED.</strong>") in shown
    real = render(name, archive="https://example.org/pub/data", fit={"mode": mode}, flux={"equatorial_pitch_angle": 80.0})
    assert "SIMULATED" not in real
    # One caption says what the mark on a figure means, wherever the archive was.
    assert name in ("workflow", "theory_map") or "simulat" not in real


def test_thresholds_come_from_the_config() -> None:
    assert "-123.5 nT" in render("workflow", storms={"threshold": -123.5})
    assert "-123.5 nT" in render("overview", storms={"threshold": -123.5})
    assert "my_storms.csv" in render("overview", storms={"table": "my_storms.csv"})
    assert "17.5 days" in render("storm_fits", windows={"max_days": 17.5})
    assert "chosen from the index alone" in " ".join(render("storm_fits").split())
    for name in ("workflow", "storm_fits"):
        assert "mine.csv" in render(name, windows={"source": "table", "table": "mine.csv"})
        assert "selects steep decays" in render(name, windows={"source": "flux"})
    assert "37.5 nT in a day" in " ".join(render("workflow", windows={"injection_dip": 37.5}).split())
    assert "0.5, 1, 2, 3 days" in " ".join(render("start_delays").split())
    assert "-0.77" in render("lifetime_map", fit={"mode": "paper", "r_max": -0.77})
    assert "theil_sen" in render("estimators", fit={"estimator": "theil_sen"})
    assert "autocorrelation" not in render("workflow", fit={"estimator": "theil_sen"})
    assert "90.0 %" in render("lifetime_curves", fit={"confidence": 0.9})
    assert "power -2.5" in " ".join(render("theory_map", figures={"theory": {"spectral_index": 2.5}}).split())
    assert "plasmapause of Kp 7" in " ".join(render("theory_map", figures={"theory": {"kp_max": 7}}).split())
    assert "plasmapause of Kp" not in " ".join(render("theory_map", figures={"theory": {"kp_max": None}}).split())
    assert "82.5 degrees" in " ".join(render("theory_map", flux={"equatorial_pitch_angle": 82.5}).split())
    assert "holds 82.5 degrees" in " ".join(render("workflow", flux={"equatorial_pitch_angle": 82.5}).split())


def test_the_closer_looks_say_what_the_run_was_told() -> None:
    assert "nearest to L = 4.5" in " ".join(render("storm_channels", figures={"L": [5.0, 4.5, 3.0]}).split())
    assert "at least 7 are fitted" in " ".join(render("storm_channels", fit={"min_points": 7}).split())
    assert "intervals are too narrow" in render("residuals", fit={"mode": "paper"})
    assert "bins of 30 degrees" in " ".join(render("pitch_angles", grid={"pitch_angle_width": 30}).split())
    assert "The run has one probe" in render("probes", probes=["a"], lifetimes={"probe": "a"})
    assert "begin 0.25, 4 days" in " ".join(render("sensitivity", windows={"compare_delays": [0.25, 4]}).split())
    assert "Estimator" not in render("sensitivity", fit={"compare": False})


def test_every_figure_of_a_run_is_explained() -> None:
    """`estimators` is made only where estimators are compared."""
    listed = (CAPTIONS.parent / "rules/common.smk").read_text(encoding="utf-8").split("FIGURES = [")[1].split("]")[0]
    explained = (CAPTIONS.parents[1] / "results/README.md").read_text(encoding="utf-8").split("| figure |")[1].split("\n\n")[0]
    assert {*re.findall(r'"(\w+)"', listed), "estimators"} == set(re.findall(r"`(\w+)`", explained))
