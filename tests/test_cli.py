"""The command line: one stage after the other, as a user would call them."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import types
from pathlib import Path

import pandas as pd
import pytest
from archive_server import FOLDER, PAP, make_archive, pap_name, serving
from click.testing import CliRunner

from ringdecay import progress
from ringdecay.cli import main
from ringdecay.store import open_dataset


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


def lines(*arguments: object) -> list[str]:
    """What goes to standard output, without what is said beside it."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def answer(*arguments: object, code: int = 0) -> dict:
    """What a script gets: one JSON object on standard output, and nothing else there."""
    result = CliRunner().invoke(main, [*map(str, arguments), "--json"])
    assert result.exit_code == code, result.output
    found = json.loads(result.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert isinstance(found, dict)
    return found


def test_the_help_is_a_start_for_a_newcomer():
    text = run("--help")
    assert "make run" in text
    assert "ringdecay fit a.nc --storms storms.csv" in text
    assert "Exit status: 0" in text
    # All commands, in the order of the work.
    commands = text[text.index("Commands:") :].splitlines()[1:]
    assert not any(line.endswith("...") for line in commands), "a line has room for all that it says"
    listed = [line.split()[0] for line in commands]
    assert set(listed) == set(main.commands)
    assert listed[:7] == ["simulate", "fetch", "check", "bin", "storms", "fit", "lifetimes"]
    assert run("--version").startswith("ringdecay, version")


def test_every_command_teaches_how_to_use_it_by_an_example_that_is_right():
    for name, command in main.commands.items():
        text = run(name, "--help")
        assert "Usage:" in text
        # A sentence of what it does, and a description of every option of its own.
        assert command.help
        for option in command.params:
            assert getattr(option, "help", None) or option.param_type_name == "argument", f"{name} {option.name}"
        example = next(line.strip() for line in text[text.index("Example:") :].splitlines()[1:])
        program, called, *arguments = shlex.split(example)
        assert (program, called) == ("ringdecay", name)
        # Parsed, not run: every option is there, and nothing is missing.
        assert command.make_context(called, arguments)


def test_info_for_people_and_for_programs():
    assert "rbspice-pap-tofxeh" in run("info")
    record = answer("info", "--config", "config/mission.yaml")
    assert record["config"]["fit"]["mode"] == "calibrated"
    assert record["versions"]["numpy"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    assert "SIMULATED" in run("simulate", folder, "--days", 16, "--workers", 1)
    return folder


def test_one_stage_after_the_other(archive, tmp_path, monkeypatch):
    lock = tmp_path / "a.tsv"
    span = ("--start", "2015-04-15", "--stop", "2015-05-01", "--archive", archive)
    assert "nothing was loaded" in run("fetch", "rbspice-pap-tofxeh", "-p", "a", *span, "--dry-run")
    output = run("fetch", "rbspice-pap-tofxeh", "-p", "a", *span, "--lock", lock)
    assert "missing: 0" in output
    assert len(run("fetch", "--locked", lock, "--archive", archive).splitlines()) == 17
    assert "SIMULATED" in lock.read_text().splitlines()[0]
    assert "16 files used, 0 refused" in run("bin", lock, "--archive", archive, "-o", tmp_path / "a.nc")
    index = sorted((archive / "omni/omni_cdaweb").rglob("*.cdf"))
    assert "1 storms" in run("storms", *index, "--threshold", -80, "-o", tmp_path / "storms.csv")
    fitted = answer("fit", tmp_path / "a.nc", "--storms", tmp_path / "storms.csv", "-o", tmp_path / "decays.nc")
    assert fitted["storms"] == 1
    assert fitted["fits"] > fitted["fits_resolved"] > 0
    assert fitted["simulated"] is True
    assert "(SIMULATED)" in run("lifetimes", tmp_path / "decays.nc", "-o", tmp_path / "lifetimes.nc")
    assert open_dataset(tmp_path / "lifetimes.nc")["tau"].notnull().any()
    run("table", tmp_path / "lifetimes.nc", "-o", tmp_path / "lifetimes.csv")
    assert pd.read_csv(tmp_path / "lifetimes.csv", comment="#")["tau"].notna().any()
    assert "tau_low" in run("table", tmp_path / "decays.nc")
    run("plot", tmp_path / "lifetimes.nc", "-o", tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")

    # The same for scripts; what is not a number there is null.
    cells = answer("lifetimes", tmp_path / "decays.nc", "-o", tmp_path / "again.nc")["cells"]
    table = pd.read_csv(tmp_path / "lifetimes.csv", comment="#")
    assert [cell["tau"] for cell in cells if cell["tau"] is not None] == pytest.approx(table["tau"].dropna().tolist(), rel=1e-7)
    assert answer("table", tmp_path / "lifetimes.nc")["n_rows"] == len(table)
    (storm,) = answer("storms", *index, "--threshold", -80, "-o", tmp_path / "again.csv")["storms"]
    assert storm["depth"] < -80
    assert storm["minimum"].endswith("Z")
    record = answer("fetch", "rbspice-pap-tofxeh", "-p", "a", *span, "--lock", lock)
    assert len(record["files"]) == 16
    assert all(Path(file["file"]).is_file() and len(file["sha256"]) == 64 for file in record["files"])
    assert (record["missing"], record["simulated"], record["lock"]) == ([], True, str(lock))
    binned = answer("bin", record["files"][0]["file"], "README.md", "-o", tmp_path / "b.nc")
    assert (binned["files_used"], binned["files_refused"], binned["refused"][0]["name"]) == (1, 1, "README.md")

    # People at a terminal get tables that they can read.
    for module in ("analysis", "results"):
        monkeypatch.setattr(f"ringdecay.cli.{module}.is_looked_at", lambda: True)
    monkeypatch.setenv("COLUMNS", "140")
    shown = run("storms", *index, "--threshold", -80, "-o", tmp_path / "again.csv").splitlines()
    assert any(storm["minimum"] in line and "intense" in line for line in shown)
    shown = run("lifetimes", tmp_path / "decays.nc", "-o", tmp_path / "again.nc")
    assert "L = 4.05" in shown
    assert "SIMULATED" in shown
    assert "flag_meanings" in run("table", tmp_path / "lifetimes.nc")


FETCH = ("fetch", "hope-pa", "-p", "a", "--start", "2015-01-02", "--stop")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((*FETCH, "2015-01-01", "--archive", "."), "wrong way round"),
        ((*FETCH, "2015-01-03", "--archive", "nowhere"), "nowhere"),
        (("fetch", "--locked", "README.md", "--archive", "."), "expected a lock"),
        (("lifetimes", "none.nc", "-o", "x.nc"), "no file"),
        (("table", "README.md"), "netCDF"),
        (("table", "README.md", "--json"), "netCDF"),
        (("simulate", "nowhere", "--start", "foo"), "start"),
        (("storms", "README.md", "-o", "x.csv"), "README.md"),
        (("info", "--config", "none.yaml"), "no file"),
        (("validate", "--trials", "quik"), "did you mean 'quick'"),
    ],
)
def test_a_mistake_ends_with_one_sentence_and_status_1(arguments, sentence):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("lifetime",), "Did you mean 'lifetimes'?"),
        (("fit", "a.nc", "--storm", "x", "-o", "y.nc"), "--storms"),
        (
            ("fetch", "rbspise-tofxeh", "--start", "2015-01-01", "--stop", "2015-01-02", "--archive", "."),
            "did you mean 'rbspice-tofxeh'?",
        ),
        (("bin", "README.md", "-o", "x.nc", "--product", "hope"), "did you mean 'hope-pa'?"),
        (("check", "README.md", "--product", "none"), "is not known"),
        (("fetch", "--archive", "."), "give PRODUCT, --start and --stop, or a table of files with --locked"),
        (("fetch", "hope-pa", "--locked", "README.md", "--archive", "."), "--locked says which files"),
        (("storms", "README.md"), "Missing option '-o'"),
    ],
)
def test_a_wrong_call_has_status_2(arguments, sentence):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr.splitlines()[-1]
    assert result.stdout == ""


