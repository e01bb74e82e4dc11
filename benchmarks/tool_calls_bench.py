"""Grading function calls: 1,240 questions in the form of the Berkeley leaderboard, answered by 11 models made up here.

    python benchmarks/tool_calls_bench.py [--runs 3]

In a folder of its own it writes a question file, its possible answers and 11 sheets of answers, right, nearly right
and wrong; `markscheme generate` takes the sheets in, `markscheme grade` measures names, arguments and schemas of all
13,640 answers. CPU seconds are user + system of each command as a whole. Beside it, the two accuracies alone in one
process, without store or command.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markscheme.harness.data import load_dataset
from markscheme.harness.exam_specs import DatasetSpec
from markscheme.harness.measures import parse
from markscheme.harness.records import Said, ToolCall

CATEGORIES = {"simple": 400, "multiple": 200, "parallel": 200, "parallel_multiple": 200, "irrelevance": 240}
MODELS = 11
MEASURES = ("function_name_accuracy", "function_name_and_args_accuracy", "tool_schema_validity")
WORDS = "weather route price area tax loan recipe match stock event hotel song book note light route".split()


def main() -> None:
    """Write the set, grade it, print the medians."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--runs", type=int, default=3)
    runs = arguments.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made(folder, random.Random(1240))
        commands = [
            [_graded(folder, f"w{n}", *words) for words in (("generate",), ("grade", "--no-report"))]
            for n in range(runs)
        ]
        alone = [_alone(folder) for _ in range(runs)]
    for what, seconds in zip(("taking the answers in", "grading"), zip(*commands, strict=True), strict=True):
        sys.stdout.write(f"{what}: {statistics.median(seconds):.2f} s CPU\n")
    sys.stdout.write(f"the two accuracies alone: {statistics.median(alone):.2f} s CPU\n")


def made(folder: Path, draw: random.Random) -> None:
    """Questions, possible answers, sheets and the exam."""
    rows = [_row(f"{category}_{n}", category, draw) for category, count in CATEGORIES.items() for n in range(count)]
    _write(folder / "questions.json", ({k: row[k] for k in ("id", "question", "function")} for row in rows))
    truth = ({"id": row["id"], "ground_truth": row["truth"]} for row in rows if row["truth"])
    _write(folder / "answers.json", truth)
    for model in range(MODELS):
        _write(folder / f"model{model}.jsonl", (_answer(row, model, draw) for row in rows))
    candidates = [{"name": f"model{n}", "model": f"replay/model{n}.jsonl"} for n in range(MODELS)]
    dataset = {"path": "questions.json", "format": "bfcl", "answers": "answers.json"}
    exam = {"dataset": dataset, "candidates": candidates, "measures": list(MEASURES)}
    (folder / "exam.yaml").write_text(json.dumps(exam))


def _row(name: str, category: str, draw: random.Random) -> dict[str, Any]:
    several = category in ("multiple", "parallel_multiple")
    functions = [_function(f"{draw.choice(WORDS)}.find_{k}", draw) for k in range(3 if several else 1)]
    calls = {"irrelevance": 0, "parallel": 3, "parallel_multiple": 3}.get(category, 1)
    chosen = [draw.choice(functions) for _ in range(calls)]
    truth = [{f["name"]: {a: _right(p, draw) for a, p in f["parameters"]["properties"].items()}} for f in chosen]
    question = [[{"role": "user", "content": f"Question {name}: what about {draw.choice(WORDS)}?"}]]
    return {"id": name, "question": question, "function": functions, "truth": truth}


def _function(name: str, draw: random.Random) -> dict[str, Any]:
    kinds = draw.choices(["integer", "float", "string", "boolean", "array"], k=4)
    shapes = [{"type": kind, "description": "An argument."} for kind in kinds]
    inner = [{**shape, "items": {"type": "integer"}} if shape["type"] == "array" else shape for shape in shapes]
    properties = {f"{draw.choice(WORDS)}_{k}": shape for k, shape in enumerate(inner)}
    parameters = {"type": "dict", "properties": properties, "required": list(properties)[:2]}
    return {"name": name, "description": "Finds something.", "parameters": parameters}


def _right(shape: dict[str, Any], draw: random.Random) -> list[Any]:
    values = {"integer": draw.randrange(100), "float": draw.randrange(1000) / 8, "boolean": draw.random() < 0.5}
    values |= {
        "array": [draw.randrange(9) for _ in range(4)],
        "string": f"{draw.choice(WORDS)} of {draw.choice(WORDS)}",
    }
    value = values[shape["type"]]
    return [value, f"the {value}", ""] if shape["type"] == "string" else [value]


def _answer(row: dict[str, Any], model: int, draw: random.Random) -> dict[str, Any]:
    """Right calls, the better the model the more often; else with a wrong value, a missing or a made-up argument."""
    calls = []
    for call in row["truth"]:
        ((name, given),) = call.items()
        arguments = {argument: values[0] for argument, values in given.items()}
        if draw.random() > 0.4 + 0.05 * model:
            first = next(iter(arguments))
            change = draw.randrange(3)
            arguments |= {first: 12345} if change == 0 else {"made_up": 1} if change == 1 else {}
            if change == 2:
                del arguments[first]
        calls.append({"name": name.replace(".", "_"), "arguments": json.dumps(arguments)})
    draw.shuffle(calls)
    return {"id": row["id"], "answer": "" if calls else "There is no function for that.", "tool_calls": calls}


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _graded(folder: Path, workspace: str, phase: str, *more: str) -> float:
    """CPU seconds of one command in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [sys.executable, "-m", "markscheme.app.cli", phase, "exam.yaml", "--workspace", workspace, "--quiet", *more]
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _alone(folder: Path) -> float:
    """CPU seconds of names and arguments over answers that are records already."""
    spec = {"path": folder / "questions.json", "format": "bfcl", "answers": folder / "answers.json"}
    samples = load_dataset(DatasetSpec.model_validate(spec)).samples
    answers = [
        [_said(json.loads(line)) for line in (folder / f"model{n}.jsonl").read_text().splitlines()]
        for n in range(MODELS)
    ]
    measures = [parse(name) for name in MEASURES[:2]]
    start = time.process_time()
    for sheet in answers:
        for sample, answer in zip(samples, sheet, strict=True):
            for measure in measures:
                measure.score(sample, answer)
    return time.process_time() - start


def _said(row: dict[str, Any]) -> Said:
    return Said(row["answer"], tuple(ToolCall(call["name"], call["arguments"]) for call in row["tool_calls"]))


if __name__ == "__main__":
    main()
