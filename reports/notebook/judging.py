"""Judges on trial: against people, by probes, in the lab, and what people themselves say."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from ...harness.alignment import Alignment
from ...harness.labwork import Lab
from ...harness.probing import Probe, Probing
from ...harness.review.results import ReviewResult
from .. import words
from ..judging import alignment, lab, probes
from ..judging.alignment_html import agreement_figure
from ..pairwise_words import share
from ..review import said
from . import fragment as html
from .fragment import Cell, Mark

SHOWN = ("exact", "kappa_quadratic", "ac2", "bias")
"""Of all estimates of agreement: what a first look needs."""
_VERDICTS = {"pass": "better", "fail": "worse", "underpowered": "warn"}


def alignment_html(found: Alignment) -> str:
    """How far each judge agrees with people, by criterion, people's own agreement beside it."""
    names = [name for name in SHOWN if name in alignment.columns(found)]
    rows = (
        [
            one.judge,
            one.criterion,
            words.count(one.n),
            *(words.estimate(one.estimates.get(name), sign=name == "bias") for name in names),
            words.number(people.value) if (people := one.humans.get("kappa_quadratic")) else words.NONE,
        ]
        for one in found.criteria
    )
    pairs = (
        [pair.judge, words.count(pair.votes), *(words.estimate(s.agreement) for s in (pair.s1, pair.s2))]
        for pair in found.pairs
    )
    titles = [alignment.COLUMNS[name].lower() for name in names]
    return html.fragment(
        html.title(f"{found.title} · run {found.run}"),
        html.verdict(alignment.verdict(found)),
        html.notes(alignment.caveats(found), "warn"),
        html.table(["judge", "criterion", "n", *titles, "people, quadratic"], rows, left=2),
        html.table(["judge of pairs", "votes", "S1", "S2 (without ties)"], pairs),
        html.figures([("Agreement with people", agreement_figure(found))], wide=True),
    )


def probing_html(found: Probing) -> str:
    """A line a finding that decides, and what the verdict of each probe means."""
    rows = (row for probe in found.probes for row in _findings(probe))
    meant = (f"{probe.code} {probe.verdict}: {probes.meaning(probe)}" for probe in found.probes)
    return html.fragment(
        html.title(f"judge {found.judge} · run {found.run}"),
        html.verdict(f"{found.judge}: {found.verdict}"),
        html.table(["probe", "metric", "value", "limit", "n", "verdict"], rows, left=2, wordy=["verdict"]),
        html.notes(meant),
    )


def _findings(probe: Probe) -> Iterator[list[Cell]]:
    deciding = [finding for finding in probe.findings if finding.limit]
    if not deciding:
        yield [f"{probe.code} {probe.name}", "", "", "", "", Mark("not run", "soft")]
    for number, finding in enumerate(deciding):
        yield [
            f"{probe.code} {probe.name}" if number == 0 else "",
            finding.metric,
            probes.shown_estimate(finding),
            probes.shown_limit(finding),
            words.count(finding.estimate.n),
            Mark(str(finding.verdict), _VERDICTS.get(str(finding.verdict), "")),
        ]


def lab_html(found: Lab) -> str:
    """The recommendation, and every configuration that was tried."""
    choice = lab.sections(found)[0]
    rows = ([" ".join(filter(None, (cell.text, cell.small))) for cell in row] for row in choice.rows)
    facts = [" · ".join(f"{number} {what}" for number, what in lab.facts(found))]
    return html.fragment(
        html.title(f"{found.exam} · run {found.run}"),
        html.verdict(lab.verdict(found)),
        html.notes(facts),
        html.table(choice.columns, rows, left=choice.left, wordy=[""]),
    )


def review_html(found: ReviewResult) -> str:
    """What people say of the candidates, how far everybody is, and what to know before believing it."""
    criteria = said.criteria(found)
    means = (
        [name, *(words.estimate(said.mean(found, name, one).estimate) for one in criteria)] for name in found.candidates
    )
    duels = (
        [
            f"{one.left} against {one.right}",
            share(one.rate.estimate),
            words.NONE if one.p is None else words.p_value(one.p),
        ]
        for one in found.duels
    )
    work = ([one.rater, f"{one.rated} of {one.dealt}"] for one in found.work)
    return html.fragment(
        html.title(f"review {found.review.name} · {found.title} · run {found.review.run}"),
        html.verdict(said.verdict(found)),
        html.notes(said.caveats(found), "warn"),
        html.table(["candidate", *criteria], means) if criteria else Markup(""),
        html.table(["pair", "preferred", "p (Holm)"], duels),
        html.table(["rater", "rated"], work),
    )
