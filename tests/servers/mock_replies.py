"""What the mock server says: answers and verdicts whose right share is known, in every dialect that servers speak.

A sample is known by the ``[[Q<id>]]`` tag in its question. ``is_right(id, rate)`` says whether the candidate knows the
answer, ``code_word(id)`` what the answer is; judges fill the schema, tool or JSON they are asked for accordingly.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from mock_anthropic import message_events, named_event, whole_message
from mock_verdicts import WHY, any_verdict, fill, wanted_schema

STREAMS = (  # the first is the default
    "stream_openai",  # role chunk with content '', usage on a chunk without choices, [DONE]
    "stream_vllm",  # like it, with null reasoning fields and a stop_reason
    "stream_llamacpp",  # role chunk with content null, usage chunk with timings
    "stream_transformers",  # usage on the finish chunk, whatever stream_options says; no [DONE]
    "stream_llama_cpp_python",  # no usage at all
)
DIALECTS = (
    *STREAMS,
    "stream_crlf",  # CRLF line ends and comments between the events
    "stream_cut",  # the stream ends without finish_reason and [DONE]
    "stream_closes",  # promises keep-alive and takes no second request on a connection that streamed, like llama.cpp
    "stream_error",  # an error object instead of the third chunk
    "no_temperature", "no_max_tokens", "no_top_p", "no_tool_choice", "no_json_schema", "no_tools", "no_stream_options",
    "reasoning_content", "reasoning", "think_tags", "parts",
    "truncated_verdicts", "truncated_answers",  # finish_reason length, half of the text
    "content_filter",  # finish_reason content_filter
    "content_filter_400", "context_overflow",
    "refusal",  # the provider's own refusal field
    "unauthorized",
    "not_found",  # 404, unknown model
    "no_usage",
)  # fmt: skip
MODELS = {
    "object": "list",
    "data": [{"id": name, "object": "model", "owned_by": "mock"} for name in ("cand-1", "judge-1", "gpt-4o-mini")],
}
PAD = (
    " The context supports this because it names the archive, the year and the curator, and no passage contradicts it."
)
TAG = re.compile(rb"\[\[Q(\d+)\]\]")
MASK = 0xFFFFFFFF


@lru_cache(maxsize=65536)
def uniform(seed: bytes) -> float:
    """A number in [0, 1) from a hash (FNV-1a, then the finaliser of MurmurHash3)."""
    h = 2166136261
    for byte in seed:
        h = ((h ^ byte) * 16777619) & MASK
    h = ((h ^ (h >> 16)) * 2246822507) & MASK
    h = ((h ^ (h >> 13)) * 3266489909) & MASK
    return (h ^ (h >> 16)) / 4294967296


def is_right(id_: int, rate: float = 0.7) -> bool:
    """Whether the candidate knows the answer to sample ``id_``."""
    return uniform(b"c%d" % id_) < rate


def code_word(id_: int) -> str:
    """The reference answer to sample ``id_``."""
    number, digits = (id_ * 7919) % 46656, ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return "zor" + digits.rjust(3, "0")


def lognormal_ms(latency: Mapping[str, Any], key: bytes) -> float:
    """A latency in ms around ``median_ms`` with ``sigma`` on the log scale, at most ``max_ms``."""
    seed = b"%d" % latency.get("seed", 0)
    radius = math.sqrt(-2 * math.log(max(uniform(b"a" + seed + key), 1e-9)))
    z = radius * math.cos(2 * math.pi * uniform(b"b" + seed + key))
    return float(min(latency.get("max_ms", 30000), latency["median_ms"] * math.exp(latency["sigma"] * z)))


def error_body(message: str, kind: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(slots=True)
class Incoming:
    """A request as the server understands it."""

    body: dict[str, Any]
    kind: str
    id: int
    raw: bytes
    key: str
    shape: str  # chat, messages or embeddings
    stream: bool

    @classmethod
    def parse(cls, path: str, head: bytes, raw: bytes, book: Book) -> Incoming:
        body = orjson.loads(raw)
        shape = path.rsplit("/", 1)[1].replace("completions", "chat")
        judge = book.judges.search(str(body.get("model", "")))
        tag = TAG.search(raw)
        kind = "embed" if shape == "embeddings" else "judge" if judge else "gen"
        id_ = int(tag[1]) if tag else -1
        return cls(body, kind, id_, raw, _bearer(head) if book.keys else "", shape, bool(body.get("stream")))

    def seen(self, head: bytes) -> dict[str, Any]:
        """What /stats keeps of it when asked to."""
        lines = [line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:]]
        return {"headers": {line[0].lower(): line[-1] for line in lines}, "body": self.body}


def _bearer(head: bytes) -> str:
    found = re.search(rb"\r\n(?:authorization: bearer|x-api-key:|api-key:) *([^\r\n]*)", head, re.IGNORECASE)
    return found[1].decode() if found else ""


@dataclass(slots=True)
class Saying:
    """What is said back, before it takes a server's shape."""

    text: str = ""
    tool: str = ""
    reasoning: str = ""
    finish: str = "stop"
    refusal: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usage: dict[str, Any] = field(default_factory=dict)


