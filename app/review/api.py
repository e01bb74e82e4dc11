"""The small API behind the review page: a request is read, `BlindReview` answers it in a thread, JSON goes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from ...harness.errors import InputError
from .blind import BlindReview
from .guard import Guard, same
from .page import render_page
from .views import Given, ItemList, Key, Place

Sent = TypeVar("Sent", bound=BaseModel)
_LARGEST_BODY = 256 * 1024


def application(blind: BlindReview, guard: Guard) -> web.Application:
    """The whole site."""
    api = _Api(blind, guard)
    app = web.Application(middlewares=[guard.middleware()], client_max_size=_LARGEST_BODY)
    app.add_routes(
        [
            web.get("/", api.page),
            web.get("/favicon.ico", api.nothing),
            web.post("/api/session", api.session),
            web.get("/api/review", api.review),
            web.get("/api/items", api.items),
            web.get("/api/item", api.item),
            web.post("/api/rating", api.rating),
            web.post("/api/undo", api.undo),
        ]
    )
    return app


class _Api:
    def __init__(self, blind: BlindReview, guard: Guard) -> None:
        self._blind = blind
        self._guard = guard
        self._page, self._policy = render_page()
        # SQLite takes one writer at a time; who waits here is served in turn, who waits there polls.
        self._writing = asyncio.Lock()

    async def page(self, _: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": self._policy}
        return web.Response(text=self._page, content_type="text/html", headers=headers)

    async def nothing(self, _: web.Request) -> web.Response:
        return web.Response(status=204)

    async def session(self, request: web.Request) -> web.Response:
        key = await _read(request, Key)
        if not same(key.token, self._guard.token):
            raise web.HTTPForbidden(reason="this address is of an earlier start: open the one printed last")
        response = web.json_response({})
        response.set_cookie(self._guard.cookie, self._guard.ticket, httponly=True, samesite="Strict", path="/")
        return response

    async def review(self, _: web.Request) -> web.Response:
        return await _in_thread(self._blind.overview)

    async def items(self, request: web.Request) -> web.Response:
        place = _place(request)
        return await _in_thread(lambda: self._blind.items(place.rater))

    async def item(self, request: web.Request) -> web.Response:
        place = _place(request)
        return await _in_thread(lambda: self._blind.item(place.rater, place.item))

    async def rating(self, request: web.Request) -> web.Response:
        given = await _read(request, Given)
        async with self._writing:
            return await _in_thread(lambda: self._blind.rate(given))

    async def undo(self, request: web.Request) -> web.Response:
        place = await _read(request, Place)
        async with self._writing:
            return await _in_thread(lambda: self._blind.undo(place))


async def _in_thread(ask: Callable[[], BaseModel | ItemList | None]) -> web.Response:
    body = await asyncio.to_thread(lambda: _json(ask()))
    return web.Response(body=body, content_type="application/json")


def _json(found: BaseModel | ItemList | None) -> bytes:
    return found.model_dump_json().encode() if isinstance(found, BaseModel) else orjson.dumps(found or {})


async def _read(request: web.Request, model: type[Sent]) -> Sent:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(reason="send application/json")
    body = await request.read()
    return _checked(lambda: model.model_validate_json(body))


def _place(request: web.Request) -> Place:
    words = {"rater": request.query.get("rater", ""), "item": request.query.get("id", "")}
    return _checked(lambda: Place.model_validate(words))


def _checked(validate: Callable[[], Sent]) -> Sent:
    try:
        return validate()
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        raise InputError(f"{where}: {first['msg']}") from None
