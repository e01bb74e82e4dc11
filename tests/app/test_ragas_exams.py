"""What an exam may say of a judge by a metric of ragas, and what is said where ragas is not installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from markscheme.harness.errors import InputError, MissingExtra
from markscheme.judges import ragas, ragas_rubrics
from markscheme.judges.rubric import load_rubric


def complaint(desk, **judge) -> str:
    first = desk.exam["judges"][0]
    del first["shots"]
    first |= {"rubric": "ragas/faithfulness", **judge}
    code, _, err = desk.command("run", str(desk.save()))
    assert code == 2
    return err


@pytest.mark.parametrize(
    ("judge", "message"),
    [
        ({"rubric": "ragas/faithfullness"}, "rubric: 'ragas/faithfullness' is none of the metrics of ragas; did you "),
        ({"shots": 2}, "judges[0].shots: has no effect on ragas/faithfulness: ragas words its prompts itself"),
        ({"calls": "one"}, "judges[0].calls: has no effect on ragas/faithfulness"),
        ({"model": "embedded"}, "judges[0].model: 'embedded' cannot grade by ragas/faithfulness"),
        ({"mode": "pairwise"}, "judges[0].mode: 'pairwise' cannot be"),
        ({"embedder": "hashed/64"}, "judges[0].embedder: has no effect on the rubric 'ragas/faithfulness'"),
        ({"rubric": "ragas/answer_relevancy"}, "judges[0].embedder: is missing: ragas/answer_relevancy compares"),
        (
            {"rubric": "ragas/answer_relevancy", "embedder": {"model": "hashed/64", "document_prefix": "passage: "}},
            "judges[0].embedder.document_prefix: has no effect",
        ),
    ],
)
def test_what_a_metric_cannot_do_is_a_named_mistake(desk, judge, message):
    assert message in complaint(desk, **judge)


def test_an_embedder_for_a_rubric_of_ours_is_a_mistake(desk):
    assert "judges[0].embedder: has no effect on the rubric" in complaint(
        desk, rubric="./rubric.yaml", embedder="hashed/64"
    )


@pytest.mark.skipif(find_spec("ragas") is not None, reason="ragas is installed")
@pytest.mark.parametrize("words", [[], ["--plan"]])
def test_without_the_extra_nothing_is_called_and_the_remedy_is_named(desk, mock, words):
    desk.exam["judges"][0]["rubric"] = "ragas/faithfulness"
    del desk.exam["judges"][0]["shots"]
    code, _, err = desk.command("run", str(desk.save()), *words)
    assert code == 2
    assert "the rubric 'ragas/faithfulness' needs the extra 'ragas': pip install 'markscheme[ragas]'" in err
    assert mock.stats()["received"] == 0
    assert not (desk.folder / ".markscheme" / "markscheme.db").exists()


def test_another_series_of_ragas_is_refused(monkeypatch):
    monkeypatch.setattr(ragas_rubrics, "find_spec", lambda name: object())
    monkeypatch.setattr(ragas_rubrics, "version", lambda name: "0.3.1")
    with pytest.raises(InputError, match=r"is a metric of ragas 0\.4\.x, and 0\.3\.1 is installed"):
        load_rubric("ragas/faithfulness", 0)
    monkeypatch.setattr(ragas_rubrics, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra):
        load_rubric("ragas/faithfulness", 0)


@pytest.mark.skipif(find_spec("ragas") is not None, reason="ragas is installed")
def test_a_ragas_that_cannot_be_imported_says_what_to_do():
    with pytest.raises(InputError, match=r"ragas cannot be imported .*best in an environment of its own"):
        ragas.load()


def test_a_rubric_record_needs_no_ragas(monkeypatch):
    monkeypatch.setattr(ragas_rubrics, "find_spec", lambda name: object())
    monkeypatch.setattr(ragas_rubrics, "version", lambda name: "0.4.3")
    rubric = load_rubric("ragas/context_recall", 0)
    assert (rubric.scale, rubric.version, [c.name for c in rubric.criteria]) == ((0, 1), "0.4.3", ["context_recall"])
    assert rubric.describe()["sees"] == ["question", "context?", "candidate_context?", "reference"]
    monkeypatch.setattr(ragas_rubrics, "version", lambda name: "0.4.9")
    assert load_rubric("ragas/context_recall", 0).sha256 != rubric.sha256
