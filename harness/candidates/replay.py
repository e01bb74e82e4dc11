"""`replay/<sheet>`: answers made elsewhere, read from JSONL, CSV or Parquet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import orjson

from ..data import Row, read_rows
from ..errors import DataError, InputError
from ..exam_sheets import sheet_file
from ..keys import digest, work_key
from ..models.base import ChatModel
from ..records import (
    Answer,
    Draw,
    Failed,
    Failure,
    FailureKind,
    Reply,
    Request,
    Retrieved,
    Said,
    Sample,
    Timing,
    Usage,
)
from ..text import estimated_tokens
from .base import Caller
from .outcomes import answer_of
from .returned import retrieved_from, tool_calls_from

PREFIX = "replay/"
_ID = ("sample_id", "id")
_TEXT = ("answer", "text", "response", "output")
_RETRIEVED = ("retrieved", "contexts")
_KINDS = frozenset(get_args(FailureKind))


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a sheet: its outcome, and the latency and tokens that it states, if it does."""

    outcome: Said | Failed
    measured: Reply | None
    line: int
    cost_usd: float | None = None


def replay_candidate(name: str, model: str, *, caller: Caller, base: Path | None) -> ReplayCandidate:
    """Read the sheet that ``model`` names, relative to ``base``. Raises DataError with ``file:line``."""
    sheet = sheet_file(model.removeprefix(PREFIX), base or Path.cwd())
    if not sheet.is_file():
        raise InputError(f"candidate {name!r}: there is no answer sheet {sheet}; paths are relative to the exam file")
    return ReplayCandidate(name, model, sheet, read_sheet(sheet, name), caller)


@dataclass(frozen=True, slots=True)
class ReplayCandidate:
    """Answers from a sheet, keyed by their text.

    It calls nothing. A row that states its latency (``e2e_s``) is kept as one recorded call, so that the latency,
    tokens and dollars measured elsewhere reach the report; all other rows have no call.
    """

    name: str
    model: str
    sheet: Path
    entries: Mapping[tuple[str, int], Entry]
    caller: Caller
    notes: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """None."""
        return ()

    def fingerprint(self, sample: Sample, trial: int) -> str:
        """Hash of what the sheet says."""
        entry = self.entries.get((sample.id, trial))
        return digest(["replay", None if entry is None else _content(entry)])

    def preview(self, sample: Sample) -> Request | None:
        """None: nothing is asked."""
        return None

    async def answer(self, sample: Sample, trial: int, attempt: int = 0) -> Answer:
        """The recorded answer; `not_recorded` where the sheet has none."""
        key = self.fingerprint(sample, trial)
        entry = self.entries.get((sample.id, trial))
        if entry is None:
            which = f"sample {sample.id!r}" + (f", trial {trial}" if trial else "")
            failed = Failed("not_recorded", "ours", f"the sheet {self.sheet.name} has no answer for {which}")
            return answer_of(self.caller.run, sample, self.name, trial, failed, (), key)
        calls = []
        if (measured := entry.measured) is not None:
            draw = Draw(trial=trial, salt=self.caller.salt)
            # The run is part of the key: a call reused from another run would be left out of its latency figures.
            call_key = work_key(f"{PREFIX}{self.name}", self.caller.run, [sample.id, key], draw)

            async def recorded() -> Reply:
                return measured

            stated = {} if entry.cost_usd is None else {"cost_usd": entry.cost_usd}
            call = await self.caller.perform(call_key, self.model, recorded, **stated)
            calls = [call] if isinstance(call.outcome, Reply) else []
        return answer_of(self.caller.run, sample, self.name, trial, entry.outcome, calls, key)

    def unmatched(self, samples: Sequence[Sample]) -> tuple[str, ...]:
        """A note that counts the answers whose sample is none of ``samples``."""
        known = {sample.id for sample in samples}
        strangers = sorted({sample_id for sample_id, _ in self.entries if sample_id not in known})
        if not strangers:
            return ()
        return (
            f"candidate {self.name!r}: {self.sheet.name} also answers samples that are not in this exam, "
            f"{len(strangers)}: {', '.join(strangers[:5])}{', …' if len(strangers) > 5 else ''}",
        )

    async def close(self) -> None:
        """Nothing is held."""


