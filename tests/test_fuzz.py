"""Two thousand damaged CDF files, and that the judge of them sees what it is there for. `make fuzz` does a hundred thousand."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import fuzz_cdf
import fuzz_judge
import numpy as np
import pytest
from conftest import ROOT
from fuzz_map import CLASSES
from fuzz_mutate import KINDS, Mutant, mutate
from fuzz_seeds import Seed, make_seeds

from ringdecay.errors import FileError

MUTANTS, SEED = 2000, 20
# Some variables of the sound files are too small to be worth compressing, which NASA's library says.
pytestmark = pytest.mark.filterwarnings("ignore:DID_NOT_COMPRESS")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory) -> list[Seed]:
    return make_seeds(tmp_path_factory.mktemp("seeds"), None)


@pytest.fixture(scope="module")
def known(seeds, tmp_path_factory):
    return fuzz_cdf.originals(seeds, tmp_path_factory.mktemp("sound"))


def test_damaged_files_end_in_the_same_data_or_in_an_error_that_names_the_file(tmp_path):
    tally = fuzz_cdf.run(tmp_path, mutants=MUTANTS, seed=SEED, workers=1)
    assert not tally.failures, tally.report()
    outcomes = Counter(outcome for (_, outcome), count in tally.outcomes.items() for _ in range(count))
    assert sum(outcomes.values()) == MUTANTS
    # Damage that is always refused, or never seen, would be a harness that tests nothing.
    assert min(outcomes["error"], outcomes["same"], outcomes["other"]) > MUTANTS // 50
    # A cut file is always an error.
    assert {outcome for (kind, outcome) in tally.outcomes if kind in ("cut", "cut_block")} == {"error"}


def test_the_map_explains_every_byte(seeds):
    for seed in seeds:
        assert not (seed.map.classes == CLASSES.index("gap")).any(), seed.name
        assert seed.map.end <= len(seed.content)


def test_the_map_knows_where_values_are(seeds):
    plain = next(seed for seed in seeds if seed.name == "cdflib-plain")
    energy = np.geomspace(10, 600, 5, dtype="<f4").tobytes()
    at = plain.content.index(energy)
    assert (plain.map.classes[at : at + 20] == CLASSES.index("value")).all()
    assert {plain.map.names[owner] for owner in plain.map.owners[at : at + 20]} == {"energy"}


def test_a_mutant_is_known_by_its_numbers(seeds, tmp_path):
    again = make_seeds(tmp_path, None)
    assert [seed.name for seed in again] == [seed.name for seed in seeds]
    mutants = [mutate(seeds, SEED, number) for number in range(2 * len(KINDS))]
    for number, one in enumerate(mutants):
        other = mutate(again, SEED, number)
        assert (one.kind, one.what, one.content) == (other.kind, other.what, other.content)
    assert {one.kind for one in mutants} == set(KINDS)
    # Another seed is other damage.
    assert sum(one.content == mutate(seeds, SEED + 1, one.number).content for one in mutants) < len(KINDS) // 2


def changed(seed: Seed, kind: str) -> Mutant:
    """Change the first byte of a class."""
    content = bytearray(seed.content)
    content[int(np.flatnonzero(seed.map.classes == CLASSES.index(kind))[0])] ^= 1
    return Mutant(0, seed, "bits", kind, bytes(content))


@pytest.mark.parametrize(
    ("kind", "outcome"), [("value", "other"), ("compressed", "FAILURE"), ("unused", "FAILURE"), ("offset", "elsewhere")]
)
def test_other_values_are_allowed_only_where_no_reader_can_know(seeds, known, kind, outcome):
    seed = next(seed for seed in seeds if seed.name == "cdflib-gzip")
    mutant = changed(seed, kind)
    original = known[seed.name]
    at = np.flatnonzero(seed.map.classes == CLASSES.index(kind))[0]
    owner = seed.map.names[seed.map.owners[at]] if kind == "value" else "flux"
    found = fuzz_judge._judge_values(original, mutant, original.values | {owner: "another"}, original.attributes)
    assert found[0] == outcome, found
    # The bytes of one variable do not explain another's values.
    other = "double" if owner == "flux" else "flux"
    unexplained = fuzz_judge._judge_values(original, mutant, original.values | {other: "another"}, original.attributes)
    assert unexplained[0] == ("elsewhere" if kind == "offset" else "FAILURE")
    assert fuzz_judge._judge_values(original, mutant, original.values, original.attributes)[0] == "same"


def test_a_spliced_signature_may_bring_another_file_and_a_flipped_one_may_not(seeds, known):
    whole, column = (next(seed for seed in seeds if seed.name == name) for name in ("cdflib-whole", "cdflib-column"))
    original = known["cdflib-whole"]
    others = dict.fromkeys(original.values, "another")
    splice = Mutant(0, whole, "splice", "from byte 4 on", whole.content[:4] + column.content[4:])
    for mutant, outcome in ((splice, "other"), (changed(whole, "magic"), "FAILURE")):
        assert fuzz_judge._judge_values(original, mutant, others, "others")[0] == outcome
        assert fuzz_judge._judge_values(original, mutant, original.values, "others")[0] == outcome


def test_a_cut_file_that_is_read_is_a_failure(seeds, known):
    seed = seeds[0]
    mutant = Mutant(0, seed, "cut", "cut", seed.content[:-1])
    original = known[seed.name]
    assert fuzz_judge._judge_values(original, mutant, original.values, original.attributes)[0] == "FAILURE"


def test_only_a_sentence_that_names_the_file_is_an_error(tmp_path):
    path = tmp_path / "x.cdf"
    assert fuzz_judge._judge_error(path, FileError(path, "a", "b", "c"))[0] == "error"
    for error in (ValueError(str(path)), FileError("y.cdf", "a", "b", "c"), FileError(path, "a", "two\nlines", "c"), KeyError("x")):
        assert fuzz_judge._judge_error(path, error)[0] == "FAILURE"
    hidden = FileError(path, "a", "b", "c")
    hidden.__cause__ = MemoryError()
    assert fuzz_judge._judge_error(path, hidden)[0] == "FAILURE"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is limited on Linux only")
def test_memory_is_limited():
    code = "import fuzz_cdf; fuzz_cdf.limit_memory(); bytearray(2**29); bytearray(2**30 + 2**29)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "tests", env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "MemoryError" in done.stderr


def test_a_mutant_that_takes_too_long_or_kills_the_process_is_named(seeds, known, tmp_path, monkeypatch):
    mutant = mutate(seeds, SEED, 2)

    def endless(*_):
        while True:
            pass

    monkeypatch.setattr(fuzz_cdf, "SECONDS", 0.2)
    monkeypatch.setattr(fuzz_cdf, "judge", endless)
    before = fuzz_cdf.signal.signal(fuzz_cdf.signal.SIGPROF, fuzz_cdf._too_slow)
    try:
        assert fuzz_cdf.one(tmp_path, known[mutant.seed.name], mutant) == ("FAILURE", "more than 0.2 s")
    finally:
        fuzz_cdf.signal.signal(fuzz_cdf.signal.SIGPROF, before)
    # A share whose process ends at once, because its folder of real files is none, is a failure of its first mutant.
    tally = fuzz_cdf.Tally()
    monkeypatch.setattr(fuzz_cdf.sys, "executable", "false")
    fuzz_cdf._share(tmp_path, None, SEED, range(3, 9, 2), tally)
    assert [failure[:9] for failure in tally.failures] == ["mutant 3 "]


def _environment() -> dict[str, str]:
    return dict(fuzz_cdf.os.environ) | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