def test_progress_and_warnings_go_to_standard_error(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    result = CliRunner().invoke(main, ["check", "--json", "README.md", "pyproject.toml"])
    assert result.exit_code == 1
    assert [file["usable"] for file in json.loads(result.stdout)["files"]] == [False, False]
    assert result.stderr.splitlines() == ["INFO checking: 50 % (1 of 2 files), 0 s", "INFO checking: 100 % (2 of 2 files), 0 s"]
    result = CliRunner().invoke(main, ["bin", "README.md", "-o", str(tmp_path / "x.nc")])
    assert "WARNING refused: README.md" in result.stderr
    assert result.stdout == ""


@pytest.fixture
def explorer(monkeypatch):
    """Stand in for the explorer, and give what it was asked for."""
    asked = []

    def explore(folder: Path, *, open_browser: bool = True) -> Path:
        asked.append((folder, open_browser))
        return folder / "explorer.html"

    module = types.ModuleType("ringdecay.explorer")
    module.explore = explore  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ringdecay.explorer", module)
    return asked


def test_explore_opens_the_page_or_only_names_it(explorer):
    assert run("explore", "results/demo") == "results/demo/explorer.html\n"
    assert run("explore", "results/demo", "--no-browser") == "results/demo/explorer.html\n"
    assert explorer == [(Path("results/demo"), True), (Path("results/demo"), False)]


def test_a_dry_run_tells_files_and_bytes_and_loads_nothing(tmp_path):
    span = ("--start", "2013-01-26", "--stop", "2013-01-31")
    with serving(make_archive(tmp_path / "archive")) as server:
        places = ("--archive", server.url, "--archive", tmp_path / "archive", "--cache", tmp_path / "cache")
        listed = lines("fetch", PAP, "-p", "a", *span, *places[:2], *places[4:], "--dry-run")
        assert listed[0] == f"to load   about 0.003 MB  {FOLDER}/{pap_name('20130126')}"
        assert listed[-1] == "4 files: 0 here (0.0 MB), 4 to load (about 0.0 MB); missing: 1 (2013-01-29); nothing was loaded"
        record = answer("fetch", PAP, "-p", "a", *span, *places[:2], *places[4:], "--dry-run")
        assert record["missing"] == ["2013-01-29"]
        assert len(record["files"]) == 4
        assert record["bytes_to_load"] == sum(sum(file["bytes"]) // 2 for file in record["files"]) > 0
        assert not (tmp_path / "cache").exists()
        run("fetch", PAP, "-p", "a", *span, *places[:2], *places[4:], "--lock", tmp_path / "lock.tsv")
        before = server.requests.total()
        offline = lines("fetch", PAP, "-p", "a", *span, *places[:2], *places[4:], "--offline", "--dry-run")
        assert offline[0] == f"here            0.003 MB  {FOLDER}/{pap_name('20130126')}"
        assert offline[-1].startswith("4 files: 4 here (0.0 MB), 0 to load (0.0 MB); missing: 1")
        locked = lines("fetch", "--locked", tmp_path / "lock.tsv", *places, "--dry-run")
        assert locked[-1].startswith("4 files: 4 here")
        assert server.requests.total() == before
        # The listing gives no sizes, and one file cannot be asked for.
        links = "".join(f'<a href="{path.name}">x</a>\n' for path in sorted((tmp_path / "archive" / FOLDER).iterdir()))
        server.faults = {f"/{FOLDER}/": f"page:<h1>Index of</h1>{links}", f"/{FOLDER}/{pap_name('20130128')}": "404"}
        unknown = lines("fetch", PAP, "-p", "a", *span, *places[:2], "--cache", tmp_path / "other", "--dry-run")
        assert unknown[2].startswith("to load     size unknown")
        assert "4 to load (0.0 MB and 1 of unknown size)" in unknown[-1]


def test_a_lock_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("where a folder should be")
    span = ("--start", "2013-01-26", "--stop", "2013-01-27")
    place = ("--archive", make_archive(tmp_path / "archive"), "--lock", tmp_path / "file" / "lock.tsv")
    assert run("fetch", PAP, "-p", "a", *span, *place, code=1).startswith("Error: ")


def test_the_module_runs_like_the_command():
    done = subprocess.run([sys.executable, "-m", "ringdecay.cli", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == run("--version")


def test_no_command_overwrites_its_input_or_writes_nothing_with_success(archive, tmp_path):
    day = sorted((archive / "rbsp/rbspa").rglob("*.cdf"))[0]
    before = day.read_bytes()
    assert "is an input" in run("bin", day, "-o", day, code=1)
    assert day.read_bytes() == before
    assert "none of the 1 files can be used" in run("bin", "README.md", "-o", tmp_path / "x.nc", code=1)
    assert not (tmp_path / "x.nc").exists()
    assert "a folder" in run("bin", day, "-o", tmp_path, code=1)


def test_simulate_spares_files_that_are_not_its_own(tmp_path):
    name = "rbsp/rbspa/l3/rbspice/pap_tofxeh/2015/rbsp-a-rbspice_lev-3-pap_tofxeh_20150415_v1.2.4-03.cdf"
    real = tmp_path / name
    real.parent.mkdir(parents=True)
    real.write_bytes(b"a measurement")
    assert "files that were not simulated" in run("simulate", tmp_path, "--days", 1, "--workers", 1, code=1)
    assert real.read_bytes() == b"a measurement"
    real.unlink()
    assert answer("simulate", tmp_path, "--days", 2, "--workers", 1)["simulated"] is True
    run("simulate", tmp_path, "--days", 1, "--workers", 1, "--seed", 7)
    # The second day of the first world is gone.
    assert [path.name for path in (tmp_path / "rbsp/rbspa").rglob("*.cdf")] == [real.name]
