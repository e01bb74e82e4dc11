"""The files of an export: lines, pairs, the held-out data set, the trace and the card, as bytes by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from ...harness.records import Sample
from ...harness.text import estimated_tokens
from .card import Card, card_of
from .card_markdown import card_markdown
from .choice import LEARNED, Choice
from .formats import chat_line, pair_line, to_json
from .records import Example, Pair, Side

TRACE, CARD, PAGE = "lines.jsonl", "card.json", "card.md"
TEST, TEST_CARD = "test/samples.jsonl", "test/card.yaml"
_DIGITS = 9
_FIELDS = ("question", "messages", "turns", "context", "reference", "relevant", "tools", "tool_calls", "safety")


def files_of(choice: Choice, version: str) -> tuple[dict[str, bytes], Card]:
    """Name (a path with slashes) -> content, the card last; and the card. The same choice makes the same bytes."""
    files: dict[str, bytes] = {}
    trace: list[bytes] = []
    tokens: dict[Side, int] = {}
    for side in LEARNED:
        if side != "train" and not choice.options.shares[1]:
            continue
        files[f"{side}.jsonl"], tokens[side] = _lines(choice, side, trace)
        if choice.options.pairs:
            files[f"pairs.{side}.jsonl"] = _pairs(choice, side, trace)
    files[TRACE] = b"".join(trace)
    if choice.options.shares[2]:
        rows = [to_json(sample_row(sample)) for sample in choice.test]
        tokens["test"] = sum(estimated_tokens(row.decode()) for row in rows)
        files[TEST] = b"".join(rows)
        files[TEST_CARD] = _test_card(choice, version)
    card = card_of(choice, tokens, version)
    files[PAGE] = card_markdown(card).encode()
    files[CARD] = card.model_dump_json(indent=2).encode() + b"\n"
    return files, card


def _lines(choice: Choice, side: Side, trace: list[bytes]) -> tuple[bytes, int]:
    rows = []
    for number, example in enumerate(choice.lines[side], 1):
        rows.append(to_json(chat_line(example, choice.options.format)))
        trace.append(to_json({"file": f"{side}.jsonl", "line": number, **_traced(example)}))
    return b"".join(rows), sum(estimated_tokens(row.decode()) for row in rows)


def _pairs(choice: Choice, side: Side, trace: list[bytes]) -> bytes:
    rows = []
    for number, pair in enumerate(choice.pairs[side], 1):
        rows.append(to_json(pair_line(pair, choice.options.format)))
        trace.append(to_json({"file": f"pairs.{side}.jsonl", "line": number, **_traced_pair(pair)}))
    return b"".join(rows)


def _traced(example: Example) -> dict[str, Any]:
    """Where a line comes from. ``score`` is what counted; `labels` people's, by criterion."""
    answer, graded = example.asked.answer, example.graded
    return {
        "run": example.run,
        "sample_id": answer.sample_id,
        "sample_sha256": example.asked.sample.sha256,
        "candidate": answer.candidate,
        "trial": answer.trial,
        "answer_sha256": example.asked.sha256,
        "cluster": example.group,
        "score": None if graded.score is None else round(graded.score, _DIGITS),
        "grades": {judge: _rounded(held) for judge, held in graded.grades.items()},
        "measures": _rounded(graded.measures),
        "labels": _rounded(graded.labels),
        "prompt": "as sent" if example.prompt.recorded else "from the sample",
        "calls": list(answer.calls),
    }


def _rounded(held: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, _DIGITS) for name, value in held.items()}


def _traced_pair(pair: Pair) -> dict[str, Any]:
    return {"by": pair.by, "chosen": _traced(pair.chosen), "rejected": _traced(pair.rejected)}


def sample_row(sample: Sample) -> dict[str, Any]:
    """A sample as a row of a data set, without what it does not have."""
    row: dict[str, Any] = {"id": sample.id}
    row |= {name: value for name in _FIELDS if (value := getattr(sample, name))}
    if sample.tool_calls is not None:
        row["tool_calls"] = sample.tool_calls
    if sample.reference is not None:
        row["reference"] = sample.reference
    further = {"cluster": sample.cluster, "tags": sample.tags, "metadata": sample.metadata}
    return row | {name: value for name, value in further.items() if value}


def _test_card(choice: Choice, version: str) -> bytes:
    names = dict.fromkeys(str((part.data.info.config.get("dataset") or {}).get("name") or "") for part in choice.parts)
    card: Mapping[str, Any] = {
        "name": "-".join([*filter(None, names), "held-out"]),
        "version": 1,
        "description": "Samples that were held out of training data, all of their clusters.",
        "samples": len(choice.test),
        "runs": [part.data.info.id for part in choice.parts],
        "seed": choice.options.seed,
        "share": choice.options.shares[2],
        "made_by": f"markscheme {version}",
    }
    return yaml.safe_dump(dict(card), sort_keys=False, allow_unicode=True).encode()
