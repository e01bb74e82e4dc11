"""Documents to chunks, by the splitters of `langchain-text-splitters`, each with its exact place in the document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from ..errors import InputError, MissingExtra
from .corpus import Corpus

ChunkerKind = Literal["character", "recursive", "token", "markdown", "document"]
Span = tuple[int, int]
_SPAN = re.compile(r"#(\d+)-(\d+)$")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Chunk:
    """``text`` is ``document.text[start:end]``, always; ``id`` says both: ``document#start-end``."""

    id: str
    document: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ChunkerSpec:
    """How documents are cut. ``size`` and ``overlap`` count characters, or tokens where ``kind`` is ``token``.

    ``character`` cuts between paragraphs and never inside one (which may be longer than ``size``); ``recursive`` at
    paragraphs, lines, words, characters, the first that fits; ``markdown`` begins a chunk at every heading and cuts
    long sections recursively; ``document`` does not cut. A token is a word or a mark of punctuation, or what the file
    ``tokenizer`` (a Hugging Face tokenizer.json) makes of the text. Raises InputError where overlap >= size.
    """

    kind: ChunkerKind = "recursive"
    size: int = 1000
    overlap: int = 100
    tokenizer: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(ChunkerKind):
            raise InputError(f"chunker {self.kind!r} is not known: choose from {', '.join(get_args(ChunkerKind))}")
        if self.kind == "document":
            return
        if self.size < 1:
            raise InputError(f"chunk size {self.size}: must be 1 or more")
        if not 0 <= self.overlap < self.size:
            raise InputError(
                f"chunk overlap {self.overlap} with size {self.size}: must be 0 or more and smaller than the size"
            )

    def __str__(self) -> str:
        return self.kind if self.kind == "document" else f"{self.kind} {self.size}/{self.overlap}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """What determines the chunks of a corpus."""
        if self.kind == "document":
            return {"kind": self.kind}
        made = {"kind": self.kind, "size": self.size, "overlap": self.overlap, "by": _splitters_version()}
        return made | ({"tokenizer": _file_sha256(self.tokenizer)} if self.tokenizer else {})


@cache
def _splitters_version() -> str:
    from importlib.metadata import version

    return version("langchain-text-splitters")


def chunk_id(document: str, start: int, end: int) -> str:
    """The id of a chunk."""
    return f"{document}#{start}-{end}"


def document_of(chunk: str) -> str:
    """The document's id in a chunk's id; what is no chunk's id is returned as it is.

    >>> document_of("guide#2#0-812")
    'guide#2'
    """
    return _SPAN.sub("", chunk)


def span_of(chunk: str) -> Span | None:
    """Start and end (characters) in a chunk's id; ``None`` for what is no chunk's id."""
    found = _SPAN.search(chunk)
    return (int(found[1]), int(found[2])) if found else None


def require_splitters(spec: ChunkerSpec) -> None:
    """Raise MissingExtra where the splitters are not installed."""
    from importlib.util import find_spec

    if spec.kind != "document" and find_spec("langchain_text_splitters") is None:
        raise MissingExtra("rag", f"chunker {spec.kind!r}")


def split(corpus: Corpus, spec: ChunkerSpec) -> tuple[Chunk, ...]:
    """The chunks of every document, in order. Whitespace at their ends is left out, and so are chunks of nothing else.

    Raises MissingExtra without `langchain-text-splitters` (not needed for ``document``).
    """
    require_splitters(spec)
    spans = _spans(spec)
    chunks: list[Chunk] = []
    for document in corpus.documents:
        text = document.text
        for start, end in dict.fromkeys(_stripped(text, span) for span in spans(text)):
            if start < end:
                chunks.append(Chunk(chunk_id(document.id, start, end), document.id, text[start:end], start, end))
    return tuple(chunks)


def _spans(spec: ChunkerSpec) -> Callable[[str], Iterator[Span]]:
    """Text -> spans of its chunks."""
    if spec.kind == "document":
        return lambda text: iter([(0, len(text))])
    if spec.kind == "token":
        return _token_spans(spec)
    import langchain_text_splitters as lc

    # Nothing is stripped or dropped here, so that chunks are verbatim parts of the text and can be found again.
    verbatim: Any = {
        "chunk_size": spec.size,
        "chunk_overlap": spec.overlap,
        "keep_separator": "start",
        "strip_whitespace": False,
    }
    if spec.kind == "character":
        cut = lc.CharacterTextSplitter(separator=r"\n{2,}", is_separator_regex=True, **verbatim).split_text
        return lambda text: _placed(text, _quietly(cut, text), spec.overlap)
    cut = lc.RecursiveCharacterTextSplitter(**verbatim).split_text
    if spec.kind == "recursive":
        return lambda text: _placed(text, cut(text), spec.overlap)
    return lambda text: _by_sections(text, cut, spec.overlap)


def _quietly(cut: Callable[[str], list[str]], text: str) -> list[str]:
    """Without LangChain's line in the log for every long paragraph: chunks that are too long are counted elsewhere."""
    import logging

    log = logging.getLogger("langchain_text_splitters.base")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        return cut(text)
    finally:
        log.setLevel(level)


