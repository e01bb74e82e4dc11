"""Mistakes of whoever wrote the test: shown with the line of the test and the message, without our own frames."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from ...harness.errors import MarkschemeError

Given = ParamSpec("Given")
Made = TypeVar("Made")


def plainly(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """``function``, whose `MarkschemeError` seems to be raised where it is called."""

    @wraps(function)
    def told(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        __tracebackhide__ = True
        try:
            return function(*args, **kwargs)
        except MarkschemeError as error:
            mistake = error.with_traceback(None)
        raise mistake from None

    return told
