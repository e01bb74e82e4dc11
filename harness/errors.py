"""Exceptions: the operator's mistakes, our bugs. What a model does wrong is a value (`Failure`, `Failed`, `Unscored`).

MarkschemeError
├── InputError            a file, option or environment variable is wrong        exit 2
│   ├── ExamError         one or more problems in YAML, each with file:line
│   ├── DataError         a dataset, sheet or label file
│   └── MissingExtra      an optional dependency is not installed
├── StoreError            the workspace cannot be read or written                exit 2
│   └── RunBusy           another process works on this run
├── Unfinished            stopped before the end; what was paid is kept          exit 3
│   ├── BudgetReached     the next call could exceed the budget
│   ├── Stopped           told to stop before this call was sent
│   ├── CallFailed        a call of the operator's own code got no reply
│   └── EndpointGone      an endpoint refuses every call (key, model, network)
│       └── ServerFailed  a server that we started did not come up, or died
└── BugError              cannot happen; please report
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .records import Failure


class MarkschemeError(Exception):
    """Root of the tree. ``exit_code`` is what the command line returns for it."""

    exit_code = 2


class InputError(MarkschemeError):
    """Something the operator wrote is wrong. The message says what, where, the value and the remedy."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: ``where`` is ``path:line``, ``field`` the dotted key."""

    where: str
    field: str
    what: str

    def __str__(self) -> str:
        return f"{self.where} {self.field}: {self.what}" if self.field else f"{self.where}: {self.what}"


class ExamError(InputError):
    """Every problem found in a YAML file, one a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DataError(InputError):
    """A dataset, an answer sheet or a label file cannot be used as it is."""


class MissingExtra(InputError):
    """An optional dependency is needed and absent."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(f"{needed_for} needs the extra {extra!r}: pip install 'markscheme[{extra}]'")


class StoreError(MarkschemeError):
    """The workspace cannot be read or written. What was committed stays."""


class RunBusy(StoreError):
    """Another living process works on this run."""


class Unfinished(MarkschemeError):
    """The run stopped before its end and can be continued."""

    exit_code = 3


class BudgetReached(Unfinished):
    """The next call could exceed the budget."""


class Stopped(Unfinished):
    """The run was told to stop before this call was sent: nothing was paid, nothing is known of it."""


class CallFailed(Unfinished):
    """A call of the operator's own code got no reply; ``failure`` is the last one, of `records.Failure`."""

    def __init__(self, message: str, failure: Failure) -> None:
        super().__init__(message)
        self.failure = failure


class EndpointGone(Unfinished):
    """An endpoint refuses every call: wrong key, unknown model, or nobody listens."""


class ServerFailed(EndpointGone):
    """A server that we started did not come up, or died; the message ends with the last lines of its log."""


class BugError(MarkschemeError):
    """An invariant of ours does not hold."""

    exit_code = 70