def read_sheet(sheet: Path, candidate: str) -> dict[tuple[str, int], Entry]:
    """The entries of a sheet by (sample id, trial).

    Columns: ``sample_id`` or ``id``; ``answer`` (or ``text``, ``response``, ``output``); optionally ``trial``,
    ``candidate`` (a sheet of several is read for the one of this name), ``status`` and ``detail`` (of a failed
    answer), ``retrieved`` or ``contexts``, ``tool_calls``, ``turns``, ``e2e_s``, ``ttft_s``, ``prompt_tokens``,
    ``completion_tokens``, ``cost_usd`` and ``served_model``. In CSV, lists are JSON. Raises DataError.
    """
    rows = read_rows(sheet)
    named = {str(row.data["candidate"]) for row in rows if row.data.get("candidate")}
    if len(named) > 1:
        if candidate not in named:
            raise DataError(
                f"{sheet}: holds answers of {', '.join(sorted(named))} but none of {candidate!r}; "
                "name the candidate as its column does"
            )
        rows = [row for row in rows if row.data.get("candidate") == candidate]
    entries: dict[tuple[str, int], Entry] = {}
    for row in rows:
        where = f"{sheet}:{row.line}"
        place = (_sample_id(row, where), int(_number(row, "trial", where) or 0))
        if place in entries:
            raise DataError(
                f"{where} sample_id: {place[0]!r}, trial {place[1]}, is answered in line {entries[place].line} "
                "already; give each draw a trial of its own, or remove one"
            )
        entry = _entry(row, where)
        if entry is not None:
            entries[place] = entry
    return entries


def _entry(row: Row, where: str) -> Entry | None:
    """``None`` for an answer that is null: there is none."""
    column = next((name for name in _TEXT if name in row.data), None)
    status: Any = row.data.get("status") or "ok"
    if status != "ok":
        if status not in _KINDS:
            raise DataError(f"{where} status: {status!r} is none of ok, {', '.join(sorted(_KINDS))}")
        failure = Failure(status, str(row.data.get("detail") or ""))
        text = str(row.data.get(column or "") or "")
        return Entry(Failed(failure.kind, failure.owner, failure.detail, text), None, row.line)
    if column is None:
        raise DataError(f"{where}: no column 'answer' (or {', '.join(_TEXT[1:])}); found {', '.join(row.data)}")
    if (text := row.data[column]) is None:
        return None
    if not isinstance(text, str):
        raise DataError(f"{where} {column}: {text!r} is {type(text).__name__}; wanted text")
    try:
        passages = retrieved_from(_listed(next((row.data[n] for n in _RETRIEVED if row.data.get(n)), None)))
        tool_calls = tool_calls_from(_listed(row.data.get("tool_calls")))
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None
    retrieved = tuple(Retrieved(p["text"], p["id"], p["score"]) for p in passages)
    said = Said(text, tool_calls, retrieved, _turns(row, where))
    return Entry(said, _measured(row, text, where), row.line, _number(row, "cost_usd", where))


def _turns(row: Row, where: str) -> tuple[str, ...]:
    turns = _listed(row.data.get("turns")) or []
    if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
        raise DataError(f"{where} turns: {turns!r} is not a list with the answer to each turn")
    return tuple(turns)


def _measured(row: Row, text: str, where: str) -> Reply | None:
    e2e_s = _number(row, "e2e_s", where)
    if e2e_s is None:
        return None
    prompt, completion = _number(row, "prompt_tokens", where), _number(row, "completion_tokens", where)
    if prompt is None or completion is None:
        usage = Usage(int(prompt or 0), estimated_tokens(text), estimated=True)
    else:
        usage = Usage(int(prompt), int(completion))
    timing = Timing(0.0, e2e_s, _number(row, "ttft_s", where))
    return Reply(text, usage, timing, served_model=str(row.data.get("served_model") or ""))


def _sample_id(row: Row, where: str) -> str:
    value = next((row.data[name] for name in _ID if row.data.get(name) not in (None, "")), None)
    if value is None:
        raise DataError(f"{where}: no sample_id (or id); each row names the sample that it answers")
    return str(value)


def _number(row: Row, column: str, where: str) -> float | None:
    value = row.data.get(column)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise DataError(f"{where} {column}: {value!r} is not a number of 0 or more")
    return number


def _listed(value: Any) -> Any:
    """A list as it stands, or written as JSON in a CSV cell; any other text is one passage."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def _content(entry: Entry) -> list[Any]:
    outcome, measured = entry.outcome, entry.measured
    timing = None if measured is None else [measured.timing.e2e_s, measured.timing.ttft_s, measured.usage.prompt_tokens]
    if isinstance(outcome, Failed):
        return [outcome.kind, outcome.detail, outcome.text]
    calls = [[call.name, call.arguments] for call in outcome.tool_calls]
    stated = [] if entry.cost_usd is None else [entry.cost_usd]
    return [outcome.text, outcome.turns, [[r.text, r.id, r.score] for r in outcome.retrieved], calls, timing, *stated]
