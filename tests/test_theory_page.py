"""The page on the theory is what the code gives: its tables, its example and its figures."""

from __future__ import annotations

import re

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from theory_figures import FIGURES, drawn
from theory_page import PAGE, TABLES, examples, figure_path, printed, with_tables


@pytest.fixture(scope="module")
def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_every_table_is_what_the_code_gives(text):
    # After a change of the models: python tests/theory_page.py
    assert len(TABLES) == text.count("written by tests/theory_page.py")
    assert with_tables(text) == text


def test_the_example_prints_what_the_page_says(text):
    found = examples(text)
    assert found
    for code, said in found:
        assert printed(code) == said


@pytest.mark.parametrize("name", list(FIGURES))
def test_the_figures_are_those_of_the_code(text, name):
    path = figure_path(name)
    assert f"]({path.name})" in text
    assert path.stat().st_size < 100_000
    kept, now = np.asarray(Image.open(path).convert("RGB"), dtype=float), drawn(name).astype(float)
    assert kept.shape == now.shape
    # The file has 256 colours, and another version of the fonts moves letters by a pixel; a curve elsewhere is more than that.
    assert (np.abs(kept - now).max(axis=-1) > 60.0).mean() < 0.002


def test_every_file_and_place_that_the_page_names_is_there(text):
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (PAGE.parent / target).is_file(), target
    for folder in ("README.md", "docs/limitations.md"):
        assert "theory.md" in (ROOT / folder).read_text(encoding="utf-8")
    for heading in ("## Observed against predicted", "## Ring-current energy content"):
        assert heading in text
