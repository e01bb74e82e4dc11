"""Retrievers: what a user writes of them, what they find, and code that is not ours."""

import asyncio
import importlib.util
import json

import numpy as np
import pytest
from langchain_core.documents import Document as Foreign
from langchain_core.retrievers import BaseRetriever
from markscheme.harness.errors import DataError, ExamError, InputError, MissingExtra
from markscheme.harness.exam_types import Section, packaged_files
from markscheme.harness.records import Retrieved
from markscheme.harness.retrieval.chunks import document_of, span_of
from markscheme.harness.retrieval.corpus import Document, load_corpus
from markscheme.harness.retrieval.embedders import Spending
from markscheme.harness.retrieval.foreign import ForeignRetriever
from markscheme.harness.retrieval.retrievers import build_retriever
from markscheme.harness.retrieval.spec import EmbedderSpec, RetrieverSpec
from markscheme.harness.yaml_file import load_yaml, validate

CORPUS = load_corpus(
    [
        Document("judges", "A judge grades an answer on a scale.\n\nJudges are checked against people."),
        Document("prices", "A price is in dollars per million tokens."),
        Document("index", "An index finds the nearest vectors.", title="Retrieval of passages"),
    ],
    "little",
)
DOCS_QA = packaged_files("datasets")["docs_qa"]


def spec(**given):
    return RetrieverSpec.model_validate({"size": 60, "overlap": 10, **given})


def retrieve(retriever, question, k=3):
    async def go():
        try:
            return await retriever.retrieve(question, k)
        finally:
            await retriever.close()

    return asyncio.run(go())


def ids(found):
    return [document_of(one.id) for one in found]


@pytest.mark.parametrize(
    "given", [{"index": "bm25"}, {"embedder": "hashed/512", "index": "exact"}, {"embedder": "hashed/512"}]
)
def test_each_index_finds_the_passage_and_gives_its_text_place_and_score(given, tmp_path):
    first, *_ = retrieve(build_retriever(spec(**given), CORPUS, tmp_path), "who grades the answer?")
    assert document_of(first.id) == "judges"
    start, end = span_of(first.id)
    assert first.text == CORPUS.by_id["judges"].text[start:end] == "A judge grades an answer on a scale."
    assert first.score > 0


def test_a_title_that_stands_apart_is_indexed_but_is_no_part_of_the_text(tmp_path):
    first, *_ = retrieve(build_retriever(spec(index="bm25"), CORPUS, tmp_path), "passages")
    assert first.text == "An index finds the nearest vectors."


@pytest.mark.parametrize(
    "given", [{"index": "bm25"}, {"embedder": "hashed/64", "index": "exact"}, {"embedder": "hashed/64"}]
)
def test_what_was_built_is_loaded_with_what_it_took(given, tmp_path, monkeypatch):
    async def go():
        retriever = build_retriever(spec(**given), CORPUS, tmp_path)
        stats = await retriever.build()
        found = await retriever.retrieve("tokens", 2)
        await retriever.close()
        return stats, found

    stats, found = asyncio.run(go())
    again, refound = asyncio.run(go())
    assert (stats, found) == (again, refound)
    assert (stats.documents, stats.chunks, stats.longer) == (3, 4, 0)
    assert stats.size_bytes > 0
    assert stats.embedding_s + stats.index_s > 0
    assert stats.dimensions == (0 if given == {"index": "bm25"} else 64)


def test_questions_that_were_prepared_are_not_embedded_again(tmp_path):
    async def go():
        retriever = build_retriever(spec(embedder="hashed/64", index="exact"), CORPUS, tmp_path)
        await retriever.prepare(["a judge", "a price", "a judge"])
        texts = retriever.embedder.usage.texts
        found = await retriever.retrieve("a price", 1)
        return texts, retriever.embedder.usage.texts, found

    before, after, found = asyncio.run(go())
    assert before == after == 4 + 2
    assert ids(found) == ["prices"]


class Remembering:
    """An embedder that keeps what it was given."""

    name = "remembering"

    def __init__(self, dimensions=3):
        self.identity = {"embedder": "remembering"}
        self.usage = Spending()
        self.dimensions = dimensions
        self.seen = []

    async def embed(self, texts):
        self.seen.extend(texts)
        return np.ones((len(texts), self.dimensions), np.float32)

    async def close(self):
        pass


def test_prefixes_stand_before_what_is_embedded_and_not_in_what_is_returned(tmp_path):
    embedder = Remembering()
    given = EmbedderSpec(model="hashed/64", query_prefix="query: ", document_prefix="passage: ")
    retriever = build_retriever(
        spec(embedder=given, index="exact", chunker="document"), CORPUS, tmp_path, open_embedder=lambda _: embedder
    )
    found = retrieve(retriever, "why?", 1)
    assert embedder.seen[1] == "passage: A price is in dollars per million tokens."
    assert embedder.seen[-1] == "query: why?"
    assert not found[0].text.startswith("passage")


