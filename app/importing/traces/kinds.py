"""What a span was: a call of a model, an agent, a tool, a retrieval; and the names under which it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .spans import Span, first

Kind = Literal["inference", "agent", "chain", "tool", "retrieval", "other"]
_OPERATIONS: Mapping[str, Kind] = {
    "chat": "inference",
    "completion": "inference",
    "generate_content": "inference",
    "response": "inference",
    "responses": "inference",
    "text_completion": "inference",
    "invoke_agent": "agent",
    "invoke_workflow": "agent",
    "execute_tool": "tool",
    "retrieval": "retrieval",
}
_OPENINFERENCE: Mapping[str, Kind] = {
    "AGENT": "agent",
    "CHAIN": "chain",
    "LLM": "inference",
    "RETRIEVER": "retrieval",
    "TOOL": "tool",
}
_MLFLOW: Mapping[str, Kind] = {
    **_OPENINFERENCE,
    "CHAT_MODEL": "inference",
    "TASK": "chain",
    "UNKNOWN": "chain",
    "WORKFLOW": "agent",
}
_TRACELOOP: Mapping[str, Kind] = {"agent": "agent", "task": "chain", "tool": "tool", "workflow": "agent"}
_REQUEST_TYPES: Mapping[str, Kind] = {"chat": "inference", "completion": "inference"}
_KINDS = (
    ("gen_ai.operation.name", _OPERATIONS),
    ("openinference.span.kind", _OPENINFERENCE),
    ("mlflow.spanType", _MLFLOW),
    ("traceloop.span.kind", _TRACELOOP),
    ("llm.request.type", _REQUEST_TYPES),
)
_OURS = ("gen_ai.", "llm.", "traceloop.", "openinference.", "mlflow.span")
QUERY_RESULT = "db.query.result"

REQUESTED = (
    "gen_ai.request.model",
    "llm.request.model_name",
    "llm.request.model",
    "llm.model_name",
    "mlflow.llm.model",
)
SERVED = ("gen_ai.response.model", "llm.response.model_name", "llm.response.model")
AGENT = ("gen_ai.agent.name", "agent.name", "traceloop.agent.name", "gen_ai.workflow.name", "traceloop.workflow.name")
RESPONSE_ID = ("gen_ai.response.id", "llm.response.id")
REQUEST_ID = ("request.id", "request_id", "http.request.id", "http.request.header.x-request-id")
CONVERSATION = (
    "gen_ai.conversation.id",
    "session.id",
    "traceloop.association.properties.session_id",
    "traceloop.association.properties.chat_id",
    "mlflow.trace.session",
    "user.id",
    "enduser.id",
    "traceloop.association.properties.user_id",
    "mlflow.trace.user",
)


def kind_of(span: Span) -> Kind | None:
    """None for a span that has nothing to do with generative AI."""
    for name, kinds in _KINDS:
        value = span.attributes.get(name)
        if isinstance(value, str) and value:
            return kinds.get(value, "other")
    if any(event.name == QUERY_RESULT for event in span.events) or "gen_ai.retrieval.documents" in span.attributes:
        return "retrieval"
    if first(span, REQUESTED) is not None or any(event.name.startswith("gen_ai.") for event in span.events):
        return "inference"
    return "other" if any(name.startswith(_OURS) for name in span.attributes) else None
