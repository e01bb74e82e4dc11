"""Which earlier runs a nightly run is held against: the last m of one configuration, and never the best of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from ..keys import digest
from .runs import Run, all_runs
from .store import Store

_NOT_ASKED = frozenset({"labels", "concurrency", "endpoints", "command", "name"})
"""What an exam says that changes no answer and no grade."""
_WHERE = frozenset({"base_url", "api_key_env", "timeout_s"})


@dataclass(frozen=True, slots=True)
class Pool:
    """The runs of a baseline, the latest first. ``own``: they are of the new run's configuration."""

    runs: tuple[Run, ...]
    wanted: int
    own: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the choice."""
        few = f"the pool holds {len(self.runs)} of the {self.wanted} runs that the gate asks for"
        other = "the baseline is of the configuration before the present one"
        return (*([few] if len(self.runs) < self.wanted else []), *([] if self.own else [other]))


def pool_of(store: Store, new: Run, wanted: int) -> Pool:
    """The last ``wanted`` finished runs before ``new`` of the same exam, all of one configuration.

    That is the configuration of ``new`` once it has as many earlier runs; until then the one before it, so that a
    change is held against what was there before. Fresh runs go before others. Runs that share their replies count
    once, and not at all where they are those of ``new``. Only runs with its samples and judges are looked at.
    Raises InputError where there is none.
    """
    earlier = [run for run in all_runs(store) if _before(run, new) and comparable(run) == comparable(new)]
    mine = configuration(new)
    own = _apart([run for run in earlier if configuration(run) == mine and run.salt != new.salt])
    other = next((configuration(run) for run in earlier if configuration(run) != mine), None)
    if other is not None and len(own) < wanted:
        return Pool(_apart([run for run in earlier if configuration(run) == other])[:wanted], wanted, own=False)
    if not own:
        raise InputError(_none(store, new, earlier))
    return Pool(own[:wanted], wanted, own=True)


def alike(store: Store, run: Run) -> tuple[Run, ...]:
    """``run`` and all finished runs of its exam and configuration that share no replies, ``run`` first."""
    others = [one for one in all_runs(store) if one.exam == run.exam and one.finished_at is not None]
    same = [one for one in others if one.salt != run.salt and configuration(one) == configuration(run)]
    return (run, *_apart(same))


def second_of(store: Store, new: Run, after: float) -> Run | None:
    """Another finished fresh run of what ``new`` ran, which can confirm what it says: the next one, else the last one
    before it. ``after`` is when the last run of the baseline was begun (Unix time): both must be later."""
    others = [run for run in all_runs(store) if _is_second(run, new) and run.created_at > after]
    later = [run for run in others if run.created_at > new.created_at]
    return later[-1] if later else others[0] if others else None


def _is_second(run: Run, new: Run) -> bool:
    fresh = bool(run.salt) and run.salt != new.salt and run.finished_at is not None
    return fresh and run.exam == new.exam and run.id != new.id and configuration(run) == configuration(new)


def configuration(run: Run) -> str:
    """Hash of all that made a run's answers and grades, but for where its models are served."""
    return digest({name: _served_anywhere(value) for name, value in run.config.items() if name not in _NOT_ASKED})


def comparable(run: Run) -> str:
    """Hash of a run's samples and judges."""
    return digest([run.config.get("dataset"), _served_anywhere(run.config.get("judges"))])


def _served_anywhere(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return value
    return [
        {name: one for name, one in entry.items() if name not in _WHERE} if isinstance(entry, Mapping) else entry
        for entry in value
    ]


def _before(run: Run, new: Run) -> bool:
    return run.exam == new.exam and run.id != new.id and run.created_at < new.created_at and run.finished_at is not None


def _apart(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Runs without common replies, fresh ones first, then the latest first."""
    seen: set[str] = set()
    found = []
    for run in sorted(runs, key=lambda run: not run.salt):
        if run.salt not in seen:
            seen.add(run.salt)
            found.append(run)
    return tuple(found)


def _none(store: Store, new: Run, earlier: Sequence[Run]) -> str:
    if earlier:
        return (
            f"run {new.id} has the replies of its baseline {earlier[0].id}: they prove nothing about each other; "
            "make the new run with --fresh"
        )
    return (
        f"{store.where}: no finished run of {new.exam} with these samples and judges is older than {new.id}; "
        "run the exam with --fresh before a change and after it, or name a baseline"
    )
