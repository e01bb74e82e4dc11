"""The end of a suite: the shares of samples that pass decide, and the budget of its processes is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from ...harness.errors import InputError
from .settings import settings_of
from .shares import Share, shares
from .summary import properties


def ended(sent: Sequence[dict[str, Any]], session: pytest.Session, name: str) -> list[Share]:
    """The shares of the suite called ``name``; one that fails, fails the suite."""
    found = shares(one["sample"] for one in sent if "sample" in one)
    try:
        settings = settings_of(session.config, name)
    except InputError:  # every test that needed them has said so
        return found
    fatal = {"fail", "inconclusive"} if settings.inconclusive == "fail" else {"fail"}
    if session.exitstatus == pytest.ExitCode.OK and any(share.state in fatal for share in found):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    _note(session.config, found)
    return found


def forget_purse(config: pytest.Config, name: str) -> None:
    """Remove the purse of the suite called ``name``. Whoever is still at work would begin another."""
    with suppress(InputError):  # every test that needed the settings has said so
        if (purse := settings_of(config, name).purse) is not None:
            purse.remove()


def _note(config: pytest.Config, found: Sequence[Share]) -> None:
    """The shares as properties of the whole in JUnit XML."""
    if not found or not config.getoption("xmlpath", None):
        return
    from _pytest.junitxml import xml_key  # the way that `record_testsuite_property` takes

    if (xml := config.stash.get(xml_key, None)) is not None:
        for share in found:
            for field, value in properties(share.row):
                xml.add_global_property(field, value)
