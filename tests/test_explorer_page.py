"""The explorer in a real browser, headless Chromium: what a reader clicks, reads and saves."""

from __future__ import annotations

import explorer_browser as browser
import explorer_run
import numpy as np
import pytest
from explorer_browser import NARROW, saved, texts

from ringdecay.binned import mean_flux
from ringdecay.explorer import write_explorer
from ringdecay.tables import decay_table, lifetime_table

pytestmark = [pytest.mark.xdist_group("explorer"), browser.NEEDED]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Give the address of the page of the small run."""
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    run = dict(explorer_run.run())
    write_explorer(path, run.pop("binned"), run.pop("all_decays"), run.pop("lifetimes"), run="small", **run)
    return path.as_uri()


@pytest.fixture(scope="module")
def chromium():
    with browser.chromium() as one:
        yield one


@pytest.fixture
def at(chromium, address):
    with browser.opening(chromium, address) as opened:
        yield opened


def fits():
    return explorer_run.run()["all_decays"][0]


def click_cell(page, energy, shell, plot="map"):
    """Click the middle of a cell of a map."""
    page.locator(f"#{plot}").scroll_into_view_if_needed()
    place = page.evaluate(
        """([plot, energy, shell]) => {
            const box = document.getElementById(plot), {xaxis, yaxis} = box._fullLayout, {left, top} = box.getBoundingClientRect();
            return [left + xaxis._offset + xaxis.d2p(energy), top + yaxis._offset + yaxis.d2p(shell)];
        }""",
        [plot, energy, shell],
    )
    page.mouse.move(*place)
    page.mouse.click(*place)
    page.wait_for_function("(part) => location.hash.includes(part)", arg=f"energy={energy:g}&L={shell:g}", timeout=10_000)


def drawn(page, plot):
    """Give the traces of a figure: name, axis and points."""
    return page.evaluate(
        """(plot) => document.getElementById(plot).data.map((one) => ({
            name: one.name, xaxis: one.xaxis ?? "x", type: one.type, x: Array.from(one.x ?? []), y: Array.from(one.y ?? []),
            z: one.z ? one.z.map((row) => Array.from(row)) : null,
            low: one.error_y?.arrayminus ? Array.from(one.error_y.arrayminus) : null,
        }))""",
        plot,
    )


def test_it_opens_from_disk_and_says_simulated(at):
    page = at()
    assert page.inner_text("#simulated") == "SIMULATED"
    assert page.title().startswith("SIMULATED")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    box = page.locator("#simulated").bounding_box()
    assert 0 <= box["y"] < 900
    assert "SIMULATED" in page.inner_text("#about-text")
    # Plotly would offer to send a figure to a server of its own.
    titles = page.eval_on_selector_all(".modebar-btn", "(buttons) => buttons.map((one) => one.getAttribute('data-title'))")
    assert titles
    assert not [title for title in titles if "share" in title.lower() or "cloud" in title.lower()]
    the_map_shows_the_decay_times_of_the_run(page)


def the_map_shows_the_decay_times_of_the_run(page):
    heat = drawn(page, "map")[0]["z"]
    mean = explorer_run.run()["lifetimes"].transpose("L", "energy", ...)
    tau, limit = mean["tau"].to_numpy(), mean["tau_limit"].to_numpy()
    shown = np.array([[np.nan if z is None else 10**z for z in row] for row in heat])
    resolved = np.isnan(limit) & np.isfinite(tau)
    np.testing.assert_allclose(shown[resolved], tau[resolved], rtol=1e-5)
    limited = np.isfinite(limit)
    np.testing.assert_allclose(shown[limited], limit[limited], rtol=1e-5)
    assert np.isnan(shown[0, 0])
    assert np.isnan(shown[4, 3])
    assert {trace["name"] for trace in drawn(page, "map")} >= {"limit", "growth"}


def test_a_click_on_a_cell_shows_its_series_fits_and_rates(at):
    page = at("#storm=1")
    energy, shell = 99.4, 4.05
    click_cell(page, energy, shell)
    assert "99.4 keV, L = 4.05" in page.inner_text("#cell-title")
    cell = {"energy": energy, "L": shell, "probe": "merged"}
    one = fits().sel(cell)
    rates = next(trace for trace in drawn(page, "rates") if trace["name"] == "resolved")
    assert len(rates["x"]) == explorer_run.N_STORMS
    np.testing.assert_allclose(rates["y"], one["rate"], rtol=1e-5)
    np.testing.assert_allclose(rates["low"], one["rate"] - one["rate_low"], rtol=1e-4)

    traces = [trace for trace in drawn(page, "series") if trace["xaxis"] == "x3"]
    third = one.isel(storm=2)
    flux = mean_flux(explorer_run.run()["binned"]).sel(cell)
    days = (flux["time"] - third["minimum"]) / np.timedelta64(1, "D")
    used = next(trace for trace in traces if trace["name"] == "fitted")
    assert len(used["x"]) == int(third["n"])
    expected = flux.where((days > min(used["x"]) - 0.2) & (days < max(used["x"]) + 0.2), drop=True).dropna("time")
    np.testing.assert_allclose(used["y"], expected, rtol=1e-5)
    line = next(trace for trace in traces if trace["name"] == "fit")
    np.testing.assert_allclose(line["y"][0], np.exp(third["log_flux_start"]), rtol=1e-4)
    length = line["x"][-1] - line["x"][0]
    np.testing.assert_allclose(np.log(line["y"][0] / line["y"][-1]) / length, third["rate"], rtol=1e-4)
    mean = explorer_run.run()["lifetimes"].sel(energy=energy, L=shell)
    assert f"{float(mean['tau']):.1f}"[:2] in page.inner_text("#cell-facts")

    # There is room for twelve storms at a time.
    assert "1\u201312 of 13" in page.inner_text("#series-pager")
    page.click("#series-pager button[aria-label='Later storms']")
    assert "13\u201313 of 13" in page.inner_text("#series-pager")
    assert len({trace["xaxis"] for trace in drawn(page, "series")}) == 1


def test_the_estimator_the_mode_and_the_probe_change_the_map(at):
    page = at()
    own = drawn(page, "map")[0]["z"]
    page.select_option("#estimator", "theil_sen")
    other = drawn(page, "map")[0]["z"]
    assert other != own
    assert page.eval_on_selector("#probe option[value=joint]", "(one) => one.disabled")
    assert "by gls" in page.inner_text("#series-note")
    page.select_option("#mode", "paper")
    paper = drawn(page, "map")[0]["z"]
    assert paper not in (own, other)
    assert "accepted of" in page.inner_text("#cell-facts")
    assert page.inner_text("#rates-title") == "Decay time of each storm"
    page.select_option("#mode", "calibrated")
    page.select_option("#probe", "joint")
    assert drawn(page, "map")[0]["z"] != own
    assert {"probe a, fitted", "probe b, fitted"} <= {trace["name"] for trace in drawn(page, "series")}


def test_the_storm_view_shows_index_onset_minimum_and_the_decay_times(at):
    page = at()
    page.click("#tab-storm")
    page.select_option("#storm", "4")
    assert page.is_hidden("#view-cell")
    assert page.inner_text("#storm-title").startswith("Storm 5:")
    assert "-104 nT".replace("-", "\u2212") in page.inner_text("#storm-facts")
    traces = drawn(page, "storm-index")
    index = explorer_run.run()["index"]
    minimum = fits()["minimum"][4].to_numpy()
    days = (index["time"].to_numpy() - minimum) / np.timedelta64(1, "D")
    nearest = int(np.argmin(np.abs(days)))
    at_minimum = int(np.argmin(np.abs(np.array(traces[0]["x"]))))
    assert traces[0]["y"][at_minimum] == pytest.approx(float(index[nearest]), rel=1e-5)
    assert any(trace["name"] == "minimum" and trace["x"] == [0] for trace in traces)
    shapes = page.evaluate("document.getElementById('storm-index').layout.shapes.map((one) => [one.x0, one.x1])")
    assert [-0.5, 0] in shapes
    heat = drawn(page, "storm-map")[0]["z"]
    one = fits().sel(probe="merged").isel(storm=4).transpose("L", "energy", ...)
    assert 10 ** heat[2][1] == pytest.approx(float(one["tau"][2, 1]), rel=1e-5)
    click_cell(page, 148.0, 3.15, "storm-map")
    assert "148 keV, L = 3.15" in page.inner_text("#storm-series-title")


def test_the_table_sorts_filters_and_chooses(at):
    page = at()
    table = lifetime_table(explorer_run.run()["lifetimes"])
    assert len(texts(page, "tau")) == len(table)
    page.click("#table th[data-column=rate] button")
    rates = [float(text.replace("\u2212", "-")) for text in texts(page, "rate") if text]
    assert rates == sorted(rates)
    assert page.get_attribute("#table th[data-column=rate]", "aria-sort") == "ascending"
    page.click("#table th[data-column=rate] button")
    assert [float(text.replace("\u2212", "-")) for text in texts(page, "rate") if text] == sorted(rates, reverse=True)
    page.fill("[data-filter=energy]", ">60 <200")
    assert set(texts(page, "energy")) == {"99.4", "148"}
    page.fill("[data-filter=tau]", "4..6")
    inside = table[table["energy"].between(60, 200) & table["tau"].between(4, 6)]
    assert len(texts(page, "tau")) == len(inside) > 0
    page.fill("[data-filter=tau]", "four")
    assert page.get_attribute("[data-filter=tau]", "aria-invalid") == "true"
    assert len(texts(page, "tau")) == 10
    page.click("#clear-filters")
    page.fill("[data-filter=flag_meanings]", "growth")
    assert texts(page, "energy") == ["269"]
    page.click("#table tbody tr")
    assert "269 keV, L = 5.05" in page.inner_text("#cell-title")
    page.click("#clear-filters")
    click_cell(page, 148.0, 4.15)
    chosen = page.locator("#table tr[aria-selected=true]")
    assert chosen.count() == 1
    assert chosen.inner_text().split()[:2] == ["148", "4.15"]


def test_the_tables_are_saved_as_they_are_filtered(at):
    page = at()
    page.fill("[data-filter=energy]", "<200")
    head, got, download = saved(page, "#save-table")
    assert download.suggested_filename == "small_lifetimes.csv"
    assert head[0].startswith("SIMULATED")
    assert "filtered: energy <200" in head
    assert any(line.startswith("  tau [days]: e-folding time") for line in head)
    expected = lifetime_table(explorer_run.run()["lifetimes"])
    expected = expected[expected["energy"] < 200].reset_index(drop=True)
    for name in ("energy", "L", "tau", "tau_low", "tau_high", "rate", "n_storms"):
        np.testing.assert_allclose(got[name], expected[name], rtol=2e-6, err_msg=name)
    assert got["flag_meanings"].fillna("").tolist() == expected["flag_meanings"].tolist()

    page.click("[data-table=fits]")
    page.check("#only-storm")
    _, got, _ = saved(page, "#save-table")
    numbered = int(got["storm"][0])
    expected = decay_table(fits().sel(probe=["merged"], storm=[numbered])).reset_index(drop=True)
    for name in ("storm", "energy", "L", "rate", "rate_se", "tau", "n"):
        np.testing.assert_allclose(got[name], expected[name], rtol=2e-6, err_msg=name)
    the_series_and_the_rates_are_saved(page)


def the_series_and_the_rates_are_saved(page):
    page.select_option("#energy", "2")
    page.select_option("#shell", "1")
    head, got, _ = saved(page, "#save-series")
    assert head[0].startswith("SIMULATED")
    assert "Mean flux after each storm, 148 keV, L = 3.15" in head
    assert set(got["storm"]) == set(range(1, explorer_run.N_STORMS + 1))
    binned = explorer_run.run()["binned"].sel(probe="merged", energy=148.0, L=3.15)
    first = got[got["storm"] == 1]
    days = (binned["time"] - fits()["minimum"][0]) / np.timedelta64(1, "D")
    flux = mean_flux(binned).sel(time=(days >= -2.5) & (days <= first["days"].max() + 0.2)).dropna("time")
    np.testing.assert_allclose(first["flux"], flux, rtol=1e-5)
    assert first["in_window"].sum() == int(fits().sel(probe="merged", energy=148.0, L=3.15)["n"][0])
    _, got, _ = saved(page, "#save-rates")
    np.testing.assert_allclose(got["rate"], fits().sel(probe="merged", energy=148.0, L=3.15)["rate"], rtol=1e-6)


def test_the_keyboard_alone_is_enough(at):
    page = at("#energy=99.4&L=4.05")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "map":
            break
    assert page.evaluate("document.activeElement.id") == "map"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert page.inner_text("#map-says").startswith("148 keV, L = 4.15")
    assert "99.4 keV" in page.inner_text("#cell-title")
    page.keyboard.press("Enter")
    assert "148 keV, L = 4.15" in page.inner_text("#cell-title")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.focus("#tab-cell")
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#view-storm")
    page.focus("#table tbody tr")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("#table tr[aria-selected=true]").inner_text().split()[:2] == ["54.7", "4.05"]


def test_a_narrow_screen_does_not_scroll_sideways(at):
    page = at("", NARROW)
    for view, plots in (("cell", ("map", "rates", "series")), ("storm", ("storm-index", "storm-map", "storm-series"))):
        page.click(f"#tab-{view}")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        for plot in plots:
            assert page.locator(f"#{plot} .main-svg").first.bounding_box()["width"] <= NARROW["width"]
    assert page.locator("#simulated").bounding_box()["y"] >= 0
    click_cell(page, 148.0, 3.15)
    assert page.inner_text("#map-says").startswith("148 keV, L = 3.15")


def test_a_view_can_be_passed_on(at):
    page = at("#mode=calibrated&estimator=ols&probe=a&energy=148&L=3.15&storm=7&view=storm&table=fits")
    assert page.input_value("#estimator") == "ols"
    assert page.input_value("#probe") == "a"
    assert page.inner_text("#storm-title") == "Storm 7: calibrated, ols, a"
    assert "148 keV, L = 3.15" in page.inner_text("#storm-series-title")
    page.select_option("#probe", "b")
    page.click("#tab-cell")
    moved = page.evaluate("location.hash")
    # What is not known is passed over.
    page.evaluate("location.hash = '#mode=none&probe=z&energy=x'")
    page.wait_for_function("document.getElementById('probe').value === 'merged'")
    assert page.input_value("#mode") == "calibrated"
    again = at(moved)
    assert again.input_value("#probe") == "b"
    assert again.is_visible("#view-cell")
    assert again.evaluate("location.hash") == moved


def test_a_browser_that_cannot_unpack_is_told_so(chromium, address):
    page = chromium.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(address)
    page.wait_for_selector("#trouble:visible")
    assert "DecompressionStream" in page.inner_text("#trouble")
    page.close()
