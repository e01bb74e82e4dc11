"""What `markscheme judge probe` prints: the plan, a table of probes, or one JSON object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from pydantic import BaseModel, ConfigDict

from ...harness.probing import Finding, Probe, Probing, Verdict
from ...reports.judging.probes import meaning, shown_estimate, shown_limit
from ..shown import Shown
from ..terminal import console
from .probe_plan import NAMES, Planned

if TYPE_CHECKING:
    from rich.text import Text


class ProbePlanRow(BaseModel):
    """One probe before it is run. ``power`` is the chance to pass the judge described in ``assumed``; ``calls`` counts
    what is not known to be recorded, ``usd`` is null where no price is known. ``why`` says why it is not run."""

    probe: str
    name: str
    items: int
    wanted: int
    power: float | None
    assumed: str
    calls: int
    usd: float | None
    why: str


class ProbePlanOutput(Shown):
    """`markscheme judge probe --plan`: nothing is called."""

    run: str
    judge: str
    probes: list[ProbePlanRow]
    calls: int
    usd: float | None


class FindingRow(BaseModel):
    """One number of a probe. Without a limit it decides nothing; ``needed`` is about how many ``unit`` would tell."""

    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    method: str
    limit_low: float | None
    limit_high: float | None
    verdict: Verdict | None
    needed: int | None


class ProbeRow(BaseModel):
    """One probe: its verdict is fail where any finding fails, pass where all pass."""

    probe: str
    name: str
    judge: str
    verdict: Verdict
    findings: list[FindingRow]
    power: float | None
    notes: list[str]
    why: str


class ProbeOutput(BaseModel):
    """`markscheme judge probe`: the worst verdict of the probes that were run, and each of them."""

    model_config = ConfigDict(extra="forbid")

    run: str
    judge: str
    verdict: Verdict
    probes: list[ProbeRow]
    calls: dict[str, int]
    spent_usd: float | None
    report: str


def to_output(made: Probing, page: str) -> ProbeOutput:
    """The numbers as plain JSON."""
    return ProbeOutput(
        run=made.run,
        judge=made.judge,
        verdict=made.verdict,
        probes=[_row(probe) for probe in made.probes],
        calls=dict(made.calls),
        spent_usd=made.spent_usd,
        report=page,
    )


def to_plan_output(run: str, judge: str, planned: Sequence[Planned]) -> ProbePlanOutput:
    """The plan as plain JSON."""
    rows = [
        ProbePlanRow(
            probe=entry.code,
            name=NAMES[entry.code],
            items=entry.n,
            wanted=entry.wanted,
            power=entry.power.power if entry.power else None,
            assumed=entry.power.assumed if entry.power else "",
            calls=entry.calls,
            usd=entry.usd,
            why=entry.why,
        )
        for entry in planned
    ]
    return ProbePlanOutput(run=run, judge=judge, probes=rows, calls=sum(r.calls for r in rows), usd=_total(planned))


def plan_text(judge: str, planned: Sequence[Planned]) -> str:
    """The plan for a terminal: a line a probe, what it could tell, and the sum."""
    lines = [f"judge {judge}: probes and the chance that each passes a judge well inside its limits"]
    for entry in planned:
        head = f"  {entry.code:<4}{NAMES[entry.code]}"
        if entry.why:
            lines.append(f"{head}: not run; {entry.why}")
            continue
        calls = "from the run, no calls" if entry.ready else f"at most {entry.calls} calls{_dollars(entry.usd)}"
        fewer = f" of {entry.wanted} wanted" if entry.n < entry.wanted else ""
        lines.append(f"{head}: {entry.n} items{fewer}, {calls}")
        if entry.power:
            lines.append(f"      passes with {entry.power.power:.2f} a judge like this: {entry.power.assumed}")
            lines += [f"      catches one that {entry.power.catches}"] if entry.power.catches else []
    asked = sum(entry.calls for entry in planned)
    lines.append(f"total: at most {asked} calls{_dollars(_total(planned))}; what is recorded is not asked again")
    return "\n".join(lines)


def print_probing(made: Probing, page: str, out: TextIO) -> None:
    """One line a finding that decides, then what each probe means."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, right in (("probe", False), ("metric", False), ("value", True), ("limit", True), ("n", True)):
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for cells in (row for probe in made.probes for row in _lines(probe)):
        table.add_row(*(Text(cell) for cell in cells[:-1]), _coloured(cells[-1]))
    screen = console(out)
    screen.print(table)
    for probe in made.probes:
        screen.print(f"{probe.code} {probe.verdict}: {meaning(probe)}", markup=False, soft_wrap=True)
    screen.print(f"judge {made.judge}: {made.verdict}\nreport: {page}", markup=False, soft_wrap=True)


def _lines(probe: Probe) -> list[tuple[str, ...]]:
    deciding = [finding for finding in probe.findings if finding.limit]
    if not deciding:
        return [(f"{probe.code} {probe.name}", "", "", "", "", "not run")]
    return [
        (
            f"{probe.code} {probe.name}" if number == 0 else "",
            finding.metric,
            shown_estimate(finding),
            shown_limit(finding),
            str(finding.estimate.n),
            str(finding.verdict),
        )
        for number, finding in enumerate(deciding)
    ]


def _coloured(verdict: str) -> Text:
    from rich.text import Text

    return Text(verdict, style={"pass": "green", "fail": "red", "underpowered": "yellow"}.get(verdict, "dim"))


def _row(probe: Probe) -> ProbeRow:
    return ProbeRow(
        probe=probe.code,
        name=probe.name,
        judge=probe.judge,
        verdict=probe.verdict,
        findings=[_finding(finding) for finding in probe.findings],
        power=probe.power.power if probe.power else None,
        notes=list(probe.notes),
        why=probe.why,
    )


def _finding(finding: Finding) -> FindingRow:
    estimate, limit = finding.estimate, finding.limit
    return FindingRow(
        metric=finding.metric,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        n=estimate.n,
        unit=finding.unit,
        method=estimate.method,
        limit_low=limit.low if limit else None,
        limit_high=limit.high if limit else None,
        verdict=finding.verdict,
        needed=finding.needed,
    )


def _total(planned: Sequence[Planned]) -> float | None:
    amounts = [entry.usd for entry in planned if entry.calls]
    return None if None in amounts else sum(amount for amount in amounts if amount is not None)


def _dollars(usd: float | None) -> str:
    return ", price unknown" if usd is None else f", about ${usd:.4f}" if usd else ""
