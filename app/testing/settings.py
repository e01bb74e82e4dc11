"""What a suite is run with: the workspace, whether models may be called, and for how much money."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from ...harness.dispatch.budget import VARIABLE, budget_usd
from ...harness.errors import InputError
from ...harness.store.shared_purse import SharedPurse
from ..session import WORKSPACE

Inconclusive = Literal["warn", "skip", "fail"]
INCONCLUSIVE = ("warn", "skip", "fail")


@dataclass(frozen=True, slots=True)
class Settings:
    """``root`` is pytest's; ``purse`` is the budget that all processes of the suite share, if it has one."""

    workspace: str | Path
    root: Path
    live: bool = False
    inconclusive: Inconclusive = "warn"
    purse: SharedPurse | None = None
    exam: str = ""
    """The exam of tests that name none."""


def settings_of(config: pytest.Config, session: str) -> Settings:
    """From the command line, else the configuration file. ``session`` names the suite to all of its processes.

    Raises InputError for a budget or a policy that is none.
    """
    workspace = _workspace(config)
    live = bool(config.getoption("markscheme_live") or config.getini("markscheme_live"))
    return Settings(
        workspace,
        config.rootpath,
        live,
        _policy(config.getoption("markscheme_inconclusive") or config.getini("markscheme_inconclusive") or "warn"),
        _purse(config, workspace, session) if live else None,
        config.getini("markscheme_exam"),
    )


def _workspace(config: pytest.Config) -> str | Path:
    """An option is relative to where pytest was called, all else to its root."""
    if given := config.getoption("markscheme_workspace"):
        return str(given) if "://" in given else config.invocation_params.dir / given
    written = config.getini("markscheme_workspace") or WORKSPACE
    return str(written) if "://" in written else config.rootpath / written


def _policy(text: str) -> Inconclusive:
    for known in INCONCLUSIVE:
        if text == known:
            return known  # type: ignore[return-value]
    raise InputError(f"markscheme_inconclusive = {text!r}: choose from {', '.join(INCONCLUSIVE)}")


def _purse(config: pytest.Config, workspace: str | Path, session: str) -> SharedPurse | None:
    cap: float | None = config.getoption("markscheme_budget")
    said: object = cap
    if cap is None and (said := config.getini("markscheme_budget")):
        try:
            cap = float(said)
        except ValueError:
            cap = -1.0
    if cap is not None and not cap >= 0:
        raise InputError(f"markscheme_budget = {said!r}: must be a number of US dollars, 0 or more")
    if cap is None and VARIABLE in os.environ:
        cap = budget_usd(None)
    return None if cap is None else SharedPurse(_meeting_place(workspace, session), cap)


def _meeting_place(workspace: str | Path, session: str) -> Path:
    """The file in which processes of one machine meet. Other users of it may not write to a folder that we make."""
    if "://" in str(workspace):
        return Path(tempfile.gettempdir()) / f"markscheme-budget-{session}.db"
    return Path(workspace) / "pytest" / f"budget-{session}.db"
