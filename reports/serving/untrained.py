"""Whether samples of a run are among those that a model of it was trained on: then its scores say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...harness.errors import InputError
from ...harness.store.frames import RunData
from .. import words

NAMED = 3
"""Samples that the message names."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A line of training data: ``place`` is `file:line`, ``sha256`` that of the sample's content, '' where unknown."""

    place: str
    sample_id: str
    sha256: str = ""


def untrained(data: RunData, learned: Sequence[Learned], folder: str) -> str:
    """That no sample of the run is in the training data of ``folder``, in words.

    A sample is the same where its id or its content is. Raises InputError where one was trained on.
    """
    n, found = len(data.samples), list(_shared(data, learned))
    if found:
        more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
        raise InputError(
            f"--trained-on {folder!r}: {len(found):,} of {words.plural(n, 'sample')} of run {data.info.id} "
            f"{'was' if len(found) == 1 else 'were'} trained on: {'; '.join(found[:NAMED])}{more}. "
            f"Run the exam on what was held out: dataset: {folder}/test"
        )
    return f"none of {words.plural(n, 'sample')} was trained on ({words.plural(len(learned), 'line')} of {folder})"


def _shared(data: RunData, learned: Sequence[Learned]) -> Iterator[str]:
    """``q7 (train.jsonl:12)``, with the other id where the content is the same."""
    by_id = {one.sample_id: one for one in reversed(learned)}
    by_content = {one.sha256: one for one in reversed(learned) if one.sha256}
    for name, sha256 in zip(map(str, data.samples["sample_id"]), map(str, data.samples["sha256"]), strict=True):
        if one := by_id.get(name):
            yield f"{name!r} ({one.place})"
        elif one := by_content.get(sha256):
            yield f"{name!r} ({one.place}, there {one.sample_id!r})"
