"""What is made once: chunks and embeddings by content, gone on with after a kill, never mixed up."""

import asyncio
import os
import signal
import subprocess
import sys
import zlib

import numpy as np
import pytest
from markscheme.harness.errors import DataError
from markscheme.harness.retrieval import cache as cache_module
from markscheme.harness.retrieval.cache import Cache
from markscheme.harness.retrieval.chunks import ChunkerSpec, split
from markscheme.harness.retrieval.corpus import Document, load_corpus
from markscheme.harness.retrieval.embedders import Spending

TEXTS = [f"text {number}" for number in range(10)]


class Counting:
    """An embedder that counts, and can be made to die or to change."""

    name = "counting"

    def __init__(self, dimensions=4, dies_after=None, tag="", parallel=1):
        self.identity = {"embedder": "counting", "tag": tag}
        self.usage = Spending()
        self.parallel = parallel
        self.seen = []
        self.dimensions = dimensions
        self.dies_after = dies_after

    async def embed(self, texts):
        if self.dies_after is not None and len(self.seen) >= self.dies_after:
            raise RuntimeError("killed")
        self.seen.extend(texts)
        self.usage.tokens += len(texts)
        self.usage.cost_usd += 0.5 * len(texts)
        return np.array([[zlib.crc32(t.encode()) % 97 + 1] + [1] * (self.dimensions - 1) for t in texts], np.float32)

    async def close(self):
        pass


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(cache_module, "PART", 4)


def vectors(folder, embedder, texts=TEXTS):
    return asyncio.run(Cache(folder).vectors(embedder, texts))


def test_chunks_are_cut_once(tmp_path, monkeypatch):
    corpus = load_corpus([Document("a", "one two three four"), Document("b", "five")], "c")
    spec = ChunkerSpec("recursive", 9, 0)
    first = Cache(tmp_path).chunks(corpus, spec)
    assert first == split(corpus, spec)
    monkeypatch.setattr(cache_module, "split", lambda *given: pytest.fail("was cut again"))
    assert Cache(tmp_path).chunks(corpus, spec) == first
    monkeypatch.undo()
    changed = load_corpus([Document("a", "one two three for"), Document("b", "five")], "c")
    assert [chunk.text for chunk in Cache(tmp_path).chunks(changed, spec)] != [chunk.text for chunk in first]
    assert Cache(tmp_path).chunks(corpus, ChunkerSpec("recursive", 100, 0)) != first


def test_embeddings_are_made_once_and_scaled_to_length_one(tmp_path):
    embedder = Counting()
    first = vectors(tmp_path, embedder)
    again = vectors(tmp_path, Counting(dies_after=0))
    assert first.made == 10
    assert again.made == 0
    assert np.array_equal(first.vectors, again.vectors)
    assert np.linalg.norm(first.vectors, axis=1) == pytest.approx(np.ones(10), abs=1e-6)
    assert (again.tokens, again.cost_usd, again.seconds) == (10, 5.0, first.seconds)


def test_a_text_that_comes_twice_is_embedded_once_and_stands_in_both_places(tmp_path):
    embedder = Counting()
    made = vectors(tmp_path, embedder, ["a", "b", "a"]).vectors
    assert embedder.seen == ["a", "b"]
    assert np.array_equal(made[0], made[2])
    assert not np.array_equal(made[0], made[1])


def test_other_texts_and_other_embedders_have_vectors_of_their_own(tmp_path):
    vectors(tmp_path, Counting())
    for embedder, texts in ((Counting(tag="other"), TEXTS), (Counting(), TEXTS[:9]), (Counting(), TEXTS[::-1])):
        assert vectors(tmp_path, embedder, texts).made == len(texts)


def test_a_build_that_died_goes_on_with_what_is_there(tmp_path, small_parts):
    with pytest.raises(RuntimeError):
        vectors(tmp_path, Counting(dies_after=8))
    embedder = Counting()
    resumed = vectors(tmp_path, embedder)
    assert embedder.seen == TEXTS[8:]
    assert (resumed.made, resumed.tokens, resumed.cost_usd) == (2, 10, 5.0)
    assert np.array_equal(resumed.vectors, vectors(tmp_path / "other", Counting()).vectors)
    assert list(tmp_path.rglob("part-*")) == []


def test_a_part_in_pieces_is_made_again(tmp_path, small_parts):
    with pytest.raises(RuntimeError):
        vectors(tmp_path, Counting(dies_after=8))
    first, second = sorted(tmp_path.rglob("part-*"))
    first.write_bytes(first.read_bytes()[:100])
    second.write_bytes(b"")
    embedder = Counting()
    assert vectors(tmp_path, embedder).made == 10
    assert embedder.seen == TEXTS


def test_an_embedder_that_changes_its_dimensions_is_refused(tmp_path, small_parts):
    with pytest.raises(RuntimeError):
        vectors(tmp_path, Counting(dies_after=4))
    with pytest.raises(DataError, match="'counting' returned 5 dimensions, and 4 before: its model has changed"):
        vectors(tmp_path, Counting(dimensions=5))


def test_an_unknown_price_stays_unknown(tmp_path):
    embedder = Counting()
    embedder.usage.unpriced = 1

    async def unpriced(texts):
        embedder.usage.unpriced += 1
        return np.ones((len(texts), 2), np.float32)

    embedder.embed = unpriced
    assert vectors(tmp_path, embedder).cost_usd is None


def test_two_who_ask_at_once_embed_once(tmp_path):
    embedder = Counting()

    async def both():
        cache = Cache(tmp_path)
        return await asyncio.gather(cache.vectors(embedder, TEXTS), cache.vectors(embedder, TEXTS))

    one, other = asyncio.run(both())
    assert embedder.seen == TEXTS
    assert np.array_equal(one.vectors, other.vectors)


KILLED = """
import asyncio, os, signal, sys
from markscheme.harness.retrieval import cache
from markscheme.harness.retrieval.hashed import HashedEmbedder

class Dying(HashedEmbedder):
    async def embed(self, texts):
        if self.usage.texts >= 8:
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().embed(texts)

cache.PART = 4
asyncio.run(cache.Cache(sys.argv[1]).vectors(Dying(32), [f"text {n}" for n in range(10)]))
"""


def test_kill_minus_nine_loses_no_finished_part(tmp_path, small_parts):
    from markscheme.harness.retrieval.hashed import HashedEmbedder

    died = subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False, env=os.environ)
    assert died.returncode == -signal.SIGKILL
    embedder = HashedEmbedder(32)
    resumed = vectors(tmp_path, embedder)
    assert (resumed.made, embedder.usage.texts) == (2, 2)
    assert resumed.vectors.shape == (10, 32)
