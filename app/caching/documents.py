"""Prompts and responses as documents: ``{"key": …, "response": …}``, of a MongoDB collection or of a JSONL file.

``key`` is a prompt, or chat messages as JSON. Ours say besides which model was asked with which parameters, what it
took, and in ``call`` all else that is recorded, so that a store gets back exactly what it gave.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson

from ...harness.errors import InputError
from ...harness.keys import call_key
from ...harness.models.wire import estimated_usage
from ...harness.records import Call, Draw, Reply, Request, Timing, Usage
from ...harness.store.bundle_check import RowCheck
from ...harness.store.codec import Row, call_to_row, dumps
from ...harness.store.recorded import Cost
from ...harness.store.replies import replies
from ...harness.store.schema import calls
from ...harness.store.store import Store
from ...harness.store.uses import IMPORTED
from .model import request_of

Document = Mapping[str, Any]
_COLUMNS = tuple(str(column.name) for column in calls.columns)  # plain texts, which the names of columns are not
_SOME = 500


class Unusable(Exception):
    """Why a document holds no reply that could be asked for again."""


@dataclass(frozen=True)
class Asked:
    """What documents that do not say it themselves were asked: a model, as an exam names it, and parameters."""

    model: str
    params: Mapping[str, Any]
    cost: Cost


@dataclass
class TakenIn:
    """What came of an import: documents by what became of them, and the first of those that are unusable."""

    documents: int = 0
    imported: int = 0
    known: int = 0
    unusable: dict[str, list[str]] = field(default_factory=dict)


def documents(store: Store, model: str = "") -> Iterator[dict[str, Any]]:
    """Every reply of ``model`` (of all where '') that has words, by key; ``_id`` is that of the call."""
    for row, request in replies(store, model):
        messages = [_without_paths(message) for message in request.pop("messages")]
        rest = {name: row[name] for name in _COLUMNS if name not in ("request", "text")}
        made = datetime.fromtimestamp(row["created_at"], UTC)
        yield {
            "_id": row["key"],
            "key": key_of(messages),
            "response": row["text"],
            "model": row["model"],
            "params": dumps(request.get("params", {})),
            "prompt_tokens": row["prompt_tokens"],
            "completion_tokens": row["completion_tokens"],
            "cost_usd": row["cost_usd"],
            "created_at": made.isoformat(timespec="seconds"),
            "call": orjson.dumps({**rest, "request": request}, default=_base64, option=orjson.OPT_SORT_KEYS).decode(),
        }


def take_in(store: Store, found: Iterable[Document], asked: Asked, where: str) -> TakenIn:
    """Record what is not recorded yet. ``where`` names the source in errors."""
    taken, check, left = TakenIn(), RowCheck(calls, _COLUMNS, where), iter(found)

    def checked(values: list[Any]) -> Row:
        return check.row(orjson.dumps(values), taken.documents)

    while some := list(islice(left, _SOME)):
        rows: dict[str, Row] = {}
        for document in some:
            taken.documents += 1
            try:
                row = _row(document, asked, checked)
            except Unusable as error:
                taken.unusable.setdefault(str(error), []).append(str(document.get("_id", f"no. {taken.documents}")))
                continue
            if rows.setdefault(row["key"], row) is not row:
                taken.known += 1
        there = store.find_calls(rows, IMPORTED)
        fresh = [row for key, row in rows.items() if key not in there or not isinstance(there[key].outcome, Reply)]
        store.put({"calls": fresh})
        taken.imported += len(fresh)
        taken.known += len(rows) - len(fresh)
    return taken


def _row(document: Document, asked: Asked, checked: Callable[[list[Any]], Row]) -> Row:
    if not isinstance(document.get("response"), str):
        raise Unusable("no text under 'response'")
    messages = messages_of(document.get("key"))
    if "call" in document:
        return _given_back(document, messages, checked)
    model, params = document.get("model", asked.model), _params(document.get("params", asked.params))
    if not isinstance(model, str) or not all(model.partition("/")):
        raise Unusable("no model: name it with --model provider/model")
    endpoint, _, name = model.partition("/")
    try:
        request = request_of(messages, **params)
        key = call_key({"endpoint": endpoint, "model": name}, request, Draw())
    except TypeError as error:
        raise Unusable(f"a key or params that cannot be sent ({error})") from error
    reply, cost = _reply(document, request, model, asked.cost)
    call = Call(key, IMPORTED, "other", IMPORTED, model, reply, 1, cost, _made_at(document.get("created_at")))
    body = dumps({"messages": request.messages, "params": request.params})
    return {**call_to_row(call, body), "e2e_s": _number(document, "e2e_s")}


def _given_back(document: Document, messages: list[Any], checked: Callable[[list[Any]], Row]) -> Row:
    """What one of our own documents was made from, with its response as it is now."""
    try:
        values = orjson.loads(document["call"])
        request = {**values["request"], "messages": messages}
        row = checked([{**values, "text": document["response"], "request": dumps(request)}.get(c) for c in _COLUMNS])
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError, InputError) as error:
        raise Unusable("a 'call' that was changed or damaged") from error
    if row["status"] != "ok" or len(row["key"]) != 64:
        raise Unusable("a 'call' that was changed or damaged")
    return row


def _reply(document: Document, request: Request, model: str, cost: Cost) -> tuple[Reply, float | None]:
    """Its dollars are those of the document, or follow from its tokens; without either nobody knows them."""
    prompt, completion = _number(document, "prompt_tokens"), _number(document, "completion_tokens")
    usd = _number(document, "cost_usd")
    if prompt is None or completion is None:
        usage = estimated_usage(request, document["response"])
    else:
        usage = Usage(int(prompt), int(completion))
        usd = cost(model, usage) if usd is None else usd
    return Reply(document["response"], usage, Timing(0.0, 0.0)), usd


def key_of(messages: list[Any]) -> str:
    """A lone question as it is, anything else as JSON; so is a question that itself looks like messages."""
    if len(messages) == 1 and messages[0].keys() == {"role", "content"} and messages[0]["role"] == "user":
        content = messages[0]["content"]
        if isinstance(content, str) and content and not _listed(content):
            return content
    return dumps(messages)


def messages_of(key: Any) -> list[Any]:
    """Inverse of `key_of`; a list of messages may also stand there as such. Raises Unusable."""
    if isinstance(key, str) and key:
        return _listed(key) or [{"role": "user", "content": key}]
    if isinstance(key, list) and _are_messages(key):
        return key
    raise Unusable("no text or messages under 'key'")


def _listed(text: str) -> list[Any]:
    if not text.startswith("["):
        return []
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    return found if _are_messages(found) else []


def _are_messages(found: Any) -> bool:
    return bool(found) and all(isinstance(m, dict) and isinstance(m.get("role"), str) for m in found)


def _params(found: Any) -> dict[str, Any]:
    """Parameters as an object, or as the JSON text of one."""
    if isinstance(found, str):
        try:
            found = orjson.loads(found)
        except orjson.JSONDecodeError:
            found = None
    if not isinstance(found, Mapping):
        raise Unusable("'params' that are no object")
    return dict(found)


def _number(document: Document, name: str) -> float | None:
    value = document.get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value < 1e15:
        raise Unusable(f"{name!r} that is no number of 0 or more")
    return float(value)


def _made_at(value: Any) -> float:
    """Unix time of a date, a number of seconds or an ISO text; now where there is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise Unusable("'created_at' that is no time") from None
    if isinstance(value, datetime):  # MongoDB's dates are UTC without saying so
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return time.time() if value is None else _number({"created_at": value}, "created_at") or 0.0


def _without_paths(message: Any) -> Any:
    """Images by their hash: where they lie on this machine is nobody else's business."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    return {**message, "content": [{k: v for k, v in part.items() if k != "path"} for part in content]}


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode()
