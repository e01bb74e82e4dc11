"""Runs of production traces made up for tests: a sample a trace, each with a time, a conversation and tags."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from markscheme.reports.over_time.drift import Asked, Options, over_time
from synthetic import CREATED, Candidate, Judge, build

WEEK = 7 * 86400.0
START = 1_788_739_200.0  # Monday 2026-09-07, 00:00 UTC
ONE = (("quality", 1.0),)


def traces(weeks=4, per_week=40, questions=None, tags=None, retrieved=None, shift=None, **changes):
    """A run and the times of its samples. The functions take a week and a number and give a trace's question, tags and
    passages, or what is added to its scores."""
    n = weeks * per_week
    week = np.repeat(np.arange(weeks), per_week)
    candidates = changes.pop("candidates", (Candidate("bot", 2.0),))
    data = build(candidates=candidates, judges=(Judge(criteria=ONE),), n=n, clusters=n // 2, **changes)
    ids = list(data.samples["sample_id"])
    # Turns of a conversation follow each other.
    samples = data.samples.assign(cluster=[f"c{i // 2}" for i in range(n)])
    if questions:
        samples = samples.assign(question=[questions(week[i], i) for i in range(n)])
    if tags:
        samples = samples.assign(tags=[json.dumps(tags(week[i], i)) for i in range(n)])
    answers, grades, place = data.answers, data.grades, {name: i for i, name in enumerate(ids)}
    if retrieved:
        own = [json.dumps(retrieved(week[place[s]], place[s])) for s in answers["sample_id"]]
        answers = answers.assign(retrieved=own)
    if shift:
        more = np.array([shift(week[place[s]], place[s]) for s in grades["sample_id"]])
        grades = grades.assign(score=np.clip(grades["score"] + more, 0, 3))
    times = {name: START + week[i] * WEEK + 60.0 * (i % per_week) for i, name in enumerate(ids)}
    return replace(data, samples=samples, answers=answers, grades=grades), times


def followed(given, options=None, metadata=None):
    """What `over_time` says of `traces`."""
    data, times = given
    return over_time(data, Asked(times, metadata or {}), options or Options())


def track(found, measure):
    """The one track of a measure."""
    (own,) = [one for one in found.tracks if one.subject.measure == measure]
    return own


__all__ = ["CREATED", "ONE", "START", "WEEK", "Candidate", "Options", "followed", "traces", "track"]
