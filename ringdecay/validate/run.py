"""The proof: every case measured, judged and summed up."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import pairwise

import dask
import numpy as np
import pandas as pd

from ringdecay.decays.fit import MODES
from ringdecay.errors import InputError, unknown
from ringdecay.schedule import dask_on, dask_progress
from ringdecay.validate.claims import CLAIMS, DEFAULT_SEED, FEWEST_TRIALS, TRIALS, TRIALS_A_MISSION, Case, cases
from ringdecay.validate.measures import TAU_EDGES, Row, mean_of, mission, share

COLUMNS = [
    "claim", "mode", "quantity", "points", "rho", "rho_range", "gaps", "noise", "tau", "case", "value", "error", "trials", "goal_low",
    "goal_high", "verdict", "why",
]  # fmt: skip


def validate(
    trials: int | str = "full", *, seed: int = DEFAULT_SEED, workers: int = 1, claims: Iterable[str] | None = None
) -> pd.DataFrame:
    """Measure on simulated data with known truth whether the package keeps what it claims.

    Parameters
    ----------
    trials : int, "quick" or "full"
        Fits of each entry (means over storms, where those are judged): 100 or 2000, or a number.
    seed : int
        Everything random follows from it.
    workers : int
        Processes.
    claims : iterable of str, optional
        Some of the names in `CLAIMS`; all if not given.

    Returns
    -------
    pandas.DataFrame
        A row an entry, columns `COLUMNS`: the claim, the mode, the quantity, what was simulated (`points` of a series, lag-1 correlation
        `rho` +- `rho_range`, share of `gaps`, counting `noise` over the fluctuation's size, `tau` in days), its value with the
        Monte-Carlo error (one standard error) and the number of trials, the goal, and whether it is reached.

    Raises
    ------
    InputError
        If an argument does not make sense.
    """
    number = TRIALS.get(trials) if isinstance(trials, str) else trials
    if number is None:
        raise unknown("number of trials", str(trials), list(TRIALS))
    if number < FEWEST_TRIALS:
        raise InputError(f"an entry needs at least {FEWEST_TRIALS} trials, not {number}; fewer series could not be pooled")
    chosen = list(CLAIMS if claims is None else claims)
    for name in chosen:
        if name not in CLAIMS:
            raise unknown("claim", name, list(CLAIMS))
    began = time.monotonic()
    jobs = [dask.delayed(_measure)(case) for case in cases(number, seed) if case.claim in chosen]
    if any(name.startswith("missions") for name in chosen):
        missions = max(number // TRIALS_A_MISSION, 2)
        fits = [dask.delayed(mission)(seed + 1 + k, mode) for mode in MODES for k in range(missions)]
    else:
        missions, fits = 0, []
    with dask_on("processes", workers), dask_progress("measuring", len(jobs) + len(fits), "worlds"):
        done: list[pd.DataFrame] = list(dask.compute(*jobs, *fits))
    entries = done[: len(jobs)]
    for k, mode in enumerate(MODES if fits else ()):
        entries.append(_of_missions(pd.concat(done[len(jobs) + k * missions :][:missions]), mode))
    table = pd.concat([entry for entry in entries if len(entry)], ignore_index=True)
    table = table[table["claim"].isin(chosen)].astype({"value": float, "error": float})
    table = _judged(table).reindex(columns=COLUMNS)
    table.attrs = {"simulated": "yes", "trials": number, "seed": seed, "missions": missions, "seconds": round(time.monotonic() - began)}
    return table.reset_index(drop=True)


def summary(entries: pd.DataFrame) -> pd.DataFrame:
    """Sum up the entries: a row a claim and mode.

    Returns
    -------
    pandas.DataFrame
        `claim`, `mode`, `entries` that have a goal, how many are `reached`, `open` (missed by less than two Monte-Carlo errors) and
        `missed`, the `lowest` and `highest` value of the quantity that decides, and the `verdict`: reached if no entry is missed.
    """
    rows = []
    judged = entries[entries["verdict"] != ""]
    for (claim, mode), some in judged.groupby(["claim", "mode"], sort=False):
        first = some[some["quantity"] == next(iter(CLAIMS[str(claim)].goals))]
        kinds = {name: int((some["verdict"] == word).sum()) for name, word in _VERDICTS.items()}
        verdict = "not reached" if kinds["missed"] else "reached, but for chance" if kinds["open"] else "reached"
        rows.append(
            {"claim": claim, "mode": mode, "entries": len(some)} | kinds
            | {"lowest": first["value"].min(), "highest": first["value"].max(), "verdict": verdict}
        )  # fmt: skip
    out = pd.DataFrame(rows)
    out.attrs = dict(entries.attrs)
    return out


_VERDICTS = {"reached": "reached", "open": "open", "missed": "not reached"}


def _measure(case: Case) -> pd.DataFrame:
    world = case.world
    said = {
        "claim": case.claim,
        "mode": case.mode,
        "points": world.points,
        "rho": world.rho,
        "rho_range": world.rho_range,
        "gaps": world.gaps,
        "noise": world.noise,
        "tau": world.tau,
        "case": ", ".join(f"{name} {text}" for name, text in case.columns.items()),
    }
    return pd.DataFrame([said | row for row in case.measure(world, case.seed, case.mode)])


def _of_missions(cells: pd.DataFrame, mode: str) -> pd.DataFrame:
    """Sum up whole archives by the decay time; errors are from the scatter between archives, whose cells share their storms."""
    rows: list[Row] = []
    for low, high in pairwise(TAU_EDGES):
        some = cells[cells["tau"].gt(low) & cells["tau"].le(high)]
        said = {"mode": mode, "tau": high, "case": f"tau {low:g} to {high:g} d"}
        seeds = some["seed"].to_numpy()

        def of(held: str, whole: str, some: pd.DataFrame = some, seeds: np.ndarray = seeds) -> Row:
            n, hits = some[whole].to_numpy(int), some[held].to_numpy(int)
            trials = np.concatenate([np.repeat(1, hits.sum()), np.repeat(0, (n - hits).sum())])
            return share(trials, np.concatenate([np.repeat(seeds, hits), np.repeat(seeds, n - hits)]))

        rows.append(said | {"claim": "missions", "quantity": "coverage"} | of("fits_held", "fits"))
        rows.append(said | {"claim": "missions", "quantity": "storms fitted"} | of("fits", "storms"))
        rows.append(said | {"claim": "missions", "quantity": "fits resolved"} | of("resolved", "fits"))
        if mode == "calibrated":
            rows.append(said | {"claim": "missions, means", "quantity": "coverage of the mean"} | of("means_held", "means"))
            rows.append(said | {"claim": "missions, means", "quantity": "means reported as a limit"} | of("limits", "means"))
        rows.append(said | {"claim": "missions, bias", "quantity": "bias of the mean rate"} | mean_of(some["bias"].to_numpy(), seeds))
    return pd.DataFrame(rows)


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    """Hold every entry against its goal."""
    low, high, verdict, why = [], [], [], []
    columns = (table[name] for name in ("claim", "quantity", "tau", "value", "error"))
    for claim, quantity, tau, value, error in zip(*columns, strict=True):
        goal = CLAIMS[claim].goals.get(quantity)
        if claim == "missions, bias" and not 1 < tau <= 60:
            goal = None
        low.append(goal[0] if goal else np.nan)
        high.append(goal[1] if goal else np.nan)
        judged = _verdict(value, error, *goal) if goal else ("", "")
        verdict.append(judged[0])
        why.append(judged[1])
    return table.assign(goal_low=low, goal_high=high, verdict=verdict, why=why)


def _verdict(value: float, error: float, low: float, high: float) -> tuple[str, str]:
    if low <= value <= high:
        return "reached", ""
    if not np.isfinite(value):
        return "not reached", "nothing to judge"
    beyond = low - value if value < low else value - high
    side = "below" if value < low else "above"
    if beyond < 2 * error:
        return "open", f"{side} the goal by less than two Monte-Carlo errors"
    return "not reached", f"{side} the goal by {beyond:.3f}, {beyond / error:.0f} Monte-Carlo errors" if error > 0 else f"{side} the goal"
