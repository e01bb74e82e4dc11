"""Anthropic through the `anthropic` package, which the first call loads."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from ..records import Failure, Reply, Request, Timing
from .anthropic_wire import MessageStream, messages_body, read_message
from .faults import ServerError
from .sdk import SdkModel
from .stream import Clock


class AnthropicModel(SdkModel):
    """``anthropic/<model>``, over the Messages API."""

    @property
    def _package(self) -> Any:
        import anthropic

        return anthropic

    def _rendered(self, request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
        body, dropped = messages_body(request, self._model, self._concessions)
        if request.schema is not None:
            wanted = {"type": "json_schema", "schema": self._api_schema(request.schema)}
            body["output_config"] = {**body.get("output_config", {}), "format": wanted}
        return body, dropped

    def _api_schema(self, schema: Any) -> Any:
        """``schema`` without the keywords that the API refuses (bounds, lengths), which become descriptions."""
        try:
            return self._package.transform_schema(dict(schema))
        except (AssertionError, TypeError, ValueError):
            return schema  # beyond what the package can rewrite; the server says whether it is beyond the API too

    def _new_client(self, key: str, http_client: Any) -> Any:
        # An explicit key, even an empty one's stand-in, keeps the package from sending ANTHROPIC_API_KEY elsewhere.
        url = self._endpoint.base_url.removesuffix("/v1") or None
        return self._package.AsyncAnthropic(
            api_key=key or "none", base_url=url, max_retries=0, timeout=self._timeout(), http_client=http_client
        )

    def _post(self, client: Any, body: dict[str, Any]) -> AbstractAsyncContextManager[Any]:
        named = {name: body[name] for name in ("model", "max_tokens", "messages")}
        rest = {name: value for name, value in body.items() if name not in named}
        create = client.messages.with_streaming_response.create
        response: AbstractAsyncContextManager[Any] = create(**named, extra_body=rest, timeout=self._timeout())
        return response

    def _read_whole(
        self, data: bytes, request: Request, timing: Timing, dropped: tuple[str, ...]
    ) -> Reply | Failure | ServerError:
        return read_message(data, request, timing, dropped)

    def _new_stream(self, clock: Clock) -> MessageStream:
        return MessageStream(clock)
