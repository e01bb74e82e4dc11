"""The packaged data set docs_qa: its card, samples, corpus, planted sheets and its author's labels say the same."""

from __future__ import annotations

import csv
import json
import random
import re
from collections import Counter
from difflib import SequenceMatcher
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from markscheme.harness.candidates.baselines import BASELINES
from markscheme.harness.text import normalise, words
from markscheme.judges.rubric import load_rubric

HOME = Path(__file__).parents[1] / "datasets" / "docs_qa"
SHEETS = ("full", "thin", "flawed", "wrong")
HEADER = ["sample_id", "candidate", "trial", "criterion", "score", "annotator"]
GRADED = {"extractive": 20, "lead": 16, "verbatim": 16, "refuse": 8}


def rows(name: str) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file of the data set."""
    return [json.loads(line) for line in (HOME / name).read_text(encoding="utf-8").splitlines()]


def labels(name: str) -> list[dict[str, str]]:
    """The rows of a label file of the data set, which has our header and plain line ends."""
    raw = (HOME / name).read_bytes()
    assert b"\r" not in raw
    reader = csv.DictReader(raw.decode("utf-8").splitlines())
    assert reader.fieldnames == HEADER
    return list(reader)


CARD = yaml.safe_load((HOME / "card.yaml").read_text(encoding="utf-8"))
SAMPLES = {row["id"]: row for row in rows("samples.jsonl")}
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((HOME / "corpus").glob("*.md"))}
ANSWERS = rows("author/answers.jsonl")
RUBRIC = load_rubric("docs_qa", shots=1)
CRITERIA = [criterion.name for criterion in RUBRIC.criteria]


def paragraphs(page: str) -> list[str]:
    """The paragraphs of a page, without its headings."""
    return [piece for piece in re.split(r"\n{2,}", page.strip()) if not piece.startswith("#")]


def drawn() -> dict[str, str]:
    """Question -> baseline, by the draw that the card describes."""
    rng = random.Random(CARD["author"]["seed"])
    documents: dict[str, list[str]] = {}
    for sample in SAMPLES.values():
        documents.setdefault(sample["cluster"], []).append(sample["id"])
    for questions in documents.values():
        rng.shuffle(questions)
    first = [questions[0] for questions in documents.values()]
    second = [questions[1] for questions in documents.values() if len(questions) > 1]
    chosen = first + rng.sample(second, CARD["author"]["answers"] - len(first))
    rng.shuffle(chosen)
    return dict(zip(chosen, Counter(GRADED).elements(), strict=True))


def assert_complete_within_the_scale(found: list[dict[str, str]], graded: set[tuple[str, str]], annotator: str) -> None:
    """Every graded (sample, candidate) has one legal score on each criterion, and there is nothing else."""
    low, high = RUBRIC.scale
    keys = Counter((row["sample_id"], row["candidate"], row["criterion"]) for row in found)
    assert keys == Counter((*answer, criterion) for answer, criterion in product(graded, CRITERIA))
    assert {row["score"] for row in found} <= {str(score) for score in range(low, high + 1)}
    assert {(row["trial"], row["annotator"]) for row in found} == {("0", annotator)}


def test_the_counts_of_the_card_are_those_of_the_files():
    assert CARD["samples"] == len(SAMPLES) == len(rows("samples.jsonl"))
    assert CARD["documents"] == len(PAGES)
    assert CARD["planted"]["answers"] == sum(len(rows(f"planted/{sheet}.jsonl")) for sheet in SHEETS)
    assert CARD["author"]["answers"] == len(ANSWERS)


def test_the_fields_of_the_card_are_those_of_every_sample():
    assert {frozenset(sample) for sample in SAMPLES.values()} == {frozenset({"id", *CARD["fields"]})}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=list(SAMPLES))
def test_every_context_is_one_to_three_whole_paragraphs_of_its_page_in_their_order(sample):
    page = paragraphs(PAGES[sample["cluster"]])
    assert 1 <= len(sample["context"]) <= 3
    assert [paragraph for paragraph in page if paragraph in sample["context"]] == sample["context"]


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=list(SAMPLES))
def test_relevant_documents_exist_with_grade_1_or_2_and_the_page_of_the_question_has_2(sample):
    assert set(sample["relevant"]) <= set(PAGES)
    assert set(sample["relevant"].values()) <= {1, 2}
    assert sample["relevant"][sample["cluster"]] == 2


def test_the_corpus_has_30_pages_or_more_of_300_to_900_words_and_questions_on_each():
    assert len(PAGES) >= 30
    assert {name: len(page.split()) for name, page in PAGES.items() if not 300 <= len(page.split()) <= 900} == {}
    assert {sample["cluster"] for sample in SAMPLES.values()} == set(PAGES)


def test_no_question_is_asked_twice():
    assert len({normalise(sample["question"]) for sample in SAMPLES.values()}) == len(SAMPLES)


def test_four_planted_sheets_answer_the_same_40_questions():
    sheets = {sheet: rows(f"planted/{sheet}.jsonl") for sheet in SHEETS}
    assert {path.stem for path in (HOME / "planted").glob("*.jsonl")} == set(SHEETS)
    assert {len(sheet) for sheet in sheets.values()} == {40}
    (asked,) = {frozenset(row["sample_id"] for row in sheet) for sheet in sheets.values()}
    assert len(asked) == 40
    assert asked <= set(SAMPLES)
    assert [row for sheet in sheets.values() for row in sheet if not row["answer"].strip()] == []


def test_planted_labels_are_complete_within_the_scale_of_the_rubric():
    graded = {(row["sample_id"], sheet) for sheet in SHEETS for row in rows(f"planted/{sheet}.jsonl")}
    assert_complete_within_the_scale(labels("planted/labels.csv"), graded, "planted")


def test_author_labels_are_complete_for_60_answers_within_the_scale_of_the_rubric():
    graded = {(row["sample_id"], row["candidate"]) for row in ANSWERS}
    assert len(graded) == 60
    assert_complete_within_the_scale(labels("author/labels.csv"), graded, "author")


def test_the_author_graded_the_answers_that_the_card_draws():
    assert all(f"{count} {baseline}" in CARD["author"]["drawn"] for baseline, count in GRADED.items())
    assert {row["sample_id"]: row["candidate"] for row in ANSWERS} == drawn()
    assert {SAMPLES[row["sample_id"]]["cluster"] for row in ANSWERS} == set(PAGES)


@pytest.mark.parametrize("row", ANSWERS, ids=[f"{row['candidate']}-{row['sample_id']}" for row in ANSWERS])
def test_the_stored_answer_is_what_the_baseline_says_today(row):
    sample = SAMPLES[row["sample_id"]]
    assert row == {
        "sample_id": sample["id"],
        "candidate": row["candidate"],
        "trial": 0,
        "answer": BASELINES[row["candidate"]](sample["question"], sample["context"]),
    }


def near(one: str, other: str) -> bool:
    """Whether two questions are nearly the same: most words shared, or nearly the same letters in a row."""
    mine, yours = set(words(one)), set(words(other))
    alike = SequenceMatcher(None, normalise(one), normalise(other), autojunk=False)
    return len(mine & yours) >= 0.6 * len(mine | yours) or (alike.quick_ratio() >= 0.8 and alike.ratio() >= 0.8)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("What is the halo effect?", "what is a Halo effect", True),
        ("How is an idle hour of a GPU charged?", "How are idle hours of a GPU charged?", True),
        ("What is the halo effect?", "What is coordinated omission?", False),
    ],
)
def test_near_duplicates_are_told_by_their_normalised_text(one, other, expected):
    assert near(one, other) is expected


def test_no_worked_example_of_the_rubric_uses_a_question_of_the_samples():
    levels = [level for criterion in RUBRIC.criteria for level in criterion.levels]
    examples = [example.question for level in levels for example in level.examples]
    assert len(examples) >= len(levels)
    asked = [sample["question"] for sample in SAMPLES.values()]
    assert [pair for pair in product(examples, asked) if near(*pair)] == []
