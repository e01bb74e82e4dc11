"""What `markscheme small-large --json` prints: one object, the last line of standard output."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from ...reports.serving import small_large_said as said
from ...reports.serving.said import plain
from ...reports.serving.small_large import SmallLarge
from ...reports.serving.small_large_amounts import Ratio
from ...reports.serving.small_large_base import Three
from ..output import EstimateOutput


class RatioOutput(BaseModel):
    """An amount of both, in ``unit`` ('' for requests a second), and small over large. ``load`` is '' in the run, else
    a load of the load test; ``why`` says why there is no ratio."""

    load: str
    what: str
    unit: str
    small: EstimateOutput
    large: EstimateOutput
    ratio: EstimateOutput
    why: str


class ThreeOutput(BaseModel):
    """A measure of base, small and large, each mean of its own samples. ``small_less_base`` and ``small_less_large``
    are paired. ``share`` is of the large model's score above the lowest level, ``gap_closed`` of what the large model
    is ahead of the base: null where it is not clearly ahead, and ``why`` says so."""

    judge: str
    measure: str
    base: EstimateOutput
    small: EstimateOutput
    large: EstimateOutput
    small_less_base: EstimateOutput
    small_less_large: EstimateOutput
    large_less_base: EstimateOutput
    share: EstimateOutput
    gap_closed: EstimateOutput
    why: str


class SmallLargeOutput(BaseModel):
    """`markscheme small-large`: ``lower`` is the one-sided 95 % bound of ``difference``, which is small less large.
    ``share`` is of the large model's score above the lowest level. ``measures`` are those of all three with a
    ``base``, else there are none; ``untrained`` says that no sample was trained on, where an export was named."""

    run: str
    small: str
    large: str
    judge: str
    measure: str
    margin: float
    verdict: Literal["as good", "worse", "not shown"]
    words: str
    difference: EstimateOutput
    lower: float | None
    corrected: bool
    share: EstimateOutput
    samples_needed: int | None
    ratios: list[RatioOutput]
    base: str | None
    measures: list[ThreeOutput]
    untrained: str
    notes: list[str]
    report: str | None


def to_output(found: SmallLarge, page: str | None) -> SmallLargeOutput:
    """The JSON object."""
    about, of = found.difference.subject, EstimateOutput.of
    under_load = [_ratio(one, load) for load, ratios in found.loads for one in ratios]
    return SmallLargeOutput(
        run=found.run.id,
        small=found.small,
        large=found.large,
        judge=about.source,
        measure=about.measure,
        margin=found.margin,
        verdict=found.verdict,
        words=plain(said.verdict(found)),
        difference=of(found.difference.estimate),
        lower=found.gain.lower,
        corrected=found.difference.corrected,
        share=of(found.share),
        samples_needed=found.needed,
        ratios=[*(_ratio(one, "") for one in found.ratios), *under_load],
        base=found.based.name if found.based else None,
        measures=[_three(one) for one in found.based.measures] if found.based else [],
        untrained=found.untrained,
        notes=list(said.caveats(found)),
        report=page,
    )


def _ratio(one: Ratio, load: str) -> RatioOutput:
    of = EstimateOutput.of
    return RatioOutput(
        load=load,
        what=one.what,
        unit=one.unit,
        small=of(one.small),
        large=of(one.large),
        ratio=of(one.ratio),
        why=one.why,
    )


def _three(one: Three) -> ThreeOutput:
    of = EstimateOutput.of
    return ThreeOutput(
        judge=one.subject.source,
        measure=one.subject.measure,
        base=of(one.base),
        small=of(one.small),
        large=of(one.large),
        small_less_base=of(one.gained.estimate),
        small_less_large=of(one.short.estimate),
        large_less_base=of(one.gap.estimate),
        share=of(one.share),
        gap_closed=of(one.closed),
        why="" if one.closed.value is not None else one.closed.method,
    )
