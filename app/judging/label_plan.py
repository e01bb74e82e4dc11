"""How many labels an interval of a wanted width takes, and a random sheet of answers to label."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...harness.errors import InputError
from ...harness.spreadsheets import safe
from .correct_output import LabelsNeeded

if TYPE_CHECKING:
    from ...harness.store.frames import RunData
    from ...reports.cells import Scores
    from ...reports.exam import JudgeView
    from ...reports.grid import Key

COLUMNS = ("sample_id", "candidate", "trial", "criterion", "score", "annotator", "question", "answer")


def labels_plan(scores: Scores, judges: Sequence[JudgeView], width: float) -> list[LabelsNeeded]:
    """For the headline of each candidate and judge. From ten labels on by their standard deviation and correlation,
    before by the judge's standard deviation and correlations of 0.5, 0.7 and 0.9."""
    keys = [(c.name, judge.name, judge.headline) for judge in judges for c in scores.candidates]
    return [row for key in keys for row in _rows(scores, key, width)]


def _rows(scores: Scores, key: Key, width: float) -> Iterator[LabelsNeeded]:
    from ...harness.statistics.correction import labels_needed, seen_or_assumed

    values, found = scores.grid.per_sample(key), scores.labelled.get(key)
    human = found.human if found is not None and found.backing.design == "random" else values * float("nan")
    judge = found.judge if found is not None and found.backing.design == "random" else values
    sd, rhos, known = seen_or_assumed(judge, human)
    n_judged = int((values == values).sum())
    for rho in rhos:
        yield LabelsNeeded(
            candidate=key[0],
            judge=key[1],
            measure=key[2],
            n_labels=0 if found is None else found.backing.n,
            n_judged=n_judged,
            sd=sd,
            rho=rho,
            known=known,
            needed=labels_needed(width, human_sd=sd, rho=rho, n_judged=n_judged),
        )


def draw_sheet(data: RunData, judges: Sequence[JudgeView], n: int, seed: int, path: Path) -> str:
    """Write a sheet of ``n`` questions drawn at random, with every candidate's answer to each and a row a criterion;
    what to do with it.

    The same questions for all candidates: only labels on both answers correct a difference. Of several answers to a
    question one is drawn.
    """
    import numpy as np

    answers = data.answers[data.answers["status"] == "ok"]
    asked = list(data.samples["sample_id"][data.samples["sample_id"].isin(answers["sample_id"])])
    if not asked:
        raise InputError(f"run {data.info.id} has no answer to label")
    if path.exists():
        raise InputError(f"--output {path}: the file is there already, maybe with labels in it; name another one")
    generator = np.random.default_rng(seed)
    drawn = {asked[i] for i in generator.permutation(len(asked))[:n]}
    trials = dict(zip(asked, generator.integers(0, 2**31, len(asked)), strict=True))
    given = answers.groupby("candidate")["trial"].transform("max") + 1
    picked = answers["trial"] == answers["sample_id"].map(trials) % given
    chosen = answers[answers["sample_id"].isin(drawn) & picked]
    questions = dict(zip(data.samples["sample_id"], data.samples["question"], strict=True))
    criteria = list(dict.fromkeys(criterion for judge in judges for criterion in judge.criteria))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in chosen.itertuples():
            for criterion in criteria:
                place = (row.sample_id, row.candidate, row.trial, criterion, "", "")
                writer.writerow([safe(cell) for cell in (*place, questions[row.sample_id], row.text)])
    return (
        f"{path}: {len(drawn)} of {len(asked)} questions drawn at random (seed {seed}), {len(chosen)} answers; fill in "
        f"score and annotator, then: markscheme judge correct {data.info.id} --labels {path} --design random"
    )
