"""What the probes found, as Markdown."""

from __future__ import annotations

from ...harness.probing import Probe, Probing
from .. import words
from ..markdown_tables import escape, table
from .probes import meaning, shown_estimate, shown_limit

LONGEST = 300
"""Characters of a text that the page shows."""


def probing_markdown(made: Probing) -> str:
    """The page; the same findings give the same text."""
    parts = [
        f"# Judge {escape(made.judge)}: {made.verdict}",
        f"Exam {escape(made.exam)}, run {made.run}, {made.date}.",
        table(["Probe", "Verdict", "What it means"], [_line(probe) for probe in made.probes], left=3),
    ]
    parts += [part for probe in made.probes if probe.findings for part in _section(probe)]
    if made.spreads:
        rows = [
            (
                escape(spread.criterion),
                words.count(spread.n),
                ", ".join(f"{level:g}: {words.percent(share)}" for level, share in spread.shares.items()),
                words.number(spread.entropy),
                ", ".join(f"{level:g}" for level in spread.unused) or "none",
            )
            for spread in made.spreads
        ]
        parts += ["## How it used the scale", table(["Criterion", "n", "Shares", "Entropy, bits", "Unused"], rows)]
    return "\n\n".join(parts) + "\n"


def _line(probe: Probe) -> tuple[str, str, str]:
    return f"{probe.code} {escape(probe.name)}", probe.verdict, escape(meaning(probe))


def _section(probe: Probe) -> list[str]:
    rows = [
        (
            escape(finding.metric),
            shown_estimate(finding),
            shown_limit(finding) or "–",
            words.count(finding.estimate.n),
            finding.verdict or "–",
        )
        for finding in probe.findings
    ]
    parts = [
        f"## {probe.code} {escape(probe.name)}: {probe.verdict}",
        table(["Metric", "Value", "Limit", "n", ""], rows),
    ]
    if probe.power:
        parts.append(f"Power {probe.power.power:.2f} to pass a judge like this: {escape(probe.power.assumed)}.")
    parts += [f"- {escape(note)}" for note in probe.notes]
    parts += [
        f"- {escape(case.sample_id)}, {escape(case.kind)}: wanted {escape(case.expected)}, got {escape(case.got)}"
        + (f". Text: {escape(case.text[:LONGEST])}" if case.text else "")
        for case in probe.examples
    ]
    return parts
