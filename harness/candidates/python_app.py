"""`python:package.module:name`: the user's own function, async function, or runnable with ``ainvoke`` or ``invoke``."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..records import Failure, Reply, Sample, Timing
from ..text import plain
from ..user_code import load
from .app import TIMEOUT_S, AppCandidate
from .base import Caller
from .outcomes import without_paths
from .returned import reply_from
from .templates import last_question

if TYPE_CHECKING:
    from ..exam import CandidateSpec

PREFIX = "python:"
_LONGEST_DETAIL = 300


def python_candidate(spec: CandidateSpec, *, caller: Caller, slot: int) -> AppCandidate:
    """The candidate that ``spec.model`` names, its module found from the exam's folder on.

    Raises InputError where the module or name is missing, or it can neither be called nor invoked.
    """
    code = load(spec.model.removeprefix(PREFIX), spec.base)
    notes: tuple[str, ...] = ()
    if spec.version is None:
        notes = (
            f"candidate {spec.name!r}: no version is given, so its answers are kept by the hash of {code.module}'s "
            "file; a change elsewhere in the application is not noticed (write version: under the candidate)",
        )
    entry = entry_point(code.target, spec.model)
    app = PythonApp(spec.model, spec.version or code.sha256, entry, spec.timeout_s or TIMEOUT_S)
    return AppCandidate(spec.name, spec.model, app, caller, slot, notes)


@dataclass(frozen=True, slots=True)
class PythonApp:
    """Calls ``entry`` with a `Sample` that holds no label. Time-outs are in seconds per turn."""

    identity: str
    version: str
    entry: Callable[[Sample], Awaitable[Any]]
    timeout_s: float

    def input(self, sample: Sample, turn: int) -> Any:
        """All that the sample tells the application, but for its id."""
        messages = [{**m, "content": without_paths(m.get("content") or "")} for m in sample.messages]
        return [without_paths(sample.question), messages, sample.context, sample.tools, sample.metadata]

    async def ask(self, sample: Sample, given: Any) -> Reply | Failure:
        """The application's answer; what it raises, or returns in no readable shape, is its own failure.

        A synchronous function that exceeds the time-out cannot be stopped: its thread goes on, its result is dropped.
        """
        sent_at, start = time.time(), time.perf_counter()
        try:
            async with asyncio.timeout(self.timeout_s) as limit:
                value = await self.entry(sample)
            timing = Timing(sent_at, time.perf_counter() - start)
            return reply_from(value, timing, _prompt(sample))
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise  # it is we who are told to end, and not the application that cancelled something of its own
            if isinstance(error, TimeoutError) and limit.expired():
                return Failure("timeout", f"no answer within {self.timeout_s:g} s", sent_at=sent_at)
            detail = f"{type(error).__name__}: {error}"[:_LONGEST_DETAIL]
            return Failure("candidate_error", detail, sent_at=sent_at)

    async def close(self) -> None:
        """Nothing is held."""


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def entry_point(target: Any, reference: str) -> Callable[[Sample], Awaitable[Any]]:
    """How ``target`` is called. A function gets the `Sample`; a runnable gets the question as text, or, where its
    input schema is an object, the fields of these names. Raises InputError where it is neither."""
    if inspect.isclass(target):
        raise InputError(f"{reference}: is a class; name an instance of it, or a function that uses one")
    for method, is_async in (("ainvoke", True), ("invoke", False)):
        if callable(bound := getattr(target, method, None)):
            return partial(_invoke, bound, is_async, _fields(target))
    if not callable(target):
        raise InputError(
            f"{reference}: is {type(target).__name__}; wanted a function, or an object with invoke or ainvoke"
        )
    is_coroutine = inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(type(target).__call__)
    return partial(_run, target, is_coroutine)


async def _run(function: Callable[[Any], Any], is_async: bool, given: Any) -> Any:
    value = function(given) if is_async else await in_thread(partial(function, given))
    return await value if inspect.isawaitable(value) else value


async def _invoke(method: Callable[[Any], Any], is_async: bool, fields: tuple[str, ...], sample: Sample) -> Any:
    return await _run(method, is_async, named_inputs(sample, fields) if fields else last_question(sample))


async def in_thread(function: Callable[[], Any]) -> Any:
    """Run ``function`` in a thread of its own, with the caller's context variables.

    A thread a call, and a daemon: one that hangs past its time-out blocks neither later calls nor the exit, as one
    of a pool's would. How many run at once is limited where calls are scheduled.
    """
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    box: list[tuple[Any, BaseException | None]] = []
    context = contextvars.copy_context()

    def work() -> None:
        try:
            box.append((context.run(function), None))
        except BaseException as error:
            box.append((None, error))
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=work, name="markscheme-app", daemon=True).start()
    await done.wait()
    value, error = box[0]
    if error is not None:
        # A StopIteration or SystemExit of the application must not pass for the event loop's own.
        ordinary = isinstance(error, Exception) and not isinstance(error, StopIteration)
        raise error if ordinary else RuntimeError(repr(error))
    return value


def _fields(target: Any) -> tuple[str, ...]:
    """Names of the input fields that a runnable declares (LangChain's ``get_input_jsonschema``); () for plain text."""
    declare = getattr(target, "get_input_jsonschema", None)
    schema = declare() if callable(declare) else None
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        return ()
    return tuple(schema.get("properties") or ())


def named_inputs(sample: Sample, fields: tuple[str, ...]) -> dict[str, Any]:
    """Those of ``fields`` that a sample can fill: its question, context, messages, metadata."""
    question = last_question(sample)
    asked = {"role": "user", "content": plain(sample.question)}
    known: dict[str, Any] = {
        **dict.fromkeys(("question", "input", "query"), question),
        "context": "\n\n".join(sample.context),
        "contexts": list(sample.context),
        "documents": list(sample.context),
        "messages": [*sample.messages, asked] if sample.question else list(sample.messages),
        "chat_history": list(sample.messages),
        **sample.metadata,
    }
    return {name: known[name] for name in fields if name in known}


def _prompt(sample: Sample) -> str:
    return "\n".join((last_question(sample), *sample.context))
