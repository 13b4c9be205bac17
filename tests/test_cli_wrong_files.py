"""The command line given files and folders that are not what it asks for: one sentence, and no advice that does harm."""

from __future__ import annotations

import fake_results as fake
import pytest
from click.testing import CliRunner

from ringdecay.cli import main
from ringdecay.store import write_dataset


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Give a folder with fits, with means, and with each of them over one dimension more, as start_delays.nc and sensitivity.nc are."""
    folder = tmp_path_factory.mktemp("files")
    decays, mean = fake.decays()[["tau", "rate", "flag"]], fake.lifetimes()
    made = {
        "decays": decays,
        "lifetimes": mean,
        "start_delays": decays.expand_dims(start_delay_days=[0.5, 1.0]),
        "sensitivity": mean.expand_dims(choice=["as it is", "another"]),
    }
    for name, dataset in made.items():
        write_dataset(dataset, folder / f"{name}.nc")
    return folder


@pytest.mark.parametrize(
    ("command", "name", "wanted"),
    [
        ("lifetimes", "start_delays.nc", "decays.nc"),
        ("lifetimes", "lifetimes.nc", "decays.nc"),
        ("plot", "sensitivity.nc", "lifetimes.nc"),
        ("plot", "start_delays.nc", "lifetimes.nc"),
        ("plot", "decays.nc", "lifetimes.nc"),
    ],
)
def test_a_result_of_another_kind_is_refused_by_name(files, tmp_path, command, name, wanted):
    result = CliRunner().invoke(main, [command, str(files / name), "-o", str(tmp_path / "out.png")])
    assert result.exit_code == 1
    assert f"{name} is no {wanted}" in result.stderr


def test_a_file_of_the_users_own_is_never_to_be_deleted(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("the only copy\n")
    result = CliRunner().invoke(main, ["table", str(notes)])
    assert result.exit_code == 1
    assert "expected a netCDF file" in result.stderr
    assert "delete" not in result.stderr


def test_a_table_that_is_written_is_named(files, tmp_path):
    result = CliRunner().invoke(main, ["table", str(files / "lifetimes.nc"), "-o", str(tmp_path / "lifetimes.csv")])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{tmp_path / 'lifetimes.csv'}: ")


def test_a_folder_with_nothing_above_it_is_no_run():
    result = CliRunner().invoke(main, ["explore", "/", "--no-browser"])
    assert result.exit_code == 1
    assert "expected a file of the run, found no file" in result.stderr
