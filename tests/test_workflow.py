"""The workflow from end to end, on a short simulated archive, and what it does when something is wrong."""

from __future__ import annotations

import itertools
import json
import re
import shutil

import pandas as pd
import pytest
from archive_server import serving
from workflow_run import SHORT, clone, jobs, snakemake

from ringdecay.archive import read_lock
from ringdecay.coverage import read_coverage
from ringdecay.store import content_hash, open_dataset

pytestmark = pytest.mark.xdist_group("workflow")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Give a clone in which nothing has been run."""
    return clone(tmp_path_factory.mktemp("bare") / "clone")


def test_a_bare_call_in_the_root_does_the_whole_job(bare):
    planned = jobs(bare)
    # A year of two probes.
    assert planned["bin_flux"] == 2
    assert planned["average_lifetimes"] == planned["simulate_archive"] == 1
    assert jobs(bare, "--snakefile", "workflow/Snakefile")["bin_flux"] == 2


def test_the_proof_is_a_target_of_its_own(bare):
    assert jobs(bare, "validate") == {"validate": 1, "total": 1}
    assert "validate" not in jobs(bare)


@pytest.mark.parametrize(("config", "parts", "years"), [("storm_2015_03", 1, 1), ("mission", 8, 8)])
def test_real_configs_plan_without_the_network(bare, tmp_path, config, parts, years):
    (tmp_path / "sitecustomize.py").write_text(
        "import socket\ndef no(*_):\n    raise RuntimeError('the network was touched')\nsocket.socket.connect = socket.getaddrinfo = no\n"
    )
    planned = jobs(bare, "--configfile", f"config/{config}.yaml", env={"PYTHONPATH": str(tmp_path)})
    assert planned["bin_flux"] == 2 * parts
    # An archive has a folder a year; a job a folder lists each of them once.
    assert planned["fetch_flux"] == 2 * years
    assert "simulate_archive" not in planned


def test_the_default_profile_is_used_from_both_snakefiles(bare):
    # Snakemake looks for profiles beside the Snakefile; without them downloads are not limited and a killed run does not heal.
    for arguments in ((), ("--snakefile", "workflow/Snakefile")):
        done = snakemake(bare, "--dry-run", *arguments)
        assert "Using workflow specific profile" in done.stdout + done.stderr, arguments


def test_the_slurm_profile_plans(bare):
    # Its executor is a plugin of its own, so only the profile's other settings can be tried here.
    profile = bare / "workflow/profiles/slurm/profile.yaml"
    lines = profile.read_text().splitlines(keepends=True)
    profile.write_text("".join(line for line in lines if not line.startswith(("executor: slurm", "slurm-"))))
    assert jobs(bare, "--workflow-profile", "workflow/profiles/slurm")["bin_flux"] == 2


def test_a_misspelt_key_is_one_clear_sentence(bare, tmp_path):
    (tmp_path / "c.yaml").write_text("storms:\n  treshold: -50\n")
    done = snakemake(bare, "--dry-run", "--configfile", str(tmp_path / "c.yaml"), check=False)
    assert done.returncode != 0
    assert "'treshold' at storms is not a setting; did you mean 'threshold'?" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_table_that_is_not_there_is_said_even_after_a_run(short):
    for given in ("storms={table: nowhere.csv}", "windows={source: table, table: nowhere.csv}"):
        done = snakemake(short, "--dry-run", *SHORT, "--config", given, check=False)
        assert done.returncode != 0
        assert "there is no file nowhere.csv" in done.stdout + done.stderr


def test_a_lock_must_be_there_and_not_be_what_the_run_writes(short):
    for lock, sentence in (("nowhere.tsv", "there is no file nowhere.tsv"), ("results/short/inputs.tsv", "which this run writes itself")):
        done = snakemake(short, "--dry-run", *SHORT, "--config", f"lock={lock}", check=False)
        assert done.returncode != 0
        assert sentence in done.stdout + done.stderr


def test_a_lock_gives_the_same_bytes_offline_from_a_list_of_places(short, tmp_path):
    folder = clone(tmp_path / "clone", like=short)
    cache = tmp_path / "cache"
    shutil.copytree(short / "resources/short/demo-archive", cache)
    first = read_lock(short / "results/short/inputs.tsv")
    # Newer versions, which the lock holds off; no server is there.
    for path in first["path"]:
        if path.startswith("rbsp"):
            (cache / re.sub(r"_v[\d.-]+\.cdf", "_v9.0.0-00.cdf", path)).write_bytes(b"newer")
    shutil.copy(short / "results/short/inputs.tsv", tmp_path / "lock.tsv")
    config = tmp_path / "locked.yaml"
    config.write_text(
        f'run: locked\narchive: ["http://127.0.0.1:9", "https://127.0.0.1:9/mirror"]\nstart: "2015-04-15"\nstop: "2015-05-05"\n'
        f"offline: true\ncache: {cache}\nlock: {tmp_path / 'lock.tsv'}\n"
    )
    snakemake(folder, "results/locked/inputs.tsv", "--configfile", str(config))
    again = read_lock(folder / "results/locked/inputs.tsv")
    assert list(again["sha256"]) == list(first["sha256"])
    assert (folder / "results/locked/inputs.tsv").read_text().startswith("# SIMULATED")
    logs = [path.read_text() for path in (folder / "logs").rglob("*.log")]
    assert not any("\r" in log for log in logs), "no bars in the logs of jobs"


def test_a_server_that_fails_again_and_again_gives_what_the_folder_gives(short, tmp_path):
    folder = clone(tmp_path / "clone", like=short)
    faults = itertools.cycle(
        ["", "500", "", "", "reset", "", "cut@5000", "", "", "drip:0.01", "gzip!", "", "503:1", "nolength-cut", "", ""]
    )
    with serving(short / "resources/short/demo-archive") as server:
        server.piece = 100_000
        server.faults = {
            "/" + str(path.relative_to(server.root)) + "/" * path.is_dir(): [lambda: next(faults)] * 30 for path in server.root.rglob("*")
        }
        config = tmp_path / "flaky.yaml"
        config.write_text(f'run: flaky\narchive: {server.url}\nstart: "2015-04-15"\nstop: "2015-05-05"\n')
        snakemake(folder, "resources/flaky/binned.nc", "results/flaky/inputs.tsv", "--configfile", str(config))
        assert server.most_at_once <= 4
    assert content_hash(open_dataset(folder / "resources/flaky/binned.nc")) == content_hash(
        open_dataset(short / "resources/short/binned.nc")
    )
    assert list(read_lock(folder / "results/flaky/inputs.tsv")["sha256"]) == list(read_lock(short / "results/short/inputs.tsv")["sha256"])
    assert not list((folder / "cache").rglob("*.part*"))


def test_a_job_a_year_on_processes_gives_what_jobs_of_a_month_give(short, tmp_path):
    folder, config = clone(tmp_path / "clone", like=short), tmp_path / "years.yaml"
    archive = short / "resources/short/demo-archive"
    config.write_text(f'run: years\narchive: {archive}\nstart: "2015-04-15"\nstop: "2015-05-05"\ndask: processes\nbinning_job: year\n')
    # Of the four cores that a job would like it has the two of the run.
    snakemake(folder, "resources/years/binned.nc", "--configfile", str(config))
    assert sorted(path.name for path in (folder / "resources/years/binned").iterdir()) == ["a_2015.nc", "b_2015.nc"]
    years, months = (open_dataset(run / "binned.nc") for run in (folder / "resources/years", short / "resources/short"))
    assert content_hash(years) == content_hash(months)
    assert (folder / "results/years/files.csv").read_bytes() == (short / "results/short/files.csv").read_bytes()


def test_a_run_makes_everything_it_names(short):
    results = short / "results/short"
    names = {str(path.relative_to(results)) for path in results.rglob("*") if path.is_file()}
    figures = {
        f"figures/{name}.{kind}"
        for name in (
            "overview",
            "storm_fits",
            "lifetime_map",
            "lifetime_curves",
            "lifetime_surface",
            "theory_ratio",
            "coverage",
            "coverage_cells",
            "energy_content",
            "estimators",
            "theory_map",
            "storm_channels",
            "residuals",
            "rate_distributions",
            "pitch_angles",
            "probes",
            "sensitivity",
        )
        for kind in ("png", "svg")
    }
    tables = {
        "storms.csv",
        "decays.nc",
        "decays.csv",
        "estimators.csv",
        "estimator_ratios.csv",
        "lifetimes.nc",
        "lifetimes.csv",
        "lifetimes.tex",
        "surface.nc",
        "surface.csv",
        "theory.nc",
        "theory.csv",
        "theory_factors.csv",
        "start_delays.nc",
        "start_delays.csv",
        "pitch_angles.nc",
        "pitch_angles.csv",
        "sensitivity.nc",
        "sensitivity.csv",
        "energy_content.nc",
        "energy_content.csv",
        "pressure.csv",
        "energy_decay.nc",
        "energy_decay.csv",
        "influence.csv",
        "dependence.csv",
        "files.csv",
        "inputs.tsv",
        "provenance.json",
        "explorer.html",
        "summary.html",
        "summary.json",
        "coverage.html",
        "coverage.csv",
        "coverage_cells.csv",
    }
    assert names == figures | tables
    assert jobs(short, *SHORT) == {}


def test_results_say_simulated_on_their_face(short):
    results = short / "results/short"
    for table in (
        "lifetimes.csv",
        "surface.csv",
        "theory.csv",
        "theory_factors.csv",
        "start_delays.csv",
        "decays.csv",
        "estimators.csv",
        "estimator_ratios.csv",
        "storms.csv",
        "files.csv",
        "inputs.tsv",
        "coverage.csv",
        "coverage_cells.csv",
        "energy_content.csv",
        "pressure.csv",
        "energy_decay.csv",
        "influence.csv",
        "dependence.csv",
        "start_delays.csv",
        "pitch_angles.csv",
        "sensitivity.csv",
    ):
        assert "SIMULATED" in (results / table).read_text()[:500], table
    for page in ("coverage.html", "summary.html"):
        assert "SIMULATED" in (results / page).read_text(), page
    assert "SIMULATED" in (results / "lifetimes.tex").read_text()
    assert open_dataset(results / "lifetimes.nc").attrs["simulated"] == "yes"
    for figure in results.glob("figures/*.svg"):
        # The map of predictions is of no data at all.
        assert ("THEORY" if figure.stem == "theory_map" else "SIMULATED") in figure.read_text(), figure.name


def test_results_carry_what_they_were_made_from(short):
    results = short / "results/short"
    record = json.loads((results / "provenance.json").read_text())
    lock = pd.read_csv(results / "inputs.tsv", sep="\t", comment="#")
    assert record["inputs"]["files"] == len(lock) > 30
    assert record["config"]["storms"]["threshold"] == -80
    assert record["versions"]["numpy"]
    inside = json.loads(open_dataset(results / "decays.nc").attrs["provenance"])
    assert inside["source_fingerprint"] == record["source_fingerprint"]
    assert record["content_hash"]["decays"] == content_hash(open_dataset(results / "decays.nc"))


def test_a_change_of_code_reruns_what_it_feeds_and_no_more(short):
    path = short / "ringdecay/decays/windows.py"
    text = path.read_text()
    try:
        path.write_text(text + "\n# a comment is no change\n")
        assert jobs(short, *SHORT) == {}
        path.write_text(text + "\n_CHANGED = 1\n")
        planned = jobs(short, *SHORT)
        assert {"fit_decays", "average_lifetimes", "write_tables"} <= set(planned)
        assert not {"simulate_archive", "fetch_flux", "bin_flux", "merge_binned", "find_storms"} & set(planned)
    finally:
        path.write_text(text)


def test_a_change_of_the_config_reruns_what_it_feeds_and_no_more(short, tmp_path):
    (tmp_path / "c.yaml").write_text((short / ".test/config/config.yaml").read_text() + "windows:\n  start_delay_days: 2\n")
    planned = jobs(short, "--configfile", str(tmp_path / "c.yaml"))
    assert "fit_decays" in planned
    assert not {"bin_flux", "find_storms", "simulate_archive"} & set(planned)
    # All that is said over storms is of one probe's fits.
    (tmp_path / "c.yaml").write_text((short / ".test/config/config.yaml").read_text() + "lifetimes:\n  probe: joint\n")
    planned = jobs(short, "--configfile", str(tmp_path / "c.yaml"))
    assert {"average_lifetimes", "fit_surface", "relate_storms"} <= set(planned)
    assert "fit_decays" not in planned


def test_the_demonstration_again_gives_the_same_values(short, tmp_path):
    again = clone(tmp_path / "again", like=short)
    snakemake(again, "results/short/lifetimes.nc", *SHORT, "--cores", "1")
    one, other = (open_dataset(folder / "results/short/lifetimes.nc") for folder in (short, again))
    assert content_hash(one) == content_hash(other)


@pytest.fixture(scope="module")
def damaged(short, tmp_path_factory):
    """Give a clone, the text of a config for a copy of the short archive with gaps, the copy, and the names of four days of probe a.

    Of these days one is cut, one is HTML, one is missing and one is empty; of probe b there is no file of May. Tests add
    to the config: their runs share what is binned.
    """
    folder, archive = (tmp_path_factory.mktemp("damaged") / name for name in ("clone", "archive"))
    clone(folder, like=short)
    shutil.copytree(short / "resources/short/demo-archive", archive)
    days = sorted((archive / "rbsp/rbspa").rglob("*.cdf"))
    days[3].write_bytes(days[3].read_bytes()[:-1000])
    days[4].write_text("<html>503</html>")
    days[5].unlink()
    days[6].write_bytes(b"")
    for day in (archive / "rbsp/rbspb").rglob("*_201505??_*.cdf"):
        day.unlink()
    config = f'run: damaged\narchive: {archive}\nstart: "2015-04-15"\nstop: "2015-05-05"\n'
    return folder, config, archive, [day.name for day in days[3:7]]


def run_with(folder, config, *arguments, check=True):
    """Run the workflow of a clone with the text of a config."""
    path = folder / "damaged.yaml"
    path.write_text(config)
    return snakemake(folder, *arguments, "--configfile", str(path), check=check)


def test_bad_days_are_counted_and_the_run_goes_on(damaged):
    folder, config, _, names = damaged
    # In paper mode and with workers of their own for the fits, so that these, too, are seen to run to their end.
    run_with(folder, config + "fit:\n  mode: paper\n", "--set-threads", "fit_decays=2")
    results = folder / "results/damaged"
    assert open_dataset(results / "lifetimes.nc").attrs["mode"] == "paper"
    files = pd.read_csv(results / "files.csv", comment="#").set_index("name")
    for name, word in ((names[0], "cut short"), (names[1], "HTML"), (names[3], "empty file")):
        assert files.loc[name, "status"] == "refused"
        assert word in files.loc[name, "reason"]
    assert names[2] not in files.index
    assert (files["status"] == "used").sum() > 30
    # The table of days says the same, day by day, and has the gaps too.
    days = read_coverage(results / "coverage.csv").set_index(["probe", "date"])
    assert len(days) == 3 * 20
    assert (days.loc["a"]["status"] == "refused").sum() == 3
    assert (days.loc["a"]["status"] == "no file").sum() == 1
    missing = days.loc["b"].query("status == 'no file'").index
    # The simulated archive has a gap of its own, in April.
    assert missing[missing >= "2015-05"].tolist() == ["2015-05-01", "2015-05-02", "2015-05-03", "2015-05-04"]
    assert (days.loc[""]["status"] == "known").all()
    assert int(days["records_used"].sum()) == files["records_used"].sum() > 10_000
    page = (results / "coverage.html").read_text()
    assert f"probe b ({len(missing)}): " in page
    assert "2015-05-01 to 2015-05-04" in page
    assert "an empty file" in page
    cells = pd.read_csv(results / "coverage_cells.csv", comment="#")
    for name in ("MLT", "MLAT"):
        assert cells.loc[cells["coordinate"] == name, "records"].sum() == files["records_used"].sum()


def test_no_storm_at_all_is_said_and_still_gives_results(damaged):
    folder, config, _, _ = damaged
    done = run_with(folder, config + "storms:\n  threshold: -1000\n")
    results = folder / "results/damaged"
    assert len(pd.read_csv(results / "storms.csv", comment="#")) == 0
    assert open_dataset(results / "decays.nc").sizes["storm"] == 0
    assert "no storm reaches -1000 nT" in done.stderr


def test_a_missing_archive_is_one_clear_sentence(damaged, tmp_path):
    folder, config, archive, _ = damaged
    config = config.replace(str(archive), str(tmp_path / "nowhere")).replace("damaged", "nowhere")
    done = run_with(folder, config, "results/nowhere/lifetimes.nc", check=False)
    assert done.returncode != 0
    assert f"{tmp_path / 'nowhere'}" in done.stderr
    assert "ringdecay: " in done.stderr
    logs = [path.read_text() for path in (folder / "logs/nowhere").rglob("*.log")]
    assert logs
    assert not any("Traceback" in log for log in logs)
