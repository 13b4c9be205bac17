"""The house: who may know whom, how long a file may be, and that all lists of dependencies agree."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from conftest import ROOT
from packaging.requirements import Requirement

import ringdecay
import ringdecay.plots
from ringdecay.fingerprint import imported_modules, source_fingerprint

PACKAGE = ROOT / "ringdecay"
# A room may import rooms that stand before it, never one after it. theory stands aside: it knows only the errors.
LAYERS = [
    "errors", "lazy", "fingerprint", "config", "logs", "compiled", "progress", "schedule", "store", "theory", "cdf", "products", "archive",
    "ephemeris", "flux", "indices", "check", "storms", "binned", "decays", "lifetime", "start_delays", "tables", "summaries",
    "energy_content", "simulate", "surface", "beside_theory", "sensitivity", "pitch_angles", "validate", "coverage", "plots", "explorer",
    "provenance", "run_summary", "cli",
]  # fmt: skip
# What a bare Python of this environment has imported before the first line of a program: an editable install brings a finder.
_BARE = [sys.executable, "-c", "import sys; print(*sys.modules)"]
STARTUP = set(subprocess.run(_BARE, capture_output=True, text=True, check=True).stdout.split())
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def rooms_imported(path) -> set[str]:
    return {name.split(".")[0] for name in imported_modules(path.read_text(), PACKAGE)}


def test_every_room_has_its_place():
    assert {room_of(path) for path in MODULES} == set(LAYERS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_imports_a_later_room(path):
    here = LAYERS.index(room_of(path))
    assert not {room for room in rooms_imported(path) if LAYERS.index(room) > here}


@pytest.mark.parametrize("room", ["archive", "cdf"])
def test_archive_and_cdf_know_nothing_of_ring_currents(room):
    known = {"errors", "progress", "store", "products", "cdf", room}
    for path in MODULES:
        if room_of(path) == room:
            assert rooms_imported(path) <= known, path


def test_modules_do_not_import_each_other_in_circles():
    imports = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): set(
            imported_modules(path.read_text(), PACKAGE)
        )
        for path in MODULES
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way, name))
        if name in done:
            return
        # A folder's __init__ hands out names of its own modules; they import one another directly, not through it.
        for other in imports.get(name, set()):
            if not (other == name or name.startswith(f"{other}.")):
                visit(other, (*way, name))
        done.add(name)

    for name in imports:
        visit(name, ())


def test_no_file_is_too_long_to_read_in_one_sitting():
    for path in [*MODULES, *(ROOT / "workflow").rglob("*.smk"), *(ROOT / "tests").glob("*.py")]:
        assert len(path.read_text().splitlines()) <= 400, path


def test_workflow_scripts_are_thin():
    for path in (ROOT / "workflow/scripts").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 25, path


def test_scripts_with_worker_processes_do_nothing_when_these_import_them():
    guarded = set()
    for path in (ROOT / "workflow/scripts").glob("*.py"):
        tree = ast.parse(path.read_text())
        if {"dask_on", "validate", "simulate"} & {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
            own = [node for node in tree.body[1:] if not isinstance(node, ast.Import | ast.ImportFrom)]
            assert [ast.unparse(node.test) if isinstance(node, ast.If) else node for node in own] == ["__name__ == '__main__'"], path
            guarded.add(path.stem)
    assert guarded >= {"bin_flux", "fit_decays", "compare_delays", "fit_pitch_angles", "vary_choices", "simulate_archive", "validate"}


@pytest.mark.parametrize("package", [ringdecay, ringdecay.plots], ids=["ringdecay", "plots"])
def test_every_public_name_can_be_had_whatever_was_loaded_before(package):
    folder = Path(package.__file__).parent
    modules = [path.stem for path in folder.glob("*.py") if path.stem != "__init__"]
    for module in modules:
        import_module(f"{package.__name__}.{module}")
    for name in package.__all__:
        value = getattr(package, name)
        assert isinstance(value, ModuleType) == (package._HOMES.get(name) == ""), f"{name} is hidden by a module of its name"
    assert {name for name in dir(package) if not name.startswith("__")} == set(package._HOMES)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = package.nothing
    # What type checkers are told is what is handed out.
    tree = ast.parse((folder / "__init__.py").read_text())
    told = {alias.name: node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names if alias.asname}
    assert told == {name: ".".join(filter(None, (package.__name__, home))) for name, home in package._HOMES.items()}


def test_a_figure_does_not_wait_for_what_others_need():
    said = (
        "import sys; from ringdecay import plots; plots.coverage_calendar; print('numba' in sys.modules, 'scipy.optimize' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert project["version"] == ringdecay.__version__ == citation["version"]
    assert f"## {ringdecay.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def locked_versions() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9_.-]+)==([^ \\;]+)", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_dependencies_agree_between_project_lock_and_conda():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.match(r"[A-Za-z0-9-]+", item)[0].lower() for item in project["dependencies"]}
    extra = {re.match(r"[A-Za-z0-9-]+", item)[0].lower() for item in project["optional-dependencies"]["dev"]}
    locked = locked_versions()
    assert declared | extra <= set(locked)
    for item in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        requirement = Requirement(item)
        for version in locked[requirement.name.lower()]:
            assert requirement.specifier.contains(version), f"{item} does not allow the locked {version}"
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = dict(item.split("=") for item in environment if isinstance(item, str) and "=" in item)
    by_pip = next(item["pip"] for item in environment if isinstance(item, dict))
    conda |= dict(item.split("==") for item in by_pip if "==" in item)
    conda_names = {"snakemake-minimal": "snakemake", "matplotlib-base": "matplotlib"}
    pinned = {conda_names.get(name, name): version for name, version in conda.items() if name != "python"}
    assert set(pinned) == declared
    for name, version in pinned.items():
        # conda-forge has no post-releases of its own.
        assert version in {re.sub(r"\.post\d+$", "", found) for found in locked[name]}, name


def test_the_lock_file_has_hashes_and_no_address():
    text = (ROOT / "requirements.lock").read_text()
    requirements = re.split(r"\n(?=[a-z])", text.strip())
    assert len(requirements) > 50
    assert all("--hash=sha256:" in requirement for requirement in requirements)
    assert "://" not in text
    assert "--index-url" not in text


def test_the_package_imports_nothing_that_is_not_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.match(r"[A-Za-z0-9-]+", item)[0].lower() for item in project["dependencies"]}
    modules = {"yaml": "pyyaml", "netCDF4": "netcdf4"}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for name in names:
                top = name.split(".")[0]
                if top not in sys.stdlib_module_names and top != "ringdecay":
                    assert modules.get(top, top) in declared, f"{path} imports {top}"


def test_reading_the_workflow_needs_none_of_the_science_packages():
    # The workflow catalogue reads the workflow where only Snakemake is installed.
    code = (
        "import sys\n"
        "class No:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] in {'numpy', 'xarray', 'dask', 'scipy', 'matplotlib', 'cdflib', 'netCDF4', 'pandas'}:\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, No())\n"
        "from ringdecay.config import read_config\n"
        "from ringdecay.fingerprint import source_fingerprint\n"
        "print(read_config('config/mission.yaml')['run'], source_fingerprint())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mission", source_fingerprint()]


@pytest.mark.parametrize("code", ["import ringdecay", "from ringdecay.cli import main; main(['--help'], standalone_mode=False)"])
def test_the_package_and_its_help_import_little(code):
    # What is imported decides how long it takes, and can be told on a machine that is busy.
    code += "\nimport sys\nprint('\\n', *sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found = set(done.stdout.splitlines()[-1].split())
    assert found - set(sys.stdlib_module_names) - STARTUP <= {"ringdecay", "click", "__main__"}


def test_a_fingerprint_is_the_same_in_every_process_and_says_what_matters(tmp_path):
    (tmp_path / "ringdecay").mkdir()
    module = tmp_path / "ringdecay" / "one.py"
    code = f"from ringdecay.fingerprint import *; print(source_fingerprint('one', root=Path({str(module.parent)!r})))"

    def fingerprint(text: str, seed: str = "0") -> str:
        module.write_text(text)
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        return run.stdout.strip()

    text = "def f(x: int = 1) -> bool:\n    'What it does.'\n    return x in {'a', 'b', 'c', ('d', 1.5)}\n"
    first = fingerprint(text)
    assert {fingerprint(text, seed) for seed in ("1", "2")} == {first}
    assert fingerprint(text.replace("    return", "\n    # why\n    return")) == first
    changes = [("1.5", "1.25"), ("= 1", "= True"), ("int", "str"), ("does", "did"), (" in ", " not in "), ("def f", "async def f")]
    assert len({first, *(fingerprint(text.replace(*change)) for change in changes)}) == 1 + len(changes)


def test_a_fingerprint_sees_code_but_not_comments(tmp_path):
    package = tmp_path / "ringdecay"
    (package / "high").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "low.py").write_text("x = 1\n")
    (package / "aside.py").write_text("y = 1\n")
    (package / "high" / "__init__.py").write_text("def f():\n    from ringdecay.low import x\n    return x\n")
    before = source_fingerprint("high", root=package), source_fingerprint("aside", root=package)
    (package / "low.py").write_text("# a comment\nx = 1\n\n")
    assert (source_fingerprint("high", root=package), source_fingerprint("aside", root=package)) == before
    (package / "low.py").write_text("x = 2\n")
    after = source_fingerprint("high", root=package), source_fingerprint("aside", root=package)
    assert after[0] != before[0]
    assert after[1] == before[1]
    # What lies beside a module, such as the style of figures, counts for the modules of its folder.
    (package / "high" / "look.mplstyle").write_text("font.size: 7\n")
    styled = source_fingerprint("high", root=package)
    (package / "high" / "assets").mkdir()
    (package / "high" / "assets" / "page.js").write_text("let x = 1;\n")
    assert len({after[0], styled, source_fingerprint("high", root=package)}) == 3
    assert source_fingerprint("aside", root=package) == after[1]
    with pytest.raises(ModuleNotFoundError, match="nothing"):
        source_fingerprint("nothing", root=package)
