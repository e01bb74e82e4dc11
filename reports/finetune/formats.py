"""Lines in the forms that fine-tuning services read.

openai: developers.openai.com/api/docs/guides/supervised-fine-tuning (`messages`, `tools`, `parallel_tool_calls`,
arguments as text, `weight` 0 for assistant messages that are not learned) and …/direct-preference-optimization
(`input`, `preferred_output`, `non_preferred_output`).
fireworks: docs.fireworks.ai/fine-tuning/fine-tuning-models (the same messages and functions, `weight` 0 or 1, the
system message first, no other keys) and …/dpo-fine-tuning (OpenAI's pairs).
nemo: docs.nvidia.com/nemo/microservices/latest/customizer/tutorials/format-training-dataset.html (`messages`), its
functions as in NVIDIA's tool-calling notebook (GenerativeAIExamples, nemo/data-flywheel: arguments as an object), pairs
as in the NeMo Agent toolkit's DPO with NeMo Customizer (`prompt`, `chosen_response`, `rejected_response`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...harness.records import Message, Said
from ...harness.text import plain
from ...harness.tool_calls import arguments_object
from .records import Example, Format, Pair, Prompt

Line = dict[str, Any]
_KEPT = ("role", "content", "name", "tool_calls", "tool_call_id")
_SEPARATORS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "\u2028\u2029\u0085"}


def chat_line(example: Example, format: Format) -> Line:
    """The line of a chat that ends with the answer."""
    said = example.said
    if said is None:
        raise ValueError(f"{example.place}: there is no answer")
    messages = _before(example.prompt, format)
    return {"messages": [*messages, answer_message(said, format)], **_offered(example.prompt, format)}


def pair_line(pair: Pair, format: Format) -> Line:
    """The line of a better and a worse answer to the prompt of the better one."""
    chosen, rejected = (one.said for one in (pair.chosen, pair.rejected))
    if chosen is None or rejected is None:
        raise ValueError(f"{pair.chosen.place}: there are no two answers")
    messages = [{k: v for k, v in m.items() if k != "weight"} for m in _before(pair.chosen.prompt, format)]
    if format == "nemo":
        return {"prompt": messages, "chosen_response": chosen.text, "rejected_response": rejected.text}
    return {
        "input": {"messages": messages, **_offered(pair.chosen.prompt, format)},
        "preferred_output": [answer_message(chosen, format)],
        "non_preferred_output": [answer_message(rejected, format)],
    }


def answer_message(said: Said, format: Format) -> Line:
    """The assistant's message. Calls without an id, or with one that another has, are numbered."""
    message: Line = {"role": "assistant"}
    if said.text or not said.tool_calls or format == "nemo":
        message["content"] = said.text
    if said.tool_calls:
        ids = [call.id for call in said.tool_calls]
        named = all(ids) and len(set(ids)) == len(ids)
        calls = [
            _call(call.id if named else f"call_{number}", call.name, call.arguments, format)
            for number, call in enumerate(said.tool_calls, 1)
        ]
        message["tool_calls"] = calls
    return message


def malformed(example: Example) -> bool:
    """Whether the arguments of a call, of the answer or before it, are no JSON object: nothing to learn from."""
    said = example.said
    texts = [call.arguments for call in said.tool_calls] if said else []
    for message in example.prompt.messages:
        texts += [str(_function(call).get("arguments") or "") for call in _calls(message) if not _is_object(call)]
    return not all(map(_is_json_object, texts))


def to_json(line: Mapping[str, Any]) -> bytes:
    """One line of JSON in UTF-8. Whole numbers keep all their digits; no sign in it ends a line for any reader."""
    text = json.dumps(line, ensure_ascii=False, separators=(", ", ": ")).translate(_SEPARATORS)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair
        return json.dumps(line).encode() + b"\n"


def _before(prompt: Prompt, format: Format) -> list[Line]:
    """The messages before the answer; those of the assistant that the candidate did not write are not learned."""
    found, assistants = [], 0
    for message in prompt.messages:
        line = _message(message, format)
        if line["role"] == "assistant":
            assistants += 1
            if assistants <= prompt.given and format != "nemo":
                line["weight"] = 0
        found.append(line)
    return found


def _message(message: Message, format: Format) -> Line:
    line = {name: message[name] for name in _KEPT if message.get(name) is not None}
    if not isinstance(line.get("content", ""), str):
        line["content"] = plain(line["content"])
    if line["role"] == "developer" and format != "openai":
        line["role"] = "system"
    if "tool_calls" in line:
        line["tool_calls"] = [_given(call, number, format) for number, call in enumerate(_calls(message), 1)]
        if format == "nemo":
            line.setdefault("content", "")
    return line


def _given(call: Mapping[str, Any], number: int, format: Format) -> Line:
    """A call of an earlier message."""
    function = _function(call)
    arguments = function.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
    return _call(str(call.get("id") or f"call_{number}"), str(function.get("name", "")), text, format)


def _call(identifier: str, name: str, arguments: str, format: Format) -> Line:
    given: Any = arguments_object(arguments) if format == "nemo" else arguments or "{}"
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": given}}


def _calls(message: Message) -> Sequence[Mapping[str, Any]]:
    calls = message.get("tool_calls") or ()
    return [call for call in calls if isinstance(call, Mapping)]


def _function(call: Mapping[str, Any]) -> Mapping[str, Any]:
    function = call.get("function")
    return function if isinstance(function, Mapping) else call


def _is_object(call: Mapping[str, Any]) -> bool:
    return isinstance(_function(call).get("arguments"), Mapping)


def _is_json_object(text: str) -> bool:
    try:
        arguments_object(text)
    except ValueError:
        return False
    return True


def _offered(prompt: Prompt, format: Format) -> Line:
    """The functions that were offered, if any."""
    if not prompt.tools:
        return {}
    parallel = {"parallel_tool_calls": prompt.parallel} if format == "openai" else {}
    return {"tools": [dict(tool) for tool in prompt.tools], **parallel}
