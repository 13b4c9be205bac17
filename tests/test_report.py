"""The report and the summary of a run: what they say is what the run found, and what they link to is there."""

from __future__ import annotations

import html
import json
import math
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from conftest import ROOT
from workflow_run import SHORT, snakemake

from ringdecay.coverage import read_coverage
from ringdecay.store import open_dataset
from ringdecay.storms import read_storms

pytestmark = pytest.mark.xdist_group("workflow")
CATEGORIES = {"Summary", "Coverage", "Storms", "Fits", "Lifetimes", "Theory", "Validation", "Provenance"}

PARTS = ("workflow_desc", "categories", "results")


class Links(HTMLParser):
    """Collects where a page leads to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value or "" for name, value in attrs if tag == "a" and name == "href"}


@pytest.fixture(scope="module")
def report(short):
    """Give what is in the report: its landing page, its categories, its results."""
    path = short / "results/short/report.html"
    snakemake(short, *SHORT, "--report", str(path.relative_to(short)))
    text = path.read_text()
    path.unlink()
    # Its libraries have variables of these names, too.
    own = {name: re.search(rf'<script id="{name.replace("_", "-")}">\s*var {name} = (.*);\n', text) for name in PARTS}
    return {name: json.loads(match[1]) for name, match in own.items() if match}


@pytest.fixture(scope="module")
def found(short):
    return json.loads((short / "results/short/summary.json").read_text())


def test_the_categories_are_those_that_are_promised(report):
    assert set(report["categories"]) == CATEGORIES
    # Two labels would make Snakemake hide a half of the results behind a switch.
    assert {tuple(result["labels"]) for result in report["results"].values()} == {("result",)}
    for subcategories in report["categories"].values():
        (paths,) = subcategories.values()
        labels = [report["results"][path]["labels"]["result"] for path in paths]
        assert len(set(labels)) == len(labels)


def test_every_result_has_a_caption_that_says_simulated_or_theory(report):
    for path, result in report["results"].items():
        assert re.search("<strong>(SIMULATED|THEORY).</strong>", result["caption"]), path
        assert "system-message" not in result["caption"], path


def test_links_of_the_report_lead_somewhere(report, short):
    texts = [report["workflow_desc"], *(result["caption"] for result in report["results"].values())]
    links = set().union(*(Links(text).found for text in texts))
    categories = {link for link in links if link.startswith("javascript:")}
    assert categories == {f"javascript:app.showCategory('{name}')" for name in CATEGORIES}
    files = links - categories
    assert {"summary.html", "decays.csv", "lifetimes.csv", "inputs.tsv", "../../docs/validation.md"} <= files
    for link in files:
        # A clone for tests has no documents.
        place = ROOT / link.removeprefix("../../") if link.startswith("../../") else short / "results/short" / link
        assert place.is_file(), link


def test_captions_have_the_thresholds_and_the_counts_of_the_run(report, found):
    assert "intervals below -15 nT that reach -80 nT" in " ".join(report["workflow_desc"].split())
    assert f"{found['fits']['made']:,} fits" in report["workflow_desc"]
    captions = {path.rpartition("/")[2]: " ".join(html.unescape(result["caption"]).split()) for path, result in report["results"].items()}
    cells = found["cells"]
    assert f"a decay time in {cells['decay_times']} of {cells['all']} cells, a limit in {cells['limits']}" in captions["lifetime_map.png"]
    assert "In this run: 2 storms (2 intense)" in captions["storms.csv"]
    days = [one for one in found["coverage"] if one["probe"]]
    assert (
        f"{sum(one['days'] for one in days)} days of probes asked for, {sum(one['used'] for one in days)} used" in captions["coverage.html"]
    )
    # A mean need not be of all storms.
    for one in found["energy"]:
        if one["quantity"] == "energy_content" and one["text"]:
            assert f"{one['text']} days ({one['n_storms']} storm{'s' * (one['n_storms'] != 1)})." in captions["energy_decay.csv"]
    for name in ("summary.html", "storm_fits.png", "lifetimes.csv", "theory_ratio.png", "start_delays.csv", "inputs.tsv", "influence.csv"):
        assert "In this run" in captions[name], name


def test_the_summary_counts_what_the_tables_hold(found, short):
    results = short / "results/short"
    storms = read_storms(results / "storms.csv")
    assert found["storms"]["number"] == len(storms) == 2
    assert found["storms"]["deepest"] == storms["depth"].min()
    fits = pd.read_csv(results / "decays.csv", comment="#").query("probe == 'merged'")
    assert found["fits"]["made"] == fits["rate"].notna().sum() > 100
    assert found["fits"]["growing"] == fits["flag_meanings"].str.contains("growth", na=False).sum()
    cells = pd.read_csv(results / "lifetimes.csv", comment="#")
    for counted, column in (("made", "n_storms"), ("resolved", "n_resolved"), ("limits", "n_limits"), ("growing", "n_growth")):
        assert found["fits"][counted] == cells[column].sum(), counted
    growing = cells["flag_meanings"].str.contains("growth", na=False)
    assert found["cells"]["growing"] >= growing.sum()
    assert found["cells"]["decay_times"] == (cells["tau"].notna() & cells["tau_limit"].isna() & ~growing).sum() > 0
    assert found["cells"]["with_fits"] == (cells["n_storms"] > 0).sum()
    days = read_coverage(results / "coverage.csv")
    assert sum(one["used"] for one in found["coverage"]) == days["status"].isin(["used", "known"]).sum()
    verdicts = pd.read_csv(results / "theory.csv", comment="#")["verdict"].value_counts()
    assert {name: count for name, count in found["theory"]["verdicts"].items() if count} == verdicts.to_dict()
    # The decay times that are shown are those of the bins nearest to the figures' energies and L.
    lifetimes = open_dataset(results / "lifetimes.nc")
    for one in found["decay_times"]:
        tau = float(lifetimes["tau"].sel(energy=one["energy"], L=one["L"]))
        assert math.isnan(tau) if one["tau"] is None else one["tau"] == pytest.approx(tau)
    truth = found["truth"]
    assert truth["intervals_held"] <= truth["intervals"] == cells["rate_low"].notna().sum()


def test_the_page_of_the_summary_leads_to_everything_else(found, short):
    folder = short / "results/short"
    page = (folder / "summary.html").read_text()
    links = Links(page).found
    made = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert links == set(found["results"]) == made
    assert f"<b>{found['fits']['made']:,} fits</b>" in page
    assert "of the mean hold the true rate" in page
    for script in re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=", page):
        pytest.fail(f"the page needs something else: {script}")


def test_a_storm_that_is_not_there_is_refused_before_anything_is_fitted(short, tmp_path):
    archive = short / "resources/short/demo-archive"
    config = tmp_path / "wrong.yaml"
    config.write_text(f'run: wrong\narchive: {archive}\nstart: "2015-04-15"\nstop: "2015-05-05"\nfigures:\n  storm: 7\n')
    done = snakemake(short, "results/wrong/storms.csv", "--configfile", str(config), check=False)
    assert done.returncode != 0
    assert "figures.storm is 7, but the run has the storms 1, 2; name one that is there" in done.stderr
    assert not (short / "results/wrong/storms.csv").exists()
