"""What the models behind an `Endpoint` have in common, whichever client carries their bytes."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..records import Failure, Reply, Request
from .base import Limits
from .concessions import Concessions, complete_with_concessions
from .endpoints import Endpoint
from .faults import ServerError, trim
from .secret import KeyUnavailable, Secret
from .wire import ImageUnreadable, first_image

REACHABLE_TIMEOUT_S = 10.0


class EndpointModel(ABC):
    """One model behind one endpoint. Never retries; resends at once, but only without what the model refused."""

    def __init__(self, endpoint: Endpoint, model: str, secret: Secret) -> None:
        self._endpoint = endpoint
        self._model = model
        self._secret = secret
        self._concessions = Concessions()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def name(self) -> str:
        """``endpoint/model``."""
        return f"{self._endpoint.name}/{self._model}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Endpoint name and model: a server that moved is still the same."""
        return {"endpoint": self._endpoint.name, "model": self._model}

    @property
    def limit_group(self) -> str:
        """Same server and key, same limiter."""
        return self._endpoint.limit_group

    @property
    def limits(self) -> Limits:
        """As declared for the endpoint."""
        return self._endpoint.limits

    @property
    def supports_images(self) -> bool:
        """False only where the endpoint is declared text-only; else the server says no by itself."""
        return not self._endpoint.text_only

    async def complete(self, request: Request) -> Reply | Failure:
        """Send ``request`` once. What the server does wrong comes back as a `Failure`."""
        if self._endpoint.text_only and (image := first_image(request)):
            return Failure(
                "unsupported", f"{self.name} is declared text_only, but the request holds the image {image!r}"
            )
        outcome = await complete_with_concessions(self._send_once, request, self._concessions, self.name)
        if isinstance(outcome, Failure):
            return replace(outcome, detail=self._secret.scrub(outcome.detail))
        return outcome

    async def _send_once(self, request: Request) -> Reply | Failure | ServerError:
        """Send with the options that are left; a key that a command gave is renewed once after a 401."""
        try:
            body, dropped = self._body(request)
        except (ImageUnreadable, KeyError, TypeError, ValueError) as error:
            return Failure(
                "bad_request", trim(f"{self.name}: the request cannot be sent: {error}"), sent_at=time.time()
            )
        try:
            key = await self._secret.value()
            outcome = await self._exchange(body, key, request, dropped)
            if self._secret.renewable and isinstance(outcome, ServerError) and outcome.status == 401:
                key = await self._secret.renew(key)
                outcome = await self._exchange(body, key, request, dropped)
        except KeyUnavailable as error:
            return Failure("unauthorized", f"{self.name}: {error}", sent_at=time.time())
        except (ImageUnreadable, TypeError) as error:
            return Failure(
                "bad_request", trim(f"{self.name}: the request cannot be sent: {error}"), sent_at=time.time()
            )
        return outcome

    async def reachable(self) -> str | None:
        """Ask for the list of models, which costs nothing: ``None`` where the endpoint answers, else why not."""
        try:
            fault = await self._ask_models(await self._secret.value())
        except KeyUnavailable as error:
            return str(error)
        if fault is None or (isinstance(fault, ServerError) and fault.status in (404, 405)):
            return None  # it answers, and has no such list
        if isinstance(fault, ServerError):
            return self._secret.scrub(trim(f"HTTP {fault.status}: {fault.message}"))
        return self._secret.scrub(fault.detail)

    @abstractmethod
    def _body(self, request: Request) -> tuple[Any, tuple[str, ...]]:
        """The body to send, and the names of our options that were left out. Raises `ImageUnreadable`."""

    @abstractmethod
    async def _exchange(
        self, body: Any, key: str, request: Request, dropped: tuple[str, ...]
    ) -> Reply | Failure | ServerError:
        """One request and its response."""

    @abstractmethod
    async def _ask_models(self, key: str) -> Failure | ServerError | None:
        """GET the list of models; what is wrong, if anything."""

    @abstractmethod
    async def close(self) -> None:
        """Release connections; may be called more than once."""
