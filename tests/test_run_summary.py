"""The numbers of a run and its page, on small results whose numbers can be told by heart."""

from __future__ import annotations

import json
import re

import fake_results as fake
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from captions import CAPTIONS, render

from ringdecay.beside_theory import VERDICTS
from ringdecay.config import check_config
from ringdecay.coverage.days import COLUMNS
from ringdecay.run_summary import summarise, summary_page

PROVENANCE = {
    "inputs": {"files": 3, "bytes": 2_500_000, "sha256_of_all": "ab" * 32},
    "source_fingerprint": "0123456789abcdef",
    "git_commit": None,
    "versions": {"python": "3.12", "numpy": "2.5"},
    "content_hash": {"decays": "cd" * 32, "lifetimes": "ef" * 32},
    "date_created": "2026-11-21T12:00:00+00:00",
}


def config(**changes):
    return check_config({"run": "small", "archive": "demo", "start": "2015-04-15", "stop": "2015-04-18", "probes": ["a"]} | changes)


def days() -> pd.DataFrame:
    """Three days of probe a: used, refused, without a file; and the index, known throughout."""
    rows = [
        {"product": "rbspice-pap-tofxeh", "probe": "a", "status": status, "file": file, "bytes": 10**6, "records": n, "records_used": n}
        for status, file, n in (("used", "x.cdf", 1000), ("refused", "y.cdf", 0), ("no file", "", 0))
    ] + [{"product": "omni-hro-5min", "probe": "", "status": "known", "file": "i.cdf", "bytes": 10**6}] * 3
    table = pd.DataFrame(rows).assign(date=["2015-04-15", "2015-04-16", "2015-04-17"] * 2, fetched=True, reason="", version="")
    return table.reindex(columns=list(COLUMNS)).astype({name: "Int64" for name, (kind, _) in COLUMNS.items() if kind == "Int64"})


def comparison() -> xr.Dataset:
    verdict = np.full((4, 5), VERDICTS["agrees"])
    verdict[0, 0], verdict[3] = VERDICTS["no_observation"], VERDICTS["cannot_tell"]
    factors = {"a": [0.9, 1.0], "a_low": [0.8, np.nan], "a_high": [1.0, np.nan], "b": [np.nan, 2.0]}
    return xr.Dataset({"verdict": (("energy", "L"), verdict)} | {name: ("fit", values) for name, values in factors.items()})


def energy_decays() -> xr.Dataset:
    tau = np.array([[[4.0, 5.0, 6.0]] * 2] * 2)
    values = {"tau": tau, "tau_low": 0.9 * tau, "tau_high": 1.2 * tau, "tau_limit": np.nan * tau, "n": np.full(tau.shape, 2)}
    values["flag"] = np.zeros(tau.shape, dtype=int)
    coords = {"window": ["index_recovery", "flux_decay"], "storm": [0, 1]}
    series = {"quantity": ["energy_content", "energy_density", "SYM-H*"], "band": ["all", "50-100 keV", ""]}
    flag = {"flag_masks": np.array([8], dtype=np.int32), "flag_meanings": "growth"}
    dims = ("window", "storm", "series")
    data = {name: (dims, value, flag if name == "flag" else {}) for name, value in values.items()}
    return xr.Dataset(data, coords=coords | {name: ("series", value) for name, value in series.items()})


def found(settings, mode="calibrated", n_storms=2, decays=None, **changes):
    truth = xr.Dataset({"population_rate": 1.1 * fake.truth()["population_rate"]})
    given = {
        "storms": fake.storms(n_storms),
        "days": days(),
        "files": pd.DataFrame({"name": ["x.cdf", "<y>.cdf"], "status": ["used", "refused"], "reason": ["", "cut & short"]}),
        "comparison": comparison(),
        "surface": xr.Dataset({"supported": (("energy", "L"), np.eye(4))}, attrs={"range": "within 50 to 100 keV"}),
        "energy_decays": energy_decays(),
        "truth": truth,
        "provenance": PROVENANCE,
        "config": settings,
    }
    lifetimes = fake.lifetimes(mode=mode)
    if mode == "calibrated":
        lifetimes["rate_low"], lifetimes["rate_high"] = 1 / lifetimes["tau_high"], 1 / lifetimes["tau_low"]
    return summarise(fake.decays(mode=mode, n=n_storms) if decays is None else decays, lifetimes, **given | changes)


