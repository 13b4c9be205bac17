"""The documents build without a warning, their examples run, and what scripts write into pages is what the code says now."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib import import_module

import architecture_page
import config_page
import pytest
import reference_pages
from conftest import ROOT
from sphinx.util.inventory import InventoryFile
from test_structure import LAYERS

import ringdecay
from ringdecay.cli import main

PAGES = [path for path in ROOT.glob("docs/**/*.md") if "_build" not in path.parts]
WRITTEN = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "config/README.md", ROOT / "results/README.md"]
ROOMS = [room for room in LAYERS if room != "cli"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Give the folder of pages; every warning is an error, and every example runs."""
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "--keep-going", "-q", "-D", "nb_execution_mode=force", "-d", folder / "trees"]
    done = subprocess.run([*command, ROOT / "docs", folder / "html"], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def documented(built):
    """Give the names that the reference has: functions and classes, and commands."""
    with (built / "objects.inv").open("rb") as stream:
        inventory = InventoryFile.load(stream, "", lambda base, path: base + path)
    return {name for kind, names in dict(inventory).items() if kind.startswith(("py:", "std:")) for name in names}


@pytest.mark.xdist_group("docs")
def test_the_pages_build_and_need_no_network(built):
    for path in built.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|link)\b[^>]*\b(?:src|href)="((?:https?:)?//[^"]+)"', path.read_text(encoding="utf-8"))
        assert not loaded, path


@pytest.mark.xdist_group("docs")
def test_every_public_function_is_in_the_reference(documented):
    for room in ROOMS:
        module = import_module(f"ringdecay.{room}")
        for name in getattr(module, "__all__", []):
            if callable(getattr(module, name)) and getattr(module, name).__module__.startswith("ringdecay"):
                assert f"ringdecay.{room}.{name}" in documented, name
    for name, home in ringdecay._HOMES.items():
        assert not home or f"ringdecay.{home}.{name}" in documented


@pytest.mark.xdist_group("docs")
def test_every_command_and_option_is_in_the_reference(documented):
    for name, command in main.commands.items():
        for option in (option for parameter in command.params for option in parameter.opts if option.startswith("--")):
            assert f"ringdecay-{name}.{option}" in documented


@pytest.mark.xdist_group("docs")
def test_simulated_stands_on_pages_with_simulated_results(built):
    for name in ("tutorial", "index", "paper", "how_to/own_storms", "how_to/mirror", "how_to/offline", "how_to/new_product"):
        assert "SIMULATED" in (built / f"{name}.html").read_text(encoding="utf-8"), name


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_page_is_in_a_list_of_pages():
    lists = [
        (path, block) for path in PAGES for block in re.findall(r"```\{toctree\}(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    ]
    listed = set()
    for path, block in lists:
        for name in (line.split("<")[-1].rstrip(">") for line in block.splitlines() if line and not line.startswith(":")):
            listed.add((ROOT / "docs" / name[1:] if name.startswith("/") else path.parent / name).with_suffix(".md"))
    assert {path for path in PAGES if path.name != "index.md" or path.parent.name != "docs"} == listed


def test_the_table_of_settings_is_that_of_the_schema():
    text = config_page.PAGE.read_text(encoding="utf-8")
    assert config_page.with_settings(text) == text, "write it anew: make pages"


def test_every_room_is_on_a_page_of_the_reference():
    assert set(ROOMS) <= {room for _, _, rooms in reference_pages.PAGES.values() for room in rooms}
    for name in reference_pages.PAGES:
        assert (reference_pages.FOLDER / f"{name}.md").read_text(encoding="utf-8") == reference_pages.page(name), (
            "write it anew: make pages"
        )
    index = reference_pages.INDEX.read_text(encoding="utf-8")
    assert index == reference_pages.with_index(index), "write it anew: make pages"


def test_the_tables_of_rooms_and_outputs_are_those_of_the_code():
    text = architecture_page.PAGE.read_text(encoding="utf-8")
    assert architecture_page.with_tables(text) == text, "write it anew: make pages"
    made = {name for _, names in architecture_page.rules() for name in names}
    assert {"lifetimes.nc", "decays.csv", "figures/lifetime_map.png", "provenance.json", "binned.nc"} <= made


def test_the_picture_of_the_stages_is_of_public_functions_and_of_files_that_are_made():
    kept = architecture_page.PICTURE.read_text(encoding="utf-8")
    assert kept == architecture_page.picture(), "draw it anew: make pages"
    assert ET.fromstring(kept).get("viewBox")
    made = {name for _, names in architecture_page.rules() for name in names}
    for room, (_, _, functions, result) in architecture_page.STAGES.items():
        module = import_module(f"ringdecay.{room}")
        assert all(callable(getattr(module, name)) for name in functions), room
        file = result.split(", ")[-1]
        assert file in made or any(name.startswith(file) for name in made) or not file.endswith((".nc", ".csv", ".tsv", "/")), file
    for one, other in architecture_page.ARROWS:
        assert architecture_page.STAGES[one][1] <= architecture_page.STAGES[other][1], "data flow downwards"
