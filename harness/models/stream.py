"""Server-sent events, and a streamed chat completion in each of the dialects that servers speak.

Usage may come on a chunk without choices, on the finish chunk, or never; ``content`` may be null; ``[DONE]`` may be
missing, but then a stream without a ``finish_reason`` broke off. One parse and no copy a chunk: the client must not
add to the latency that it measures.
"""

from __future__ import annotations

from typing import Any, Protocol

import orjson

from ..records import Failure, Reply, Request, Timing, ToolCall, Usage
from .faults import ServerError, error_in, trim
from .wire import estimated_usage, read_usage, split_content

DONE = b"[DONE]"


class Events:
    """Splits bytes into the data of server-sent events; comments and other fields are passed over."""

    __slots__ = ("_data", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, received: bytes) -> list[bytes]:
        """The events that ``received`` completes."""
        lines = (self._rest + received).split(b"\n")
        self._rest = lines.pop()
        return self._read(lines)

    def end(self) -> list[bytes]:
        """The event that the end of the stream completes, where the last blank line is missing."""
        rest, self._rest = self._rest, b""
        return self._read([rest, b""])

    def _read(self, lines: list[bytes]) -> list[bytes]:
        events = []
        data = self._data
        for line in lines:
            if line.startswith(b"data:"):
                data.append(line[5:].strip())
            elif data and line in (b"", b"\r"):
                events.append(data[0] if len(data) == 1 else b"\n".join(data))
                data.clear()
        return events


class Clock:
    """When chunks with text arrived, in seconds on the clock of `time.perf_counter`."""

    __slots__ = ("_first", "_first_output", "_gaps", "_last", "_sent")

    def __init__(self, sent: float) -> None:
        self._sent = sent
        self._first: float | None = None
        self._first_output: float | None = None
        self._last = sent
        self._gaps: list[float] = []

    def mark(self, now: float) -> None:
        """A chunk with content, reasoning or tool-call text arrived."""
        if self._first is None:
            self._first = now
        else:
            self._gaps.append(now - self._last)
        self._last = now

    def mark_output(self, at: float) -> None:
        """Text that is not reasoning was there ``at``; only the first counts."""
        if self._first_output is None:
            self._first_output = at

    def timing(self, sent_at: float, now: float) -> Timing:
        """The record; a stream without any text ends ``now``."""
        sent, first, output = self._sent, self._first, self._first_output
        return Timing(
            sent_at,
            (now if first is None else self._last) - sent,
            None if first is None else first - sent,
            None if output is None else output - sent,
            tuple(self._gaps),
        )


class ThinkTags:
    """Tells a ``<think>…</think>`` at the start of a stream from the answer, also where chunks split the tags."""

    __slots__ = ("_held", "_state", "reasoning", "text")

    def __init__(self) -> None:
        self._held = ""
        self._state = "undecided"
        self.text: list[str] = []
        self.reasoning: list[str] = []

    def feed(self, piece: str) -> bool:
        """Take a piece; whether the answer grew."""
        if self._state == "answer":
            self.text.append(piece)
            return True
        self._held += piece
        if self._state == "undecided":
            self._decide()
        if self._state == "thinking":
            self._think(len(piece))
        if self._state == "leading":
            self._lead()
        return self._state == "answer"

    def end(self) -> None:
        """The stream is over: what is held goes where it belongs."""
        if self._held:
            (self.reasoning if self._state == "thinking" else self.text).append(self._held)
            self._held = ""

    def _decide(self) -> None:
        start = self._held.lstrip()
        if start.startswith("<think>"):
            self._state, self._held = "thinking", start[7:]
        elif start and not "<think>".startswith(start):
            self._state = "answer"
            self.text.append(self._held)
            self._held = ""

    def _think(self, grown: int) -> None:
        at = self._held.find("</think>", max(0, len(self._held) - grown - 7))
        if at >= 0:
            self.reasoning.append(self._held[:at])
            self._state, self._held = "leading", self._held[at + 8 :]

    def _lead(self) -> None:
        # White space between the thought and the answer belongs to neither.
        self._held = self._held.lstrip()
        if self._held:
            self._state = "answer"
            self.text.append(self._held)
            self._held = ""