def test_numbers_are_those_of_the_results():
    numbers = found(config())
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    assert numbers["simulated"] is True
    # Of two storms and twenty cells each: one cell has nothing, four a limit, one grows.
    fits = numbers["fits"]
    assert {name: fits[name] for name in ("cells", "made", "resolved", "limits", "growing")} == {
        "cells": 40, "made": 38, "resolved": 28, "limits": 8, "growing": 2,
    }  # fmt: skip
    assert fits["flags"]["too_few_points"] == 2
    # An infinite one-sided limit is a limit until the interval leaves zero, too.
    hardly = fake.decays()
    hardly["tau_limit"] = hardly["tau_limit"].where(hardly["tau_limit"].isnull(), np.inf)
    assert found(config(), decays=hardly)["fits"] == fits
    cells = numbers["cells"]
    assert (cells["all"], cells["with_fits"], cells["decay_times"], cells["limits"], cells["growing"]) == (20, 19, 14, 4, 1)
    assert (cells["single_storm"], cells["storms_lost_to_floor"]) == (1, 1)
    assert numbers["storms"] == {
        "number": 2, "with_fits": 2, "deepest": -120.0, "first": "2015-04-20T12:00:00Z", "last": "2015-05-04T12:00:00Z",
        "classes": {"intense": 2},
    }  # fmt: skip
    assert numbers["theory"]["verdicts"] == {"no_prediction": 0, "cannot_tell": 5, "slower": 0, "agrees": 14, "faster": 0}
    assert numbers["theory"]["factors"]["a"] == 0.9
    assert numbers["theory"]["factors"]["b"] is None
    assert [one["quantity"] for one in numbers["energy"]] == ["energy_content", "SYM-H*"] * 2
    assert numbers["surface"]["stated"] == 4


def test_the_truth_is_held_by_intervals_that_hold_it():
    # The true rate is a tenth higher: within 1/1.2 to 1/0.8 of the rate, and below no limit of 35.7 days but where tau is longer.
    truth = found(config())["truth"]
    assert truth["intervals"] == truth["intervals_held"] == 19
    assert truth["limits"] == 4
    assert truth["limits_held"] == 0
    assert found(config(), truth=None)["truth"] is None


@pytest.mark.parametrize("mode", ["calibrated", "paper"])
def test_the_page_says_what_was_found_and_with_which_settings(mode):
    settings = config(fit={"mode": mode, "confidence": 0.9}, storms={"threshold": -123.5})
    page = summary_page(found(settings, mode), settings, ["lifetimes.csv", "explorer.html", "figures/lifetime_map.png"])
    assert "SIMULATED." in page
    assert ("28" in page) == (mode == "calibrated")
    assert "\N{MINUS SIGN}123.5 nT" in page
    assert "90 %" in page
    assert ("38 of 38 fits accepted" in page) == (mode == "paper")
    assert "<code>&lt;y&gt;.cdf</code>: cut &amp; short" in page
    assert page.count("href='explorer.html'") == 2
    assert "provenance.json" not in page, "what was not made is not linked to"
    assert "L = 4.05" in page


def test_a_run_without_a_storm_or_a_file_has_a_page():
    nothing = {"files": pd.DataFrame({"name": [], "status": [], "reason": []}), "energy_decays": energy_decays().sel(storm=[0])}
    settings = config(storms={"table": "mine.csv"})
    numbers = found(settings, n_storms=0, **nothing)
    assert numbers["storms"]["deepest"] is None
    page = summary_page(numbers, settings, [])
    assert "<b>0 storms</b>" in page
    assert "No file was refused" in page
    assert "mine.csv" in page


@pytest.mark.parametrize(("mode", "n_storms"), [("calibrated", 2), ("paper", 0)])
def test_captions_say_the_numbers_of_any_run(mode, n_storms):
    numbers = found(config(fit={"mode": mode}), mode, n_storms=n_storms) | {"results": ["explorer.html"]}
    for path in CAPTIONS.glob("*.rst"):
        shown = " ".join(render(path.stem, numbers, fit={"mode": mode}).split())
        said = "In this run" if path.stem != "workflow" else f"{n_storms} storms"
        assert ("config.found" in path.read_text()) == (said in shown), path.stem
        assert not re.search(r"\b(nan|None)\b", shown), path.stem
