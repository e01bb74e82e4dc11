"""OpenAI and Azure OpenAI through the `openai` package, which the first call loads."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from ..records import Failure, Reply, Request, Timing
from .faults import ServerError
from .sdk import SdkModel
from .stream import ChatStream, Clock
from .wire import chat_body, read_reply


class OpenAIModel(SdkModel):
    """``openai/<model>`` or ``azure/<deployment>``."""

    @property
    def _package(self) -> Any:
        import openai

        return openai

    def _rendered(self, request: Request) -> tuple[dict[str, Any], tuple[str, ...]]:
        return chat_body(request, self._model, self._concessions)

    def _new_client(self, key: str, http_client: Any) -> Any:
        given: dict[str, Any] = {"api_key": key, "max_retries": 0, "http_client": http_client}
        if self._endpoint.name == "azure":
            return self._package.AsyncAzureOpenAI(azure_endpoint=self._endpoint.base_url, **given)
        return self._package.AsyncOpenAI(base_url=self._endpoint.base_url or None, **given)

    def _post(self, client: Any, body: dict[str, Any]) -> AbstractAsyncContextManager[Any]:
        rest = {name: value for name, value in body.items() if name not in ("model", "messages")}
        create = client.chat.completions.with_streaming_response.create
        # Parameters that the package does not know yet must reach the server all the same.
        response: AbstractAsyncContextManager[Any] = create(
            model=body["model"], messages=body["messages"], extra_body=rest, timeout=self._timeout()
        )
        return response

    def _read_whole(
        self, data: bytes, request: Request, timing: Timing, dropped: tuple[str, ...]
    ) -> Reply | Failure | ServerError:
        return read_reply(data, request, timing, dropped)

    def _new_stream(self, clock: Clock) -> ChatStream:
        return ChatStream(clock)
