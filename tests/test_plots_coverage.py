"""Figures of the coverage: each day has the colour of what became of it, each place the number of its records."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from fake_results import storms
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text
from test_binned import random_flux
from test_plots import by_gid, words

import ringdecay as rd
from ringdecay import plots
from ringdecay.coverage import sector_coverage
from ringdecay.plots.style import DPI

BLACK = to_rgba("black")


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def days(start: str = "2015-04-15", stop: str = "2015-09-12", simulated: str = "yes", probes: tuple[str, ...] = ("a", "b")) -> pd.DataFrame:
    """Every day used, but the second refused and the third without a file; of the index the fourth is not known."""
    dates = pd.date_range(start, stop, inclusive="left")
    parts = []
    for probe in (*probes, ""):
        status = np.array(["used" if probe else "known"] * len(dates), dtype=object)
        status[1:2], status[2:3] = ("refused", "no file") if probe else ("known", "known")
        if not probe:
            status[3:4] = "unknown"
        used = (status == "used").astype(int)
        facts: dict[str, Any] = {"product": "rbspice-pap-tofxeh" if probe else "omni-hro-5min", "probe": probe, "status": status}
        facts |= {
            "date": dates.strftime("%Y-%m-%d"),
            "records": 100 * used if probe else pd.NA,
            "records_used": 80 * used if probe else pd.NA,
        }
        parts.append(pd.DataFrame(facts | {"share_known": pd.NA if probe else np.where(status == "known", 1.0, 0.0)}))
    kinds = {"records": "Int64", "records_used": "Int64", "share_known": "Float64"}
    table = pd.concat([part.astype(kinds) for part in parts], ignore_index=True)
    table.attrs["simulated"] = simulated
    return table


def places(simulated: str = "yes", probes: tuple[str, ...] = ("a", "b")) -> xr.Dataset:
    parts = [rd.bin_flux(random_flux(400, seed, probe=probe)) for seed, probe in enumerate(probes)]
    return sector_coverage(rd.merge_binned(parts)).assign_attrs(simulated=simulated)


SPANS = {
    "a day": ("2015-04-15", "2015-04-16"),
    "twenty days": ("2015-04-15", "2015-05-05"),
    "over new year": ("2014-11-20", "2015-03-10"),
    "five months": ("2015-04-15", "2015-09-12"),
    "two years": ("2012-01-01", "2014-01-01"),
    "the mission": ("2012-10-15", "2019-10-15"),
}


def strips(figure: Figure) -> dict[str, QuadMesh]:
    return {str(mesh.get_gid()): mesh for mesh in figure.axes[0].collections if isinstance(mesh, QuadMesh)}


def test_each_day_has_the_colour_of_its_state() -> None:
    drawn = strips(plots.coverage_calendar(days()))
    assert set(drawn) == {"rbspice-pap-tofxeh|a|2015-04-15", "rbspice-pap-tofxeh|b|2015-04-15", "omni-hro-5min||2015-04-15"}
    probe, index = (np.asarray(drawn[name].get_array())[0] for name in ("rbspice-pap-tofxeh|a|2015-04-15", "omni-hro-5min||2015-04-15"))
    assert len(probe) == len(index) == 150
    np.testing.assert_allclose(probe[2], BLACK)
    # All other days alike: 80 of 100 records; refused and unknown have colours of their own.
    assert len({tuple(colour) for colour in probe.tolist()}) == len({tuple(colour) for colour in index.tolist()} | {BLACK}) == 3
    assert not np.allclose(probe[1], index[3])
    edges = drawn["omni-hro-5min||2015-04-15"].get_coordinates()[0, :, 0]
    assert (edges[0], edges[-1]) == (0, 150)


def test_less_used_is_lighter() -> None:
    table = days()
    table.loc[10, "records_used"] = 20
    (mesh,) = (mesh for name, mesh in strips(plots.coverage_calendar(table)).items() if "|a|" in name)
    shades = np.asarray(mesh.get_array())[0, :, :3].sum(axis=1)
    assert shades[10] > shades[11] + 0.5
    # Never as light as paper.
    assert shades.max() < 2.8


def test_a_long_run_has_a_strip_for_each_year_with_all_its_days() -> None:
    figure = plots.coverage_calendar(days(*SPANS["the mission"]))
    drawn = strips(figure)
    assert len(drawn) == 3 * 8
    widths = {name: np.asarray(mesh.get_array()).shape[1] for name, mesh in drawn.items() if "|b|" in name}
    assert widths["rbspice-pap-tofxeh|b|2016-01-01"] == 366
    assert sum(widths.values()) == 2556
    first = drawn["rbspice-pap-tofxeh|b|2012-10-15"].get_coordinates()[0, 0, 0]
    assert first == 288  # 15 October 2012 is day 289 of a leap year
    # A single day is more than two pixels wide.
    ax = figure.axes[0]
    figure.draw_without_rendering()
    assert ax.get_window_extent().width / 366 * DPI / figure.dpi > 2


def test_days_that_are_not_in_the_table_are_blank() -> None:
    table = days()
    drawn = strips(plots.coverage_calendar(table[~table["date"].isin(["2015-05-01", "2015-05-02"])]))
    probe = np.asarray(drawn["rbspice-pap-tofxeh|a|2015-04-15"].get_array())[0]
    assert (probe[16:18, 3] == 0).all()
    assert (probe[[15, 18], 3] == 1).all()


def test_onsets_of_storms_are_marked_where_they_are() -> None:
    ax = plots.coverage_calendar(days(), storms()).axes[0]
    marks = by_gid(ax, "onsets")
    assert len(marks) == 3
    # The fake's storms begin 5 and 19 days after 15 April.
    np.testing.assert_allclose([segment[0][0] for segment in marks[0].get_segments()], [5, 19])
    assert not by_gid(plots.coverage_calendar(days("2016-01-01", "2016-02-01"), storms()).axes[0], "onsets")


def test_the_legend_names_what_is_to_be_seen_and_no_more() -> None:
    def legend(figure: Figure) -> list[str]:
        return [text.get_text() for box in figure.legends for text in box.get_texts()]

    assert legend(plots.coverage_calendar(days(), storms())) == ["refused", "no file", "index not known", "storm onset"]
    whole = days()
    whole["status"] = np.where(whole["probe"] == "", "known", "used")
    assert legend(plots.coverage_calendar(whole)) == []


@pytest.mark.parametrize("span", SPANS)
def test_every_span_can_be_read(span: str) -> None:
    figure = plots.coverage_calendar(days(*SPANS[span]), storms())
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    drawn = figure.get_tightbbox()
    assert drawn.x0 > -0.01
    assert drawn.y0 > -0.01
    assert drawn.x1 < width + 0.01
    assert drawn.y1 < height + 0.01
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    for i, (one, box) in enumerate(boxes):
        for other, another in boxes[i + 1 :]:
            assert not box.overlaps(another), f"{one!r} lies on {other!r}"


def test_records_are_drawn_at_their_place() -> None:
    coverage = places()
    figure = plots.coverage_cells(coverage)
    for i, (probe, name) in enumerate((probe, name) for probe in ("a", "b") for name in ("MLT", "MLAT")):
        (mesh,) = by_gid(figure.axes[i], f"{probe}|{name}")
        records = coverage[f"n_records_by_{name}"].sel(probe=probe).to_numpy()
        np.testing.assert_array_equal(np.ma.filled(mesh.get_array(), 0), records)
        x = mesh.get_coordinates()[0, :, 0]
        np.testing.assert_allclose(x, np.arange(0, 25, 3) if name == "MLT" else np.arange(-25, 26, 5))
        np.testing.assert_allclose(mesh.get_coordinates()[:, 0, 1], np.round(np.arange(2, 6.05, 0.1), 6))


@pytest.mark.parametrize("name", ["calendar", "cells", "panel"])
def test_simulated_is_said_once_when_it_must(name: str, tmp_path: Path) -> None:
    def draw(simulated: str) -> Figure:
        if name == "calendar":
            return plots.coverage_calendar(days(simulated=simulated))
        if name == "cells":
            return plots.coverage_cells(places(simulated))
        return plots.sector_panel(places(simulated), "a", "MLT").get_figure(root=True)  # type: ignore[return-value]

    assert [text.strip() for text in words(draw("yes")) if "SIMULATED" in text] == ["SIMULATED"]
    assert not [text for text in words(draw("no")) if "simulat" in text.lower()]
    for path in (tmp_path / "one.svg", tmp_path / "two.svg"):
        plots.save(draw("yes"), path)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_nothing_to_draw_is_said_in_words() -> None:
    empty = places().map(lambda v: v * 0, keep_attrs=True)
    no_local_time = places().assign(n_records_by_MLT=lambda ds: ds["n_records_by_MLT"] * 0)
    for sentence, figure in {
        "The run has no days": plots.coverage_calendar(days().iloc[:0]),
        "hold no record": plots.coverage_cells(empty),
        "No record of probe a has a known MLT": plots.coverage_cells(no_local_time),
    }.items():
        assert any(sentence in text for text in words(figure)), sentence
        figure.draw_without_rendering()


def test_one_probe_is_one_row() -> None:
    figure = plots.coverage_cells(places(probes=("a",)))
    assert len(figure.axes) == 3
    figure.draw_without_rendering()