def test_an_embedder_that_changes_between_chunks_and_questions_is_refused(tmp_path):
    embedder = Remembering()

    async def go():
        retriever = build_retriever(
            spec(embedder="hashed/64", index="exact"), CORPUS, tmp_path, open_embedder=lambda _: embedder
        )
        await retriever.build()
        embedder.dimensions = 2
        await retriever.retrieve("why?", 1)

    with pytest.raises(DataError, match="'remembering' returned 2 dimensions, and 3 before"):
        asyncio.run(go())


def test_the_identity_covers_all_that_changes_what_is_found(tmp_path):
    variants = [
        spec(index="bm25"),
        spec(index="bm25", k1=0.9),
        spec(index="bm25", size=80),
        spec(embedder="hashed/64"),
        spec(embedder="hashed/128"),
        spec(embedder="hashed/64", index="exact"),
        spec(embedder={"model": "hashed/64", "query_prefix": "q "}),
        spec(embedder="hashed/64", chunker="document"),
    ]
    identities = [build_retriever(variant, CORPUS, tmp_path).identity for variant in variants]
    assert len({json.dumps(identity, sort_keys=True) for identity in identities}) == len(variants)
    one, other = spec(embedder="hashed/64", k=1), spec(embedder="hashed/64", k=9)
    assert build_retriever(one, CORPUS, tmp_path).identity == build_retriever(other, CORPUS, tmp_path).identity


