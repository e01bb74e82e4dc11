"""What a user writes of a retriever: ``retriever: bm25``, an embedder's name, ``python:…``, or a section."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, PrivateAttr, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from ..exam_types import Count, File, Seconds, Section, Url, Variable, absolute, packaged_or_path
from ..yaml_file import did_you_mean, mistake
from .chunks import ChunkerKind, ChunkerSpec

BM25 = "bm25"
PYTHON = "python:"
MINILM = "minilm"
HASHED = "hashed"
SMALLEST_HASH, LARGEST_HASH = 16, 65_536
_OVERLAP = 100
"""By default, or a tenth of the size where that is less."""
_INDEXES = ("chroma", "exact", BM25)

CorpusPath = Annotated[Path, packaged_or_path("datasets")]
"""A packaged data set's corpus by name (``docs_qa``), or a path."""


def _embedder_name(value: str) -> str:
    if value == MINILM:
        return value
    provider, _, model = value.partition("/")
    if not provider or not model:
        raise mistake(
            f"{value!r} is no embedder{did_you_mean(value, (MINILM, HASHED)) or ';'} write hashed/<dimensions>, "
            "minilm, sentence-transformers/<model> or provider/model, like openai/text-embedding-3-small"
        )
    if provider == HASHED and not (re.fullmatch(r"\d{1,6}", model) and SMALLEST_HASH <= int(model) <= LARGEST_HASH):
        raise mistake(f"{value!r}: write hashed/ and {SMALLEST_HASH} to {LARGEST_HASH} dimensions, like hashed/1024")
    return value


def _index_name(value: str) -> str:
    if value in _INDEXES or re.fullmatch(r"python:[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", value):
        return value
    raise mistake(
        f"{value!r} is no index{did_you_mean(value, _INDEXES) or ';'} write chroma, exact, bm25 or "
        "python:package.module:name"
    )


class _OrText(Section):
    """A section that may also be written as one word."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tell editors so."""
        return {"anyOf": [{"type": "string"}, handler(core)]}


EmbedderName = Annotated[str, AfterValidator(_embedder_name)]
IndexName = Annotated[str, AfterValidator(_index_name)]


class EmbedderSpec(_OrText):
    """An embedder by name, or a section. Prefixes are what the model was trained with, like ``query: ``."""

    model: EmbedderName = Field(description="hashed/1024, minilm, sentence-transformers/<model> or provider/model")
    base_url: Url | None = None
    api_key_env: Variable | None = None
    dimensions: Count | None = None
    batch: Count = 64
    timeout_s: Seconds | None = None
    query_prefix: str = ""
    document_prefix: str = ""

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, value: Any) -> Any:
        return {"model": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _no_idle_settings(self) -> EmbedderSpec:
        if self.model == MINILM or self.model.partition("/")[0] in (HASHED, "sentence-transformers"):
            for name in ("base_url", "api_key_env", "dimensions", "timeout_s"):
                if getattr(self, name) is not None:
                    raise mistake(
                        f"has no effect on the embedder {self.model!r}, which has no endpoint; remove it", name
                    )
        return self


class RetrieverSpec(_OrText):
    """A retriever of ``k`` chunks. ``size`` and ``overlap`` are characters, or tokens for the chunker ``token``."""

    corpus: CorpusPath | None = Field(
        default=None, description="a packaged name, or a path; default: the data set's own"
    )
    embedder: EmbedderSpec | None = None
    index: IndexName = Field(default="chroma", description="chroma, exact, bm25 or python:package.module:name")
    chunker: ChunkerKind = "recursive"
    size: Count = 1000
    overlap: Annotated[int, Field(strict=True, ge=0)] = _OVERLAP
    tokenizer: File | None = Field(default=None, description="a tokenizer.json, for chunker: token")
    k: Count = 5
    k1: Annotated[float, Field(ge=0, le=10)] = 1.2
    b: Annotated[float, Field(ge=0, le=1)] = 0.75

    _base: Path = PrivateAttr(default_factory=Path.cwd)

    def model_post_init(self, context: Any) -> None:
        """Remember the exam's folder."""
        folder = context.get("base") if isinstance(context, Mapping) else None
        self._base = absolute(Path(folder or "."))

    @property
    def base(self) -> Path:
        """The exam's folder, where modules are looked for."""
        return self._base

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"index": value} if value == BM25 or value.startswith(PYTHON) else {"embedder": value}
        if isinstance(value, Mapping) and isinstance(size := value.get("size"), int) and value.get("overlap") is None:
            return {**value, "overlap": min(_OVERLAP, size // 10)}
        return value

    @model_validator(mode="after")
    def _consistent(self) -> RetrieverSpec:
        embeds = self.index in ("chroma", "exact")
        if embeds and self.embedder is None:
            raise mistake(
                f"is missing: the index {self.index!r} needs one, like hashed/1024; or index: bm25", "embedder"
            )
        if not embeds and self.embedder is not None:
            raise mistake(f"has no effect with index: {self.index}; remove it", "embedder")
        foreign = self.index.startswith(PYTHON)
        if foreign and {"chunker", "size", "overlap"} & self.model_fields_set:
            raise mistake(
                "has no effect on a retriever of your own, which cuts its documents itself; remove it", "size"
            )
        if self.chunker != "document" and self.overlap >= self.size:
            raise mistake(f"{self.overlap} is not smaller than size: {self.size}; chunks would never end", "overlap")
        if self.tokenizer is not None and self.chunker != "token":
            raise mistake(f"has no effect with chunker: {self.chunker}; remove it", "tokenizer")
        return self

    @property
    def chunking(self) -> ChunkerSpec:
        """How its documents are cut."""
        return ChunkerSpec(self.chunker, self.size, self.overlap, str(self.tokenizer or ""))
