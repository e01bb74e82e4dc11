"""`bundle`, `bundle merge`, and a bundle in the place of a run, as a job on a machine of its own meets them."""

import json
import zipfile
from pathlib import Path

import pytest

WORDS = ("Which code word", "states the code word", "SECRET PROMPT")
KEY = "sk-planted-000000000000000000000000"


@pytest.fixture
def nightly(desk, monkeypatch):
    """A finished run under the name `nightly`, made with a key and a prompt that must not leave."""
    monkeypatch.setenv("MARKSCHEME_API_KEY", KEY)
    (desk.folder / "system.txt").write_text("SECRET PROMPT")
    desk.exam["candidates"][0]["system"] = "./system.txt"
    desk.run("--name", "nightly")
    return desk


def say(desk, *words, expect=0):
    """Standard output of a command."""
    code, out, err = desk.command(*words)
    assert code == expect, err
    return out if expect == 0 else err


def line(desk, *words):
    return json.loads(say(desk, *words, "--json").splitlines()[-1])


def everything(path):
    with zipfile.ZipFile(path) as archive:
        return b"".join(archive.read(name) for name in archive.namelist()).decode()


def test_a_report_of_a_bundle_is_that_of_the_workspace_on_a_machine_without_one(nightly, monkeypatch, tmp_path):
    made = line(nightly, "bundle", "nightly", "-o", "run.mks")
    assert (made["path"], made["finished"], made["texts"], made["rows"]["answers"]) == ("run.mks", True, True, 10)
    assert made["bytes"] == Path("run.mks").stat().st_size
    say(nightly, "report", "nightly", "-o", "own")
    (tmp_path / "elsewhere").mkdir()
    Path("run.mks").rename(tmp_path / "elsewhere" / "run.mks")
    monkeypatch.chdir(tmp_path / "elsewhere")
    say(nightly, "report", "run.mks", "-o", "its")
    for name in ("report.html", "report.md"):
        assert Path("its", name).read_bytes() == (tmp_path / "own" / name).read_bytes()
    assert not Path(".markscheme").exists()
    paths = line(nightly, "report", "run.mks")["paths"]
    assert Path(paths[0]).parent.parent == Path.cwd() / ".markscheme" / "reports"


def test_what_a_bundle_exports_is_what_the_workspace_does(nightly):
    say(nightly, "bundle", "nightly", "-o", "run.mks")
    for table in ("answers", "grades"):
        assert say(nightly, "export", table, "--run", "run.mks") == say(nightly, "export", table, "--run", "nightly")


def test_judges_are_compared_with_labels_from_a_bundle(nightly):
    answers = [json.loads(row) for row in say(nightly, "export", "answers").splitlines()]
    rows = [f"{a['sample_id']},cand,0,correctness,{i % 2},ann" for i, a in enumerate(answers)]
    Path("labels.csv").write_text("sample_id,candidate,trial,criterion,score,annotator\n" + "\n".join(rows) + "\n")
    say(nightly, "import", "labels", "labels.csv", "--design", "random")
    say(nightly, "bundle", "nightly", "-o", "run.mks")
    here = line(nightly, "judge", "align", "nightly", "-o", "a")
    Path("labels.csv").unlink()
    there = line(nightly, "judge", "align", "run.mks", "-o", "b")
    assert {**there, "report": ""} == {**here, "report": ""}
    assert line(nightly, "judge", "correct", "run.mks")["rows"] == line(nightly, "judge", "correct", "nightly")["rows"]


def test_labels_of_the_exam_are_those_of_the_day_of_the_bundle(nightly):
    Path("labels.csv").write_text("sample_id,candidate,trial,criterion,score,annotator\ns0,cand,0,correctness,1,ann\n")
    nightly.exam["labels"] = [{"path": "./labels.csv", "design": "random"}]
    nightly.run()
    say(nightly, "bundle", "nightly", "-o", "run.mks")
    Path("labels.csv").unlink()
    code, _, err = nightly.command("report", "run.mks", "-o", "its")
    assert (code, err) == (0, ""), "a file that is not on this machine is not looked for"


def test_no_key_is_in_a_bundle(nightly):
    say(nightly, "bundle", "nightly", "-o", "run.mks")
    found = everything("run.mks")
    assert KEY not in found
    assert "Bearer" not in found
    assert all(words in found for words in WORDS[::2])


def test_without_texts_no_word_leaves(nightly):
    made = line(nightly, "bundle", "nightly", "-o", "bare.mks", "--no-texts")
    assert not made["texts"]
    found = everything("bare.mks")
    assert [words for words in WORDS if words in found] == []
    rows = [json.loads(row) for row in say(nightly, "export", "answers", "--run", "bare.mks").splitlines()]
    assert {row["text"] for row in rows} == {""}
    assert {row["completion_tokens"] for row in rows} != {None}


