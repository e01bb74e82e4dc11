"""`markscheme`: commands by group. Nothing heavy is imported until a command needs it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from copy import copy
from typing import TextIO, cast

import typer
from typer.main import get_command_name

from . import (
    bundle,
    cache,
    compare,
    data,
    dataset,
    exams,
    exporting,
    feedback,
    gate,
    history,
    importing,
    judge,
    retrieval,
    review,
    rubric,
    serving,
    tools,
)
from .unread import Unread

app = typer.Typer(
    name="markscheme",
    help="Grade models with a judge you have graded first.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: rich doubles the time to the first word
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
exams.register(app)
bundle.register(app)
cache.register(app)
compare.register(app)
data.register(app)
dataset.register(app)
exporting.register(app)
gate.register(app)
history.register(app)
importing.register(app)
feedback.register(app)
judge.register(app)
retrieval.register(app)
review.register(app)
rubric.register(app)
serving.register(app)
tools.register(app)


def main() -> None:
    """Entry point: our own errors become one message on standard error and an exit code, never a traceback."""
    if sys.stdout is None:  # closed by the caller: libraries expect one
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    gc.freeze()  # what the imports made stays; collecting it again and again is a twentieth of a run
    gc.set_threshold(50_000, 20, 100)
    try:
        _listened_to()
    except KeyboardInterrupt:
        print("markscheme: cancelled", file=sys.stderr)  # noqa: T201
        sys.exit(3)
    except OSError as error:  # a file to be written, or standard output; what the workspace says is a StoreError
        where = f"{error.filename}: " if error.filename else ""
        print(f"markscheme: {where}{error.strerror or error}; what was paid for is kept", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except Exception as error:
        from ...harness.errors import BugError, MarkschemeError

        if not isinstance(error, MarkschemeError) or isinstance(error, BugError):
            raise
        print(f"markscheme: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    finally:
        gc.freeze()  # the process ends: nothing is worth collecting any more


def asked(words: Sequence[str]) -> typer.Typer:
    """The commands of which a line of ``words`` can need any: the one that it begins with, or all where it names none.

    To describe all of them to the parser takes a tenth of a start.
    """
    first, one = words[0] if words else "", copy(app)
    one.registered_commands = [c for c in app.registered_commands if (c.name or _named(c.callback)) == first]
    one.registered_groups = [
        g for g in app.registered_groups if g.typer_instance and first in (g.name, g.typer_instance.info.name)
    ]
    return one if one.registered_commands or one.registered_groups else app


def _named(command: Callable[..., object] | None) -> str:
    return get_command_name(command.__name__) if command else ""


def _listened_to() -> None:
    """The commands, whose exit code is the same where nobody reads what they print."""
    heard = Unread(sys.stdout)
    with redirect_stdout(cast(TextIO, heard)):
        try:
            asked(sys.argv[1:])()
        finally:
            heard.flush()
