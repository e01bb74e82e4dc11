"""What the command says of a repeat of a cell when it is measured."""

from __future__ import annotations

from collections import Counter
from statistics import median_low

from ...harness.serving.records import Loaded, Setting
from ...reports.serving.said import place


def cell_of(setting: Setting) -> str:
    """The cell in words: ``tiny, 3 contexts, 8 users``."""
    return f"{setting.candidate}, {place(setting)}"


def told(loaded: Loaded, repeats: int) -> str:
    """One line about one repeat."""
    measured = [one for one in loaded.requests if one.phase == "measured"]
    firsts = [one.ttft_s for one in measured if one.ttft_s is not None]
    failed = Counter(one.status for one in loaded.requests if one.status != "ok")
    said = [f"{len(loaded.requests)} requests, {len(measured)} of them measured, in {loaded.window_s:.1f} s"]
    said += [f"TTFT p50 {1000 * median_low(firsts):.0f} ms"] if firsts else []
    said += [f"{count} × {kind}" for kind, count in failed.most_common()]
    return f"{cell_of(loaded.setting)} ({loaded.repeat + 1} of {repeats}): {' · '.join(said)}"
