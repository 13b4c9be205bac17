"""Going on with an interrupted file: the same bytes as in one go, and only where the server vouches that it is the same file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from archive_server import ArchiveServer, cdf_bytes, put, serving

from ringdecay.archive import partial, web
from ringdecay.errors import ArchiveError

SIZE, MARK = 300_000, 1 << 14
PATH = "/data/x.cdf"
FOUR_CUTS = ["cut@50000"] * 4


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ArchiveServer]:
    monkeypatch.setattr(web, "BACKOFF", (0.01, 0.01, 0.01))
    monkeypatch.setattr(partial, "CHECKPOINT", MARK)
    monkeypatch.setattr(web, "CHECKPOINT", 10 * SIZE)  # four attempts in all, however much they bring
    monkeypatch.setenv("RINGDECAY_CACHE", str(tmp_path / "locks"))
    put(tmp_path / "archive", PATH.lstrip("/"), size=SIZE)
    with serving(tmp_path / "archive") as running:
        yield running


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "x.cdf"


def load(server: ArchiveServer, target: Path, **more: object) -> tuple[int, str]:
    arguments: dict[str, object] = {"file_format": "cdf", "sizes": None, "sha256": None, **more}
    with web.open_session() as session:
        return web.download(session, server.url + PATH, target, **arguments)


def source(server: ArchiveServer) -> Path:
    return server.root / PATH.lstrip("/")


def held(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir()} if target.parent.exists() else set()


def assert_right(server: ArchiveServer, target: Path) -> None:
    assert target.read_bytes() == source(server).read_bytes()
    assert held(target) == {target.name}, "nothing hidden is left"


def interrupt(server: ArchiveServer, target: Path, faults: list[str] | None = None) -> int:
    """Let a download break off; give the bytes that wait."""
    server.faults = {PATH: list(faults or FOUR_CUTS)}
    with pytest.raises(ArchiveError, match="in 4 attempts"):
        load(server, target)
    assert not target.exists()
    part = target.with_name(".x.cdf.part")
    server.faults.clear()
    server.ranges.clear()
    server.sent = 0
    return part.stat().st_size if part.exists() else 0


def replace(server: ArchiveServer, size: int = SIZE) -> Callable[[], str]:
    """A fault: the file is another from now on."""

    def change() -> str:
        source(server).write_bytes(cdf_bytes(size, 99))
        os.utime(source(server), (1.6e9, 1.6e9))
        return ""

    return change


def test_the_next_call_has_only_the_rest_to_load(server: ArchiveServer, target: Path) -> None:
    assert interrupt(server, target) == 200_000
    assert held(target) == {".x.cdf.part", ".x.cdf.part.journal"}
    assert load(server, target) == (SIZE, hashlib.sha256(source(server).read_bytes()).hexdigest())
    assert_right(server, target)
    assert (server.ranges, server.sent) == (["bytes=200000-"], 100_000)
    assert target.stat().st_mtime == int(source(server).stat().st_mtime)


def test_each_attempt_goes_on_where_the_last_one_ended(server: ArchiveServer, target: Path) -> None:
    server.faults = {PATH: ["cut@50000", "reset@70000", "500"]}
    load(server, target)
    assert_right(server, target)
    first, second, third = (int(text.removeprefix("bytes=").rstrip("-")) for text in server.ranges)
    assert first == 50_000
    assert second == third <= 120_000, "of a reset connection the last bytes may not have come"


def test_a_line_that_breaks_again_and_again_still_brings_the_file(
    server: ArchiveServer, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "CHECKPOINT", MARK)
    server.faults = {PATH: ["cut@20000"] * 14}
    load(server, target)
    assert_right(server, target)
    assert len(server.ranges) == 14
    target.unlink()
    server.faults = {PATH: ["cut@3000"] * 14}
    with pytest.raises(ArchiveError, match="in 4 attempts"):
        load(server, target)


def test_the_time_of_modification_serves_where_there_is_no_tag(server: ArchiveServer, target: Path) -> None:
    server.etags = ""
    os.utime(source(server), (1.5e9, 1.5e9))
    assert interrupt(server, target) == 200_000
    load(server, target)
    assert_right(server, target)
    assert (server.ranges, target.stat().st_mtime) == (["bytes=200000-"], 1.5e9)


@pytest.mark.parametrize(("etags", "dates", "age"), [("weak", True, 1e6), ("", False, 1e6), ("weak", False, 1e6), ("", True, 5.0)], ids=str)
def test_without_a_strong_validator_nothing_waits(server: ArchiveServer, target: Path, etags: str, dates: bool, age: float) -> None:
    server.etags, server.dates = etags, dates
    modified = source(server).stat().st_mtime - age
    os.utime(source(server), (modified, modified))
    assert interrupt(server, target) == 0
    assert held(target) == set()
    load(server, target)
    assert_right(server, target)
    assert server.ranges == []


@pytest.mark.parametrize("fault", ["chunked-cut", "gzip-cut"])
def test_a_body_of_unknown_length_does_not_wait(server: ArchiveServer, target: Path, fault: str) -> None:
    assert interrupt(server, target, [fault] * 4) == 0
    assert held(target) == set()


@pytest.mark.parametrize("size", [SIZE, SIZE + 1000, 150_000, 200_000])
def test_a_file_that_changed_in_between_is_loaded_anew(server: ArchiveServer, target: Path, size: int) -> None:
    interrupt(server, target)
    replace(server, size)()
    assert load(server, target)[0] == size
    assert_right(server, target)
    assert server.sent == size


def test_a_file_that_changes_in_the_middle_is_loaded_anew(server: ArchiveServer, target: Path) -> None:
    server.faults = {PATH: ["cut@100000", replace(server, SIZE + 5), "cut@100000"]}
    load(server, target)
    assert_right(server, target)


@pytest.mark.parametrize(
    ("fault", "requests"), [("norange", 1), ("badstart", 2), ("badtotal", 2), ("norangehead", 2), ("416", 2), ("gzip!", 1), ("206", 2)]
)
def test_a_wrong_answer_to_the_range_is_not_appended(server: ArchiveServer, target: Path, fault: str, requests: int) -> None:
    interrupt(server, target)
    before = server.requests["GET", PATH]
    server.faults = {PATH: fault if fault != "416" else ["416"]}
    if fault == "206":
        server.faults = {PATH: ["206"]}  # an HTML page as part
    load(server, target)
    assert_right(server, target)
    assert server.requests["GET", PATH] - before == requests


@pytest.mark.parametrize(
    ("etags", "dates", "size"), [("strong", True, SIZE), ("strong", False, SIZE), ("", True, SIZE), ("", True, SIZE + 1000)]
)
def test_a_server_that_ignores_the_condition_is_caught(server: ArchiveServer, target: Path, etags: str, dates: bool, size: int) -> None:
    server.etags, server.dates = etags, dates
    os.utime(source(server), (1.5e9, 1.5e9))
    interrupt(server, target)
    replace(server, size)()
    server.faults = {PATH: "noif"}
    load(server, target)
    assert_right(server, target)
    assert len(server.ranges) == 1


def test_a_resumed_file_with_the_wrong_hash_is_loaded_once_more(server: ArchiveServer, target: Path) -> None:
    interrupt(server, target)
    whole = source(server).read_bytes()
    digest = hashlib.sha256(whole).hexdigest()
    # The server lies on everything: other bytes under the same tag, size and time. Only the hash can tell.
    journal = target.with_name(".x.cdf.part.journal")
    part = target.with_name(".x.cdf.part")
    wrong = whole[:100] + bytes(199_900)
    part.write_bytes(wrong)
    journal.write_text(journal.read_text().splitlines()[0] + f"\n200000 {hashlib.sha256(wrong).hexdigest()}\n")
    assert load(server, target, sha256=digest) == (SIZE, digest)
    assert_right(server, target)
    assert (len(server.ranges), server.sent) == (1, 100_000 + SIZE)


def test_a_fresh_file_with_the_wrong_hash_is_an_error_at_once(server: ArchiveServer, target: Path) -> None:
    with pytest.raises(ArchiveError, match="changed since the lock was made"):
        load(server, target, sha256="0" * 64)
    assert server.requests["GET", PATH] == 1
    assert held(target) == set()


def test_a_part_of_another_address_is_not_gone_on_with(server: ArchiveServer, target: Path) -> None:
    interrupt(server, target)
    with serving(server.root) as mirror:
        load(mirror, target)
        assert mirror.ranges == []
    assert_right(server, target)


def test_a_part_of_which_nothing_is_left_on_the_server_goes_with_it(server: ArchiveServer, target: Path) -> None:
    interrupt(server, target)
    server.faults = {PATH: "404"}
    with pytest.raises(web.NotThereError):
        load(server, target)
    assert held(target) == set()


def test_a_file_that_changed_since_the_listing_is_said_to(server: ArchiveServer, target: Path) -> None:
    interrupt(server, target)
    replace(server, SIZE + 5000)()
    with pytest.raises(ArchiveError, match="has 305000 bytes, but the archive's listing says about 300100; try again later"):
        load(server, target, sizes=(299_900, 300_100))
    assert not target.exists()
    load(server, target)
    assert_right(server, target)


LIES = [
    "404", "403", "416", "206", "500", "503:0", "429", "redirect:/y", "cut", "cut@0", "cut@70000", "reset", "reset@90000", "long", "short",
    "nolength", "nolength-cut", "chunked", "chunked-cut", "html", "html!", "type:image/png", "type:", "gzip!", "gzip-cut", "br", "norange",
    "badstart", "badtotal", "norangehead", "noif", "bytes:", "bytes:x", "",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_lies_in_whatever_order_only_the_file_is_seen(server: ArchiveServer, target: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    server.etags = ["strong", "weak", ""][seed % 3]
    states = {source(server).read_bytes()}

    def change() -> str:
        replace(server, SIZE + int(rng.integers(-10_000, 10_000)))()
        states.add(source(server).read_bytes())
        return str(rng.choice(LIES))

    for _ in range(4):
        server.faults = {PATH: [change if rng.random() < 0.1 else str(rng.choice(LIES)) for _ in range(6)]}
        with contextlib.suppress(ArchiveError):
            size, digest = load(server, target)
            assert (size, digest) in {(len(state), hashlib.sha256(state).hexdigest()) for state in states}
        assert not target.exists() or target.read_bytes() in states
        assert held(target) <= {"x.cdf", ".x.cdf.part", ".x.cdf.part.journal"}
    server.faults.clear()
    load(server, target)
    assert_right(server, target)


# --- what lies on the disk ------------------------------------------------------------------------------------------------


def flipped(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :]


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_part_is_gone_on_with_up_to_the_damage(server: ArchiveServer, target: Path, seed: int) -> None:
    interrupt(server, target)
    part = target.with_name(".x.cdf.part")
    position = int(np.random.default_rng(seed).integers(200_000))
    part.write_bytes(flipped(part.read_bytes(), position))
    load(server, target)
    assert_right(server, target)
    begin = int(server.ranges[0].removeprefix("bytes=").rstrip("-")) if server.ranges else 0
    assert begin <= position
    assert position - begin < 1 << 18, "a piece and a mark at most are loaded again"


def test_what_was_added_to_a_part_is_not_in_the_file(server: ArchiveServer, target: Path) -> None:
    interrupt(server, target)
    with target.with_name(".x.cdf.part").open("ab") as part:
        part.write(bytes(400_000))
    load(server, target)
    assert_right(server, target)
    assert server.ranges == ["bytes=200000-"]


def test_a_line_that_was_not_ended_does_not_spoil_the_next(server: ArchiveServer, target: Path) -> None:
    interrupt(server, target)
    with target.with_name(".x.cdf.part.journal").open("ab") as journal:
        journal.write(b"2500")
    interrupt(server, target, ["cut@40000", "500", "500", "500"])
    load(server, target)
    assert server.ranges == ["bytes=240000-"]
    assert_right(server, target)


@pytest.mark.parametrize("cut", [0, 1, 100, 50_000, 199_999])
def test_a_cut_part_is_gone_on_with(server: ArchiveServer, target: Path, cut: int) -> None:
    interrupt(server, target)
    os.truncate(target.with_name(".x.cdf.part"), cut)
    load(server, target)
    assert_right(server, target)


DAMAGES: list[Callable[[str, str, dict[str, object]], str]] = [
    lambda first, rest, _: (first + rest)[: (len(first) + len(rest)) // 2],
    lambda first, rest, _: first + rest[:-10],
    lambda *_: "",
    lambda *_: "\n",
    lambda first, _, __: first,
    lambda _, rest, __: "{}\n" + rest,
    lambda _, rest, __: "null\n" + rest,
    lambda first, rest, _: first + "\n" + rest,
    lambda first, rest, _: first + rest + "99999999999999999999 x\n",
    lambda first, rest, _: first + rest + "-1 x\n",
    lambda _, rest, state: json.dumps(state | {"size": 10}) + "\n" + rest,
    lambda _, rest, state: json.dumps(state | {"size": "many"}) + "\n" + rest,
    lambda _, rest, state: json.dumps(state | {"size": 10**12}) + "\n" + rest,
    lambda _, rest, state: json.dumps(state | {"etag": "", "modified": ""}) + "\n" + rest,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_journal_costs_time_and_nothing_else(server: ArchiveServer, target: Path, damage: Callable[..., str]) -> None:
    interrupt(server, target)
    journal = target.with_name(".x.cdf.part.journal")
    first, rest = journal.read_text().split("\n", 1)
    journal.write_text(damage(first + "\n", rest, json.loads(first)))
    load(server, target)
    assert_right(server, target)


def test_the_marks_of_many_attempts_are_all_believed(server: ArchiveServer, target: Path) -> None:
    some, none = ["cut@60000", "500", "cut@0", "500"], ["500", "cut@0", "cut@0", "503"]
    for faults in (some, some, none, none, some):
        assert interrupt(server, target, faults) > 0
    load(server, target)
    assert server.ranges == ["bytes=180000-"]
    assert_right(server, target)


def test_a_part_without_a_journal_is_overwritten(server: ArchiveServer, target: Path) -> None:
    target.parent.mkdir()
    target.with_name(".x.cdf.part").write_bytes(bytes(500_000))
    load(server, target)
    assert_right(server, target)
    assert server.ranges == []


# --- progress -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [[], ["cut@50000", "reset@1000"], ["cut@50000", "badtotal"], ["chunked-cut", "chunked-cut"], ["500"]])
def test_the_progress_adds_up_to_the_file(server: ArchiveServer, target: Path, faults: list[str]) -> None:
    interrupt(server, target, ["cut@10000"] * 4)
    server.faults = {PATH: list(faults)}
    steps: list[int] = []
    size, _ = load(server, target, on_bytes=steps.append)
    assert sum(steps) == size == SIZE
    assert steps[0] == 40_000, "what was there counts, too"
    assert (min(steps) < 0) == ("badtotal" in faults), "what is thrown away is taken back"
    assert_right(server, target)
