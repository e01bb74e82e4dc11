"""Chunks: verbatim, in their exact place, the same as LangChain's, and cut at headings where asked."""

import importlib.util
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_text_splitters import CharacterTextSplitter, RecursiveCharacterTextSplitter
from markscheme.harness.errors import InputError, MissingExtra
from markscheme.harness.exam_types import packaged_files
from markscheme.harness.retrieval.chunks import ChunkerSpec, chunk_id, document_of, span_of, split
from markscheme.harness.retrieval.corpus import Document, load_corpus, make_corpus

KINDS = ("character", "recursive", "token", "markdown", "document")
DOCS_QA = load_corpus(packaged_files("datasets")["docs_qa"])
TEXTS = st.text(alphabet=st.sampled_from("ab #`\n\n.é"), max_size=300)


def corpus_of(*texts):
    return make_corpus((("", Document(f"d{i}", text)) for i, text in enumerate(texts)), "c", "c")


def texts_of(text, *spec):
    return [chunk.text for chunk in split(corpus_of(text), ChunkerSpec(*spec))]


@pytest.mark.parametrize("kind", KINDS)
def test_every_chunk_is_the_text_at_its_place_and_its_id_says_where(kind):
    chunks = split(DOCS_QA, ChunkerSpec(kind, 300, 60))
    for chunk in chunks:
        assert DOCS_QA.by_id[chunk.document].text[chunk.start : chunk.end] == chunk.text == chunk.text.strip()
        assert (document_of(chunk.id), span_of(chunk.id)) == (chunk.document, (chunk.start, chunk.end))
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert {chunk.document for chunk in chunks} == set(DOCS_QA.by_id)


@settings(deadline=None, max_examples=300)
@given(TEXTS, st.sampled_from(("character", "recursive", "token", "markdown")), st.integers(1, 40), st.data())
def test_places_are_exact_whatever_repeats_itself(text, kind, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    if not text.strip():
        return
    chunks = split(corpus_of(text), ChunkerSpec(kind, size, overlap))
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == len(chunks)
    assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)
    if kind in ("recursive", "markdown"):
        assert all(len(chunk.text) <= size for chunk in chunks)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=120, unique=True), st.integers(8, 60), st.integers(0, 7))
def test_nothing_but_whitespace_is_lost(numbers, size, overlap):
    text = " ".join(map(str, numbers))
    covered = {
        place
        for c in split(corpus_of(text), ChunkerSpec("recursive", size, overlap))
        for place in range(c.start, c.end)
    }
    assert all(text[place] == " " for place in set(range(len(text))) - covered)


@pytest.mark.parametrize(("size", "overlap"), [(200, 0), (400, 50), (1000, 200)])
def test_recursive_and_character_chunks_are_those_of_langchain(size, overlap):
    recursive = RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=overlap)
    theirs = [text for document in DOCS_QA.documents for text in recursive.split_text(document.text)]
    assert [chunk.text for chunk in split(DOCS_QA, ChunkerSpec("recursive", size, overlap))] == theirs
    character = CharacterTextSplitter(chunk_size=size, chunk_overlap=overlap, keep_separator="start")
    theirs = [text for document in DOCS_QA.documents for text in character.split_text(document.text)]
    assert [chunk.text for chunk in split(DOCS_QA, ChunkerSpec("character", size, overlap))] == theirs


def test_the_chunker_character_cuts_no_paragraph_and_logs_nothing(caplog):
    text = "a" * 30 + "\n\n" + "b" * 5 + "\n\n" + "c" * 5
    assert texts_of(text, "character", 12, 0) == ["a" * 30, "b" * 5, "c" * 5]
    assert not caplog.records


def test_markdown_begins_a_chunk_at_each_heading_but_not_inside_code():
    text = "# Title\n\n## One\n\nfirst part\n\n```\n# no heading\n```\n\n## Two\n\nsecond part\n\n### Three\nthird"
    assert texts_of(text, "markdown", 100, 10) == [
        "# Title\n\n## One\n\nfirst part\n\n```\n# no heading\n```",
        "## Two\n\nsecond part",
        "### Three\nthird",
    ]


def test_tokens_are_counted_not_characters_and_they_overlap():
    text = "one two, three four five six seven"
    assert texts_of(text, "token", 4, 1) == ["one two, three", "three four five six", "six seven"]


def test_a_tokenizer_of_the_users_own_counts_its_tokens(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    own = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    own.pre_tokenizer = tokenizers.pre_tokenizers.CharDelimiterSplit("-")
    own.save(str(tmp_path / "tokenizer.json"))
    spec = ChunkerSpec("token", 2, 0, str(tmp_path / "tokenizer.json"))
    assert [chunk.text for chunk in split(corpus_of("one-two-three four-five"), spec)] == ["one-two", "three four-five"]
    assert spec.identity != ChunkerSpec("token", 2, 0).identity
    with pytest.raises(InputError, match="cannot be read"):
        _ = ChunkerSpec("token", 2, 0, str(tmp_path / "absent.json")).identity


def test_a_document_whole_needs_no_splitter(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert texts_of(" all of it ", "document") == ["all of it"]
    with pytest.raises(
        MissingExtra, match=r"chunker 'recursive' needs the extra 'rag': pip install 'markscheme\[rag\]'"
    ):
        texts_of("text", "recursive")


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        (("recursive", 100, 100), "chunk overlap 100 with size 100: must be 0 or more and smaller than the size"),
        (("recursive", 100, -1), "chunk overlap -1 with size 100"),
        (("recursive", 0, 0), "chunk size 0: must be 1 or more"),
        (("sentences", 10, 0), "chunker 'sentences' is not known: choose from character, recursive"),
    ],
)
def test_a_chunker_that_cannot_work_is_refused(spec, what):
    with pytest.raises(InputError, match=re.escape(what)):
        ChunkerSpec(*spec)


def test_ids_of_chunks_lead_back_to_any_document():
    assert document_of(chunk_id("a#1-2", 3, 4)) == "a#1-2"
    assert document_of("no chunk") == "no chunk"
    assert span_of("no chunk") is None
    assert str(ChunkerSpec("markdown", 500, 20)) == "markdown 500/20"
    assert str(ChunkerSpec("document")) == "document"
