"""`ringdecay check`: each expectation can fail, and the verdict is the reader's."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from changed_file import changed_file
from click.testing import CliRunner
from pap_file import pap_file

import ringdecay as rd
from ringdecay.cdf import open_cdf
from ringdecay.check import check_file, recognise, report
from ringdecay.cli import main
from ringdecay.errors import InputError
from ringdecay.products import PRODUCTS

NAME = "rbsp-a-rbspice_lev-3-pap_tofxeh_20150415_v1.2.4-03.cdf"
PRODUCT = "rbspice-pap-tofxeh"


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    folder = tmp_path_factory.mktemp("day")
    rd.simulate.archive(folder, start="2015-04-15", days=1, workers=1)
    return next(folder.rglob(NAME))


def verdicts(table) -> dict[str, str]:
    return {f"{row.group}: {row.expectation}": row.verdict for row in table.itertuples()}


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["check", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def opens(path, product=PRODUCT) -> bool:
    try:
        rd.open_flux(path, product)
    except Exception:  # noqa: BLE001 - whatever it raises, the file cannot be used
        return False
    return True


def test_a_file_as_it_should_be(day):
    table = check_file(day)
    assert table.attrs["usable"] is True
    assert table.attrs["sentence"] == "usable"
    assert (table.attrs["product"], table.attrs["probe"], table.attrs["date"]) == (PRODUCT, "a", "20150415")
    assert set(table["verdict"]) == {"holds", "unknown"}
    assert list(table[table["verdict"] == "unknown"]["expectation"]) == ["valid ranges"]
    text = report(table)
    assert "SIMULATED" in text.splitlines()[0]
    assert text.endswith("VERDICT: usable")
    assert max(map(len, text.splitlines())) <= 100


# -- what can be wrong with a file -----------------------------------------------------------------------------------------------------


def turn(v):
    for name in ("FPDU", "FPDU_Error", "FPDU_Quality"):
        v[name].values = v[name].values.transpose(0, 2, 1).copy()
        v[name].attributes |= {"DEPEND_1": "PA_Midpoint", "DEPEND_2": "FPDU_Energy"}


def attribute(name, key, value):
    return lambda v: v[name].attributes.update({key: value})


def values(name, function):
    def change(v):
        v[name].values = np.asarray(function(v[name].values)).astype(v[name].values.dtype)

    return change


def without(*names):
    return lambda v: [v.pop(name) for name in names]


def put(at, value):
    def function(array):
        array = array.copy()
        array[at] = value
        return array

    return function


def both(*changes):
    return lambda v: [change(v) for change in changes]


def vary(v):
    v["FPDU_Energy"].values, v["FPDU_Energy"].varies = np.tile(v["FPDU_Energy"].values, (v["Epoch"].values.size, 1)), True


def as_degrees(v):
    v["MLT"].values, v["MLT"].attributes["VALIDMAX"] = v["MLT"].values * 15, 360.0


KEV = "Counts/(keV-cm^2-s-sr)"
# What is changed -> the line that must say so, its verdict, and whether the file can still be used.
CHANGES = {
    "axes the other way round": (turn, "variables: FPDU", "differs", True),
    "unit without a steradian": (attribute("FPDU", "UNITS", "(cm^2 s MeV)^-1"), "units: FPDU", "fails", False),
    "unit of energy": (attribute("FPDU_Energy", "UNITS", "nT"), "units: FPDU_Energy", "fails", False),
    "a unit that is a thousand times too large": (attribute("FPDU", "UNITS", KEV), "values: average, FPDU_OmniFlux", "differs", True),
    "flux a million times too large": (values("FPDU", lambda f: np.where(f > 0, f * 1e6, f)), "values: flux that is used", "differs", True),
    "other energies": (values("FPDU_Energy", lambda e: e * 1.3), "energies: table", "fails", False),
    "slightly other energies": (values("FPDU_Energy", lambda e: e * 1.02), "energies: table", "differs", True),
    "an energy table a record": (vary, "variables: FPDU_Energy", "differs", True),
    "other energies in some records": (
        both(vary, values("FPDU_Energy", put(slice(50), 0.04 + 0.04 * np.arange(14)))), "energies: one table", "differs", True
    ),
    "no flags": (without("FPDU_Quality"), "variables: FPDU_Quality", "fails", False),
    "other flags": (values("FPDU_Quality", lambda q: q * 0), "quality: FPDU_Quality", "fails", False),
    "few good flags": (values("FPDU_Quality", put(slice(600), 20)), "quality: FPDU_Quality", "differs", True),
    "bad positions": (values("Position_Quality", lambda q: q * 0 + 1), "quality: Position_Quality", "differs", True),
    "no flux": (without("FPDU"), "structure: variables", "fails", False),
    "no place": (without("L", "Position", "Position_SM"), "variables: L", "differs", True),
    "flux of another shape": (values("FPDU", lambda f: f[:, :13]), "variables: FPDU", "fails", False),
    "hours in radians": (attribute("MLT", "UNITS", "radians"), "units: MLT", "differs", True),
    "hours that are degrees": (as_degrees, "position: MLT", "differs", True),
    "hours of another time": (values("MLT", lambda h: (h + 6) % 24), "position: MLT by position", "differs", True),
    "an L of another kind": (values("L", lambda x: x + 0.5), "position: L by position", "differs", True),
    "an L in km": (values("L", lambda x: x * 0 + 9.9), "position: L", "differs", True),
    "an L* below the ground": (values("L_Star", lambda x: x * 0 + 0.5), "position: L_star", "differs", True),
    "an equatorial L of fills": (values("L_Eq", lambda x: x * 0 - 1e31), "position: L_eq", "differs", True),
    "another frame": (values("Position_SM", lambda p: p[:, [2, 0, 1]]), "position: MLAT", "differs", True),
    "another fill": (attribute("FPDU", "FILLVAL", np.float32(-1e30)), "variables: fills", "differs", True),
    "no valid range": (lambda v: v["L"].attributes.pop("VALIDMIN"), "variables: valid ranges", "unknown", True),
    "pitch angles beyond 180": (values("PA_Midpoint", lambda a: a * 1.2), "energies: pitch angles", "differs", False),
    "times that go back": (values("Epoch", put(slice(100, 110), 400_000_000 * 10**9)), "times: order", "differs", True),
    "times that are missing": (values("Epoch", put(slice(5), -(2**63))), "times: no time", "differs", True),
    "no time at all": (values("Epoch", lambda t: t * 0 - 2**62), "times: records", "fails", False),
    "a gap": (values("Epoch", lambda t: t + np.where(np.arange(t.size) > 790, 15 * 60 * 10**9, 0)), "times: gaps", "differs", True),
    "another day": (values("Epoch", lambda t: t + 86400 * 10**9), "times: records", "fails", False),
    "only fills": (values("FPDU", lambda f: f * 0 - 1e31), "values: FPDU", "differs", True),
    "only zeros": (values("FPDU", lambda f: f * 0), "values: flux that is used", "differs", True),
    "negative flux": (values("FPDU", put((3, 4, 5), -1.0)), "values: FPDU", "differs", True),
    "no counts": (values("FPDU_Error", lambda e: e * 0 + 500), "values: counting error", "differs", True),
    "no errors": (without("FPDU_Error"), "values: counting error", "unknown", True),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_changed_is_said_and_the_verdict_is_the_readers(day, tmp_path, what):
    change, line, verdict, usable = CHANGES[what]
    path = changed_file(day, tmp_path / NAME, change)
    table = check_file(path)
    found = verdicts(table)
    assert found[line] == verdict, report(table)
    assert table.attrs["usable"] is usable is opens(path), report(table)
    if usable:
        # Nothing is called a failure that the reader can do without.
        assert "fails" not in found.values()
        assert table.attrs["sentence"].startswith("usable, with" if verdict == "differs" else "usable")
    else:
        assert "fails" in found.values()
        assert table.attrs["sentence"].startswith("cannot be used: expected")
    text = report(table)
    assert max(map(len, text.splitlines())) <= 100
    if verdict != "unknown":
        assert text.index(line.split(": ")[1]) < text.index("HOLDS")
    code, _ = run("-q", path)
    assert code == (0 if usable else 1)


def test_every_line_of_the_report_fails_somewhere(day):
    of_names = {"file: format", "file: whole", "file: name", "file: Logical_source", "file: probe", "file: date"}
    of_reader = {"reader: open_flux"}
    tested = {line for _, line, _, _ in CHANGES.values()}
    lines = {line for line in verdicts(check_file(day)) if not line.startswith(("variables: ", "units: "))}
    assert lines <= tested | of_names | of_reader


def test_a_rewritten_file_is_as_good_as_the_first(day, tmp_path):
    assert check_file(changed_file(day, tmp_path / NAME)).attrs["sentence"] == "usable"


def test_a_file_under_the_name_of_another(day, tmp_path):
    def under(name):
        return check_file(shutil.copy(day, tmp_path / name))

    table = under(NAME.replace("rbsp-a", "rbsp-b"))
    assert verdicts(table)["file: probe"] == "fails"
    assert verdicts(table)["file: Logical_source"] == "differs"
    assert "data of probe b" in table.attrs["sentence"]
    assert table.attrs["simulated"]
    table = under(NAME.replace("20150415", "20121001"))
    assert verdicts(table)["file: date"] == "differs"
    assert verdicts(table)["times: records"] == "fails"
    assert not table.attrs["usable"]
    # The name says nothing, the file does.
    table = under("x.cdf")
    assert verdicts(table)["file: name"] == "differs"
    assert (table.attrs["product"], table.attrs["usable"]) == (PRODUCT, True)
    table = under("rbspa_rel04_ect-hope-pa-l3_20150415_v7.4.0.cdf")
    assert verdicts(table)["file: Logical_source"] == "differs"
    assert not table.attrs["usable"]


def test_all_products_are_recognised_by_their_names():
    assert recognise(NAME.replace("pap_tofxeh", "PAP_TOFxEH")) == (PRODUCT,)
    assert recognise("omni2_2015.dat") == ("omni2-yearly",)
    assert recognise("x.cdf") == ()
    for name, product in PRODUCTS.items():
        for probe in product.probes:
            own = {"Logical_source": [product.dataset.format(PROBE=probe.upper()).lower()]}
            assert not product.dataset or name in recognise("x.cdf", own)


def test_a_leap_second_and_a_day_that_there_is_not(tmp_path):
    # 23:59:50 to 23:59:60, and midnight.
    path = pap_file(tmp_path / NAME.replace("20150415", "20150630"), start="2015-06-30T23:59:50", records=12, step=10**9)[0]
    found = check_file(path).set_index("expectation")["found"]
    assert found["leap second"] == "1 record lies in one"
    assert found["records"].endswith("1 of another day")
    table = check_file(shutil.copy(path, tmp_path / NAME.replace("20150415", "20151332")))
    assert verdicts(table)["times: records"] == "fails"
    assert not table.attrs["usable"]


def test_more_variables_are_counted(day, tmp_path):
    fewer = changed_file(day, tmp_path / NAME, without("ET", "OrbitNumber"))
    sentences = [check_file(path).set_index("expectation").loc["variables", "found"] for path in (fewer, day)]
    assert sentences == ["14 of 14 described variables, 6 more that are not described",
                         "14 of 14 described variables, 9 more that are not described"]  # fmt: skip


# -- damage ----------------------------------------------------------------------------------------------------------------------------


def flip(source, target, name):
    """Flip a bit in the middle of the first compressed block of a variable."""
    stored = open_cdf(source)
    with stored._handle.reading() as content:
        block = stored[name]._index(content)[0]
    raw = bytearray(source.read_bytes())
    raw[block.offset + block.stored // 2] ^= 16
    target.write_bytes(raw)
    return target


def test_damage_is_said_wherever_it_is(day, tmp_path):
    table = check_file(flip(day, tmp_path / NAME, "FPDU"))
    assert verdicts(table)["file: whole"] == "fails"
    assert "damage" in table.attrs["sentence"]
    assert not table.attrs["usable"]
    table = check_file(flip(day, tmp_path / NAME, "FPDU_OmniFlux"))
    assert verdicts(table)["file: whole"] == "differs"
    assert "damaged where the pipeline does not read: fetch it again" in table.attrs["sentence"]
    assert table.attrs["usable"]
    (tmp_path / NAME).write_bytes(day.read_bytes()[:-5000])
    table = check_file(tmp_path / NAME)
    assert verdicts(table)["file: format"] == "fails"
    assert "cut short" in table.attrs["sentence"]


def test_any_damage_ends_in_a_report(tmp_path):
    name = NAME.replace("20150415", "20150630")
    whole = pap_file(tmp_path / name)[0].read_bytes()
    rng = np.random.default_rng(11)
    refused = 0
    for _ in range(50):
        mutant = bytearray(whole)
        for at in rng.integers(0, len(whole), rng.integers(1, 5)):
            mutant[at] ^= 1 << int(rng.integers(8))
        (tmp_path / name).write_bytes(mutant)
        table = check_file(tmp_path / name, PRODUCT)
        assert table.attrs["usable"] is opens(tmp_path / name)
        assert table.attrs["sentence"] in report(table).replace("\n", " ")
        refused += not table.attrs["usable"]
    assert 0 < refused < 50


def test_a_defect_of_the_reader_is_reported_with_its_place(day, monkeypatch):
    def trips(path, product, *, probe):
        return len(path / product) + probe

    monkeypatch.setattr("ringdecay.check.reading.open_flux", trips)
    table = check_file(day)
    assert not table.attrs["usable"]
    assert "TypeError: object of type" in table.attrs["sentence"]
    assert "(check/reading.py, line " in table.attrs["sentence"]
    assert run("-q", day)[0] == 1


def test_a_file_of_wild_shapes_ends_in_a_report(tmp_path):
    rng = np.random.default_rng(5)
    alike = pap_file(tmp_path / "pap.cdf")[0]

    def change(v):
        for name in rng.choice(list(v), 2, replace=False):
            old = v[name].values
            shapes = [old[:0], old[: len(old) // 2], old[..., None], old.reshape(len(old), -1), np.swapaxes(old, -1, 0)]
            v[name].values = np.ascontiguousarray(shapes[rng.integers(len(shapes))])
            v[name].attributes = {key: "x" for key in v[name].attributes if rng.random() < 0.5}

    for _ in range(40):
        path = changed_file(alike, tmp_path / NAME.replace("20150415", "20150630"), change)
        table = check_file(path)
        assert table.attrs["usable"] is opens(path)
        assert json.dumps(table.to_dict("records"))
        assert table.attrs["sentence"] in report(table).replace("\n", " ")


# -- other files -----------------------------------------------------------------------------------------------------------------------


def test_real_files(shared_data):
    (hope,) = shared_data.glob("hope_l3_pa/*.cdf")
    table = check_file(hope)
    found = verdicts(table)
    assert table.attrs["usable"]
    # SpacePy has cut L, L* and MLT out of this file, and the mode.
    assert {line for line, verdict in found.items() if verdict == "differs"} == {
        f"variables: {one.name}" for one in PRODUCTS["hope-pa"].variables.values() if one.name not in open_cdf(hope)
    }
    # Our average over the sphere is the file's own: axes and units are understood.
    assert found["values: average, FPDO"] == "holds"
    for path in (*shared_data.glob("mageis_highrate_cdf/*.cdf"), *shared_data.glob("rbsp_skeleton_cdf/*.cdf")):
        table = check_file(path)
        assert "not a product of ringdecay (the nearest: " in table.attrs["sentence"]
        assert not table.attrs["usable"]
        assert {"file", "structure"} <= set(table["group"])
    assert "7 records x 2, keV" in report(check_file(next(shared_data.glob("mageis_highrate_cdf/*.cdf"))))
    index = check_file(next(shared_data.glob("omni_hro2_5min_cdf/*.cdf")))
    assert index.attrs["usable"]
    assert verdicts(index)["reader: open_index SYM-H"] == "holds"
    text = check_file(next(shared_data.glob("dst_kyoto/WDC_Kyoto.dat")))
    assert text.attrs["sentence"] == "usable"
    assert "Dst  149,016 values of 1 h" in report(text)
    yearly = check_file(shared_data / "omni2_hourly/omni2_2015.dat")
    assert yearly.attrs["sentence"] == "usable"
    assert list(yearly[yearly["group"] == "reader"]["expectation"]) == ["open_index Dst", "open_index Kp", "open_index F10.7"]


def test_files_that_are_none(tmp_path):
    (tmp_path / NAME).write_text("<html>404</html>")
    assert "web page" in check_file(tmp_path / NAME).attrs["sentence"]
    (tmp_path / "x").write_text("nothing")
    assert "expected an index file" in check_file(tmp_path / "x").attrs["sentence"]
    assert "No such file" in check_file(tmp_path / "y").attrs["sentence"]
    with pytest.raises(InputError, match="did you mean"):
        check_file(tmp_path / "x", "hope")


def test_the_command(day, tmp_path):
    code, output = run(day)
    assert code == 0
    assert output.strip().endswith("VERDICT: usable")
    code, output = run("-q", tmp_path / "none.cdf", day, day)
    assert code == 1
    assert [line.split("  ")[0] for line in output.splitlines()] == ["none.cdf", NAME, NAME]
    assert output.splitlines()[1].endswith(f"{PRODUCT}  usable")
    code, output = run("--json", day, tmp_path / "none.cdf")
    answer = json.loads(output)
    first, second = answer["files"]
    assert answer["usable"] is False
    assert code == 1
    assert first["usable"] is True
    assert {row["verdict"] for row in first["expectations"]} == {"holds", "unknown"}
    assert second["usable"] is False
    assert "expectations" not in json.loads(run("--json", "-q", day)[1])["files"][0]
    assert run("--product", "hope-pa", day)[0] == 1
    assert run("--product", "none", day)[0] == 2
    assert run()[0] == 2


@pytest.mark.parametrize(
    ("source", "damage", "sentence"),
    [
        ("gfz_formats/Kp_ap_Ap_SN_F107_since_2024.txt", lambda content: content[:-40], "in line 71"),
        ("gfz_formats/Hp60_ap60_complete_series.txt", lambda content: content, "columns that end in Hp60 ap60 D"),
        ("dst_kyoto/WDC_Kyoto.dat", lambda content: content[:50_000], "cut short"),
        ("f107/SW-All.txt", lambda content: content[:1_000_000], "no END OBSERVED"),
    ],
)
def test_a_damaged_index_is_told_by_its_damage_and_not_by_the_indices_it_never_had(shared_data, tmp_path, source, damage, sentence):
    path = tmp_path / "index.txt"
    path.write_bytes(damage((shared_data / source).read_bytes()))
    table = check_file(path)
    assert not table.attrs["usable"]
    assert sentence in table.attrs["sentence"], table.attrs["sentence"]
    assert "SYM-H" not in table.attrs["sentence"]
