"""A folder with an exam in it, the mock server, and the command line in-process."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent.parent / "servers"))
from mock_openai import MockServer, mock_server
from mock_replies import code_word

RUBRIC = {
    "name": "code_word",
    "scale": [0, 1],
    "sees": ["question", "reference"],
    "criteria": [
        {
            "name": "correctness",
            "weight": 1.0,
            "description": "The answer must state the code word of the reference.",
            "levels": [{"score": 0, "description": "It does not."}, {"score": 1, "description": "It does."}],
        }
    ],
}


@pytest.fixture(scope="session")
def _server():
    with mock_server() as server:
        yield server


@pytest.fixture
def mock(_server: MockServer) -> MockServer:
    """The mock server, with default words and fresh counters."""
    _server.configure({})
    return _server


@dataclass
class Desk:
    """A folder with samples, a rubric and an exam that a test may change; runs commands on it."""

    folder: Path
    url: str
    capsys: Any
    exam: dict[str, Any] = field(default_factory=dict)
    rubric: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(RUBRIC)))

    def samples(self, count: int, **changes: Any) -> None:
        rows = [
            {"id": f"s{n}", "question": f"[[Q{n}]] Which code word?", "reference": code_word(n), **changes}
            for n in range(count)
        ]
        self.write_samples(rows)

    def write_samples(self, rows: list[dict[str, Any]]) -> None:
        (self.folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def read_samples(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "samples.jsonl").read_text().splitlines()]

    def save(self) -> Path:
        (self.folder / "rubric.yaml").write_text(yaml.safe_dump(self.rubric, sort_keys=False))
        path = self.folder / "exam.yaml"
        path.write_text(yaml.safe_dump(self.exam, sort_keys=False))
        return path

    def command(self, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error of `markscheme WORDS`."""
        from markscheme.app.cli import main as cli

        self.capsys.readouterr()
        code = 0
        argv, sys.argv = sys.argv, ["markscheme", *words]
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        finally:
            sys.argv = argv
        out, err = self.capsys.readouterr()
        return code, out, err

    def run(self, *words: str, expect: int = 0) -> dict[str, Any]:
        """`markscheme run exam.yaml --no-report --json WORDS`: the JSON object."""
        code, out, err = self.command("run", str(self.save()), "--no-report", "--json", "--quiet", *words)
        assert code == expect, err
        return json.loads(out.splitlines()[-1]) if out else {"stderr": err}


@pytest.fixture
def desk(tmp_path: Path, mock: MockServer, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Ten samples, one candidate, one judge, on the mock server."""
    monkeypatch.chdir(tmp_path)
    desk = Desk(tmp_path, mock.url, capsys)
    desk.samples(10)
    desk.exam = {
        "dataset": "./samples.jsonl",
        "candidates": [{"name": "cand", "model": "openai-compatible/cand-1", "base_url": mock.url, "stream": False}],
        "judges": [
            {
                "name": "judge",
                "model": "openai-compatible/judge-1",
                "base_url": mock.url,
                "rubric": "./rubric.yaml",
                "shots": 0,
            }
        ],
        "concurrency": 16,
    }
    return desk
