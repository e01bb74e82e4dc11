"""Functions that a model was offered, and calls that were carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ....harness.tool_calls import check_together, read_tool
from ..found import Found
from .flattened import list_under
from .messages import Message, call_of
from .spans import Span, first, text_of_first
from .values import read_json

_TOOLS_JSON = ("gen_ai.tool.definitions", "gen_ai.request.tools", "mlflow.chat.tools")
_ARGUMENTS = (
    "gen_ai.tool.call.arguments",
    "tool.parameters",
    "input.value",
    "traceloop.entity.input",
    "mlflow.spanInputs",
)
_TOOLS_LISTED = ("llm.tools", "llm.request.functions")


def call_executed(span: Span) -> Message | None:
    """The call that a span of a tool carried out; None where its arguments were not captured."""
    name = text_of_first(span, ("gen_ai.tool.name", "tool.name", "traceloop.entity.name")) or span.name
    arguments = first(span, _ARGUMENTS)
    if arguments is None:
        return None
    return call_of({"name": name, "arguments": arguments, "id": text_of_first(span, ("gen_ai.tool.call.id",))})


def tools_of(spans: Iterable[Span], found: Found) -> list[Mapping[str, Any]]:
    """The functions offered, in OpenAI's form, each name once. Tools of a provider's own are counted."""
    tools: dict[str, Mapping[str, Any]] = {}
    for value in (one for span in spans for one in _offered(span)):
        try:
            tool = read_tool(value)
            check_together([tool])
        except ValueError as error:
            found.leave("functions that are not declared by a JSON schema", str(error))
            continue
        if isinstance(tool.get("function"), Mapping):
            tools.setdefault(str(tool["function"]["name"]), tool)
        else:
            found.leave("tools of a provider's own", tool.get("type", ""))
    return list(tools.values())


def _offered(span: Span) -> list[Mapping[str, Any]]:
    listed = read_json(first(span, _TOOLS_JSON))
    for prefix in _TOOLS_LISTED:
        listed = listed or list_under(span.attributes, prefix)
    return [_schema(one) for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _schema(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """OpenInference holds the schema under `tool.json_schema`, OpenLLMetry its parameters, as JSON text."""
    inner = value.get("tool")
    schema = read_json(inner.get("json_schema")) if isinstance(inner, Mapping) else value
    schema = schema if isinstance(schema, Mapping) else value
    if "input_schema" in schema and "parameters" not in schema:
        return {"name": schema.get("name"), "parameters": schema["input_schema"]}
    return {**schema, "parameters": read_json(schema["parameters"])} if "parameters" in schema else schema
