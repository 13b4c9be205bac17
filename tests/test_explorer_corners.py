"""The explorer in a real browser, where a reader does what is seldom done, and with runs that are seldom made."""

from __future__ import annotations

import explorer_browser as browser
import explorer_run
import numpy as np
import pytest
from explorer_browser import NARROW, saved, texts

from ringdecay.decays import fit_decays
from ringdecay.decays.result import FLAGS
from ringdecay.explorer import write_explorer
from ringdecay.lifetime import lifetimes
from ringdecay.tables import tau_text

pytestmark = [pytest.mark.xdist_group("explorer"), browser.NEEDED]
LONG_NAME = "both_probes_October_2012_to_October_2019_with_windows_of_my_own"
ODD_CLASS = """<img src=x onerror="alert(1)"></script><script>alert(2)</script>"' & @@TITLE@@"""


HARDLY = {"storm": 3, "probe": "merged", "energy": 269.0, "L": 3.15}


def hardly_growing():
    """Give the fits with one whose one-sided limit is infinite, and whose interval holds zero still."""
    decays = explorer_run.run()["all_decays"][0].copy(deep=True)
    cell = {
        "rate": -0.02,
        "rate_low": -0.041,
        "rate_high": 0.001,
        "tau": np.nan,
        "tau_low": 1000.0,
        "tau_high": np.inf,
        "tau_limit": np.inf,
    }
    for name, value in cell.items():
        decays[name].loc[HARDLY] = value
    decays["flag"].loc[HARDLY] = FLAGS["not_resolved"]
    return decays


def written(path, name, **changes):
    run = dict(explorer_run.run()) | changes
    write_explorer(path, run.pop("binned"), run.pop("all_decays"), run.pop("lifetimes"), run=name, **run)
    return path.as_uri()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Give the address of the page of the small run, with a long name, storms of an odd class, and a fit that hardly grows."""
    all_decays = [hardly_growing(), *explorer_run.run()["all_decays"][1:]]
    storms = explorer_run.run()["storms"].assign(storm_class=ODD_CLASS)
    return written(tmp_path_factory.mktemp("a folder") / "explorer.html", LONG_NAME, storms=storms, all_decays=all_decays)


@pytest.fixture(scope="module")
def chromium():
    with browser.chromium() as one:
        yield one


@pytest.fixture
def at(chromium, address):
    with browser.opening(chromium, address) as opened:
        yield opened


def test_a_filter_finds_what_a_cell_shows(at):
    page = at("#table=fits")
    _, whole, _ = saved(page, "#save-table")
    for column, text, expected in (
        ("energy", "inf", np.isinf(whole["energy"])),
        ("tau_high", "inf", np.isinf(whole["tau_high"])),
        ("onset", "2015-06-09 00:00", whole["onset"] == "2015-06-09T00:00:00Z"),
        ("flag_meanings", "floor_\u200bnot", whole["flag_meanings"].str.contains("floor_not", na=False)),
    ):
        page.fill(f"[data-filter={column}]", text)
        head, got, _ = saved(page, "#save-table")
        assert len(got) == expected.sum()
        assert expected.any() or column == "energy"
        assert f"filtered: {column} {text}" in head
        page.fill(f"[data-filter={column}]", "")


def test_every_number_and_word_of_the_table_can_be_filtered_for(at):
    page = at("#table=fits")
    for column in ("rate", "tau", "kind", "floor"):
        for shown in sorted(set(texts(page, column)) - {""})[:3]:
            page.fill(f"[data-filter={column}]", shown)
            assert set(texts(page, column)) == {shown}
            page.fill(f"[data-filter={column}]", "")
    page.fill("[data-filter=tau]", "four")
    head, _, _ = saved(page, "#save-table")
    assert not [line for line in head if line.startswith("filtered")], "a filter that cannot be read was not applied"


def test_a_fit_that_hardly_grows_is_said_to_grow_as_in_the_tables(at):
    assert tau_text(hardly_growing().sel(HARDLY)) == "growing"
    page = at("#energy=269&L=3.15&storm=3&view=storm")
    assert page.inner_text("#storm-series-title") == "Flux at 269 keV, L = 3.15: growing"
    assert "<br>growing<br>" in page.evaluate("document.getElementById('storm-map').data[0].text[1][3]")
    page.click("#tab-cell")
    texts_of_rates = page.evaluate("document.getElementById('rates').data.flatMap((one) => one.text)")
    assert len([text for text in texts_of_rates if text.startswith("storm 3,") and text.endswith("<br>growing")]) == 1


def test_whoever_turns_pages_by_keyboard_stays_at_the_button(at):
    page = at("#table=fits&storm=1")
    page.focus("#table-pager button[aria-label='Page after']")
    for rows in ("rows 51", "rows 101"):
        page.keyboard.press("Enter")
        assert rows in page.inner_text("#table-pager")
    page.focus("#series-pager button[aria-label='Later storms']")
    page.keyboard.press("Enter")
    # There are no later ones.
    assert page.evaluate("document.activeElement.ariaLabel") == "Earlier storms"


def test_the_storm_that_was_chosen_in_its_view_is_among_those_drawn_of_a_cell(at):
    page = at("#storm=1&view=storm")
    page.select_option("#storm", "12")
    page.click("#tab-cell")
    assert "13 of 13" in page.inner_text("#series-pager")


def test_names_of_any_length_and_kind_are_text(at):
    page = at("#storm=1&view=storm", NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert page.inner_text("h1") == LONG_NAME
    assert ODD_CLASS in page.inner_text("#storm-facts")


def test_a_column_is_described_as_what_it_is(at):
    page = at("#mode=paper&table=fits")
    for button in ("#save-table", "#save-rates"):
        head, got, _ = saved(page, button)
        said = {line.split(":")[0].split()[0]: line for line in head if line.startswith("  ")}
        assert {"rate", "tau", "rate_se"} <= set(said)
        assert not [line for line in said.values() if "mean rate" in line or "mean decay rate" in line]
    # The rates of mode paper say which the mean is of.
    words = page.inner_text("#cell-facts")
    assert f"{got['accepted'].sum()} accepted of {got['rate'].notna().sum()}" in words
    page.click("[data-table=mean]")
    page.select_option("#mode", "calibrated")
    head, _, _ = saved(page, "#save-table")
    assert [line for line in head if line.startswith("  rate [1/day]: mean decay rate")]


def test_a_run_without_any_fit_has_a_page_that_says_so(chromium, tmp_path):
    run = explorer_run.run()
    nothing = run["binned"].copy()
    for name in ("n_samples", "counts", "sum_flux"):
        nothing[name] = nothing[name] * 0
    decays = fit_decays(nothing, run["storms"], index=run["index"], floor=None)
    address = written(tmp_path / "explorer.html", "empty", binned=nothing, all_decays=[decays], lifetimes=lifetimes(decays, brief=True))
    with browser.opening(chromium, address) as opened:
        page = opened("#probe=z&mode=z")
        assert page.input_value("#probe") == "merged"
        assert "no result" in page.inner_text("#map-says")
