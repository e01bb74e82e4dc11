"""Corpora: folders, rows, BEIR, LangChain loaders; ids, empty ones, and what is wrong with them by place."""

import json

import pytest
from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document as Foreign
from markscheme.harness.errors import DataError
from markscheme.harness.exam_types import packaged_files
from markscheme.harness.retrieval.corpus import Document, load_corpus
from markscheme.harness.retrieval.html_text import html_text

PAGE = """<!doctype html><html><head><title> The  page </title><style>p {color: red}</style></head><body>
<h1>Costs</h1><p>An hour of the <b>GPU</b><br>costs &euro;2 &amp; more.</p><script>alert("no")</script>
<ul><li>one<li>two</ul><pre>  keep
    this</pre><table><tr><td>a</td><td>b</td></tr></table><noscript>no</noscript></body></html>"""


def test_a_folder_gives_markdown_text_and_html_by_path_without_suffix(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.md").write_text("# B\n\nbody", encoding="utf-8")
    (tmp_path / "deep" / "a.txt").write_text("plain", encoding="utf-8")
    (tmp_path / "c.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "notes.pdf").write_bytes(b"%PDF")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.md").write_text("no", encoding="utf-8")
    corpus = load_corpus(tmp_path, "mine")
    assert [document.id for document in corpus.documents] == ["b", "c", "deep/a"]
    assert corpus.name == "mine"
    assert corpus.by_id["b"].text == "# B\n\nbody"
    assert corpus.by_id["c"].title == "The page"


def test_html_becomes_what_a_reader_sees():
    title, text = html_text(PAGE)
    assert title == "The page"
    assert text.startswith("# Costs\n\nAn hour of the GPU\ncosts €2 & more.\n")
    assert "- one\n- two" in text.replace("\n\n", "\n")
    assert "keep\n    this" in text
    assert "a b" in text
    for unseen in ("alert", "color", "no", "The page"):
        assert unseen not in text.split()


def test_html_with_a_script_that_never_closes_still_gives_what_came_before():
    assert html_text("<p>before</p><script>let a = '<p>after</p>'") == ("", "before")


def test_the_packaged_data_set_has_a_corpus_whose_ids_are_those_of_its_relevance():
    folder = packaged_files("datasets")["docs_qa"]
    corpus = load_corpus(folder)
    lines = (folder / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    relevant = {document for line in lines for document in json.loads(line)["relevant"]}
    assert corpus.name == "docs_qa"
    assert len(corpus.documents) == 41
    assert relevant <= corpus.by_id.keys()


def test_rows_keep_their_title_and_further_columns(tmp_path):
    path = tmp_path / "docs.jsonl"
    path.write_text('{"id": 7, "title": "T", "text": "body", "year": 2009}\n', encoding="utf-8")
    assert load_corpus(path).documents == (Document("7", "body", "T", {"year": 2009}),)
    assert load_corpus(path).name == "docs"


def test_a_beir_folder_gives_its_corpus(tmp_path):
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d1", "title": "T", "text": "body"}\n', encoding="utf-8")
    (tmp_path / "queries.jsonl").write_text('{"_id": "q1", "text": "?"}\n', encoding="utf-8")
    assert [document.id for document in load_corpus(tmp_path).documents] == ["d1"]


def test_a_langchain_loader_gives_its_documents():
    class Loader(BaseLoader):
        def lazy_load(self):
            yield Foreign("one", metadata={"source": "a.pdf", "page": 0})
            yield Foreign("two", metadata={"source": "a.pdf", "page": 1, "title": "T"})
            yield Foreign("three", id="own", metadata={"source": "b.pdf"})

    corpus = load_corpus(Loader(), "pdfs")
    assert [(d.id, d.text, d.title) for d in corpus.documents] == [
        ("a.pdf:0", "one", ""),
        ("a.pdf:1", "two", "T"),
        ("own", "three", ""),
    ]


def test_the_hash_covers_ids_titles_texts_and_their_order_but_no_metadata_and_no_name():
    def sha(*documents, name="c"):
        return load_corpus(documents, name).sha256

    one, two = Document("1", "a"), Document("2", "b")
    assert sha(one, two) == sha(Document("1", "a", metadata={"x": 1}), two, name="other")
    assert (
        len({sha(one, two), sha(two, one), sha(one), sha(Document("1", "a", "T"), two), sha(Document("1", "c"), two)})
        == 5
    )


def test_two_documents_with_one_id_are_named_with_their_places(tmp_path):
    (tmp_path / "a.md").write_text("x", encoding="utf-8")
    (tmp_path / "a.txt").write_text("y", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.txt: the document id 'a' is that of .*a\.md already"):
        load_corpus(tmp_path)
    rows = tmp_path / "docs.jsonl"
    rows.write_text('{"id": "d", "text": "x"}\n{"id": "d", "text": "y"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"docs\.jsonl:2: the document id 'd' is that of .*docs\.jsonl:1 already"):
        load_corpus(rows)
    with pytest.raises(DataError, match="'d' is that of document 1 already"):
        load_corpus([Document("d", "x"), Document("d", "y")], "mine")


def test_an_empty_corpus_is_an_error_and_empty_documents_are_counted(tmp_path):
    with pytest.raises(DataError, match="the corpus is empty: no document"):
        load_corpus(tmp_path)
    (tmp_path / "a.md").write_text(" \n", encoding="utf-8")
    with pytest.raises(DataError, match="the corpus is empty: all 1 documents are empty"):
        load_corpus(tmp_path)
    (tmp_path / "b.md").write_text("text", encoding="utf-8")
    assert load_corpus(tmp_path).notes == ("1 documents without text left out: a",)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"text": "x"}', r":1 id: is missing; each document has an id under one of _id, id"),
        ('{"id": "d"}', r":1 text: is missing; the text stands under one of text"),
        ('{"id": "d", "text": 3}', r":1 text: is 3, not text"),
    ],
)
def test_a_row_that_is_no_document_is_named_by_line(tmp_path, line, what):
    path = tmp_path / "docs.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=what):
        load_corpus(path)


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.md").write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match=r"a\.md: is not UTF-8 text \(byte 3\)"):
        load_corpus(tmp_path)
    with pytest.raises(DataError, match="there is no such file or folder"):
        load_corpus(tmp_path / "absent")
    with pytest.raises(DataError, match="int is no corpus"):
        load_corpus(3)
    with pytest.raises(DataError, match="has neither an id nor metadata"):
        load_corpus([Foreign("text")], "x")
