"""The sweep: what a chunk brings, what measures count, what is compared at equal tokens, and what is recommended."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from markscheme.harness.errors import DataError, ExamError
from markscheme.harness.exam import exam_from_dict
from markscheme.harness.measures.retrieval import evaluate, parse_retrieval
from markscheme.harness.records import Retrieved, Sample
from markscheme.harness.retrieval.sweep import Built, Paper, Spent, query_of, score_all, sweep
from markscheme.harness.retrieval.sweep_choice import choose, halves
from markscheme.harness.retrieval.sweep_scores import Cut, Passage, Scores, score, shown
from markscheme.harness.retrieval.sweep_targets import from_context, targets_of

WORDS = "one two three four five six seven eight nine ten "
DOCUMENTS = {"a": WORDS * 4, "b": WORDS * 4, "c": WORDS * 4}


def sample(name="q", relevant=None, cluster="", **metadata):
    return Sample(name, f"What is {name}?", relevant=relevant or {}, cluster=cluster or name, metadata=metadata)


def passage(chunk, brings=(), tokens=10):
    return Passage(chunk, chunk, 0, 4 * tokens, "abcd" * tokens, tuple(brings))


def spec_of(**section):
    data = {"dataset": "docs_qa", "retrieval": section}
    return exam_from_dict(data, Path(), "exam").retrieval


def paper_of(samples, documents=DOCUMENTS):
    return Paper(tuple(samples), targets_of(samples, documents, "corpus"), documents, "corpus", "0" * 64)


class FakeRetriever:
    """Returns chunks of ten characters of the documents in a fixed order."""

    def __init__(self, ids):
        self.ids = ids

    async def retrieve(self, question, k):
        return [Retrieved("", chunk) for chunk in self.ids[:k]]

    async def close(self):
        pass


class FakeWorkshop:
    """Counts what is built."""

    def __init__(self, ids=("a#0-10", "b#0-10", "c#0-10"), version="1"):
        self.ids, self.version, self.built = ids, version, []

    def identity(self, configuration):
        return {"version": self.version}

    async def build(self, configuration):
        self.built.append(configuration.name)
        return Built(FakeRetriever(self.ids), [10] * 12, 0.5, 1000)


def run_sweep(spec, paper, folder, workshop, **more):
    return asyncio.run(sweep(spec, paper, folder, workshop, **more))


def test_the_grid_is_every_combination_and_whole_documents_have_no_size():
    spec = spec_of(embedders=["hashed/64"], chunkers=["recursive", "document"], sizes=[100, 200], overlaps=[0, 10])
    names = [c.name for c in spec.configurations]
    assert len(names) == len(set(names)) == 2 * (4 + 1)
    assert "bm25 · recursive 200/10" in names
    assert "hashed/64 · document" in names


def test_a_baseline_is_a_configuration_or_the_first_of_a_retriever():
    section = {"embedders": ["hashed/64"], "sizes": [100, 200]}
    assert spec_of(**section).baseline_configuration.name == "bm25 · recursive 100"
    assert spec_of(**section, baseline="hashed/64").baseline_configuration.name == "hashed/64 · recursive 100"
    named = "bm25 · recursive 200"
    assert spec_of(**section, baseline=named).baseline_configuration.name == named


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"sizes": [100], "overlaps": [100]}, "an overlap of 100 with a size of 100"),
        ({"bm25": False}, "names no retriever"),
        ({"baseline": "bm52 · recursive 800"}, "did you mean 'bm25 · recursive 800'"),
        ({"functions": ["search"]}, "python:module:name"),
        ({"embedders": ["hashed/64", "hashed/64"]}, "stands there twice"),
        ({"embedders": ["minilmm"]}, "minilm"),
        ({"k": [0]}, "at least 1"),
        ({"chunker": "recursive"}, "did you mean 'chunkers'"),
    ],
)
def test_a_mistake_in_the_section_is_named_with_its_remedy(section, said):
    with pytest.raises(ExamError, match="retrieval") as caught:
        spec_of(**section)
    assert said in str(caught.value)


def test_any_chunk_of_a_relevant_document_is_relevant():
    targets = targets_of([sample(relevant={"a": 2, "b": 0})], DOCUMENTS, "corpus").targets["q"]
    assert targets.brought_by("a", 90, 100) == ("a",)
    assert targets.brought_by("b", 0, 10) == ()


def test_a_marked_passage_stands_in_for_its_document_and_needs_half_of_the_shorter():
    marks = [{"document": "a", "start": 20, "end": 40}]
    targets = targets_of([sample(relevant={"a": 2, "b": 1}, passages=marks)], DOCUMENTS, "corpus").targets["q"]
    assert targets.grades == {"a#1": 2, "b": 1}
    assert targets.brought_by("a", 30, 100) == ("a#1",)
    assert targets.brought_by("a", 31, 100) == ()
    assert targets.brought_by("a", 36, 44) == ("a#1",), "half of a chunk shorter than the passage"
    assert targets.brought_by("a", 60, 100) == ()
    assert targets.brought_by("b", 0, 10) == ("b",)


def test_a_quote_is_found_whatever_its_white_space():
    documents = {"a": "Intro.\n\nThe quick\nbrown  fox."}
    quoted = sample(relevant={"a": 1}, passages=[{"document": "a", "quote": "quick brown fox"}])
    targets = targets_of([quoted], documents, "corpus").targets["q"]
    assert targets.brought_by("a", 12, 28) == ("a#1",)
    assert targets.brought_by("a", 0, 8) == ()


def test_the_own_context_marks_the_relevant_document_that_holds_it():
    documents = {"a": "Nothing here.", "b": "First part. Second part."}
    own = Sample("q", "?", context=("Second\npart.", "Not there."), relevant={"a": 2, "b": 1})
    marked = from_context(own, documents)
    assert [mark["document"] for mark in marked.metadata["passages"]] == ["b", "a"]
    found = targets_of([marked], documents, "corpus")
    assert found.targets["q"].brought_by("b", 12, 24) == ("b#1",)
    assert found.targets["q"].brought_by("b", 0, 11) == ()
    assert "1 marked passages are not in their document" in found.notes[0]


@pytest.mark.parametrize(
    "marks",
    ["a", [{"start": 0, "end": 1}], [{"document": "a"}], [{"document": "a", "start": 5, "end": 5}], ["a"]],
)
def test_a_mark_that_marks_nothing_is_named(marks):
    with pytest.raises(DataError, match="sample 'q' passages"):
        targets_of([sample(relevant={"a": 1}, passages=marks)], DOCUMENTS, "corpus")


def test_relevance_for_unknown_documents_is_counted_and_costs_recall():
    paper = paper_of([sample(relevant={"a": 1, "gone": 1})])
    assert "1 documents that samples judge are not in the corpus corpus: 'gone' (sample 'q')" in paper.targets.notes[0]
    values = score(paper.targets, {"q": [passage("a#0-10", ["a"])]}, Cut("k", 1)).values
    assert values["recall"][0] == 0.5


def test_relevance_that_fits_no_document_at_all_is_an_error_that_shows_both_spellings():
    with pytest.raises(DataError, match=r"relevant \(a\.md\) is in the corpus corpus, whose documents are a, b, c"):
        targets_of([sample(relevant={"a.md": 1})], DOCUMENTS, "corpus")
    with pytest.raises(DataError, match="no sample names a relevant document"):
        targets_of([sample()], DOCUMENTS, "corpus")


def test_questions_without_anything_relevant_are_kept_out_of_the_means_and_counted():
    found = targets_of([sample("q", {"a": 1}), sample("none")], DOCUMENTS, "corpus")
    assert list(found.targets) == ["q"]
    assert found.no_answer == ("none",)
    assert "1 questions name nothing relevant (none)" in found.notes[0]


def test_recall_counts_documents_and_never_chunks():
    paper = paper_of([sample(relevant={"a": 1, "b": 1})])
    ranking = [passage("a#0-10", ["a"]), passage("a#10-20", ["a"]), passage("c#0-10"), passage("b#0-10", ["b"])]
    at = {k: score(paper.targets, {"q": ranking}, Cut("k", k)).values for k in (1, 2, 4, 10)}
    assert [at[k]["recall"][0] for k in (1, 2, 4)] == [0.5, 0.5, 1.0]
    assert [at[k]["P"][0] for k in (1, 2, 4, 10)] == [1.0, 1.0, 0.75, 0.3]
    ideal = 1 + 1 / np.log2(3)
    assert at[4]["nDCG"][0] == pytest.approx((1 + 1 / np.log2(5)) / ideal)


def test_one_chunk_a_document_gives_the_measures_of_the_documents():
    rng = np.random.default_rng(3)
    names = [f"d{i}" for i in range(20)]
    samples = [sample(f"q{i}", {n: int(rng.integers(1, 4)) for n in rng.choice(names, 4)}) for i in range(30)]
    found = targets_of(samples, dict.fromkeys(names, WORDS), "corpus")
    orders = {s.id: [str(n) for n in rng.permutation(names)] for s in samples}
    rankings = {q: [passage(n, [n] if n in found.targets[q].grades else []) for n in o] for q, o in orders.items()}
    for k in (1, 3, 10):
        ours = score(found, rankings, Cut("k", k)).values
        measures = [parse_retrieval(f"{kind}@{k}") for kind in ours]
        theirs = evaluate({s.id: s.relevant for s in samples}, orders, measures)
        assert np.allclose(np.array(list(ours.values())).T, theirs.values)


def test_a_chunk_that_brings_two_passages_brings_both():
    marks = [{"document": "a", "start": 0, "end": 10}, {"document": "a", "start": 20, "end": 30}]
    paper = paper_of([sample(relevant={"a": 1}, passages=marks)])
    brings = paper.targets.targets["q"].brought_by("a", 0, 40)
    values = score(paper.targets, {"q": [passage("a#0-40", brings)]}, Cut("k", 3)).values
    assert (values["recall"][0], values["nDCG"][0], values["hit"][0]) == (1, 1, 1)


def test_a_question_without_a_ranking_scores_zero():
    paper = paper_of([sample("q", {"a": 1}), sample("lost", {"a": 1})])
    for cut in (Cut("k", 3), Cut("tokens", 100)):
        scores = score(paper.targets, {"q": [passage("a#0-10", ["a"])]}, cut)
        assert all(values[1] == 0 for values in scores.values.values())
        assert scores.tokens.tolist() == [10, 0]


def test_a_budget_takes_whole_chunks_in_order_until_one_does_not_fit():
    ranking = [passage("a", tokens=40), passage("b", tokens=40), passage("c", tokens=40), passage("d", tokens=10)]
    assert [p.id for p in shown(ranking, Cut("tokens", 100))] == ["a", "b"]
    assert [p.id for p in shown(ranking, Cut("tokens", 120))] == ["a", "b", "c"]
    assert shown(ranking, Cut("tokens", 39)) == []


def test_at_a_budget_ndcg_is_measured_against_all_targets_whichever_chunks_fit():
    paper = paper_of([sample(relevant={"a": 1, "b": 1})])
    large, small = [passage("a", ["a"], tokens=60)], [passage("a", ["a"]), passage("x"), passage("y")]
    values = [score(paper.targets, {"q": ranking}, Cut("tokens", 60)).values for ranking in (large, small)]
    assert [v["nDCG"][0] for v in values] == [pytest.approx(1 / (1 + 1 / np.log2(3)))] * 2
    assert [v["P"][0] for v in values] == [1.0, pytest.approx(1 / 3)]


def test_a_sweep_goes_on_with_what_is_there(tmp_path):
    spec, paper = spec_of(sizes=[100, 200, 400]), paper_of([sample(relevant={"a": 1})])
    first, second = FakeWorkshop(), FakeWorkshop()
    run_sweep(spec, paper, tmp_path, first)
    next(iter(sorted(tmp_path.glob("*.json")))).unlink()
    said = []
    rankings = run_sweep(spec, paper, tmp_path, second, say=said.append)
    assert (len(first.built), len(second.built)) == (3, 1)
    assert sorted(r.reused for r in rankings) == [False, True, True]
    assert sum("ranked before" in line for line in said) == 2


def test_a_damaged_or_half_written_file_is_made_again(tmp_path):
    spec, paper = spec_of(sizes=[100]), paper_of([sample(relevant={"a": 1})])
    run_sweep(spec, paper, tmp_path, FakeWorkshop())
    (file,) = tmp_path.glob("*.json")
    file.write_bytes(file.read_bytes()[:50])
    (tmp_path / f"{file.stem}.123.part").write_bytes(b"{")
    again = FakeWorkshop()
    run_sweep(spec, paper, tmp_path, again)
    assert again.built == ["bm25 · recursive 100"]


@pytest.mark.parametrize("what", ["question", "corpus", "identity", "k"])
def test_whatever_changes_the_rankings_makes_them_again(tmp_path, what):
    spec, paper = spec_of(sizes=[100]), paper_of([sample(relevant={"a": 1})])
    run_sweep(spec, paper, tmp_path, FakeWorkshop())
    workshop = FakeWorkshop(version="2" if what == "identity" else "1")
    if what == "question":
        paper = paper_of([Sample("q", "Another?", relevant={"a": 1})])
    if what == "corpus":
        paper = Paper(paper.samples, paper.targets, paper.documents, "corpus", "1" * 64)
    if what == "k":
        spec = spec_of(sizes=[100], k=[1, 20])
    run_sweep(spec, paper, tmp_path, workshop)
    assert len(workshop.built) == 1


def test_corrected_relevance_scores_the_same_rankings_anew(tmp_path):
    spec, workshop = spec_of(sizes=[100], k=[1], tokens=[]), FakeWorkshop()
    for grades, recall in (({"a": 1}, 1.0), ({"c": 1}, 0.0)):
        paper = paper_of([sample(relevant=grades)])
        (scores,) = score_all(run_sweep(spec, paper, tmp_path, workshop), spec, paper).values()
        assert scores[Cut("k", 1)].values["recall"].tolist() == [recall]
    assert len(workshop.built) == 1


def test_a_chunk_that_is_returned_twice_is_named(tmp_path):
    paper = paper_of([sample(relevant={"a": 1})])
    with pytest.raises(DataError, match="'a#0-10' is returned twice"):
        run_sweep(spec_of(sizes=[100]), paper, tmp_path, FakeWorkshop(("a#0-10", "a#0-10")))


class Faulty(FakeRetriever):
    async def retrieve(self, question, k):
        if "bad" in question:
            raise DataError("search raised ValueError")
        return await super().retrieve(question, k)


class FaultyWorkshop(FakeWorkshop):
    async def build(self, configuration):
        return Built(Faulty(self.ids))


def test_a_users_function_that_fails_on_a_question_leaves_it_missing_and_ours_may_not(tmp_path):
    samples = [sample("good", {"a": 1}), sample("bad", {"a": 1})]
    spec = spec_of(bm25=False, functions=["python:mine:search"])
    (ranking,) = run_sweep(spec, paper_of(samples), tmp_path, FaultyWorkshop())
    assert ranking.missing == {"bad": "search raised ValueError"}
    assert list(ranking.passages) == ["good"]
    assert list(tmp_path.glob("*.json")) == [], "the next sweep asks again"
    with pytest.raises(DataError, match="search raised"):
        run_sweep(spec, paper_of(samples[1:]), tmp_path, FaultyWorkshop())
    with pytest.raises(DataError, match="search raised"):
        run_sweep(spec_of(sizes=[100]), paper_of(samples), tmp_path, FaultyWorkshop())


class PaidWorkshop(FakeWorkshop):
    """Every question is a call; every second one is answered by a recorded embedding."""

    async def build(self, configuration):
        retriever = FakeRetriever(self.ids)
        asked, prepared = [], []

        async def retrieve(question, k):
            asked.append(question)
            return [Retrieved("", chunk) for chunk in self.ids]

        async def prepare(questions):
            prepared.extend(questions)

        def spent():
            calls = len(asked) - len(set(prepared) & set(asked))
            return Spent(tokens=calls, usd=None, calls=calls, live=calls // 2)

        retriever.retrieve, self.asked, self.prepared = retrieve, asked, prepared
        return Built(retriever, [10], spent=spent, prepare=prepare)


def test_recorded_embeddings_give_no_latency(tmp_path):
    samples = [sample(f"q{n}", {"a": 1}) for n in range(10)]
    (ranking,) = run_sweep(spec_of(sizes=[100]), paper_of(samples), tmp_path, PaidWorkshop())
    assert sorted(ranking.latencies_s) == ["q1", "q3", "q5", "q7", "q9"]
    assert ranking.cost_usd is None
    assert len(ranking.passages) == 10


def test_a_paid_embedder_is_timed_on_200_questions_and_embeds_the_others_together(tmp_path):
    samples = [sample(f"q{n}", {"a": 1}) for n in range(250)]
    workshop = PaidWorkshop()
    (ranking,) = run_sweep(spec_of(sizes=[100]), paper_of(samples), tmp_path, workshop)
    assert workshop.prepared == [f"What is q{n}?" for n in range(200, 250)]
    assert len(ranking.latencies_s) == 100
    assert len(ranking.passages) == 250


def test_enough_chunks_are_asked_for_to_fill_the_largest_budget(tmp_path):
    paper = paper_of([sample(relevant={"a": 1})])
    depths = [
        run_sweep(spec_of(sizes=[100], k=[1, 5], tokens=budgets), paper, tmp_path, FakeWorkshop())[0].depth
        for budgets in ([], [9], [21])
    ]
    assert depths == [5, 5, 8], "chunks of 3 tokens: 8 of them are sure to pass 21"


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        (Sample("q", "Plain?"), "Plain?"),
        (Sample("q", turns=("First?", "Second?")), "Second?"),
        (Sample("q", messages=({"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "x"})), "Hi?"),
    ],
)
def test_a_conversation_is_retrieved_for_by_its_last_question(asked, query):
    assert query_of(asked) == query


def test_halves_are_about_equal_keep_clusters_whole_and_repeat():
    clusters = [f"c{i % 13}" for i in range(80)]
    first = halves(clusters, 0)
    assert 34 <= first.sum() <= 46
    for cluster in set(clusters):
        assert len({bool(x) for x, c in zip(first, clusters, strict=True) if c == cluster}) == 1
    assert (first == halves(clusters, 0)).all()
    assert (first != halves(clusters, 1)).any()


def scores_of(values_by_cut):
    """``cut -> (values, tokens)`` as `Scores` of recall."""
    return {
        cut: Scores({"recall": np.asarray(values, dtype=float)}, np.full(len(values), float(tokens)))
        for cut, (values, tokens) in values_by_cut.items()
    }


def made_up(gain_at_10, n=60):
    rng = np.random.default_rng(0)
    base = rng.uniform(0.2, 0.4, n)
    noise = rng.normal(0, 0.02, n)
    return {
        Cut("k", 1): (base, 100),
        Cut("k", 5): (base + 0.3 + noise, 500),
        Cut("k", 10): (base + 0.3 + noise + gain_at_10, 1000),
        Cut("tokens", 1000): (base + 0.3, 1000),
    }


@pytest.mark.parametrize(("gain", "price", "k"), [(0.1, 0.0, 10), (0.0, 0.0, 5), (0.1, 0.3, 5), (0.1, 1.0, 1)])
def test_the_largest_k_whose_gain_is_surely_above_the_price_of_its_tokens_is_taken(gain, price, k):
    rng = np.random.default_rng(1)
    scores = {"only": scores_of(made_up(gain + rng.normal(0, 0.02, 60) * (gain > 0)))}
    found = choose(scores, [str(i) for i in range(60)], "recall", "only", price, 0)
    assert found.k == k
    assert (found.tried, found.chosen_on, found.reported_on, found.versus_baseline) == (1, 30, 30, None)


def test_the_configuration_is_the_best_at_equal_tokens_and_its_numbers_are_of_the_other_half():
    n = 60
    clusters = [str(i) for i in range(n)]
    chooses = halves(clusters, 0)
    plain_, lucky = made_up(0.1), made_up(0.1)
    cut = Cut("tokens", 1000)
    lucky[cut] = (np.where(chooses, 0.9, 0.0), 1000)
    lucky[Cut("k", 10)] = (np.where(chooses, 0.95, 0.05), 1000)
    lucky[Cut("k", 5)] = (np.where(chooses, 0.5, 0.5), 500)
    found = choose({"plain": scores_of(plain_), "lucky": scores_of(lucky)}, clusters, "recall", "plain", 0.0, 0)
    assert found.configuration == "lucky"
    assert found.k == 10
    assert found.value.value == pytest.approx(0.05), "the half that chose it would have said 0.95"
    assert found.versus_baseline.estimate.high < 0


def test_one_cluster_of_questions_is_not_enough_to_choose():
    scores = {"only": scores_of(made_up(0.1))}
    assert choose(scores, ["same"] * 60, "recall", "only", 0.0, 0) is None
