"""Writing figures: the same figure is the same bytes, in every form, and stays as it was."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import pytest
from fake_results import lifetimes, truth
from matplotlib.figure import Figure

from ringdecay import plots
from ringdecay.errors import InputError


def figure() -> Figure:
    return plots.lifetime_curves(lifetimes(), [54.7, 269.0], [3.0, 5.0], truth=truth())


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_equal_figures_are_equal_bytes(suffix: str, tmp_path: Path) -> None:
    one = figure()
    for name, drawn in (("a", one), ("b", one), ("c", figure())):
        plots.save(drawn, tmp_path / f"{name}.{suffix}")
    first = (tmp_path / f"a.{suffix}").read_bytes()
    # A PDF has so many digits that it shows that the layout is found anew each time a figure is written.
    assert suffix == "pdf" or first == (tmp_path / f"b.{suffix}").read_bytes()
    assert first == (tmp_path / f"c.{suffix}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{n}.{suffix}" for n in "abc"]


def test_forms_of_one_figure_have_one_layout_and_the_figure_keeps_its_engine(tmp_path: Path) -> None:
    one = figure()
    engine, paths = one.get_layout_engine(), [tmp_path / name for name in ("a.png", "b.png", "c.svg")]
    plots.save(one, *paths)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[2].read_text().startswith("<?xml")
    assert one.get_layout_engine() is engine
    # Axes of a user who has none get none, whatever the user's settings say.
    bare = Figure()
    with matplotlib.rc_context({"figure.constrained_layout.use": True}):
        plots.save(bare, tmp_path / "bare.png")
    assert bare.get_layout_engine() is None


def test_other_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"svg or \.pdf"):
        plots.save(Figure(), tmp_path / "figure.png", tmp_path / "figure.eps")
    assert not list(tmp_path.iterdir())


def test_a_users_settings_for_other_figures_do_not_spoil_these(tmp_path: Path) -> None:
    plots.save(plots.lifetime_map(lifetimes()), tmp_path / "plain.svg", tmp_path / "plain.png")
    own = {"svg.image_inline": False, "savefig.bbox": "tight", "savefig.facecolor": "black", "pcolor.shading": "nearest"}
    with matplotlib.rc_context(own):
        plots.save(plots.lifetime_map(lifetimes()), tmp_path / "own.svg", tmp_path / "own.png")
    for suffix in ("svg", "png"):
        assert (tmp_path / f"plain.{suffix}").read_bytes() == (tmp_path / f"own.{suffix}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 4
