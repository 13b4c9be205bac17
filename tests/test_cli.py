"""The command line: one stage after the other, as a user would call them."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest
from archive_server import FOLDER, PAP, make_archive, pap_name, serving
from click.testing import CliRunner

from ringdecay.cli import main
from ringdecay.store import open_dataset


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_every_command_teaches_how_to_use_it():
    assert "ringdecay fit a.nc --storms storms.csv" in run("--help")
    for command in main.commands:
        text = run(command, "--help")
        # A sentence of what it does, and a description of every option of its own.
        assert main.commands[command].help
        for option in main.commands[command].params:
            assert getattr(option, "help", None) or option.param_type_name == "argument", f"{command} {option.name}"
        assert "Usage:" in text
    assert run("--version").startswith("ringdecay, version")


def test_info_for_people_and_for_programs():
    assert "rbspice-pap-tofxeh" in run("info")
    record = json.loads(run("info", "--config", "config/mission.yaml", "--json"))
    assert record["config"]["fit"]["mode"] == "calibrated"
    assert record["versions"]["numpy"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    assert "SIMULATED" in run("simulate", folder, "--days", 16, "--workers", 1)
    return folder


def test_one_stage_after_the_other(archive, tmp_path):
    lock = tmp_path / "a.tsv"
    span = ("--start", "2015-04-15", "--stop", "2015-05-01", "--archive", archive)
    assert "nothing was loaded" in run("fetch", "rbspice-pap-tofxeh", "-p", "a", *span, "--dry-run")
    output = run("fetch", "rbspice-pap-tofxeh", "-p", "a", *span, "--lock", lock)
    assert "missing: 0" in output
    assert "16 files used, 0 refused" in run("bin", lock, "--archive", archive, "-o", tmp_path / "a.nc")
    assert len(run("fetch", "--locked", lock, "--archive", archive).splitlines()) == 17
    assert "SIMULATED" in lock.read_text().splitlines()[0]
    index = sorted((archive / "omni/omni_cdaweb").rglob("*.cdf"))
    assert "1 storms" in run("storms", *index, "--threshold", -80, "-o", tmp_path / "storms.csv")
    fitted = run("fit", tmp_path / "a.nc", "--storms", tmp_path / "storms.csv", "-o", tmp_path / "decays.nc")
    assert "of 1 storms (SIMULATED)" in fitted
    assert "(SIMULATED)" in run("lifetimes", tmp_path / "decays.nc", "-o", tmp_path / "lifetimes.nc")
    assert open_dataset(tmp_path / "lifetimes.nc")["tau"].notnull().any()
    run("table", tmp_path / "lifetimes.nc", "-o", tmp_path / "lifetimes.csv")
    assert pd.read_csv(tmp_path / "lifetimes.csv", comment="#")["tau"].notna().any()
    assert "tau_low" in run("table", tmp_path / "decays.nc")
    run("plot", tmp_path / "lifetimes.nc", "-o", tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("fetch", "rbspice", "--start", "2015-01-01", "--stop", "2015-01-02", "--archive", "."), "is not known"),
        (("fetch", "hope-pa", "-p", "a", "--start", "2015-01-02", "--stop", "2015-01-01", "--archive", "."), "wrong way round"),
        (("fetch", "hope-pa", "-p", "a", "--start", "2015-01-01", "--stop", "2015-01-02", "--archive", "nowhere"), "nowhere"),
        (("fetch", "--archive", "."), "give PRODUCT, --start and --stop, or a table of files with --locked"),
        (("fetch", "hope-pa", "--locked", "README.md", "--archive", "."), "--locked says which files"),
        (("fetch", "--locked", "README.md", "--archive", "."), "expected a lock"),
        (("lifetimes", "none.nc", "-o", "x.nc"), "no file"),
        (("table", "README.md"), "netCDF"),
        (("simulate", "nowhere", "--start", "foo"), "start"),
        (("storms", "README.md", "-o", "x.csv"), "README.md"),
        (("info", "--config", "none.yaml"), "no file"),
    ],
)
def test_a_mistake_ends_with_one_sentence_and_a_status(arguments, sentence):
    output = run(*arguments, code=1)
    assert output.startswith("Error: ")
    assert sentence in output
    assert len(output.strip().splitlines()) == 1


def test_a_dry_run_tells_files_and_bytes_and_loads_nothing(tmp_path):
    span = ("--start", "2013-01-26", "--stop", "2013-01-31")
    with serving(make_archive(tmp_path / "archive")) as server:
        places = ("--archive", server.url, "--archive", tmp_path / "archive", "--cache", tmp_path / "cache")
        lines = run("fetch", PAP, "-p", "a", *span, *places[:2], *places[4:], "--dry-run").splitlines()
        assert lines[0] == f"to load   about 0.003 MB  {FOLDER}/{pap_name('20130126')}"
        assert lines[-1] == "4 files: 0 here (0.0 MB), 4 to load (about 0.0 MB); missing: 1 (2013-01-29); nothing was loaded"
        assert not (tmp_path / "cache").exists()
        run("fetch", PAP, "-p", "a", *span, *places[:2], *places[4:], "--lock", tmp_path / "lock.tsv")
        before = server.requests.total()
        offline = run("fetch", PAP, "-p", "a", *span, *places[:2], *places[4:], "--offline", "--dry-run").splitlines()
        assert offline[0] == f"here            0.003 MB  {FOLDER}/{pap_name('20130126')}"
        assert offline[-1].startswith("4 files: 4 here (0.0 MB), 0 to load (0.0 MB); missing: 1")
        locked = run("fetch", "--locked", tmp_path / "lock.tsv", *places, "--dry-run").splitlines()
        assert locked[-1].startswith("4 files: 4 here")
        assert server.requests.total() == before
        # The listing gives no sizes, and one file cannot be asked for.
        links = "".join(f'<a href="{path.name}">x</a>\n' for path in sorted((tmp_path / "archive" / FOLDER).iterdir()))
        server.faults = {f"/{FOLDER}/": f"page:<h1>Index of</h1>{links}", f"/{FOLDER}/{pap_name('20130128')}": "404"}
        unknown = run("fetch", PAP, "-p", "a", *span, *places[:2], "--cache", tmp_path / "other", "--dry-run").splitlines()
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
    run("simulate", tmp_path, "--days", 2, "--workers", 1)
    run("simulate", tmp_path, "--days", 1, "--workers", 1, "--seed", 7)
    # The second day of the first world is gone.
    assert [path.name for path in (tmp_path / "rbsp/rbspa").rglob("*.cdf")] == [real.name]
