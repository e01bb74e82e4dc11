"""CPU seconds and peak memory of what comes from production: traces and votes in, feedback, drift, training data.

`python benchmarks/production_bench.py [--traces 100000] [--runs 1] [--keep DIR]`. So many made-up traces over eight
weeks, two or three of a conversation: a question of about 15 words, a passage of 60 and an answer of 50, drawn by
Zipf's law from 20,000 words. They are imported twice: as OTLP/JSON with three spans a trace, and as a table whose
scores make a judge. A fifth of the answers has a vote, a quarter of these an edit.

Each command is a process of its own, from its start to the written pages; each turn has a fresh workspace. Medians;
CPU seconds are user + system as the operating system counts them. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any

START, SECONDS = datetime(2026, 9, 7, tzinfo=UTC).timestamp(), 8 * 7 * 86_400
WORDS = [f"w{number:05d}" for number in range(20_000)]
WEIGHTS = list(accumulate(1 / rank for rank in range(1, len(WORDS) + 1)))
TRACES, TABLE, VOTES = "traces.jsonl", "table.csv", "votes.csv"
TABLE_RUN = "table"
COMMANDS = {
    "import otel": ["import", "otel", TRACES, "--name", "traces"],
    "import csv": ["import", "csv", TABLE, "--name", TABLE_RUN, "--judge", "house", "--scale", "0,3"],
    "import feedback": ["import", "feedback", VOTES, "--run", TABLE_RUN],
    "feedback": ["feedback", TABLE_RUN],
    "compare --over-time": ["compare", TABLE_RUN, "--over-time"],
    "export finetune": ["export", "finetune", TABLE_RUN, "--output", "training"],
}


def make(folder: Path, traces: int) -> None:
    """Write the three files."""
    with (
        (folder / TRACES).open("w") as spans,
        (folder / TABLE).open("w", newline="") as table,
        (folder / VOTES).open("w", newline="") as votes,
    ):
        rows = csv.DictWriter(table, list(next(_rows(1))))
        said = csv.DictWriter(votes, ["response_id", "thumb", "edit", "at", "user"])
        rows.writeheader()
        said.writeheader()
        draw = random.Random(2)
        for row in _rows(traces):
            rows.writerow(row)
            spans.write(json.dumps(_document(row)) + "\n")
            if draw.random() < 0.2:
                liked = draw.random() < 0.4 + 0.15 * row["score.quality"]
                said.writerow(
                    {
                        "response_id": row["response_id"],
                        "thumb": "up" if liked else "down",
                        "edit": row["answer"].replace("w0000", "v") if draw.random() < 0.25 else "",
                        "at": row["asked_at"],
                        "user": row["cluster"],
                    }
                )


def _rows(traces: int) -> Iterator[dict[str, Any]]:
    draw, conversation = random.Random(1), 0
    for number in range(traces):
        conversation += draw.random() < 0.4
        yield {
            "id": f"{number:032x}",
            "response_id": f"chatcmpl-{number}",
            "asked_at": round(START + SECONDS * number / traces, 3),
            "cluster": f"c{conversation}",
            "tags": draw.choice(("billing", "delivery", "refund")),
            "question": _text(draw, 15),
            "context": _text(draw, 60),
            "candidate": "assistant",
            "answer": _text(draw, 50),
            "score.quality": draw.choice((0, 1, 2, 2, 3, 3)),
            "e2e_s": round(draw.lognormvariate(0.2, 0.4), 3),
        }


def _text(draw: random.Random, about: int) -> str:
    return " ".join(draw.choices(WORDS, cum_weights=WEIGHTS, k=draw.randint(about // 2, about * 3 // 2)))


def _document(row: dict[str, Any]) -> dict[str, Any]:
    """An agent, what it retrieved and its call of a model, as the collector's file exporter writes them."""
    asked = [{"role": "user", "parts": [{"type": "text", "content": row["question"]}]}]
    answered = [{"role": "assistant", "parts": [{"type": "text", "content": row["answer"]}]}]
    texts = {"gen_ai.input.messages": json.dumps(asked), "gen_ai.output.messages": json.dumps(answered)}
    passages = json.dumps([{"id": "page", "content": row["context"]}])
    spans = [
        _span(row, 1, "invoke_agent", {"gen_ai.conversation.id": row["cluster"], **texts}),
        _span(row, 2, "retrieval", {"gen_ai.retrieval.documents": passages}),
        _span(row, 3, "chat", {"gen_ai.response.id": row["response_id"], **texts}),
    ]
    service = {"attributes": _attributes({"service.name": "assistant"})}
    return {"resourceSpans": [{"resource": service, "scopeSpans": [{"spans": spans}]}]}


def _span(row: dict[str, Any], number: int, operation: str, held: dict[str, str]) -> dict[str, Any]:
    start = int(row["asked_at"] * 1000) * 1_000_000
    return {
        "traceId": row["id"],
        "spanId": f"{number:016x}",
        **({} if number == 1 else {"parentSpanId": f"{1:016x}"}),
        "name": operation,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + int(row["e2e_s"] * 1e9)),
        "attributes": _attributes({"gen_ai.operation.name": operation, **held}),
    }


def _attributes(held: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in held.items()]


def measured(folder: Path) -> dict[str, tuple[float, float]]:
    """CPU seconds and MB by command, one after the other in a fresh workspace."""
    for made in (".markscheme", "training"):
        shutil.rmtree(folder / made, ignore_errors=True)
    return {name: command(words, folder) for name, words in COMMANDS.items()}


def command(words: list[str], folder: Path) -> tuple[float, float]:
    """CPU seconds and peak resident set in MB of one command."""
    program = str(Path(sys.executable).parent / "markscheme")
    with (folder / "output.txt").open("w+b") as output:
        process = subprocess.Popen([program, *words], cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(words)} failed:\n{(folder / 'output.txt').read_text()}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder of files and workspace, that stays")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        make(folder, options.traces)
        turns = [measured(folder) for _ in range(options.runs)]
    found = {name: [statistics.median(turn[name][k] for turn in turns) for k in (0, 1)] for name in COMMANDS}
    for name, (seconds, mb) in found.items():
        print(f"{name:25} {seconds:6.1f} s CPU, peak RSS {mb:.0f} MB")
    names = ("numpy", "scipy", "pandas", "sqlalchemy")
    versions = {name: version(name) for name in names} | {"python": platform.python_version()}
    print(json.dumps({"command": found, "versions": versions}))


if __name__ == "__main__":
    main()
