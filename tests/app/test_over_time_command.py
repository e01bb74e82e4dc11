"""`markscheme compare RUN --over-time`: from a table with times to a page, and words that do not go together."""

import csv
import json
import random
from pathlib import Path

import markscheme as ms
import pytest
from markscheme.app.comparing.over_time import Words, options_of
from markscheme.harness.errors import InputError
from markscheme.reports.over_time.drift import Options


@pytest.fixture
def traces(desk):
    """Three weeks, in the last of which scores are lower."""
    draw = random.Random(5)
    with Path("traces.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "question", "answer", "cluster", "asked_at", "score.quality"])
        for number in range(120):
            week, level = number // 40, draw.choice([2, 3, 3]) if number < 80 else draw.choice([0, 1, 2])
            when = f"2026-09-{7 + 7 * week + number % 7:02}T10:00:00Z"
            writer.writerow([f"t{number}", f"Question {number % 9}?", "Yes.", f"c{number // 2}", when, level])
    code, _, err = desk.command("import", "csv", "traces.csv", "--judge", "house", "--scale", "0,3")
    assert code == 0, err
    return desk


def test_a_drift_is_printed_written_and_returned(traces):
    code, out, err = traces.command(
        "compare", "latest", "--over-time", "--json", "--output", "pages", "--fail-on-drift"
    )
    assert code == 1, err
    told = json.loads(out.splitlines()[-1])
    assert told["verdicts"] == {"scores": "moved", "answers": "no change seen", "questions": "no change seen"}
    assert [one["label"] for one in told["windows"]] == ["2026-W37", "2026-W38", "2026-W39"]
    (quality,) = [one for one in told["tracks"] if one["measure"] == "quality"]
    assert [change["moved"] for change in quality["changes"]] == [False, True, True]
    assert told["report"] == "pages/over-time.html"
    assert "Scores moved" in (traces.folder / "pages" / "over-time.html").read_text()
    assert "Scores: moved" in (traces.folder / "pages" / "over-time.md").read_text()
    found = ms.over_time("latest")
    assert found.tests == told["tests"]
    assert repr(found).endswith("Scores moved; no change seen in answers and questions.")
    code, out, err = traces.command("compare", "latest", "--over-time", "--window", "2", "--reference", "first")
    assert code == 0, err
    assert out.startswith("run ")
    assert "Scores moved: quality in" in out
    assert "note: A window is compared with the reference" in out


def test_words_that_do_not_go_together_are_refused():
    assert options_of(Words(False), [], baseline=["old"]) is None
    assert options_of(Words(True), ["bot"]) == Options(candidate="bot")
    with pytest.raises(InputError, match="--window is about windows of time: add --over-time"):
        options_of(Words(False, window="day"), [])
    with pytest.raises(InputError, match="leave BASELINE out"):
        options_of(Words(True), [], baseline=["old"])
    with pytest.raises(InputError, match="leave --gate out"):
        options_of(Words(True), [], gate="gate.yaml")
    with pytest.raises(InputError, match="--candidate 'a=b'"):
        options_of(Words(True), ["a=b"])