def test_a_report_without_texts_says_so_and_holds_no_word(nightly):
    page = Path(line(nightly, "report", "nightly", "--no-texts")["paths"][0])
    assert page.parent.name.endswith("-no-texts"), "the team's own report stays where it is"
    whole = Path(line(nightly, "report", "nightly")["paths"][0])
    for name in ("report.html", "report.md"):
        text = page.with_name(name).read_text(encoding="utf-8")
        assert [words for words in WORDS if words in text] == [], name
        assert "left out" in text, name
        assert "left out" not in whole.with_name(name).read_text(encoding="utf-8"), name
    say(nightly, "bundle", "nightly", "-o", "bare.mks", "--no-texts")
    say(nightly, "report", "bare.mks", "-o", "of-bundle")
    assert Path("of-bundle/report.md").read_text() == page.with_name("report.md").read_text()
    assert Path("of-bundle/report.html").read_text() == page.read_text()


def test_a_bundle_of_a_bundle_can_leave_the_texts_out_and_not_bring_them_back(nightly):
    say(nightly, "bundle", "nightly", "-o", "run.mks")
    say(nightly, "bundle", "run.mks", "-o", "bare.mks", "--no-texts")
    say(nightly, "bundle", "nightly", "-o", "direct.mks", "--no-texts")
    assert Path("bare.mks").read_bytes() == Path("direct.mks").read_bytes()
    assert not line(nightly, "bundle", "bare.mks", "-o", "again.mks")["texts"]
    assert Path("again.mks").read_bytes() == Path("bare.mks").read_bytes()


def test_merged_once_or_twice_a_run_continues_without_a_call(nightly, mock):
    say(nightly, "bundle", "nightly", "-o", "run.mks")
    made = line(nightly, "bundle", "merge", "run.mks", "--into", "joined")["sources"]
    assert [(one["source"], len(one["runs_added"]), one["differing"]) for one in made] == [("run.mks", 1, {})]
    again = line(nightly, "bundle", "merge", ".markscheme", "run.mks", "--into", "joined")["sources"]
    assert [(len(one["runs_present"]), one["added"], one["notes"]) for one in again] == [(1, {}, [])] * 2
    mock.configure({})
    assert nightly.run("--workspace", "joined")["calls"]["live"] == 0
    assert mock.stats()["received"] == 0


def test_two_machines_that_asked_the_same_keep_their_own_numbers(nightly):
    nightly.run("--workspace", "second")
    own = say(nightly, "export", "answers", "--workspace", "second")
    code, out, err = nightly.command("bundle", "merge", "second", "--into", ".markscheme")
    assert code == 0
    assert "second: 1 of 1 runs added" in out
    assert "calls: 20 requests have another reply there; both are kept" in err
    run = json.loads(own.splitlines()[0])["run"]
    assert say(nightly, "export", "answers", "--run", run) == own


def test_the_command_begins_with_a_run_an_option_or_a_command(nightly):
    say(nightly, "bundle", "-o", "a.mks", "nightly")
    say(nightly, "bundle", "--output", "b.mks")
    say(nightly, "bundle", "write", "nightly", "-o", "c.mks")
    assert len({Path(f"{name}.mks").read_bytes() for name in "abc"}) == 1
    for words in (("--help",), ("nightly", "--help"), ("merge", "--help")):
        assert "markscheme bundle" in say(nightly, "bundle", *words)
    assert "SOURCE... --into" in say(nightly, "bundle", "--help")


def test_a_run_that_is_not_finished_is_said_to_be_so(nightly):
    say(nightly, "generate", "exam.yaml", "--fresh", "--quiet")
    code, _, err = nightly.command("bundle", "latest", "-o", "run.mks")
    assert (code, "not finished" in err) == (0, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("bundle", "nightly"), "Missing option '--output'"),
        (("bundle", "weekly", "-o", "x.mks"), "there is no run 'weekly'"),
        (("bundle", "nightly", "-o", "."), "--output '.' is a folder; name a file"),
        (("report", "gone.mks"), "gone.mks: there is no such file"),
        (("report", "samples.mks"), "samples.mks: is no bundle, or damaged"),
        (("export", "answers", "--workspace", "nowhere"), "holds no markscheme.db"),
        (("bundle", "merge", "nowhere", "--into", "x"), "nowhere: is neither a bundle nor a folder with a markscheme"),
        (("bundle", "merge", ".markscheme", "--into", "./.markscheme"), "is what --into names"),
        (("bundle", "merge", "--into", "x"), "Missing argument 'SOURCE...'"),
        (("bundle", "merge", ".markscheme"), "Missing option '--into'"),
    ],
)
def test_mistakes_are_named(nightly, words, message):
    Path("samples.mks").write_text("no zip")
    assert message in say(nightly, *words, expect=2)
