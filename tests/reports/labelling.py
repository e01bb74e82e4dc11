"""Labels made up for tests: people who are stricter than the judge by a known amount."""

import dataclasses

import numpy as np
import pandas as pd
from markscheme.harness.store.frames import LABEL_COLUMNS


def truths(data, optimism=0.4, seed=5, judge="strict"):
    """People's score of every graded answer and criterion: the judge's, less one with probability ``optimism``."""
    rng = np.random.default_rng(seed)
    own = data.grades[data.grades["judge"] == judge]
    return own.assign(score=(own["score"] - (rng.random(len(own)) < optimism)).clip(lower=0))


def rows(
    truth, n=100, candidates=None, criteria=None, label_set="panel", design="random", seed=7, annotators=("ann",),
    stratum=lambda sample: "", share=lambda stratum: np.nan, samples=None,
):  # fmt: skip
    """Rows of `LABEL_COLUMNS` for ``n`` random samples of each candidate (all of the same draw)."""
    ids = truth["sample_id"].unique()
    drawn = samples if samples is not None else np.random.default_rng(seed).permutation(ids)[:n]
    own = truth[truth["sample_id"].isin(drawn)]
    own = own if candidates is None else own[own["candidate"].isin(candidates)]
    own = own if criteria is None else own[own["criterion"].isin(criteria)]
    found = []
    for r in own.itertuples():
        for annotator in annotators:
            name = stratum(r.sample_id)
            found.append((
                r.sample_id, r.cluster, r.candidate, r.trial, r.criterion, annotator, r.score, label_set, design, name,
                share(name), "2026-11-21", "run-1",
            ))  # fmt: skip
    return pd.DataFrame(found, columns=LABEL_COLUMNS)


def with_labels(data, *tables):
    return dataclasses.replace(data, labels=pd.concat(tables, ignore_index=True))
