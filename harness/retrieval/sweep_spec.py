"""The exam's `retrieval:` section: which retrievers the sweep tries, on which chunks, and how they are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from ..exam_types import Count, File, Filled, Section, absolute
from ..yaml_file import did_you_mean, mistake
from .chunks import ChunkerKind
from .spec import BM25, PYTHON, CorpusPath, EmbedderSpec, RetrieverSpec

Family = Literal["recall", "nDCG", "P", "MRR", "hit"]


def _one_or_more(value: Any) -> Any:
    """``sizes: 800`` is a list of one."""
    return value if isinstance(value, list | tuple | None) else [value]


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


Several = BeforeValidator(_one_or_more)
Overlap = Annotated[int, Field(strict=True, ge=0)]


@dataclass(frozen=True, slots=True)
class Configuration:
    """One retriever over one chunking; every k and every budget of tokens is read off its one ranking.

    ``size`` and ``overlap`` are in the chunker's unit (characters; tokens for `token`), 0 for whole documents.
    """

    retriever: str
    """An embedder, ``bm25``, or ``python:module:name``."""
    chunker: ChunkerKind = "document"
    size: int = 0
    overlap: int = 0

    @property
    def name(self) -> str:
        """``hashed/512 · recursive 400/40``; a function of the user's own is its reference alone."""
        return self.retriever if self.retriever.startswith(PYTHON) else f"{self.retriever} · {self.chunking}"

    @property
    def chunking(self) -> str:
        """``recursive 400/40``, or ``document``."""
        if self.chunker == "document":
            return "document"
        return f"{self.chunker} {self.size}" + (f"/{self.overlap}" if self.overlap else "")


class SweepSpec(Section):
    """The grid embedder × chunker × size × overlap, each read at every ``k`` and at every budget of ``tokens``."""

    corpus: CorpusPath | None = Field(
        default=None, description="a packaged name, or a path; default: the data set's own"
    )
    embedders: Annotated[tuple[EmbedderSpec, ...], Several] = ()
    bm25: bool = True
    functions: Annotated[tuple[str, ...], Several] = Field(default=(), description="python:module:name, question → ids")
    chunkers: Annotated[tuple[ChunkerKind, ...], Several, Filled] = ("recursive",)
    sizes: Annotated[tuple[Count, ...], Several, Filled] = (800,)
    overlaps: Annotated[tuple[Overlap, ...], Several, Filled] = (0,)
    tokenizer: File | None = Field(default=None, description="a tokenizer.json, for the chunker token")
    index: Literal["chroma", "exact"] = "chroma"
    k: Annotated[tuple[Count, ...], Several, Filled] = (1, 3, 5, 10)
    tokens: Annotated[tuple[Count, ...], Several] = (1000, 2000, 4000)
    measure: Family = "recall"
    baseline: str | None = Field(default=None, description="a configuration's name, or a retriever's: its first")
    passages: Literal["marked", "context"] = Field(
        default="marked",
        description="context: the samples' own context, copied from the corpus, is what is marked",
    )
    price_per_1000_tokens: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = 0.0
    seed: Annotated[int, Field(strict=True, ge=0)] = 0

    _base: Path = PrivateAttr(default_factory=Path.cwd)

    def model_post_init(self, context: Any) -> None:
        """Remember the exam's folder."""
        folder = context.get("base") if isinstance(context, dict) else None
        self._base = absolute(Path(folder or "."))

    @model_validator(mode="after")
    def _consistent(self) -> SweepSpec:
        if not self.retrievers:
            raise mistake("names no retriever; write embedders: [hashed/2048], or bm25: true")
        names = [embedder.model for embedder in self.embedders]
        for position, name in enumerate(names):
            if name in names[:position]:
                raise mistake(f"{name!r} stands there twice; keep one", "embedders", position)
        for position, name in enumerate(self.functions):
            if not name.startswith(PYTHON):
                raise mistake(f"{name!r} is not of the form python:module:name", "functions", position)
        wide = [(o, s) for o, s in product(self.overlaps, self.sizes) if o >= s]
        if wide and set(self.chunkers) - {"document"}:
            overlap, size = wide[0]
            raise mistake(
                f"an overlap of {overlap} with a size of {size}: chunks would never advance; "
                "every overlap must be smaller than every size",
                "overlaps",
            )
        if self.baseline is not None:
            _find(self.configurations, self.baseline)
        return self

    @property
    def base(self) -> Path:
        """The exam's folder: where modules are looked for."""
        return self._base

    @property
    def retrievers(self) -> tuple[str, ...]:
        """What is put over every chunking: BM25, the lexical floor, then the embedders."""
        return _distinct((*((BM25,) if self.bm25 else ()), *(e.model for e in self.embedders), *self.functions))

    @property
    def cuts(self) -> tuple[int, ...]:
        """Every k, ascending."""
        return tuple(sorted(set(self.k)))

    @property
    def budgets(self) -> tuple[int, ...]:
        """Every budget of context tokens, ascending."""
        return tuple(sorted(set(self.tokens)))

    @property
    def configurations(self) -> tuple[Configuration, ...]:
        """The grid, in the order of the file."""
        chunkings = _distinct(tuple(self._chunkings()))
        made = (
            Configuration(retriever, *(() if retriever.startswith(PYTHON) else chunking))
            for retriever in self.retrievers
            for chunking in chunkings
        )
        return _distinct(tuple(made))

    def _chunkings(self) -> Iterator[tuple[ChunkerKind, int, int]]:
        for chunker in self.chunkers:
            if chunker == "document":
                yield chunker, 0, 0
            else:
                yield from ((chunker, size, overlap) for size, overlap in product(self.sizes, self.overlaps))

    def retriever_spec(self, configuration: Configuration) -> RetrieverSpec:
        """The retriever of one configuration, as a candidate would have it."""
        given: dict[str, Any] = {"k": max(self.k)}
        if configuration.retriever.startswith(PYTHON):
            return RetrieverSpec.model_validate({**given, "index": configuration.retriever}, context=self._context)
        if configuration.chunker == "document":
            given["chunker"] = "document"
        else:
            given |= {"chunker": configuration.chunker, "size": configuration.size, "overlap": configuration.overlap}
        if configuration.chunker == "token" and self.tokenizer:
            given["tokenizer"] = self.tokenizer
        if configuration.retriever == BM25:
            return RetrieverSpec.model_validate({**given, "index": BM25}, context=self._context)
        embedder = next(e for e in self.embedders if e.model == configuration.retriever)
        given |= {"embedder": embedder, "index": self.index}
        return RetrieverSpec.model_validate(given, context=self._context)

    @property
    def _context(self) -> dict[str, Any]:
        return {"base": self._base}

    @property
    def baseline_configuration(self) -> Configuration:
        """What all are compared with: as named, else BM25 on the first chunking, else the first of the grid."""
        return self.configurations[0] if self.baseline is None else _find(self.configurations, self.baseline)


def _find(configurations: Sequence[Configuration], name: str) -> Configuration:
    for configuration in configurations:
        if name in (configuration.name, configuration.retriever):
            return configuration
    known = [c.name for c in configurations]
    raise mistake(
        f"{name!r} is none of the configurations{did_you_mean(name, known) or '.'} There are {', '.join(known)}",
        "baseline",
    )
