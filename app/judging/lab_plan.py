"""What the lab is going to cost, before anything is called."""

from __future__ import annotations

from pathlib import Path

from ...harness.dispatch.budget import worst_case
from ...harness.dispatch.tally import Tally
from ...harness.exam import Exam
from ...harness.keys import call_key
from ...harness.prices import PriceBook
from ...harness.records import Draw, Request, Usage
from ...harness.store.call_prices import replied
from ...judges.base import Judge
from ...judges.lab import design
from ...judges.lab.design import Variant
from ..plan import ASSUMED_VERDICT_TOKENS
from ..session import price_book
from .lab import LabOptions, Prepared, prepare
from .lab_grading import subsample
from .lab_output import LabPlan, LabPlanRow
from .workshop import Workshop, workshop


async def plan_lab(exam: Exam, workspace: str, options: LabOptions) -> LabPlan:
    """Count the calls of every configuration and those that are recorded, and price the rest."""

    def silent(note: str) -> None:
        """A plan has nothing to say before its end."""

    async with workshop(exam, workspace, "lab", Tally(), silent, reference=options.run, offline=True) as shop:
        prepared = prepare(shop, options)
        variants = [*prepared.variants, *_pupils(prepared, options)]
        again = 2 in options.experiments
        prices = price_book(exam)
        rows = [_row(shop, variant, prepared, prices, options.seed if again else None) for variant in variants]
        usd = [row.usd for row in rows if row.calls > row.recorded]
        return LabPlan(
            run=shop.run.id,
            labelled=len(prepared.labelled.places),
            held_out_n=int(prepared.held.sum()),
            rows=rows,
            calls=sum(row.calls - row.recorded for row in rows),
            usd=None if None in usd else sum(amount for amount in usd if amount is not None),
        )


def _pupils(prepared: Prepared, options: LabOptions) -> list[Variant]:
    """The judges that the preset would teach, with the examples that there are now: about as long."""
    if not options.preset:
        return []
    first = prepared.variants[0].configuration.judge
    own = [v for v in prepared.variants if not v.configuration.varied and v.spec.model != "embedded"]
    return [design.derived(v.spec, v.rubric, Path(v.spec.rubric), first) for v in own if v.configuration.judge != first]


def _row(shop: Workshop, variant: Variant, prepared: Prepared, prices: PriceBook, seed: int | None) -> LabPlanRow:
    judge = shop.judge(variant.spec, variant.rubric)
    wanted = _wanted(judge, variant, prepared, seed, shop.run.judge_salt)
    recorded = replied(shop.store, wanted)
    model = variant.spec.model
    usd = [
        prices.cost_usd(model, Usage(worst_case(request).prompt_tokens // 4, ASSUMED_VERDICT_TOKENS))
        for key, request in wanted.items()
        if key not in recorded
    ]
    return LabPlanRow(
        name=variant.name,
        model=model,
        calls=len(wanted),
        recorded=len(recorded),
        usd=None if None in usd else sum(amount for amount in usd if amount is not None),
    )


def _wanted(judge: Judge, variant: Variant, prepared: Prepared, seed: int | None, salt: str) -> dict[str, Request]:
    """The requests by key, on the best rung of the ladder."""
    if not judge.models:
        return {}
    regraded = seed is not None and variant.configuration.varied in ("", "zero-shot", "few-shot")
    again = set(subsample(prepared.labelled, seed or 0)) if regraded else set()
    found = {}
    for place in prepared.labelled.places:
        for request in judge.previews(prepared.samples[place[0]], prepared.answers[place]):
            for repeat in (0, 1)[: 1 + (place in again)]:
                found[call_key(judge.models[0].identity, request, Draw(0, 0, repeat, 0, salt))] = request
    return found
