"""Who is let in: this machine's browser, by the token of the address, and no page but our own.

Another page in the same browser can send requests to loopback, and a name that is made to point there (DNS rebinding)
even reads the replies. So the Host must be ours, a request that changes anything needs our Origin and a header that no
form can send, and all that is not the bare page needs the cookie which the token is exchanged for.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ...harness.errors import InputError, MarkschemeError

HEADER, HEADER_VALUE = "X-Markscheme", "review"
OPEN = frozenset({"/", "/favicon.ico", "/api/session"})
"""What is given without the cookie: nothing of the review stands there."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """The port that is served, the token of this start, and the cookie that it buys. Cookies know no ports."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    ticket: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def cookie(self) -> str:
        """Name of the cookie: its own for each port, since a browser sends a cookie to all ports of a host."""
        return f"markscheme_review_{self.port}"

    @property
    def address(self) -> str:
        """To be opened by the rater. What stands behind # is sent to no server and stands in no log."""
        return f"http://127.0.0.1:{self.port}/#{self.token}"

    def refusal(self, request: web.Request) -> tuple[int, str] | None:
        """Status and reason for which a request is turned away, None if it may pass."""
        hosts = (f"127.0.0.1:{self.port}", f"localhost:{self.port}")
        if request.headers.getall("Host", []) not in [[host] for host in hosts]:
            return 403, "this is not the address that was printed"
        if request.method not in ("GET", "HEAD"):
            if request.headers.get("Origin") not in [f"http://{host}" for host in hosts]:
                return 403, "this request comes from another page"
            if request.headers.get(HEADER) != HEADER_VALUE:
                return 403, f"this request lacks the header {HEADER}"
        if request.path not in OPEN and not same(request.cookies.get(self.cookie, ""), self.ticket):
            return 401, "open the address that `markscheme review serve` printed"
        return None

    def middleware(self) -> Middleware:
        """Turns away, words errors as JSON, and forbids every response to be cached, framed or guessed at."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await _answer(self.refusal(request), request, handler)
            response.headers.update(_HEADERS)
            return response

        return guarded


def same(given: str, secret: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return secrets.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode())


def problem(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """An error as the page reads it."""
    return web.json_response({"error": text}, status=status, headers=headers)


async def _answer(refused: tuple[int, str] | None, request: web.Request, handler: Handler) -> web.StreamResponse:
    if refused is not None:
        return problem(*refused)
    try:
        return await handler(request)
    except web.HTTPException as error:
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return problem(error.status, error.reason, allow)
    except InputError as error:
        return problem(422, str(error))
    except MarkschemeError as error:  # the workspace is locked, full or gone: the page tries again
        return problem(503, str(error))
