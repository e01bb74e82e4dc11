"""What a run did not have to pay for: replies that were recorded before it, and what they had cost."""

from __future__ import annotations

from dataclasses import dataclass

from ..harness.store.frames import RunData
from ..harness.store.queries import SHEET
from . import words


@dataclass(frozen=True, slots=True)
class Reuse:
    """Of ``replies`` behind a run's answers and grades those ``reused``, and what these had cost. ``unpriced`` of them
    have no known price; a reply is counted once, however many rows point at it."""

    replies: int
    reused: int
    saved_usd: float
    unpriced: int


def reuse(data: RunData) -> Reuse:
    """Counted over calls that were answered; rows of a sheet are nobody's calls."""
    calls = data.calls[data.calls["status"] == "ok"]
    sheets = [name for name in calls["model"].unique() if str(name).startswith(SHEET)]
    calls = calls[~calls["model"].isin(sheets)]
    there = calls.loc[calls["reused"].astype(bool), "cost_usd"].astype(float)
    return Reuse(len(calls), len(there), float(there.sum()), int(there.isna().sum()))


def how_saved(found: Reuse) -> str:
    """The hit rate of the store and the money that it saved; '' where every reply was live."""
    if not found.reused:
        return ""
    rate = words.percent(found.reused / found.replies)
    came = (
        f"The store had {found.reused:,} of {words.plural(found.replies, 'reply', 'replies')} ({rate}) before this run"
    )
    if not found.unpriced:
        return f"{came}, which saved {words.usd(found.saved_usd)}."
    if found.unpriced == found.reused:
        return f"{came}; what that saved is unknown, for want of a price."
    known = f"{words.usd(found.saved_usd)} and the unknown price of {found.unpriced:,} of them"
    return f"{came}, which saved {known}."
