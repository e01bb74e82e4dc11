"""Verdicts out of replies: a `Form` of scores to fill, the ladder of ways to ask for it, and one careful reader.

The rungs, best first: a JSON schema, a forced call of ``grading_function``, JSON in text. Where the last one brings no
JSON either, lines ``criterion: score`` are read. A rung is left only when the server says that it cannot do it; an
unreadable reply is a value (`Unreadable`), never a guess and never a score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from .records import Failure, Reply, Request

Rung = Literal["json_schema", "tool_call", "text"]
RUNGS: tuple[Rung, ...] = ("json_schema", "tool_call", "text")
GRADING_FUNCTION = "grading_function"

_NO_SCHEMA = re.compile(r"response_format|json_schema|structured output|output_config|grammar|guided", re.IGNORECASE)
_NO_TOOLS = re.compile(r"\btools?\b|tool_choice|function[_ ]call", re.IGNORECASE)
_SCORE = re.compile(r"([+-]?\d{1,6})(?:\.0{1,6})?(?:\s*(?:/|out of)\s*(\d{1,6}))?")
LISTS = ("user_categories", "categories")
"""Of the verdict on a field with codes: what the user's message falls in, and what the answer does."""
_MOST_FAILURES = 200
"""Opening braces that start no JSON, in one reply; bounds the time that a hostile one takes."""
_DECORATION = " \t*_`\"'()[]"
_NOTHING = frozenset({"none", "null", "n/a", "na", "safe", "-"})
"""Written in the place of an empty list."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to score, with the scores on offer."""

    name: str
    scores: tuple[int, ...]
    codes: tuple[str, ...] = ()
    """Codes of a taxonomy. Where there are any, the verdict lists those that the user's message falls in, and those
    that the answer falls in, which at the highest score are none."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a verdict must hold: for each field a reasoning, categories where it has some, and then a score."""

    fields: tuple[Field, ...]

    def schema(self) -> dict[str, Any]:
        """Its JSON schema, in the subset that every structured-output API takes; the same object each time."""
        return _schema(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One field as the model filled it; ``reasoning`` may be empty."""

    score: int
    reasoning: str = ""
    user_categories: tuple[str, ...] | None = None
    """As the model wrote them; ``None`` where it wrote no list."""
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The reply holds no verdict, and why. ``refused`` is only the provider's own signal."""

    status: Literal["unparsable", "truncated", "refused"]
    why: str


class Ladder:
    """Which rung one model stands on. Shared by concurrent calls: they leave a rung together, once."""

    __slots__ = ("_at",)

    def __init__(self) -> None:
        self._at = 0

    @property
    def rung(self) -> Rung:
        """The rung to ask on."""
        return RUNGS[self._at]

    def leave(self, rung: Rung, failure: Failure) -> bool:
        """Whether ``failure`` on ``rung`` means: ask again, on what is now `rung`. Steps down at most once for it."""
        at = RUNGS.index(rung)
        if at + 1 == len(RUNGS) or not _cannot(rung, failure):
            return False
        self._at = max(self._at, at + 1)
        return True


def ask(request: Request, form: Form, rung: Rung) -> Request:
    """``request`` as it is sent on ``rung``. The forced tool is our choice: a model that refuses it gets it dropped."""
    if rung == "json_schema":
        return replace(request, schema=form.schema())
    if rung == "tool_call":
        return replace(request, tools=_tools(form), tool_choice=_CHOICE, ours=request.ours | {"tool_choice"})
    return request


def read(reply: Reply, form: Form) -> dict[str, Verdict] | Unreadable:
    """The verdict on every field of ``form``, or why there is none.

    A call of the grading function counts before text. In text the last complete JSON object that fits counts, unless
    lines ``field: score`` follow it. All scores must be among those on offer, and none may be missing or given twice.
    """
    if (cut := cut_short(reply)) is not None:
        return cut
    for call in reversed(reply.tool_calls):
        if call.name == GRADING_FUNCTION:
            return _read_text(call.arguments, form)
    return _read_text(reply.text, form)


def cut_short(reply: Reply) -> Unreadable | None:
    """Why ``reply`` holds no verdict whatever its text says: refused, or cut."""
    if reply.refusal:
        return Unreadable("refused", f"the provider refused: {reply.refusal}")
    if reply.finish_reason == "content_filter":
        return Unreadable("refused", "the provider's content filter cut the verdict")
    if reply.finish_reason == "length":
        return Unreadable("truncated", "the verdict was cut by the token limit")
    return None


@lru_cache(maxsize=256)
def _schema(form: Form) -> dict[str, Any]:
    return _object({field.name: _field_schema(field) for field in form.fields})


def _field_schema(field: Field) -> dict[str, Any]:
    # Properties are written in this order: the reasoning comes before the score that it leads to.
    listed = {"type": "array", "items": {"type": "string", "enum": list(field.codes)}}
    lists = dict.fromkeys(LISTS, listed) if field.codes else {}
    return _object({"reasoning": {"type": "string"}, **lists, "score": {"type": "integer", "enum": list(field.scores)}})


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


_CHOICE: Mapping[str, Any] = {"type": "function", "function": {"name": GRADING_FUNCTION}}


@lru_cache(maxsize=256)
def _tools(form: Form) -> tuple[Mapping[str, Any], ...]:
    function = {
        "name": GRADING_FUNCTION,
        "description": "Hand in the verdict: for every criterion the reasoning, then the score.",
        "parameters": form.schema(),
    }
    return ({"type": "function", "function": function},)


def _cannot(rung: Rung, failure: Failure) -> bool:
    if failure.kind == "unsupported":
        return True
    pattern = _NO_SCHEMA if rung == "json_schema" else _NO_TOOLS
    return failure.kind == "bad_request" and pattern.search(failure.detail) is not None


def _read_text(text: str, form: Form) -> dict[str, Verdict] | Unreadable:
    text = text.strip()
    if not text:
        return _unparsable("the reply is empty")
    try:
        whole = _decode(text)
    except ValueError:
        return _read_prose(text, form)
    return _check(_pairs(whole), form)


def _read_prose(text: str, form: Form) -> dict[str, Verdict] | Unreadable:
    """A verdict somewhere in running text, which may quote whatever an answer made up: the last one counts, and where
    it is unclear which that is, none does."""
    found, end, broken = _last_object(text, form)
    if broken:
        return _unparsable("the reply holds broken JSON")
    lines = _lines(text[end:], form)
    if lines:
        return _check(lines, form)
    if found is None:
        return _unparsable("the reply holds neither JSON nor lines `criterion: score`")
    return _check(found, form)


class _Members(list[tuple[str, Any]]):
    """A JSON object with its keys in order, repeated ones included."""


def _decode(text: str) -> Any:
    try:
        return _JSON.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


_JSON = json.JSONDecoder(object_pairs_hook=_Members)


def _last_object(text: str, form: Form) -> tuple[_Members | None, int, bool]:
    """The last JSON object in ``text`` that fits and stands on its own, where it ends, and whether a verdict is broken.

    One inside a sentence is a quotation unless the text ends with it. What looks like the start of a verdict and cannot
    be decoded may hold a quoted one: then nothing of it can be trusted.
    """
    found, end, at, failures = None, 0, text.find("{"), 0
    start_of_verdict = _start_of_verdict(form)
    while at >= 0:
        try:
            value, after = _JSON.raw_decode(text, at)
        except RecursionError:
            return None, 0, True
        except ValueError:
            failures += 1
            if failures > _MOST_FAILURES or start_of_verdict.match(text, at):
                return None, 0, True
            at = text.find("{", at + 1)
            continue
        if _fits(value, form) and (_starts_line(text, at) or not text[after:].strip(" \t\r\n`.")):
            found, end = value, after
        at = text.find("{", after)
    return found, end, False


@lru_cache(maxsize=256)
def _start_of_verdict(form: Form) -> re.Pattern[str]:
    names = "|".join(re.escape(field.name) for field in form.fields)
    return re.compile(rf"\{{\s*[\"'“]?(?:{names}|reasoning|score)[\"'”]?\s*:", re.IGNORECASE)


def _starts_line(text: str, at: int) -> bool:
    return not text[text.rfind("\n", 0, at) + 1 : at].strip(" \t`")


def _fits(value: Any, form: Form) -> bool:
    names = {_plain(name) for name, _ in _pairs(value)}
    return any(_plain(field.name) in names for field in form.fields) or (len(form.fields) == 1 and "score" in names)


def _pairs(value: Any) -> _Members:
    return value if isinstance(value, _Members) else _Members()


def _lines(text: str, form: Form) -> _Members:
    """The last line ``field: …`` of each field. Whatever stands after the colon is taken, and checked afterwards: a
    pattern that asked for a number would slide back to one quoted earlier."""
    matches = list(_anchor(form).finditer(text))
    if not matches:
        return _Members()
    only = _plain(form.fields[0].name) if len(form.fields) == 1 else ""
    last = {only or _plain(match[1]): match[2] for match in matches}
    before = text[: matches[0].start()].strip()
    names = [field.name for field in form.fields if _plain(field.name) in last]
    return _Members((name, _Members([("reasoning", before), ("score", last[_plain(name)])])) for name in names)


@lru_cache(maxsize=256)
def _anchor(form: Form) -> re.Pattern[str]:
    names = "|".join(re.escape(field.name) for field in form.fields)
    if len(form.fields) == 1:
        names = rf"{names}|score"
    start, end = r"^[ \t>*_#`\"'-]*", r"[*_`\"']*(?: +score)?[*_`]*[ \t]*[:=](.*)$"
    return re.compile(f"{start}({names}){end}", re.IGNORECASE | re.MULTILINE)


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def _check(members: _Members, form: Form) -> dict[str, Verdict] | Unreadable:
    """The whole set of verdicts against the scores on offer. Members that nobody asked for are left alone."""
    given: dict[str, list[Any]] = {}
    for name, value in members:
        given.setdefault(_plain(name), []).append(value)
    only = _plain(form.fields[0].name)
    if len(form.fields) == 1 and only not in given and "score" in given:
        given[only] = [members]  # one field only, and the object is its verdict itself
    verdicts = {}
    for field in form.fields:
        values = given.get(_plain(field.name), ())
        if len(values) != 1:
            return _unparsable(f"{len(values) or 'no'} verdict{'s' * (len(values) > 1)} on {field.name!r}")
        verdict = _verdict(field, values[0])
        if isinstance(verdict, Unreadable):
            return verdict
        verdicts[field.name] = verdict
    return verdicts


def _verdict(field: Field, value: Any) -> Verdict | Unreadable:
    reasoning: Any = ""
    lists: list[tuple[str, ...] | None] = [None, None]
    if isinstance(value, _Members):
        for position, name in enumerate(LISTS if field.codes else ()):
            given = [inner for key, inner in value if _plain(key) == name]
            if len(given) > 1 or (given and (found := _listed(given[0])) is None):
                return _unparsable(f"{name} of {field.name!r} are no list of categories")
            lists[position] = found if given else None
        scores = [inner for name, inner in value if _plain(name) == "score"]
        if len(scores) != 1:
            return _unparsable(f"{len(scores) or 'no'} score{'s' * (len(scores) > 1)} for {field.name!r}")
        reasoning = next((inner for name, inner in value if _plain(name) == "reasoning"), "")
        value = scores[0]
    score = _score(value, field)
    if score is None:
        offer = ", ".join(map(str, field.scores))
        return _unparsable(f"score {str(value)[:40]!r} for {field.name!r} is not one of {offer}")
    if lists[1] and score == max(field.scores):
        return _unparsable(f"score {score} for {field.name!r} beside the categories {', '.join(lists[1])[:40]!r}")
    return Verdict(score, reasoning if isinstance(reasoning, str) else "", *lists)


def _listed(value: Any) -> tuple[str, ...] | None:
    """Texts of a list, or of a text with commas; ``None`` for what is neither."""
    if value is None:
        return ()
    items = value.split(",") if isinstance(value, str) else value
    if isinstance(items, _Members) or not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        return None
    return tuple(text for item in items if (text := item.strip(_DECORATION)) and text.casefold() not in _NOTHING)


def _score(value: Any, field: Field) -> int | None:
    """The score on offer that ``value`` says: 2, 2.0, "2", "**2**", "2/3" of a scale up to 3; never true or 2.5."""
    if isinstance(value, str):
        match = _SCORE.fullmatch(value.strip(_DECORATION).removesuffix(".").strip(_DECORATION))
        if match is None or (match[2] is not None and int(match[2]) != max(field.scores)):
            return None
        value = int(match[1])
    if isinstance(value, bool) or not isinstance(value, int | float) or value not in field.scores:
        return None
    return int(value)


def _unparsable(why: str) -> Unreadable:
    return Unreadable("unparsable", why)
