"""The watch on the judge: its alarm is about the judge, the gate's about the candidate."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

HARSH = {"say": {"judge": {"good": '{"correctness": {"reasoning": "No.", "score": 0}}', "bad": "no verdict"}}}
HARSH["say"]["judge"]["bad"] = HARSH["say"]["judge"]["good"]
ASSISTANT = """
def answer(sample):
    return sample.context[0] if int(sample.id[1:]) % 10 else "I do not know."

def hurried(sample):
    return sample.context[0] if int(sample.id[1:]) % 2 else "I do not know."
"""


@pytest.fixture
def nights(desk):
    """Forty questions, graded on three nights."""
    desk.samples(40)
    desk.exam["judges"][0]["params"] = {"max_tokens": 300}
    for _ in range(3):
        desk.run("--fresh")
    return desk


@pytest.fixture
def words(desk):
    """An assistant that answers by a file, graded by its words: a judge that needs no model, and cannot drift."""
    desk.samples(40)
    (desk.folder / "assistant.py").write_text(ASSISTANT)
    desk.exam["candidates"] = [{"name": "cand", "model": "python:assistant:answer", "version": "1"}]
    desk.exam["judges"] = [{"name": "judge", "model": "embedded", "rubric": "docs_qa"}]
    desk.write_samples([{**row, "context": [row["reference"]]} for row in desk.read_samples()])
    for _ in range(3):
        desk.run("--fresh")
    return desk


def freeze(desk, *words):
    code, out, err = desk.command("judge", "anchors", "latest", "-o", "anchors.jsonl", "--json", *words)
    assert code == 0, err
    return json.loads(out.splitlines()[-1])


def gate(desk, *words, code=0, **changes):
    line = {"judge": "judge", "measure": "correctness", "margin": 0.2, "margin_min": 0.05}
    spec = {"exam": "exam.yaml", "measures": [line], "anchors": ["anchors.jsonl"], **changes}
    (desk.folder / "gate.yaml").write_text(yaml.safe_dump(spec))
    found, out, err = desk.command("compare", "latest", "--gate", "gate.yaml", "--json", *words)
    assert found == code, err + out
    return json.loads(out.splitlines()[-1]) if out else err


def test_anchors_are_frozen_with_what_the_judge_gave_them_and_nobody_is_asked(nights, mock):
    before = mock.stats()["received"]
    assert freeze(nights, "-n", "15") == {"paths": ["anchors.jsonl"], "rows": 15}
    assert mock.stats()["received"] == before
    head, *lines = map(json.loads, (nights.folder / "anchors.jsonl").read_text().splitlines())
    assert (head["anchors_of"], head["served"]) == ("judge", {"judge-1": 15})
    assert len({line["sample_id"] for line in lines}) == 15
    assert {line["scores"]["correctness"] for line in lines} == {0.0, 1.0}


def test_a_steady_judge_is_called_so_with_what_a_night_could_have_found(nights):
    freeze(nights)
    nights.run("--fresh")
    said = gate(nights, "--watch")
    (judge,) = said["judges"]
    assert (judge["state"], judge["anchors"], judge["change"]["value"]) == ("steady", 40, 0.0)
    assert said["verdict"] == "pass"


def test_a_judge_that_drifted_is_the_finding_and_the_candidate_is_not(nights, mock):
    freeze(nights)
    mock.configure(HARSH)
    nights.run("--fresh")
    said = gate(nights, "--watch", "--junit", "junit.xml", "--summary", "summary.md", code=1)
    (judge,), (line,) = said["judges"], said["lines"]
    assert judge["state"] == "drifted"
    assert judge["change"]["value"] < -0.5
    assert any(note.startswith("moved: correctness") for note in judge["said"])
    assert (line["verdict"], said["verdict"]) == ("inconclusive", "inconclusive")
    assert line["why"] == "judge judge drifted, so its scores of this night say nothing about the candidate"
    assert (
        "Gate: JUDGE DRIFTED: the scores of judge judge cannot be trusted" in (nights.folder / "summary.md").read_text()
    )
    cases = {case.get("classname"): case for case in ElementTree.parse(nights.folder / "junit.xml").iter("testcase")}
    assert cases["judge judge"].find("failure") is not None
    assert cases["cand"].find("failure") is None
    (page,) = nights.folder.glob(".markscheme/reports/*/compare.html")
    assert "judge judge: DRIFTED" in page.read_text()
    assert said["comparison"]["verdict"].startswith("cand is worse")
    assert page.read_text().index("Judge judge drifted: what follows") < page.read_text().index("cand is worse")


def test_no_second_run_is_made_for_an_alarm_by_a_judge_that_drifted(nights, mock):
    freeze(nights)
    mock.configure(HARSH)
    nights.run("--fresh")
    gate(nights, "--watch", "--confirm", code=1)
    code, out, _ = nights.command("history", "exam.yaml", "--json")
    assert (code, len(json.loads(out.splitlines()[-1])["nights"])) == (0, 4)


def test_a_candidate_that_got_worse_is_the_finding_and_the_judge_is_steady(words):
    freeze(words)
    words.exam["candidates"][0]["model"] = "python:assistant:hurried"
    words.run("--fresh")
    said = gate(words, "--watch", code=1, confirm=False)
    assert said["judges"][0]["state"] == "steady"
    assert said["verdict"] == "regression"


def test_the_anchors_of_a_night_are_graded_once(nights, mock):
    freeze(nights)
    nights.run("--fresh")
    gate(nights, "--watch")
    before = mock.stats()["received"]
    assert gate(nights)["judges"] == gate(nights, "--watch")["judges"]
    assert mock.stats()["received"] == before


def test_a_night_is_graded_anew_and_not_read_from_the_night_of_reference(nights, mock):
    freeze(nights)
    nights.run("--fresh")
    before = mock.stats()["received"]
    gate(nights, "--watch")
    assert mock.stats()["received"] == before + 40


def test_without_a_night_nothing_is_said_of_the_judge_and_nobody_is_asked(nights):
    freeze(nights)
    nights.run("--fresh")
    (judge,) = gate(nights)["judges"]
    assert judge["state"] == "unknown"
    assert judge["why"].endswith("markscheme compare --gate FILE --watch does")
    gate(nights, code=4, on_inconclusive="fail")


def test_anchors_of_another_judge_say_nothing(nights):
    freeze(nights)
    nights.exam["judges"][0]["params"] = {"max_tokens": 301}
    nights.run("--fresh")
    nights.run("--fresh")
    (judge,) = gate(nights, "--watch")["judges"]
    assert judge["state"] == "unknown"
    assert "of another judge (params.max_tokens 300 → 301): make new ones" in judge["why"]


def test_history_shows_the_judge_on_its_anchors(nights, mock):
    freeze(nights)
    nights.run("--fresh")
    gate(nights, "--watch")
    mock.configure(HARSH)
    nights.run("--fresh")
    gate(nights, "--watch", code=1)
    code, out, err = nights.command("history", "exam.yaml")
    assert code == 0, err
    assert "judge judge: DRIFTED (40 anchors, −0." in out
    page = (nights.folder / ".markscheme/reports/exam/history.html").read_text()
    assert "Judges on their anchors" in page
    assert "it may be the judge, which drifted on its anchors" in out


def test_a_bundle_brings_the_night_of_its_anchors_along(nights):
    freeze(nights)
    nights.run("--fresh")
    here = gate(nights, "--watch")["judges"]
    old = [night["run"] for night in json.loads(nights.command("history", "exam.yaml", "--json")[1])["nights"]][:1]
    for run, file in (("latest", "new.mks"), (old[0], "old.mks")):
        assert nights.command("bundle", run, "-o", file)[0] == 0
    code, out, err = nights.command(
        "compare", "new.mks", "old.mks", "--gate", "gate.yaml", "--json", "--workspace", "elsewhere"
    )
    assert code == 0, err
    assert json.loads(out.splitlines()[-1])["judges"] == here


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing",), "there is no run 'nothing'"),
        (("latest", "-n", "1"), "--n 1: must be 2 or more"),
        (("latest", "--judge", "nobody"), "has no judge 'nobody'; it has 'judge'"),
    ],
)
def test_what_cannot_be_frozen_is_refused_with_what_there_is(desk, words, said):
    desk.run()
    code, _, err = desk.command("judge", "anchors", *words, "-o", "anchors.jsonl")
    assert code == 2
    assert said in err


def test_a_judge_that_sees_what_was_retrieved_has_no_anchors(desk):
    desk.rubric["sees"] = ["question", "reference", "candidate_context"]
    desk.run()
    code, _, err = desk.command("judge", "anchors", "latest", "-o", "anchors.jsonl")
    assert code == 2
    assert "has no judge that could be watched" in err


def test_a_broken_file_of_anchors_is_named_with_its_line(nights):
    freeze(nights)
    path = nights.folder / "anchors.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1], '{"sample_id": 3}']))
    nights.run("--fresh")
    assert "anchors.jsonl:3 sample_id" in gate(nights, code=2)
    path.unlink()
    assert "there is no such file" in gate(nights, code=2)


def test_watching_without_anchors_is_refused(nights):
    nights.run("--fresh")
    assert "names no anchors" in gate(nights, "--watch", code=2, anchors=[])
