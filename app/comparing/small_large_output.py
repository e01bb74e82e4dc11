"""What `markscheme small-large --json` prints: one object, the last line of standard output."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from ...reports.serving import small_large_said as said
from ...reports.serving.said import plain
from ...reports.serving.small_large import SmallLarge
from ...reports.serving.small_large_amounts import Ratio
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


class SmallLargeOutput(BaseModel):
    """`markscheme small-large`: ``lower`` is the one-sided 95 % bound of ``difference``, which is small less large.
    ``share`` is of the large model's score above the lowest level."""

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
