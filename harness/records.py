"""The nouns that cross rooms. Plain frozen records; nothing here reads a file, calls a model or decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Message = Mapping[str, Any]
"""One chat message in OpenAI's shape. ``content`` is text or a list of parts: ``{"type": "text", "text": …}`` or
``{"type": "image", "media_type": …, "sha256": …, "path": …}`` (hashed by content; the path never enters a key)."""

Content = str | tuple[Mapping[str, Any], ...]
Owner = Literal["candidate", "ours"]
Origin = Literal["live", "reused"]
UnscoredStatus = Literal["not_applicable", "unparsable", "truncated", "refused", "error"]
FailureKind = Literal[
    "timeout",  # candidate: no complete reply within the time limit
    "content_filter",  # candidate: the provider's own signal, also an explicit `refusal`
    "truncated",  # candidate: cut by the token limit, or empty with finish reason `length`
    "context_overflow",  # candidate: the prompt does not fit the model's window
    "candidate_error",  # candidate: the application under test raised or answered nonsense
    "rate_limited",  # ours: 429 after all retries
    "server_error",  # ours: 5xx
    "network",  # ours: connection refused, reset or closed half-way
    "malformed",  # ours: HTTP 200 with a body that is not a reply
    "unauthorized",  # ours: 401, 403; stops the endpoint
    "not_found",  # ours: 404, unknown model; stops the endpoint
    "bad_request",  # ours: 400 that is none of the others
    "unsupported",  # ours: the server cannot do what the request asks (a rung of the ladder, a parameter)
    "not_recorded",  # ours: offline, and no recorded reply has this key
]
CANDIDATE_OWNED: frozenset[str] = frozenset(
    {"timeout", "content_filter", "truncated", "context_overflow", "candidate_error"}
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One question of the exam. ``context`` is a tuple of passages; ``metadata`` holds every further column."""

    id: str
    question: Content = ""
    messages: tuple[Message, ...] = ()
    turns: tuple[Content, ...] = ()
    context: tuple[str, ...] = ()
    reference: str | None = None
    relevant: Mapping[str, int] = field(default_factory=dict)
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_calls: tuple[Mapping[str, Any], ...] | None = None
    """The right calls, in the form of `tool_calls.read_call`: () where none is right, ``None`` where nobody says."""
    safety: Mapping[str, Any] = field(default_factory=dict)
    cluster: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""
    """Hash of everything above but ``id``, ``cluster`` and ``tags``; images by content."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a chat model is asked. ``params`` are sampling parameters as the exam words them (``max_tokens`` …)."""

    messages: tuple[Message, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    schema: Mapping[str, Any] | None = None
    """A JSON schema that the reply must follow (`response_format: json_schema`); named ``schema_name`` on the wire."""
    schema_name: str = "grading"
    ours: frozenset[str] = frozenset()
    """Names of parameters (and `tool_choice`) that we set by default: a model that refuses one gets it dropped."""
    stream: bool = False
    shared: int = 0
    """How many leading messages are byte-identical for every sample (prompt caching)."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Which draw of one and the same request this is; part of its key."""

    slot: int = 0
    trial: int = 0
    repeat: int = 0
    attempt: int = 0
    salt: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens. ``prompt_tokens`` includes cached and cache-written ones, ``completion_tokens`` includes reasoning."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds on a monotonic clock from the moment before the request was written; ``sent_at`` is Unix time.

    ``ttft_s``: first chunk with content, reasoning or tool-call text; ``ttfo_s``: first non-reasoning content;
    ``e2e_s``: last such chunk (not streamed: body read); ``gaps_s``: between consecutive content chunks.
    """

    sent_at: float
    e2e_s: float
    ttft_s: float | None = None
    ttfo_s: float | None = None
    gaps_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function call that a model asked for; ``arguments`` is the text it wrote, usually JSON."""

    name: str
    arguments: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Headroom:
    """What the server's rate-limit headers say is left: ``requests``, ``tokens``, and seconds until they refill."""

    requests: int | None = None
    tokens: int | None = None
    reset_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. ``dropped`` names the default parameters that the model refused and we left out."""

    text: str
    usage: Usage
    timing: Timing
    finish_reason: str = "stop"
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    served_model: str = ""
    refusal: str = ""
    dropped: tuple[str, ...] = ()
    headroom: Headroom | None = None
    payload: Mapping[str, Any] | None = None
    """What an application returned beside its text (`retrieved`, …), as plain JSON; ``None`` for a chat model."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no reply. ``retry_after_s`` is the server's own wish."""

    kind: FailureKind
    detail: str
    status: int | None = None
    retry_after_s: float | None = None
    sent_at: float = 0.0

    @property
    def owner(self) -> Owner:
        """Whose failure it is: the candidate's own, or ours to retry."""
        return "candidate" if self.kind in CANDIDATE_OWNED else "ours"


@dataclass(frozen=True, slots=True)
class Call:
    """The only thing that is paid for and committed: one request, and its reply or failure, under its key."""

    key: str
    run: str
    role: Literal["candidate", "judge", "other"]
    who: str
    """Name of the candidate or judge that asked."""
    model: str
    outcome: Reply | Failure
    attempts: int = 1
    cost_usd: float | None = None
    """USD of the successful attempt; ``None`` where no price is known."""
    created_at: float = 0.0
    reused: bool = False
    """True where the reply was recorded before this run (never counted in latency)."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A passage that a candidate was given by its retriever."""

    text: str
    id: str = ""
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What a candidate answered. ``turns`` holds the answer to each turn of a conversation, the last in ``text``."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    retrieved: tuple[Retrieved, ...] = ()
    turns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no answer. ``text`` is what arrived before it failed (a truncated answer): shown, never graded."""

    kind: FailureKind
    owner: Owner
    detail: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One candidate's answer to one sample. ``calls`` are the keys of what was paid for it, oldest first."""

    run: str
    sample_id: str
    candidate: str
    trial: int
    outcome: Said | Failed
    calls: tuple[str, ...] = ()
    origin: Origin = "live"
    fingerprint: str = ""
    """Hash of all that went into it; an answer with another fingerprint is out of date."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A grade: ``score`` on the rubric's scale, the judge's reasoning, and labels of taxonomies if any."""

    score: float
    reasoning: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unscored:
    """There is no grade, and why. Never a zero."""

    status: UnscoredStatus
    why: str


@dataclass(frozen=True, slots=True)
class Grade:
    """One judge's verdict on one criterion of one answer. ``turn`` is 0 for the whole answer, else 1-based."""

    run: str
    sample_id: str
    candidate: str
    trial: int
    judge: str
    criterion: str
    outcome: Scored | Unscored
    repeat: int = 0
    turn: int = 0
    calls: tuple[str, ...] = ()
    fingerprint: str = ""


Winner = Literal["left", "right", "tie"]
Design = Literal["random", "stratified", "chosen", "unknown"]
"""How answers came to be labelled: drawn at random, at random within strata, picked on purpose, or nobody knows."""


@dataclass(frozen=True, slots=True)
class Preference:
    """Which of two candidates' answers to one sample a rater (a judge or a person) prefers, shown in one order.

    ``left`` < ``right`` in exam order; ``shown_order`` says whose answer stood first. ``outcome`` is a `Winner` or why
    there is none.
    """

    run: str
    sample_id: str
    left: str
    right: str
    trial: int
    rater: str
    shown_order: Literal["left_first", "right_first"]
    outcome: Winner | Unscored
    reasoning: str = ""
    repeat: int = 0
    calls: tuple[str, ...] = ()
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A person's score of one answer on one criterion. It holds for the text with this hash and for no other."""

    sample_id: str
    candidate: str
    trial: int
    criterion: str
    score: float
    annotator: str
    answer_sha256: str
    label_set: str = ""
    stratum: str = ""


@dataclass(frozen=True, slots=True)
class LabelSet:
    """How a set of labels was made. ``weights`` are the strata's shares of all answers, where it is stratified."""

    name: str
    design: Design = "unknown"
    weights: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None
    labelled_at: str = ""
    """ISO date, '' where unknown."""
    source: str = ""
    """File that it was read from."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval. ``low``, ``high`` are ``None`` where no honest one exists; ``method`` says why."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str
    notes: tuple[str, ...] = ()
