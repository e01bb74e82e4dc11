"""What shares a reply and what does not."""

from mock_openai import mock_server


def paid(mock):
    """(answers, verdicts) paid since the last look."""
    kinds = mock.stats()["kinds"]
    mock.configure({})
    return kinds.get("gen", {}).get("ok", 0), kinds.get("judge", {}).get("ok", 0)


def test_a_finished_run_makes_no_call_and_says_so(desk, mock):
    first = desk.run()
    assert paid(mock) == (10, 10)
    assert first["answers"] == {"ok": 10, "failed": 0}
    assert first["grades"] == {"ok": 10}
    assert first["calls"] == {"live": 20, "reused": 0}
    again = desk.run()
    assert mock.stats()["received"] == 0
    assert again["calls"] == {"live": 0, "reused": 0}
    assert (again["run"], again["summary"]) == (first["run"], first["summary"])
    assert "nothing to do" in desk.command("run", "exam.yaml", "--no-report", "--quiet")[1]


def test_a_corrected_reference_is_graded_again_and_nothing_is_generated(desk, mock):
    desk.run()
    paid(mock)
    rows = desk.read_samples()
    rows[3]["reference"] = "another word"
    desk.write_samples(rows)
    desk.run()
    assert paid(mock) == (0, 1)


def test_one_question_with_two_references_is_answered_once_and_graded_twice(desk, mock):
    question = "[[Q1]] Which code word?"
    desk.write_samples([{"id": i, "question": question, "reference": f"word {i}"} for i in ("a", "b")])
    result = desk.run()
    assert paid(mock) == (1, 2)
    assert result["answers"]["ok"] == 2


def test_one_changed_word_of_a_rubric_generates_nothing_and_grades_all(desk, mock):
    desk.run()
    paid(mock)
    desk.rubric["criteria"][0]["levels"][0]["description"] = "It does not state it."
    desk.run()
    assert paid(mock) == (0, 10)


def test_the_same_server_on_another_port_is_not_called(desk, mock):
    desk.run()
    with mock_server() as elsewhere:
        for part in (desk.exam["candidates"][0], desk.exam["judges"][0]):
            part["base_url"] = elsewhere.url
        result = desk.run()
        assert elsewhere.stats()["received"] == 0
    assert result["answers"]["ok"] == 10


def test_two_candidates_with_identical_settings_are_two_draws(desk, mock):
    desk.exam["candidates"].append({**desk.exam["candidates"][0], "name": "twin"})
    desk.run()
    assert paid(mock)[0] == 20


def test_trials_are_draws_of_their_own(desk, mock):
    desk.exam["candidates"][0]["trials"] = 3
    result = desk.run()
    assert paid(mock)[0] == 30
    assert result["summary"][0]["n"] == 10


def test_a_changed_parameter_or_model_is_generated_afresh(desk, mock):
    desk.run()
    paid(mock)
    desk.exam["candidates"][0]["params"] = {"temperature": 0.5}
    desk.run()
    assert paid(mock) == (10, 0), "the mock says the same words, so the judge's requests are the same"
    desk.exam["candidates"][0]["model"] = "openai-compatible/cand-2"
    desk.run()
    assert paid(mock)[0] == 10


def test_streaming_or_not_is_the_same_call(desk, mock):
    desk.run()
    paid(mock)
    desk.exam["candidates"][0]["stream"] = True
    desk.run()
    assert paid(mock) == (0, 0)


def test_a_new_candidate_is_all_that_is_done(desk, mock):
    desk.run()
    paid(mock)
    desk.exam["candidates"].append({**desk.exam["candidates"][0], "name": "other", "model": "openai-compatible/cand-2"})
    desk.run()
    assert paid(mock)[0] == 10


def test_fresh_makes_every_call_live_and_is_continued_exactly_once(desk, mock):
    first = desk.run()
    paid(mock)
    fresh = desk.run("--fresh")
    assert fresh["run"] != first["run"]
    assert paid(mock) == (10, 10)
    again = desk.run()
    assert again["run"] == fresh["run"]
    assert paid(mock) == (0, 0)


def test_another_exam_of_the_same_content_re_uses_the_replies_and_says_from_where(desk, mock):
    desk.run()
    paid(mock)
    other = desk.folder / "other.yaml"
    other.write_text(desk.save().read_text())
    code, out, _ = desk.command("run", str(other), "--no-report", "--quiet")
    assert code == 0
    assert "0 calls made, 20 replies re-used" in out
    assert paid(mock) == (0, 0)
    _, answers, _ = desk.command("export", "answers")
    assert answers.count('"origin":"reused"') == 10


def test_reuse_answers_grades_afresh_and_generates_nothing(desk, mock):
    first = desk.run()
    paid(mock)
    again = desk.run("--reuse", "answers")
    assert again["run"] != first["run"]
    assert paid(mock) == (0, 10)
    assert again["summary"] == first["summary"]
