"""The notebooks: both forms of each agree, nothing is stored in them, and they run to their end without a warning."""

from __future__ import annotations

import re
import shutil
import socket
from contextlib import ExitStack
from pathlib import Path

import nbformat
import pytest
from archive_server import serving
from conftest import ROOT
from nbclient import NotebookClient

from ringdecay import simulate

FOLDER = ROOT / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))
FIRST, STORM, TRAPS, THEORY, REAL = NAMES


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the notebooks run: the first one makes the simulated archive, the others find it there."""
    return tmp_path_factory.mktemp("notebooks")


def run(name: str, folder: Path) -> list:
    """Run a notebook and give its cells with their outputs."""
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=200, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    said = "".join(
        output["text"] for cell in notebook.cells for output in cell.get("outputs", []) if output.get("name") == "stderr"
    ).splitlines()
    # The simulated archive lacks a day, and `fetch` says so.
    assert [line for line in said if "the archive has no file for 1 of 34 days" not in line] == []
    return notebook.cells


def text_of(cell) -> str:
    """What a cell printed, and its results as text."""
    return "".join(output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", []))


def cells_with(cells: list, word: str) -> list:
    found = [cell for cell in cells if cell.cell_type == "code" and word in cell.source]
    assert found, word
    return found


def figures(cells: list) -> int:
    return sum("image/png" in output.get("data", {}) for cell in cells for output in cell.get("outputs", []))


def test_there_are_five():
    assert [name[0] for name in NAMES] == list("12345")
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_say_the_same_and_hold_no_outputs(name):
    # After a change of the .py: jupytext --sync notebooks/*.py
    jupytext = pytest.importorskip("jupytext")
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    paired = jupytext.read(FOLDER / f"{name}.py")
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [(cell.cell_type, cell.source) for cell in paired.cells]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)


@pytest.mark.xdist_group("notebooks")
def test_from_a_file_to_tau_takes_ten_lines(folder):
    cells = run(FIRST, folder)
    first = next(cell for cell in cells if cell.cell_type == "code")
    assert len([line for line in first.source.splitlines() if line.strip()]) == 10
    html = first.outputs[-1]["data"]["text/html"]
    assert "SIMULATED" in html
    assert re.search(r"<td class=\"found short\">\d+\.\d+ \(", html)
    share, _, count = text_of(cells[-1]).split()[:3]
    assert int(count) > 500
    assert float(share) > 0.6
    assert figures(cells) == 4


@pytest.mark.xdist_group("notebooks")
def test_a_storm_of_your_own(folder):
    cells = run(STORM, folder)
    assert "in nT" in text_of(cells_with(cells, "find_storms(kp)")[0])
    own = text_of(cells_with(cells, "compare=True")[0])
    low, high = re.search(r"decay time\s+\S+ \((\S+)\N{EN DASH}(\S+)\) days", own).groups()
    assert float(low) < 9 < float(high)
    assert "not_pooled" in own
    assert figures(cells) == 2


@pytest.mark.xdist_group("notebooks")
def test_what_goes_wrong_shows(folder):
    cells = run(TRAPS, folder)
    floor = text_of(cells_with(cells, "floor looked for")[0]).splitlines()
    assert [("floor_not_separable" in line, "floor_fitted" in line) for line in floor[:3]] == [(True, False), (False, True), (False, False)]
    ended = [line for line in text_of(cells_with(cells, "injection_dip=None")[0]).splitlines() if "tau" in line]
    assert ["new_injection" in line for line in ended] == [False, True]
    bent = text_of(cells_with(cells, "4 / 2")[0])
    assert "curved" in bent
    assert "two_stages" in bent
    short = text_of(cells_with(cells, "-t / 40")[0]).splitlines()
    assert "not_resolved" in short[0]
    assert ">" in short[0]
    assert figures(cells) == 6


@pytest.mark.xdist_group("notebooks")
def test_theory_beside_observation(folder):
    cells = run(THEORY, folder)
    compared = text_of(cells_with(cells, "compare_with_theory(decays")[0])
    assert "nothing of nature" in compared
    assert "agrees" in compared
    assert figures(cells) == 5


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.mark.xdist_group("notebooks")
@pytest.mark.parametrize("online", [False, True], ids=["without a network", "with a server"])
def test_the_real_archive(online, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("RINGDECAY_CACHE", str(tmp_path / "cache"))
    with ExitStack() as stack:
        address = f"http://127.0.0.1:{free_port()}"
        if online:
            world = simulate.make_truth(start="2015-03-15", days=5, first_storm=2.5)
            simulate.archive(tmp_path / "archive", start="2015-03-15", days=5, truth=world, probes=("b",), workers=1, faults=False)
            address = stack.enter_context(serving(tmp_path / "archive")).url
        monkeypatch.setenv("RINGDECAY_ARCHIVE", address)
        cells = run(REAL, folder)
    said = "".join(map(text_of, cells))
    assert ("NO NETWORK" in said) is not online
    assert text_of(cells[-1]).startswith("done")
    if online:
        assert said.count("usable") >= 3
        assert "VERDICT: usable" in said
        assert figures(cells) == 1
    else:
        assert not any(cell.get("outputs") for cell in cells[2:-1])
    shutil.rmtree(tmp_path / "archive", ignore_errors=True)
