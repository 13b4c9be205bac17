"""Tables: nothing is lost on the way to a file and back, and what is rounded says so."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fake_results import ENERGY, SHELLS, decays, lifetimes

from ringdecay.errors import InputError
from ringdecay.tables import csv_header, decay_table, lifetime_latex, lifetime_table, nearest, tau_text, write_csv


def written(dataset: object, table: pd.DataFrame, path: Path) -> str:
    write_csv(table, path, csv_header(dataset, table, "A title"))  # type: ignore[arg-type]
    return path.read_text(encoding="utf-8")


def test_decay_table_has_a_row_for_every_fit() -> None:
    given = decays()
    table = decay_table(given)
    # Two storms, one probe; in each one cell of twenty had nothing to fit.
    assert len(table) == 2 * (20 - 1)
    assert list(table.columns[:8]) == ["storm", "onset", "minimum", "depth", "storm_class", "probe", "energy", "L"]
    assert {"rate", "tau", "tau_limit", "n", "start", "stop", "flag", "flag_meanings"} <= set(table.columns)
    row = table[(table.storm == 2) & (table.energy == 269.0) & (table.L == 5.05)].iloc[0]
    assert row["flag_meanings"] == "not_resolved growth"
    assert row["rate"] == -0.1
    assert row["depth"] == -120.0
    assert row["start"] == pd.Timestamp(given["start"].values[1, 0, 3, 4])


def test_a_cell_that_was_cut_at_the_floor_stays_in_the_table() -> None:
    given = decays()
    given["flag"][0, 0, 0, 0] |= 16
    table = decay_table(given)
    assert len(table) == 39
    assert table.iloc[0]["flag_meanings"] == "too_few_points floor_reached"
    assert np.isnan(table.iloc[0]["rate"])


def test_masks_are_read_from_the_attributes() -> None:
    given = decays()
    given["flag"].attrs["flag_masks"] = given["flag"].attrs["flag_masks"] * 2
    given["flag"] = (given["flag"].dims, given["flag"].values * 2, given["flag"].attrs)
    pd.testing.assert_frame_equal(decay_table(given).drop(columns="flag"), decay_table(decays()).drop(columns="flag"))


@pytest.mark.parametrize("kind", ["decays", "lifetimes"])
def test_csv_round_trip(kind: str, tmp_path: Path) -> None:
    given = decays() if kind == "decays" else lifetimes()
    given["tau"] = given["tau"] * np.pi
    table = decay_table(given) if kind == "decays" else lifetime_table(given)
    text = written(given, table, tmp_path / "table.csv")
    back = pd.read_csv(
        tmp_path / "table.csv", comment="#", keep_default_na=False, na_values={c: [""] for c in table if c != "flag_meanings"}
    )
    assert list(back.columns) == list(table.columns)
    for name in table:
        if table[name].dtype.kind == "M":
            assert text.count("Z,") > 0
            pd.testing.assert_series_equal(pd.to_datetime(back[name]).dt.tz_localize(None).astype(table[name].dtype), table[name])
        elif table[name].dtype.kind in "if":
            np.testing.assert_allclose(back[name].to_numpy(float), table[name].to_numpy(float), rtol=1e-6, err_msg=name)
        else:
            assert back[name].tolist() == table[name].tolist()
    assert text == written(given, table, tmp_path / "again.csv")


def test_csv_header_says_what_it_is(tmp_path: Path) -> None:
    given = lifetimes()
    lines = written(given, lifetime_table(given), tmp_path / "a.csv").splitlines()
    head = [line for line in lines if line.startswith("#")]
    assert head[0].startswith("# SIMULATED")
    assert all(line.startswith("#") for line in lines[: len(head)])
    text = "\n".join(head)
    for said in ("A title", "product: rbspice-pap-tofxeh", "mode: calibrated", 'comment="#"', "energy [keV]", "4 not_resolved", "19 of 20"):
        assert said in text.replace("'", '"'), said
    real = lifetimes("no")
    assert "SIMULATED" not in written(real, lifetime_table(real), tmp_path / "b.csv")


def test_times_of_whole_seconds_have_no_decimals(tmp_path: Path) -> None:
    frame = pd.DataFrame({"t": pd.to_datetime(["2015-06-30 23:59:59", None]), "name": ["storm #3", "b"]})
    write_csv(frame, tmp_path / "t.csv", "one line")
    assert (tmp_path / "t.csv").read_text() == "# one line\nt,name\n2015-06-30T23:59:59Z,storm no.3\n,b\n"


def test_lifetime_table_leaves_out_only_cells_without_fits() -> None:
    table = lifetime_table(lifetimes())
    assert len(table) == 19
    assert ((54.7, 3.05)) not in set(zip(table.energy, table.L, strict=True))
    assert np.isinf(table[(table.energy == 269.0)]["tau_high"]).all()


def test_a_cell_whose_storms_were_all_lost_to_the_floor_stays_in_the_table() -> None:
    given = lifetimes()
    given["flag"][0, 0] |= 16
    table = lifetime_table(given)
    assert len(table) == 20
    assert table.iloc[0]["flag_meanings"] == "no_fits storms_lost_to_floor"


def test_a_wrong_dataset_is_refused() -> None:
    with pytest.raises(InputError, match="n_storms"):
        lifetime_table(decays().isel(storm=0, probe=0))
    with pytest.raises(InputError, match="dimension storm"):
        decay_table(decays().isel(storm=0))


def rows_of(latex: str) -> list[list[str]]:
    body = latex.split(r"\midrule")[1].split(r"\bottomrule", maxsplit=1)[0]
    return [[cell.strip() for cell in line.removesuffix(r"\\").split("&")] for line in body.strip().splitlines()]


def test_latex_cells() -> None:
    rows = rows_of(lifetime_latex(lifetimes(), L=[3.1, 4.0, 5.0]))
    assert [row[0] for row in rows] == ["54.7", "99.4", "148", "269"]
    # 3.1 is the edge of two bins and belongs to the upper one. (148/10) (4.05/4)^3 = 15.36 and 20 % to both sides.
    assert rows[2][2] == "15.4 (12.3--18.4)"
    assert rows[0][1] == r"2.67 (2.14--3.21)\textsuperscript{a}"
    assert rows[3] == ["269", "$>$ 35", "$>$ 35", "growing"]
    assert rows_of(lifetime_latex(lifetimes(), L=[3.05]))[:2] == [["54.7", "--"], ["99.4", r"4.41 (3.53--5.29)\textsuperscript{b}"]]
    assert rows_of(lifetime_latex(lifetimes(mode="paper"), L=[4.05]))[2:] == [["148", r"15.4 $\pm$ 1.5"], ["269", "--"]]


@pytest.mark.parametrize("mode", ["calibrated", "paper"])
def test_latex_is_sound(mode: str) -> None:
    latex = lifetime_latex(lifetimes(mode=mode), L=[3.0, 4.0, 5.0])
    code = "\n".join(line for line in latex.splitlines() if not line.startswith("%"))
    assert not re.search(r"(?<!\\)%", code)
    assert not re.search(r"(?<!\\)[_#]", code)
    assert r"L\_star" in code
    assert code.replace(r"\{", "").count("{") == code.replace(r"\}", "").count("}")
    assert code.count("$") % 2 == 0
    assert re.findall(r"\\begin\{(\w+)\}", code) == re.findall(r"\\end\{(\w+)\}", code)[::-1]
    columns = len(re.search(r"\\begin\{tabular\}\{(\w+)\}", code).group(1))  # type: ignore[union-attr]
    assert {line.count("&") for line in code.splitlines() if line.endswith(r"\\")} == {columns - 1}
    assert code.isascii()
    assert r"\caption{\textbf{SIMULATED.}" in code
    assert "SIMULATED" not in lifetime_latex(lifetimes("no", mode), L=[4.0])


def test_tau_in_words() -> None:
    cell = lifetimes().isel(energy=1, L=2)

    def said(tau: float, low: float, high: float, limit: float = np.nan) -> str:
        return tau_text(cell.assign(tau=tau, tau_low=low, tau_high=high, tau_limit=limit))

    assert said(10.2345, 8.9, 12.1) == "10.2 (8.9\N{EN DASH}12.1)"
    assert said(1.789, 1.59, 2.04) == "1.79 (1.59\N{EN DASH}2.04)"
    assert said(120.4, 80.0, 240.0) == "120 (80\N{EN DASH}240)"
    assert said(50.0, 20.0, np.inf, 35.9) == "> 35"
    assert said(50.0, 20.0, np.inf, 1999.0) == "> 1900"
    assert said(50.0, 20.0, np.inf, 0.0567) == "> 0.056"
    assert said(np.nan, np.inf, np.inf, np.inf) == "growing"
    assert said(np.nan, np.nan, np.nan) == ""


def test_nearest() -> None:
    assert nearest(SHELLS, [3.1, 4.0, 99.0]) == [1, 2, 4]
    assert nearest(ENERGY, [50.0, 60.0]) == [0]
    assert nearest(np.array([]), [50.0]) == []
    assert nearest(ENERGY, []) == []
