"""A Dask cluster of real processes, one of which is killed in the middle of the work of the workflow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from distributed import Client
from pap_file import pap_file
from workflow_run import clone

import ringdecay as rd
from ringdecay.products import get_product

# Loaded by the workers: reading a CDF file takes longer, and who read it is written down.
SLOW = """
import os, sys, time
def slow(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".cdf"):
        with open({log!r}, "a") as stream:
            stream.write(f"{{os.getpid()}} {{os.path.basename(arguments[0])}}\\n")
        time.sleep(0.25)
sys.addaudithook(slow)
"""
DAYS = 8


@pytest.fixture
def started(tmp_path):
    """Give a function that starts a command of the environment and is sure to end it."""
    running = []

    def start(*command: str, env: dict[str, str] | None = None, cwd: Path = tmp_path) -> subprocess.Popen[str]:
        command = (str(Path(sys.executable).with_name(command[0])), *command[1:])
        with (tmp_path / "commands.log").open("a") as log:
            running.append(subprocess.Popen(command, cwd=cwd, env=os.environ | (env or {}), stdout=log, stderr=log, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def until(found, seconds=240.0):
    """Wait for a value that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.03)
    raise AssertionError(f"nothing in {seconds} s")


def freeze_in_the_middle(client: Client, workers: dict[str, subprocess.Popen[str]]) -> str | None:
    """Stop a worker that holds results nobody else has and is at work on another; give its name if there is one."""
    for name, process in workers.items():
        addresses = [address for address, worker in client.scheduler_info(n_workers=-1)["workers"].items() if worker["name"] == name]
        for address in addresses:
            if client.has_what()[address] and client.processing()[address]:
                process.send_signal(signal.SIGSTOP)
                # Asked again: frozen it can neither finish nor hand on.
                if client.has_what()[address] and client.processing()[address]:
                    return name
                process.send_signal(signal.SIGCONT)
    return None


def test_a_worker_killed_in_the_middle_changes_nothing(tmp_path, started):
    archive = tmp_path / "archive"
    folder = archive / get_product("rbspice-pap-tofxeh").directory.format(probe="a", year="2015")
    folder.mkdir(parents=True)
    name = "rbsp-a-rbspice_lev-3-pap_tofxeh_201507{:02d}_v1.cdf"
    # Noon to noon, so that time bins lie in two files.
    # Records all day, so that time bins lie in two files.
    span = {"records": 300, "step": 288_000_000_000}
    files = [pap_file(folder / name.format(day), start=f"2015-07-{day:02d}", **span)[0] for day in range(1, DAYS + 1)]
    serial = rd.content_hash(rd.bin_flux(files, product="rbspice-pap-tofxeh"))

    project, log = clone(tmp_path / "clone"), tmp_path / "read.log"
    (tmp_path / "slow.py").write_text(SLOW.format(log=str(log)))
    env = {"PYTHONPATH": str(project)}
    where = tmp_path / "scheduler.json"
    started("dask", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(where))
    until(where.is_file)
    address = until(lambda: json.loads(where.read_text() or "{}"))["address"]
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--preload", str(tmp_path / "slow.py"))
    workers = {who: started("dask", "worker", address, "--name", who, *options, env=env) for who in ("one", "other")}
    config = tmp_path / "cluster.yaml"
    config.write_text(
        f'run: cluster\narchive: {archive}\nstart: "2015-07-01"\nstop: "2015-07-{DAYS + 1:02d}"\nprobes: [a]\ndask: {address}\n'
    )
    with Client(address) as client:
        client.wait_for_workers(2, timeout=240)
        target = "resources/cluster/binned/a_201507.nc"
        run = started("snakemake", "--cores", "1", target, "--configfile", str(config), env=env, cwd=project)
        killed = until(lambda: freeze_in_the_middle(client, workers))
        workers[killed].kill()
        assert run.wait(timeout=240) == 0, (tmp_path / "commands.log").read_text()

    assert rd.content_hash(rd.open_dataset(project / target)) == serial
    read_by: dict[str, set[int]] = {}
    for line in log.read_text().splitlines():
        process, file = line.split()
        read_by.setdefault(file, set()).add(int(process))
    assert set(read_by) == {path.name for path in files}
    # What the dead worker had read was read again by the other.
    assert {process.pid for process in workers.values()} in read_by.values()
