"""The cells of a load test, and the order in which they are measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from ..errors import DataError, InputError
from . import arrivals
from .checks import family
from .records import Setting

if TYPE_CHECKING:
    from ..exam_specs import CandidateSpec
    from .spec import LoadSpec, ServingSpec


@dataclass(frozen=True, slots=True)
class Pace:
    """How the requests of a cell come: up to ``requests`` of them, or for ``duration_s`` seconds.

    ``times`` gives the arrivals of an open loop, from a seed; ``None`` for users who wait for their replies.
    """

    requests: int | None
    duration_s: float | None
    times: Callable[[Random], Iterator[float]] | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what is asked, and of which candidate of the exam (as it is when it shows ``setting.contexts``)."""

    setting: Setting
    candidate: CandidateSpec
    pace: Pace


def cells(spec: ServingSpec, candidates: Sequence[CandidateSpec]) -> list[Cell]:
    """Every candidate × number of contexts × load, in the order of the file.

    Raises DataError for a trace that cannot be read, InputError for two traces of the same rate.
    """
    loads = [found for load in spec.loads for found in _paces(spec, load)]
    made: dict[str, Cell] = {}
    for candidate in candidates:
        for k in spec.numbers_of_contexts:
            shown = candidate if k is None else candidate.model_copy(update={"contexts": k})
            for load, level, pace in loads:
                setting = Setting(family(candidate), load.shape, level, shown.shown, spec.output_tokens)
                if setting.key in made:
                    raise InputError(
                        f"serving.loads: two loads are both {load.shape} at {level:g} a second, so that their numbers "
                        "could not be told apart; change the speed of one, or remove it"
                    )
                made[setting.key] = Cell(setting, shown, pace)
    return list(made.values())


def _paces(spec: ServingSpec, load: LoadSpec) -> Iterator[tuple[LoadSpec, float, Pace]]:
    most, seconds = spec.most_requests, spec.duration_s
    if load.trace is not None:
        yield load, *_replayed(load.trace, load.speed, most, seconds)
        return
    for level in load.levels:
        yield load, level, Pace(most, seconds, _process(load.shape, level))


def _process(shape: str, rate: float) -> Callable[[Random], Iterator[float]] | None:
    if shape == "constant":
        return lambda rng: arrivals.constant(rate)
    if shape == "poisson":
        return lambda rng: arrivals.poisson(rate, rng)
    return None


def _replayed(path: Path, speed: float, most: int | None, seconds: float | None) -> tuple[float, Pace]:
    """Mean requests a second of the part that is replayed, and that part; the same in every repeat."""
    times = []
    for at in islice(arrivals.recorded(path, speed), most):
        if seconds is not None and at >= seconds:
            break
        times.append(at)
    if len(times) < 2 or times[-1] <= 0:
        raise DataError(f"{path}: only {len(times)} arrivals at one time are replayed; a trace needs more of both")
    return round((len(times) - 1) / times[-1], 4), Pace(len(times), None, lambda rng: iter(times))


def schedule(found: Sequence[Cell], repeats: int, seed: int) -> list[tuple[Cell, int]]:
    """Cells with their repeat (from 0): each repeat of all before the next, shuffled within, so that a machine that
    slows down with time slows all cells alike."""
    order: list[tuple[Cell, int]] = []
    for repeat in range(repeats):
        shuffled = list(found)
        Random(f"{seed}/{repeat}").shuffle(shuffled)  # noqa: S311 - an order, no secret
        order += [(cell, repeat) for cell in shuffled]
    return order


def expected(pace: Pace, setting: Setting, latency_s: float) -> tuple[int, float]:
    """Requests and seconds of one repeat of a cell, where each reply takes ``latency_s``."""
    if pace.times is not None:
        times = list(_until(pace, pace.times(Random(0))))  # noqa: S311 - an example, no secret
        return len(times), (times[-1] if times else 0.0) + latency_s
    if pace.duration_s is not None:
        return max(1, round(pace.duration_s / latency_s * setting.level)), pace.duration_s + latency_s
    requests = pace.requests or 0
    return requests, requests * latency_s / setting.level


def _until(pace: Pace, times: Iterator[float]) -> Iterator[float]:
    """The arrivals that belong to the cell."""
    for at in islice(times, pace.requests):
        if pace.duration_s is not None and at >= pace.duration_s:
            return
        yield at


def due_times(pace: Pace, seed: str) -> Iterator[float]:
    """When the requests of an open loop are due in one repeat."""
    if pace.times is None:
        return iter(())
    return _until(pace, pace.times(Random(seed)))  # noqa: S311 - arrivals, no secret