class StreamedReply(Protocol):
    """Collects the events of one streamed reply; ``done`` or ``fault`` may be set by any of them."""

    done: bool
    fault: Failure | ServerError | None

    def feed(self, event: bytes, now: float) -> None:
        """Take the data of one event, received at ``now``."""

    def outcome(
        self, request: Request, sent_at: float, now: float, dropped: tuple[str, ...]
    ) -> Reply | Failure | ServerError:
        """The reply, once the stream is over."""


class ChatStream:
    """Collects the chunks of one streamed chat completion."""

    __slots__ = (
        "_calls",
        "_clock",
        "_finish",
        "_held_at",
        "_model",
        "_reasoning",
        "_refusal",
        "_tags",
        "_usage",
        "done",
        "fault",
    )

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tags = ThinkTags()
        self._reasoning: list[str] = []
        self._refusal = ""
        self._calls: dict[int, list[str]] = {}
        self._finish = ""
        self._model = ""
        self._usage: Usage | None = None
        self._held_at: float | None = None
        self.done = False
        self.fault: Failure | ServerError | None = None

    def feed(self, event: bytes, now: float) -> None:
        """Take the data of one event, received at ``now``; ``done`` or ``fault`` may be set after it."""
        if event == DONE:
            self.done = True
            return
        try:
            self._read(orjson.loads(event), now)
        except (orjson.JSONDecodeError, AttributeError, IndexError, KeyError, TypeError):
            start = event[:80].decode("utf-8", "replace")
            self.fault = Failure("malformed", trim(f"the stream holds an event that is not a chunk: {start}"), 200)

    def _read(self, chunk: dict[str, Any], now: float) -> None:
        choices = chunk.get("choices")
        if choices:
            choice = choices[0]
            delta = choice.get("delta")
            if delta:
                self._take(delta, now)
            if choice.get("error"):
                self.fault = error_in(choice, 0)
                return
            if choice.get("finish_reason"):
                self._finish = str(choice["finish_reason"])
            if not self._model:
                self._model = str(chunk.get("model") or "")
        elif chunk.get("error") or chunk.get("object") == "error":
            self.fault = error_in(chunk, 0)
            return
        usage = chunk.get("usage")
        if usage:
            self._usage = read_usage(usage) or self._usage

    def _take(self, delta: dict[str, Any], now: float) -> None:
        content = delta.get("content")
        if content:
            self._clock.mark(now)
            self._say(content, now)
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if thought and isinstance(thought, str):
            if not content:
                self._clock.mark(now)
            self._reasoning.append(thought)
        calls = delta.get("tool_calls")
        if calls:
            self._clock.mark(now)
            self._clock.mark_output(now)
            for call in calls:
                self._call(call)
        if delta.get("refusal"):
            self._refusal += delta["refusal"]

    def _say(self, content: Any, now: float) -> None:
        if not isinstance(content, str):  # a list of parts, reasoning among them
            content, thought = split_content({"content": content})
            self._reasoning.append(thought)
        if self._held_at is None:
            self._held_at = now
        if content and self._tags.feed(content):
            # Text held back because it might have been a tag was there when its first piece was.
            self._clock.mark_output(now if self._tags.reasoning else self._held_at)

    def _call(self, call: dict[str, Any]) -> None:
        index = call.get("index")
        known = self._calls.setdefault(index if isinstance(index, int) else len(self._calls), ["", "", ""])
        function = call.get("function") or {}
        arguments = function.get("arguments") or ""
        known[0] = known[0] or str(function.get("name") or "")
        known[1] += arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
        known[2] = known[2] or str(call.get("id") or "")

    def outcome(
        self, request: Request, sent_at: float, now: float, dropped: tuple[str, ...]
    ) -> Reply | Failure | ServerError:
        """The reply, once the stream is over."""
        if self.fault is not None:
            return self.fault
        if not self._finish and not self.done:
            return Failure("malformed", "the stream broke off: neither a finish_reason nor [DONE] came", 200)
        self._tags.end()
        text = "".join(self._tags.text)
        reasoning = "".join([*self._reasoning, *self._tags.reasoning]).strip()
        calls = tuple(ToolCall(*self._calls[index]) for index in sorted(self._calls))
        usage = self._usage
        if usage is None:
            usage = estimated_usage(request, text + reasoning + "".join(call.arguments for call in calls))
        return Reply(
            text, usage, self._clock.timing(sent_at, now), self._finish or "stop", reasoning, calls, self._model,
            self._refusal, dropped,
        )  # fmt: skip
