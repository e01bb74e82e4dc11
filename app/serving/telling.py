"""What the command says of a repeat of a cell when it is measured."""

from __future__ import annotations

from collections import Counter
from statistics import median_low

from ...harness.serving.records import Loaded, Setting

_UNITS = {"closed": "users", "ramp": "users, one more each second", "constant": "requests/s", "poisson": "requests/s"}


def load_of(setting: Setting) -> str:
    """``closed, 8 users``, ``poisson, 2.5 requests/s``."""
    unit = _UNITS.get(setting.shape, "requests/s")
    unit = "user" if setting.shape == "closed" and setting.level == 1 else unit
    return f"{setting.shape}, {setting.level:g} {unit}"


def cell_of(setting: Setting) -> str:
    """The cell in words: ``tiny: closed, 8 users, 3 contexts, 64 tokens``."""
    parts = [load_of(setting)]
    parts += [] if setting.contexts is None else [f"{setting.contexts} contexts"]
    parts += [] if setting.output_tokens is None else [f"{setting.output_tokens} tokens"]
    return f"{setting.candidate}: {', '.join(parts)}"


def told(loaded: Loaded, repeats: int) -> str:
    """One line about one repeat."""
    measured = [one for one in loaded.requests if one.phase == "measured"]
    firsts = [one.ttft_s for one in measured if one.ttft_s is not None]
    failed = Counter(one.status for one in loaded.requests if one.status != "ok")
    said = [f"{len(loaded.requests)} requests, {len(measured)} of them measured, in {loaded.window_s:.1f} s"]
    said += [f"TTFT p50 {1000 * median_low(firsts):.0f} ms"] if firsts else []
    said += [f"{count} × {kind}" for kind, count in failed.most_common()]
    return f"{cell_of(loaded.setting)} ({loaded.repeat + 1} of {repeats}): {' · '.join(said)}"
