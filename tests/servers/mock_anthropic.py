"""What the mock server says in the shapes of Anthropic's Messages API. See `mock_replies.py` for what is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


def _usage(said: Any, request: Any) -> dict[str, Any]:
    # Anthropic's input_tokens leaves out what the cache read and wrote.
    cached = len(request.raw) >> 3 if b'"cache_control"' in request.raw else 0
    usage = {"input_tokens": said.prompt_tokens - cached, "cache_creation_input_tokens": 0}
    return {**usage, "cache_read_input_tokens": cached, "output_tokens": said.completion_tokens}


def _head(request: Any, number: int) -> dict[str, Any]:
    head = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": request.body.get("model")}
    return {**head, "content": [], "stop_reason": None, "stop_sequence": None}


def whole_message(request: Any, said: Any, number: int) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if said.reasoning:
        content.append({"type": "thinking", "thinking": said.reasoning, "signature": "x"})
    if said.tool:
        tool = {"type": "tool_use", "id": f"toolu_{number}", "name": said.tool}
        content.append({**tool, "input": _object(said.text)})
    elif said.text:
        content.append({"type": "text", "text": said.text})
    head = _head(request, number)
    head |= {"content": content, "stop_reason": STOPS[said.finish], "usage": _usage(said, request)}
    return head


def _object(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}


def named_event(event: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event))


def message_events(request: Any, said: Any, book: Any) -> Iterator[dict[str, Any]]:
    usage = _usage(said, request)
    head = _head(request, book.sequence)
    yield {"type": "message_start", "message": {**head, "usage": {**usage, "output_tokens": 1}}}
    blocks: list[tuple[dict[str, Any], str, str, list[str]]] = []
    if said.reasoning:
        start = {"type": "thinking", "thinking": "", "signature": ""}
        blocks.append((start, "thinking_delta", "thinking", book.words(said.reasoning)))
    if said.tool:
        start = {"type": "tool_use", "id": f"toolu_{book.sequence}", "name": said.tool, "input": {}}
        blocks.append((start, "input_json_delta", "partial_json", book.words(said.text)))
    elif said.text:
        blocks.append(({"type": "text", "text": ""}, "text_delta", "text", book.words(said.text)))
    for index, (start, kind, name, words) in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": start}
        yield {"type": "ping"}
        for word in words:
            yield {"type": "content_block_delta", "index": index, "delta": {"type": kind, name: word}}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": STOPS[said.finish], "stop_sequence": None}
    if "stream_error" in book.dialects:
        yield {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        return
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": said.completion_tokens}}
    if "stream_cut" not in book.dialects:
        yield {"type": "message_stop"}
