"""What an export says that it was made of, read back."""

import json
import re

import pytest
from markscheme.app.comparing.trained_on import learned_in
from markscheme.harness.errors import InputError
from markscheme.reports.serving.untrained import Learned


@pytest.fixture
def export(tmp_path):
    """Writes the trace of an export."""

    def write(*rows):
        (tmp_path / "card.json").write_text("{}")
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        (tmp_path / "lines.jsonl").write_text("".join(f"{line}\n" for line in lines))
        return tmp_path

    return write


def test_lines_and_pairs_name_their_samples(export):
    folder = export(
        {"file": "train.jsonl", "line": 1, "sample_id": "q1", "sample_sha256": "c1", "candidate": "large"},
        {"file": "pairs.train.jsonl", "line": 1, "by": "score", "chosen": {"sample_id": "q2", "sample_sha256": "c2"}},
    )
    assert learned_in(folder) == [Learned("train.jsonl:1", "q1", "c1"), Learned("pairs.train.jsonl:1", "q2", "c2")]


@pytest.mark.parametrize("row", ["{", "[]", '{"file": "train.jsonl"}', "7"])
def test_a_broken_trace_is_named_with_its_line(export, row):
    good = {"file": "train.jsonl", "line": 1, "sample_id": "q1", "sample_sha256": "c1"}
    with pytest.raises(InputError, match=r"lines\.jsonl:2: is no line of the trace of an export"):
        learned_in(export(good, row))


def test_an_empty_trace_does_not_pass_for_nothing_trained_on(export):
    with pytest.raises(InputError, match="is empty, so nobody knows what was trained on"):
        learned_in(export())


def test_a_folder_that_is_no_export_is_refused(tmp_path, export):
    with pytest.raises(InputError, match=re.escape(f"--trained-on {str(tmp_path)!r}: holds no lines.jsonl")):
        learned_in(tmp_path)
    folder = export({"file": "train.jsonl", "line": 1, "sample_id": "q1"})
    (folder / "card.json").unlink()
    with pytest.raises(InputError, match=r"holds no card\.json; name the folder that"):
        learned_in(folder)