class Book:
    """The answers of one configuration."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.judges = re.compile(config["judge_models"])
        self.keys = config["keys"]
        self.dialects = frozenset(config["dialects"])
        unknown = self.dialects - set(DIALECTS)
        if unknown:
            raise ValueError(f"unknown dialects {sorted(unknown)!r}; known are {DIALECTS!r}")
        self.shape = next((name for name in STREAMS if name in self.dialects), STREAMS[0])
        self.headers: dict[str, str] = {}
        room = config["headroom"]
        if room:
            for what in ("requests", "tokens"):
                self.headers[f"x-ratelimit-remaining-{what}"] = str(room[what])
                self.headers[f"x-ratelimit-reset-{what}"] = str(room["reset"])
                self.headers[f"anthropic-ratelimit-{what}-remaining"] = str(room[what])
        self.sequence = 0

    def refusal(self, request: Incoming) -> tuple[int, Any] | None:
        """Status and body of an error that the dialect demands."""
        if "unauthorized" in self.dialects or (self.keys and request.key not in self.keys):
            return 401, error_body(
                f"Incorrect API key provided: {request.key}", "invalid_request_error", "invalid_api_key"
            )
        if not self.dialects:
            return None
        if "not_found" in self.dialects:
            text = f"The model {request.body.get('model')!r} does not exist"
            return 404, error_body(text, "invalid_request_error", "model_not_found")
        if "content_filter_400" in self.dialects:
            return 400, error_body("The prompt triggered the content management policy.", "invalid", "content_filter")
        if "context_overflow" in self.dialects:
            text = "This model's maximum context length is 4096 tokens, however you requested 5000 tokens."
            return 400, error_body(text, "invalid_request_error", "context_length_exceeded", "messages")
        return self._refused_option(request.body)

    def _refused_option(self, body: dict[str, Any]) -> tuple[int, Any] | None:
        def no(message: str, param: str | None) -> tuple[int, Any]:
            return 400, error_body(message, "invalid_request_error", "unsupported_parameter", param)

        for name in ("temperature", "top_p", "stream_options"):
            if f"no_{name}" in self.dialects and name in body:
                return no(f"Unsupported value: '{name}' does not support {body[name]!r} with this model.", name)
        if "no_max_tokens" in self.dialects and "max_tokens" in body:
            text = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
            return no(text, "max_tokens")
        if "no_tool_choice" in self.dialects and body.get("tool_choice", "auto") not in ("auto", {"type": "auto"}):
            return no("Thinking mode does not support this tool_choice", None)
        if "no_tools" in self.dialects and body.get("tools"):
            return no("This model does not support tools: tool calling needs a parser", "tools")
        schema = (body.get("response_format") or {}).get("type") == "json_schema" or "output_config" in body
        if "no_json_schema" in self.dialects and schema:
            return no("Invalid parameter: 'response_format' of type 'json_schema' is not supported", "response_format")
        return None

    def reply(self, request: Incoming, bad: bool) -> Saying:
        """What is said to ``request``; ``bad`` is well-formed but no verdict."""
        said = Saying()
        if request.kind == "judge":
            self._judge(request, said)
        else:
            self._answer(request.id, said)
        if bad:
            said.text = '{"score": ' if said.tool else "I am sorry, I cannot help with that."
        said.prompt_tokens, said.completion_tokens = max(1, len(request.raw) >> 2), max(1, len(said.text) >> 2)
        if self.dialects or self.config["min_tokens"]:
            self._colour(request, said)
        said.usage = {
            "prompt_tokens": said.prompt_tokens,
            "completion_tokens": said.completion_tokens,
            "total_tokens": said.prompt_tokens + said.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": len(said.reasoning) >> 2},
        }
        return said

    def _answer(self, id_: int, said: Saying) -> None:
        literal = self.config["say"].get("gen")
        right = is_right(id_, self.config["correct_rate"])
        word = code_word(id_) if right else f"wrong{id_ % 97}"
        said.text = literal if literal is not None else f"The code word is {word}.{PAD}"

    def _judge(self, request: Incoming, said: Saying) -> None:
        good = is_right(request.id, self.config["correct_rate"])
        body, why = request.body, WHY + ("right." if good else "wrong.")
        literal = self.config["say"].get("judge")
        schema = wanted_schema(body)
        if body.get("tools"):
            tool = body["tools"][0]
            function = tool.get("function", tool)
            parameters = function.get("parameters") or function.get("input_schema") or {}
            said.tool, said.finish = function["name"], "tool_calls"
            said.text = orjson.dumps(fill(parameters, function["name"], good, parameters)).decode()
        elif literal is not None:
            said.text = literal["good" if good else "bad"]
        elif schema is not None:
            said.text = orjson.dumps(fill(schema, "root", good, schema)).decode()
        elif b"GRADE:" in request.raw:
            said.text = f"{why}\n\nGRADE: {'C' if good else 'I'}"
        else:
            said.text = orjson.dumps(any_verdict(request.raw, why, good)).decode()

    def _colour(self, request: Incoming, said: Saying) -> None:
        if {"reasoning_content", "reasoning", "think_tags"} & self.dialects:
            said.reasoning = "Let me think. The context names the word."
            said.completion_tokens += len(said.reasoning) >> 2
        limit = request.body.get("max_tokens") or request.body.get("max_completion_tokens") or math.inf
        short = limit < self.config["min_tokens"].get(request.kind, 0)
        if short or {"gen": "truncated_answers", "judge": "truncated_verdicts"}.get(request.kind) in self.dialects:
            said.text, said.finish = said.text[: len(said.text) // 2], "length"
        if "content_filter" in self.dialects:
            said.text, said.finish = "", "content_filter"
        if "refusal" in self.dialects:
            said.text, said.refusal = "", "I cannot help with that."

    def body(self, request: Incoming, said: Saying) -> dict[str, Any]:
        """The whole response, not streamed."""
        self.sequence += 1
        if request.shape == "embeddings":
            return _embeddings(request)
        if request.shape == "messages":
            return whole_message(request, said, self.sequence)
        message: dict[str, Any] = {"role": "assistant", "content": said.text, "refusal": said.refusal}
        if said.tool:
            function = {"name": said.tool, "arguments": said.text}
            message |= {"content": None}
            message["tool_calls"] = [{"id": f"call_{self.sequence}", "type": "function", "function": function}]
        if said.reasoning:
            self._reason(message, said)
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": said.finish}
        reply = {"id": f"chatcmpl-{self.sequence}", "object": "chat.completion", "created": 1700000000}
        reply |= {"model": request.body.get("model"), "choices": [choice]}
        if "no_usage" not in self.dialects:
            reply["usage"] = said.usage
        return reply

    def _reason(self, message: dict[str, Any], said: Saying) -> None:
        if "think_tags" in self.dialects and not said.tool:
            message["content"] = f"<think>\n{said.reasoning}\n</think>\n\n{said.text}"
        elif "parts" in self.dialects and not said.tool:
            summary = {"type": "reasoning", "summary": [{"type": "summary_text", "text": said.reasoning}]}
            message["content"] = [summary, {"type": "text", "text": said.text}]
        else:
            message["reasoning" if "reasoning" in self.dialects else "reasoning_content"] = said.reasoning

    def stream(self, request: Incoming, said: Saying, cut: bool) -> list[bytes]:
        """The events of a streamed response, one byte string each; ``cut`` breaks off inside the third."""
        self.sequence += 1
        if request.shape == "messages":
            events = [named_event(event) for event in message_events(request, said, self)]
        else:
            end = b"\r\n\r\n" if "stream_crlf" in self.dialects else b"\n\n"
            events = [b"data: " + orjson.dumps(event) + end for event in self._chat_events(request, said)]
            if "stream_crlf" in self.dialects:
                events = [b": keep-alive\r\n\r\n" + event for event in events]
            if self.shape != "stream_transformers" and "stream_cut" not in self.dialects:
                events.append(b"data: [DONE]" + end)
        return [*events[:2], events[2][: len(events[2]) // 2]] if cut else events

    def _chat_events(self, request: Incoming, said: Saying) -> Iterator[dict[str, Any]]:
        base = {"id": f"chatcmpl-{self.sequence}", "object": "chat.completion.chunk", "created": 1700000000}
        base["model"] = request.body.get("model", "")

        def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
            return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

        yield chunk({"role": "assistant", "content": None if self.shape == "stream_llamacpp" else ""})
        for number, delta in enumerate(self._deltas(said)):
            if number == 1 and "stream_error" in self.dialects:
                yield {"error": {"message": "The engine died", "type": "server_error", "code": 500}}
                return
            yield chunk(delta)
        if "stream_cut" in self.dialects:
            return
        finish = chunk({}, said.finish)
        wanted = (request.body.get("stream_options") or {}).get("include_usage")
        if self.shape == "stream_transformers":
            yield {**finish, "usage": said.usage}
            return
        yield finish
        if wanted and self.shape != "stream_llama_cpp_python" and "no_usage" not in self.dialects:
            timings = {"timings": {"prompt_ms": 1.0}} if self.shape == "stream_llamacpp" else {}
            yield {**base, "choices": [], "usage": said.usage, **timings}

    def _deltas(self, said: Saying) -> Iterator[dict[str, Any]]:
        text = said.text
        if said.reasoning and "think_tags" in self.dialects and not said.tool:
            # Tags split over chunks, as a tokenizer without special tokens for them does.
            for piece in ("<th", "ink>", said.reasoning, "</thi", "nk>\n\n"):
                yield {"content": piece}
        elif said.reasoning:
            for word in self.words(said.reasoning):
                yield {"reasoning" if "reasoning" in self.dialects else "reasoning_content": word}
        if said.refusal:
            yield {"refusal": said.refusal}
        for number, word in enumerate(self.words(text)):
            if said.tool:
                name = {"id": f"call_{self.sequence}", "type": "function"} if number == 0 else {}
                function = {"name": said.tool, "arguments": word} if number == 0 else {"arguments": word}
                yield {"tool_calls": [{"index": 0, **name, "function": function}]}
            elif self.shape == "stream_vllm":
                yield {"content": word, "reasoning_content": None, "tool_calls": []}
            else:
                yield {"content": word}

    def words(self, text: str) -> list[str]:
        """``text`` in chunks of ``chunk_words`` words; the chunks add up to it."""
        words, step = re.split(r"(?<= )", text), self.config["stream"]["chunk_words"]
        return ["".join(words[i : i + step]) for i in range(0, len(words), step)]


def _embeddings(request: Incoming) -> dict[str, Any]:
    given = request.body.get("input", "")
    texts = given if isinstance(given, list) else [given]
    vectors = [[uniform(b"%d|%s" % (d, str(text).encode())) - 0.5 for d in range(64)] for text in texts]
    data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(vectors)]
    usage = {"prompt_tokens": len(request.raw) >> 2, "total_tokens": len(request.raw) >> 2}
    return {"object": "list", "data": data, "model": request.body.get("model"), "usage": usage}