def _placed(text: str, parts: list[str], overlap: int) -> Iterator[Span]:
    """Where each part stands. Each begins after the one before it and overlaps it by at most ``overlap``.

    The first match from there on is never behind the true place, so every part is found, whatever repeats itself.
    """
    start, end = -1, overlap
    for part in parts:
        start = text.index(part, max(start + 1, end - overlap))
        end = start + len(part)
        yield start, end


def _by_sections(text: str, cut: Callable[[str], list[str]], overlap: int) -> Iterator[Span]:
    for begin, stop in _sections(text):
        for start, end in _placed(text[begin:stop], cut(text[begin:stop]), overlap):
            yield begin + start, begin + end


def _sections(text: str) -> Iterator[Span]:
    """Spans from heading to heading; a heading with nothing under it stays with the next one. Code is no heading."""
    begin = at = 0
    fence, has_body = "", False
    for line in text.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
        elif not fence and _HEADING.match(line):
            if has_body:
                yield begin, at
                begin, has_body = at, False
            at += len(line)
            continue
        has_body = has_body or not line.isspace()
        at += len(line)
    yield begin, len(text)


def _token_spans(spec: ChunkerSpec) -> Callable[[str], Iterator[Span]]:
    from langchain_text_splitters import Tokenizer, split_text_on_tokens

    tokens_of = _tokenizer(spec.tokenizer) if spec.tokenizer else _words

    def spans(text: str) -> Iterator[Span]:
        tokens = tokens_of(text)
        found: list[Span] = []

        def decode(numbers: list[int]) -> str:
            found.append((tokens[numbers[0]][0], tokens[numbers[-1]][1]))
            return "x"

        # What is handed to LangChain are the numbers of our tokens, so that it gives back which ones, not their text.
        numbers = list(range(len(tokens)))
        split_text_on_tokens(
            text=text,
            tokenizer=Tokenizer(
                chunk_overlap=spec.overlap,
                tokens_per_chunk=spec.size,
                decode=decode,
                encode=lambda _: numbers,
            ),
        )
        return iter(found)

    return spans


def _words(text: str) -> list[Span]:
    return [match.span() for match in _TOKEN.finditer(text)]


def _tokenizer(path: str) -> Callable[[str], list[Span]]:
    from importlib.util import find_spec

    if find_spec("tokenizers") is None:
        raise MissingExtra("minilm", f"chunking by the tokens of {path}")
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(path)
    except Exception as error:  # the package raises a bare Exception for a file it cannot read
        raise InputError(f"tokenizer {path!r}: is no tokenizer.json that can be read: {error}") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: [span for span in tokenizer.encode(text, add_special_tokens=False).offsets if span[0] < span[1]]


def _file_sha256(path: str) -> str:
    import hashlib

    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"tokenizer {path!r}: cannot be read: {error.strerror}") from None


def _stripped(text: str, span: Span) -> Span:
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
