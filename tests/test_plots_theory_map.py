"""The map of predicted lifetimes: its lines lie where the rates say, and it says that it is theory."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from ringdecay import plots, theory
from ringdecay.errors import InputError

ENERGY, SHELLS = np.geomspace(45.0, 598.0, 40), np.linspace(2.1, 6.0, 30)


def words(figure: Figure) -> str:
    texts = [text.get_text() for ax in figure.axes for text in (*ax.texts, ax.title, ax._left_title)]
    texts += [figure.get_suptitle(), *(text.get_text() for one in figure.legends for text in (one.get_title(), *one.get_texts()))]
    return " ".join(texts)


def lines(figure: Figure, panel: int, gid: str) -> np.ndarray:
    """Points (energy, L) of a contour."""
    found = [c for c in figure.axes[panel].collections if c.get_gid() == gid]
    return np.concatenate([path.vertices for one in found for path in one.get_paths()])


def test_the_boundary_is_where_both_processes_are_equally_fast():
    figure = plots.theory_map(theory.loss_rate(ENERGY, SHELLS), theory.loss_rate(ENERGY, SHELLS, spectral_index=3.0, kp_max=5.0))
    for panel, options in enumerate(({}, {"spectral_index": 3.0, "kp_max": 5.0})):
        points = lines(figure, panel, "boundary")
        rates = [theory.loss_rate(e, shell, **options) for e, shell in points]
        ratio = np.array([float(one.rate_coulomb / one.rate_charge_exchange) for one in rates])
        # Drawn between grid points; at the plasmapause, which is narrower than the grid, the line is only roughly placed.
        off = np.abs(points[:, 1] - float(theory.plasmapause(5.0))) > 0.4
        assert np.abs(np.log(ratio[off])).max() < 0.05
        # The band holds the line.
        band = lines(figure, panel, "band")
        assert band[:, 0].min() <= points[:, 0].min()


def test_the_map_says_what_it_is_and_names_its_models():
    said = words(plots.theory_map(theory.loss_rate(ENERGY, SHELLS), theory.loss_rate(ENERGY, SHELLS, spectral_index=3.0, kp_max=5.0)))
    for text in ("THEORY", "Lindsay & Stebbings (2005)", "Rairden (1986)", "Carpenter & Anderson (1992)", "96 or 120 choices"):
        assert text in said
    for text in ("flat spectrum, saturated plasmasphere", "flux as E⁻³", "Kp 5", "charge exchange", "edge of the range"):
        assert text in said
    # Nothing in it is simulated.
    assert "SIMULATED" not in said
    assert "flux grows" not in said
    assert "pitch angle" not in said
    assert "no prediction" not in said
    tilted = words(plots.theory_map(theory.loss_rate(ENERGY, np.linspace(1.2, 6.0, 20), 15.0)))
    assert "pitch angle 15°" in tilted
    assert "no prediction" in tilted
    oxygen = words(plots.theory_map(theory.loss_rate(ENERGY, SHELLS, species="O+", models={"geocorona": "ostgaard_2003_night"})))
    assert "O⁺" in oxygen
    assert "RAM-SCB" in oxygen
    assert "Ostgaard (2003), night" in oxygen


def test_growth_is_crossed_and_a_map_without_any_decay_says_so():
    assert "flux as E^2.5," in words(plots.theory_map(theory.loss_rate(ENERGY, SHELLS, spectral_index=-2.5)))
    assert "flux grows" in words(plots.theory_map(theory.loss_rate(ENERGY, SHELLS, spectral_index=-4.0)))
    empty = plots.theory_map(theory.loss_rate(np.geomspace(3000.0, 9000.0, 5), SHELLS, spectral_index=-4.0))
    assert "Nothing is predicted to decay" in words(empty)


def test_the_same_map_gives_the_same_file(tmp_path):
    for name in ("one.png", "two.png", "one.svg", "two.svg"):
        plots.save(plots.theory_map(theory.loss_rate(ENERGY[:6], SHELLS[:5])), tmp_path / name)
    # In one piece, so that it can be searched for.
    assert ">THEORY: lifetime of H⁺ against charge exchange and Coulomb drag<" in (tmp_path / "one.svg").read_text(encoding="utf-8")
    for suffix in ("png", "svg"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        ([], "at least one"),
        ([theory.loss_rate(99.0, 4.0)], "dimensions: none"),
        ([theory.loss_rate([99.0, 100.0], [4.0, 5.0], [90.0, 60.0])], "equatorial_pitch_angle 2"),
        ([theory.loss_rate([99.0], [4.0, 5.0])], "energy 1"),
    ],
)
def test_what_is_no_map_is_refused(rates, sentence):
    with pytest.raises(InputError, match=sentence):
        plots.theory_map(*rates)
