"""How all figures look, and how they are written: one style, one way to say SIMULATED, one way to save."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from matplotlib.transforms import offset_copy

from ringdecay.errors import InputError
from ringdecay.store import is_simulated, written_whole

# Widths of one and two columns of an AGU journal, inches (95 and 190 mm).
ONE_COLUMN, TWO_COLUMNS = 3.74, 7.48

#: What ``ringdecay.mplstyle`` beside this file says; ``plt.style.use("ringdecay.plots.ringdecay")`` is the same for a whole session.
STYLE: dict[Any, Any] = dict(matplotlib.rc_params_from_file(Path(__file__).with_name("ringdecay.mplstyle"), use_default_template=False))
DPI = int(STYLE["savefig.dpi"])
COLOURS: tuple[str, ...] = tuple(STYLE["axes.prop_cycle"].by_key()["color"])
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SIMULATED_COLOUR = "#B22222"

# What a file says of its own making would differ from run to run.
_METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def new_figure(figure: Figure | SubFigure | None, height: float, width: float = TWO_COLUMNS) -> Figure | SubFigure:
    """Give the user's figure, or a new one."""
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained") if figure is None else figure


def new_axes(ax: Axes | None, height: float = 2.8, width: float = ONE_COLUMN) -> Axes:
    """Give the user's axes, or those of a new figure."""
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained").subplots() if ax is None else ax


def title(figure: Figure | SubFigure, text: str, *datasets: Any) -> None:
    """Write the title of a figure, and SIMULATED beside it if any dataset is."""
    # Without a y of its own the layout keeps a row free for the title, 3 points below the edge.
    figure.suptitle(text, x=0.01, ha="left", va="top", fontweight="bold")
    if is_simulated(*datasets):
        place = offset_copy(figure.transSubfigure, figure.get_figure(root=True), y=-3, units="points")
        style: dict[str, Any] = {"color": SIMULATED_COLOUR, "fontweight": "bold", "fontsize": 8.0}
        figure.text(0.99, 1.0, "SIMULATED", gid="simulated", transform=place, ha="right", va="top", **style)


def mark_simulated(ax: Axes, *datasets: Any, above_legend: int = 0) -> None:
    """Write SIMULATED at the top right of axes, above rows of text (a legend), if any dataset is, unless their figure says so already."""
    figure = ax.get_figure(root=False)
    said = figure is not None and any(text.get_gid() == "simulated" for text in figure.texts)
    if is_simulated(*datasets) and not said:
        pad = 6.0 + 9.0 * above_legend if above_legend else None
        ax.set_title("SIMULATED", loc="right", color=SIMULATED_COLOUR, fontweight="bold", pad=pad).set_gid("simulated")


def say(ax: Axes, sentence: str) -> Axes:
    """Write a sentence where there is nothing to draw."""
    ax.text(0.5, 0.5, sentence, transform=ax.transAxes, ha="center", va="center", color="0.35", wrap=True)
    # Hidden, not removed: the ticks may be shared with other axes.
    ax.tick_params(which="both", left=False, labelleft=False, bottom=False, labelbottom=False)
    return ax


def say_on_figure(figure: Figure | SubFigure, sentence: str) -> Figure | SubFigure:
    """Write a sentence on a figure in which there is nothing to draw."""
    say(figure.subplots(), sentence).set_frame_on(False)
    return figure


def legend_columns(ax: Axes, labels: Sequence[str], most: int) -> int:
    """How many entries of a legend have room side by side, at most `most`: the layout will change the width of the axes by little."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    # A letter is 0.55 of its size wide on the mean; handle and space between columns are four sizes.
    widths = [float(STYLE["legend.fontsize"]) * (0.55 * len(label) + 4) for label in labels]
    room = ax.get_window_extent().width * 72 / figure.dpi
    return most if sum(widths) <= room else int(np.clip(room // max(widths), 1, most))


def plain_log_axis(axis: Axis, low: float, high: float) -> None:
    """Label a logarithmic axis with plain numbers: 1, 2 and 5 of each power of ten, the powers if those are many, all digits if few."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for digits in ((1, 2, 5), (1,)):
        ticks = [d * 10.0**power for power in powers for d in digits if low * 0.999 <= d * 10.0**power <= high * 1.001]
        if len(ticks) <= 9:
            break
    if len(ticks) < 2:
        ticks = [d * 10.0**power for power in powers for d in range(1, 10) if low * 0.999 <= d * 10.0**power <= high * 1.001]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def round_levels(low: float, high: float, most: int = 100) -> list[float]:
    """Round values inside a range for contours: 1, 2 and 5 of each power of ten, or the powers alone if those are more than `most`."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    levels = [digit * 10.0**power for power in powers for digit in (1, 2, 5) if low < digit * 10.0**power < high]
    return levels if len(levels) <= most else [10.0**power for power in powers if low < 10.0**power < high]


def log_edges(centres: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Edges midway between channels on a logarithmic axis."""
    return np.exp(edges(np.log(centres), alone=0.1))


def edges(centres: npt.NDArray[np.floating], alone: float = 0.05) -> npt.NDArray[np.float64]:
    """Edges midway between centres; half of `alone` to both sides of a single one."""
    values = np.asarray(centres, dtype=np.float64)
    if values.size == 1:
        return np.array([values[0] - alone, values[0] + alone])
    middle = (values[:-1] + values[1:]) / 2
    return np.concatenate([[values[0] - (middle[0] - values[0])], middle, [values[-1] + (values[-1] - middle[-1])]])


def save(figure: Figure | SubFigure | Axes, *paths: str | PathLike[str]) -> None:
    """Write a figure as PNG, SVG or PDF, each whole or not at all; figures that are made and written alike give the same bytes.

    (Written by a second call a figure can differ by a pixel, because its layout is refined whenever it is drawn.)

    Parameters
    ----------
    figure : matplotlib.figure.Figure, SubFigure or Axes
        The figure; of a part of a figure the whole is written.
    *paths : path-like
        Each ends in .png, .svg or .pdf. All have one layout, that of the first.

    Raises
    ------
    InputError
        If one ends in something else; then none is written.
    """
    formats = [Path(path).suffix.lower() for path in paths]
    for path, suffix in zip(paths, formats, strict=True):
        if suffix not in _METADATA:
            raise InputError(f"{path}: figures are written as .png, .svg or .pdf, not {suffix or 'without a suffix'}")
    whole = figure.get_figure(root=True)
    assert whole is not None
    layout = whole.get_layout_engine()
    # A figure without a layout engine would be given one by the style.
    with matplotlib.rc_context({**STYLE, "figure.constrained_layout.use": False, "figure.autolayout": False}):
        try:
            for path, suffix in zip(paths, formats, strict=True):
                with written_whole(path) as beside:
                    whole.savefig(beside, format=suffix[1:], dpi=DPI, metadata=_METADATA[suffix])
                # Half of the time goes into the layout.
                whole.set_layout_engine("none")
        finally:
            whole.set_layout_engine(layout)
