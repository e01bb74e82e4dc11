"""A review to rate: a run with answers and a judge's grades, made without any call, and its page in a thread.

As a script it serves the review of a workspace until it is killed: `python review_site.py WORKSPACE PORT`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from markscheme.app.review.blind import BlindReview
from markscheme.app.review.guard import Guard
from markscheme.app.review.rubrics import rubric_of
from markscheme.app.review.server import Serving, open_site, serve_review
from markscheme.harness.records import Answer, Grade, Retrieved, Said, Sample, Scored
from markscheme.harness.review.records import Item, Review
from markscheme.harness.store import codec, runs
from markscheme.harness.store.reviews import Reviews
from markscheme.harness.store.store import Store

CANDIDATES = ("secret-mini", "secret-maxi")
SECRETS = (*CANDIDATES, "secret-judge", "JUDGED", "secret-sample", "secret-stratum", "secret-tag", "attention")
"""What no rater may be told."""
CRITERIA = dict.fromkeys(("correctness", "comprehensiveness", "readability"), (0, 1, 2, 3))
REVIEW = Review("blind-look", "", "grade", "docs_qa", CRITERIA, ("ann", "ben"), "stratified", 3, begun_at="2026-11-20")
GIVEN = (Retrieved("What the candidate was given."),)
Say = Callable[[str, int], str]


def plain_answer(candidate: str, number: int) -> str:
    """What a candidate says where a test does not care; it does not name the candidate."""
    return f"Answer {'one' if candidate == CANDIDATES[0] else 'two'} to {number}."


def begin(store: Store, n: int = 4, said: Say = plain_answer, **changes: Any) -> Review:
    """A review of ``n`` items, the last of which is an attention item. ``changes`` are fields of `Review`."""
    run = runs.begin(store, "exam.yaml", {})
    runs.describe_run(store, run, "f", {"candidates": [{"name": name} for name in CANDIDATES], "judges": []}, {})
    samples = [_sample(number) for number in range(n)]
    store.put_samples(run.id, samples)
    answers = [
        Answer(run.id, s.id, who, 0, Said(said(who, i), retrieved=GIVEN))
        for i, s in enumerate(samples)
        for who in CANDIDATES
    ]
    store.put({"answers": [codec.answer_to_row(answer, 0) for answer in answers]})
    grades = [
        Grade(run.id, s.id, who, 0, "secret-judge", name, Scored(2.0, "JUDGED as good"))
        for s in samples
        for who in CANDIDATES
        for name in CRITERIA
    ]
    store.put({"grades": [codec.grade_to_row(grade, 0) for grade in grades]})
    changes = {"shares": {"secret-stratum": 1.0}, **changes}
    if changes.get("mode") == "pairs":
        changes |= {"rubric": "pairwise", "criteria": {}}
    review = replace(REVIEW, run=run.id, **changes)
    Reviews(store).begin(review, [_item(review, number, n, said) for number in range(n)])
    return Reviews(store).find(review.name)


def _sample(number: int) -> Sample:
    return Sample(
        f"secret-sample-{number}",
        f"What is question {number}?",
        context=(f"Passage {number}.", "Another passage."),
        reference=f"Reference {number}.",
        tags=("secret-tag",),
        metadata={"model": "secret-tag"},
        sha256=f"sha{number}",
    )


def _item(review: Review, number: int, n: int, said: Say) -> Item:
    left, right = CANDIDATES[number % 2], ""
    if review.mode == "pairs":
        left, right = CANDIDATES
    foreign = (number + 1) % n if number == n - 1 and n > 1 else number
    texts = [said(left, foreign if not right else number), *([said(right, foreign)] if right else [])]
    sha256 = ":".join(map(codec.answer_sha256, texts))
    attention, of = ("", "") if foreign == number else (("left" if right else "0"), f"secret-sample-{foreign}")
    return Item(
        f"x{number:03}",
        number,
        f"secret-sample-{number}",
        left,
        right,
        0,
        sha256,
        "secret-stratum",
        attention,
        of,
    )


@contextmanager
def serving(
    store: Store, review: Review, round_: int = 1, chosen: Sequence[Item] = (), port: int = 0
) -> Iterator[Guard]:
    """The page of a review, served from a thread as long as the block lasts."""
    blind = BlindReview(Reviews(store), review, rubric_of(store, review), round_, chosen)
    loop, ready, found = asyncio.new_event_loop(), threading.Event(), []
    stop = asyncio.Event()

    async def serve() -> None:
        async with open_site(blind, port) as guard:
            found.append(guard)
            ready.set()
            await stop.wait()

    def work() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait(20)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)


@contextmanager
def started(workspace: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], Guard]]:
    """The server as a process of its own, with what lets a browser in."""
    command = [sys.executable, __file__, str(workspace), str(port)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        found, token = process.stdout.readline().strip().rpartition(":")[2].split("/#")
        try:
            yield process, Guard(int(found), token)
        finally:
            process.kill()


def main(workspace: str, port: str) -> None:
    """Serve the latest review of a workspace; the address is the first line."""
    store = Store(Path(workspace))
    review = Reviews(store).find("latest")
    serve_review(store, review, rubric_of(store, review), Serving(int(port)), lambda text: print(text, flush=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
