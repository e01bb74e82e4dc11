"""What commands print: names come with other people's bundles, and none of them commands the terminal."""

import sqlite3
from contextlib import closing

import pytest

NAME = "cand\x1b]0;title\x07\x1b[2J"


@pytest.fixture
def nights(desk):
    """Two runs of a candidate whose name no exam would take: a stranger's file may say anything."""
    desk.samples(40)
    for name in ("before", "after"):
        desk.run("--fresh", "--name", name)
    with closing(sqlite3.connect(".markscheme/markscheme.db")) as store, store:
        for table in ("answers", "grades"):
            store.execute(f"UPDATE {table} SET candidate = ?", (NAME,))
        changed = store.execute(
            "UPDATE runs SET config = replace(config, ?, ?)",
            ('"name":"cand"', '"name":"cand\\u001b]0;title\\u0007\\u001b[2J"'),
        )
        assert changed.rowcount == 2
    return desk


@pytest.mark.parametrize("words", [("compare", "after", "before"), ("history", "exam.yaml")])
def test_a_name_from_elsewhere_commands_no_terminal(nights, words):
    code, out, err = nights.command(*words)
    assert code == 0, err
    assert "cand\ufffd]0;title\ufffd\ufffd[2J" in out
    assert not {"\x1b", "\x07"} & {*out, *err}


def test_neither_does_the_reason_of_a_gate(nights, tmp_path):
    gate = tmp_path / "gate.yaml"
    gate.write_text("baseline: {run: before}\nmeasures: [{judge: judge, measure: correctness, margin: 0.9}]\n")
    code, out, err = nights.command("compare", "after", "--gate", str(gate))
    assert code == 0, err
    assert "cand\ufffd]0;title" in out
    assert not {"\x1b", "\x07"} & {*out, *err}
