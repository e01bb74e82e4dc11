"""Vector indexes: exact and chromadb, resumed, and without what they need."""

import importlib.util
import sys

import numpy as np
import pytest
from markscheme.harness.errors import MissingExtra, StoreError
from markscheme.harness.retrieval import indexes
from markscheme.harness.retrieval.cache import read_json
from markscheme.harness.retrieval.embedders import unit
from markscheme.harness.retrieval.indexes import ChromaIndex, ExactIndex


def cloud(rows, seed=0):
    return unit(np.random.default_rng(seed).normal(size=(rows, 16)).astype(np.float32))


@pytest.fixture
def chroma():
    """Makes indexes that are closed at the end."""
    opened = []

    def make(folder, vectors):
        opened.append(ChromaIndex(folder, vectors))
        return opened[-1]

    yield make
    for index in opened:
        index.close()


def test_the_exact_index_returns_cosines_best_first_and_equal_ones_in_their_order():
    vectors = unit(np.array([[1, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32))
    places, scores = ExactIndex(vectors).search(np.array([1, 0], dtype=np.float32), 3)
    assert places.tolist() == [0, 2, 3]
    assert scores.tolist() == pytest.approx([1, 1, 0.5**0.5])


def test_chromadb_agrees_with_the_exact_index(tmp_path, chroma):
    vectors = cloud(300)
    index, exact = chroma(tmp_path / "abc", vectors), ExactIndex(vectors)
    for question in cloud(20, seed=1):
        places, scores = index.search(question, 5)
        assert places.tolist() == exact.search(question, 5)[0].tolist()
        assert scores.tolist() == pytest.approx(exact.search(question, 5)[1].tolist(), abs=1e-5)
    assert index.seconds > 0


def test_chromadb_gives_what_there_is_where_more_is_asked_for(tmp_path, chroma):
    assert len(chroma(tmp_path / "abc", cloud(3)).search(cloud(1)[0], 10)[0]) == 3


def test_a_chunk_without_a_word_does_no_harm(tmp_path, chroma):
    vectors = cloud(5)
    vectors[2] = 0
    places, scores = chroma(tmp_path / "abc", vectors).search(vectors[0], 5)
    assert places[0] == 0
    assert np.isfinite(scores).all()


def test_chromadb_that_was_filled_half_way_is_filled_up_and_not_anew(tmp_path, chroma, monkeypatch):
    folder, vectors = tmp_path / "abc", cloud(50)
    monkeypatch.setattr(indexes, "_BATCH", 20)
    written = []

    def dying(path, data):
        if len(written) == 2:
            raise RuntimeError("killed")
        written.append(path)
        real(path, data)

    real = indexes.write_bytes
    monkeypatch.setattr(indexes, "write_bytes", dying)
    with pytest.raises(StoreError, match="killed"):
        ChromaIndex(folder, vectors)
    assert read_json(folder / "index.json")["rows"] == 40
    monkeypatch.setattr(indexes, "write_bytes", real)
    seconds = read_json(folder / "index.json")["seconds"]
    index = chroma(folder, vectors)
    assert index.search(vectors[49], 1)[0].tolist() == [49]
    assert len(index.search(vectors[0], 100)[0]) == 50
    assert index.seconds > seconds


def test_a_folder_that_chromadb_cannot_open_is_named(tmp_path):
    folder = tmp_path / "abc"
    folder.mkdir()
    (folder / "chroma.sqlite3").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"abc: chromadb cannot (open|use) it .*; delete it"):
        ChromaIndex(folder, cloud(3))


def test_chromadb_embeds_nothing_itself_and_sends_nothing(tmp_path, chroma):
    index = chroma(tmp_path / "abc", cloud(3))
    assert index._collection._embedding_function is None
    assert not index._client.get_settings().anonymized_telemetry
    assert "onnxruntime" not in sys.modules


def test_without_the_extra_it_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"index 'chroma' \(index: exact needs no extra\) needs the extra 'rag'"):
        ChromaIndex(tmp_path / "abc", cloud(3))