@pytest.mark.parametrize(
    ("given", "floor"), [({"index": "bm25"}, 0.9), ({"embedder": "hashed/1024", "index": "exact"}, 0.8)]
)
def test_on_docs_qa_the_right_document_is_first_this_often(given, floor, tmp_path):
    lines = (DOCS_QA / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    samples = [json.loads(line) for line in lines]

    async def go():
        retriever = build_retriever(spec(**given, size=800, overlap=80), load_corpus(DOCS_QA), tmp_path)
        return [await retriever.retrieve(sample["question"], 1) for sample in samples]

    hits = [ids(found)[0] in sample["relevant"] for found, sample in zip(asyncio.run(go()), samples, strict=True)]
    assert sum(hits) / len(hits) >= floor


def test_extras_are_missed_before_anything_is_built(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="chunker 'recursive'"):
        build_retriever(spec(index="bm25"), CORPUS, tmp_path)
    with pytest.raises(MissingExtra, match="index 'chroma'"):
        build_retriever(spec(embedder="hashed/64", chunker="document"), CORPUS, tmp_path)
    exact = build_retriever(spec(embedder="hashed/64", index="exact", chunker="document"), CORPUS, tmp_path)
    assert ids(retrieve(exact, "price in dollars", 1)) == ["prices"]
    assert not (tmp_path / "retrieval" / "indexes").exists()


def test_a_callable_may_return_ids_pairs_mappings_or_passages():
    results = [
        "prices",
        ("judges", 0.5),
        {"id": "index", "text": "nearest vectors", "score": 2},
        Retrieved("Judges are checked", "judges", 0.1),
        "prices#0-7",
    ]
    found = retrieve(ForeignRetriever(lambda question: results, CORPUS), "?", 9)
    text = CORPUS.by_id["judges"].text
    assert found == [
        Retrieved(CORPUS.by_id["prices"].text, "prices#0-41", None),
        Retrieved(text, f"judges#0-{len(text)}", 0.5),
        Retrieved("nearest vectors", "index#19-34", 2),
        Retrieved("Judges are checked", "judges#38-56", 0.1),
        Retrieved("A price", "prices#0-7", None),
    ]
    assert ids(retrieve(ForeignRetriever(lambda question: results, CORPUS), "?", 2)) == ["prices", "judges"]


def test_a_callable_is_given_k_where_it_takes_it_and_may_be_async():
    async def slowly(question, k):
        return [*["judges", "prices", "index"][:k], question]

    assert ids(retrieve(ForeignRetriever(slowly, CORPUS), "index", 2)) == ["judges", "prices"]
    assert ids(retrieve(ForeignRetriever(lambda question, top="x": ["index"], CORPUS), "?", 2)) == ["index"]


def test_a_langchain_retriever_gives_chunks_in_their_place():
    class Own(BaseRetriever):
        def _get_relevant_documents(self, query, *, run_manager):
            return [
                Foreign("Judges are checked against people.", metadata={"source": "pages/judges.md"}),
                Foreign("words of its own", id="some-uuid", metadata={"document": "prices"}),
            ]

    found = retrieve(ForeignRetriever(Own(), CORPUS, "own"), "?", 5)
    assert found[0] == Retrieved("Judges are checked against people.", "judges#38-72", None)
    assert found[1] == Retrieved("words of its own", "prices#0-41", None)


def test_a_retriever_is_loaded_from_the_exams_folder_and_versioned_by_its_file(tmp_path):
    (tmp_path / "own_retriever_of_test.py").write_text(
        "class Finder:\n    def __call__(self, question):\n        return ['prices']\n", encoding="utf-8"
    )
    given = RetrieverSpec.model_validate("python:own_retriever_of_test:Finder", context={"base": tmp_path})
    retriever = build_retriever(given, CORPUS, tmp_path)
    assert retriever.name == "python:own_retriever_of_test:Finder"
    assert len(retriever.identity["version"]) == 64
    assert ids(retrieve(retriever, "?")) == ["prices"]


@pytest.mark.parametrize(
    ("target", "what"),
    [
        (
            lambda question: ["prise"],
            r"returned the id 'prise', which is no document .*'little'; did you mean 'prices'",
        ),
        (lambda question: ["prices#0-9999"], "returned the id 'prices#0-9999', which is no document"),
        (lambda question: "prices", "returned str; wanted a list of ids"),
        (lambda question: None, "returned NoneType; wanted a list of ids"),
        (lambda question: [] + 1, r"raised TypeError on the question 'what\?'"),
    ],
)
def test_a_callable_that_goes_wrong_is_named(target, what):
    with pytest.raises(DataError, match=what):
        retrieve(ForeignRetriever(target, CORPUS, "mine"), "what?")


def test_what_is_no_retriever_is_refused():
    with pytest.raises(InputError, match="mine: int is no retriever"):
        ForeignRetriever(3, CORPUS, "mine")


class Exam(Section):
    retriever: RetrieverSpec


def written(tmp_path, text):
    path = tmp_path / "exam.yaml"
    path.write_text(text, encoding="utf-8")
    return validate(load_yaml(path), Exam).retriever


def test_a_retriever_is_one_word_or_a_section(tmp_path):
    assert written(tmp_path, "retriever: bm25").index == "bm25"
    named = written(tmp_path, "retriever: openai/text-embedding-3-small")
    assert (named.index, named.embedder.model) == ("chroma", "openai/text-embedding-3-small")
    assert written(tmp_path, "retriever: {embedder: minilm, size: 80}").overlap == 8
    full = written(
        tmp_path,
        "retriever:\n  corpus: docs_qa\n  embedder: {model: vllm/e5, dimensions: 512}\n  chunker: token\n  size: 200\n"
        "  overlap: 20\n  index: exact\n  k: 3\n",
    )
    assert (full.corpus, str(full.chunking), full.embedder.dimensions, full.k) == (DOCS_QA, "token 200/20", 512, 3)


def test_an_editor_accepts_a_word_and_a_section():
    jsonschema = pytest.importorskip("jsonschema")
    schema = Exam.model_json_schema()
    for good in ("bm25", {"embedder": "minilm"}, {"embedder": {"model": "minilm"}, "size": 3}):
        jsonschema.validate({"retriever": good}, schema)
    for bad in (3, {"sise": 3}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"retriever": bad}, schema)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "retriever:\n  embedder: hashed/64\n  overlap: 1000",
            r":3 retriever.overlap: 1000 is not smaller than size: 1000",
        ),
        ("retriever:\n  index: exact", r":1 retriever.embedder: is missing: the index 'exact' needs one"),
        ("retriever:\n  embedder: minilm\n  index: bm25", r":2 retriever.embedder: has no effect with index: bm25"),
        ("retriever: hashed/4", r"'hashed/4': write hashed/ and 16 to 65536 dimensions"),
        ("retriever:\n  embedder: minilmm", r":2 .*'minilmm' is no embedder; did you mean 'minilm'"),
        (
            "retriever:\n  index: chrome\n  embedder: minilm",
            r":2 retriever.index: 'chrome' is no index; did you mean 'chroma'",
        ),
        (
            "retriever:\n  embedder: {model: minilm, dimensions: 4}",
            r":2 .*dimensions: has no effect on the embedder 'minilm'",
        ),
        ("retriever:\n  embedder: minilm\n  chunker: word", r":3 retriever.chunker"),
        ("retriever: python:nonsense", r"'python:nonsense' is no index"),
        ("retriever:\n  index: python:a:b\n  size: 3", r"has no effect on a retriever of your own"),
    ],
)
def test_mistakes_are_named_by_line_and_field(tmp_path, text, what):
    with pytest.raises(ExamError, match=what):
        written(tmp_path, text)
