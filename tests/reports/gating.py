"""Comparisons made up for gates: one difference at a time, with the interval that its spread gives."""

from dataclasses import replace

from markscheme.harness.gate import gate_from_dict
from markscheme.harness.records import Estimate
from markscheme.harness.statistics.intervals import t_quantile
from markscheme.harness.store.frames import RunInfo
from markscheme.reports.regression.records import Compared, Difference, Pairing, Subject


def estimate(value: float, n: int = 100) -> Estimate:
    return Estimate(value, value - 0.1, value + 0.1, n, f"t, df {n - 1}")


def difference(value=0.0, sd=0.5, n=100, candidate="mini", source="strict", measure="composite", **changes):
    """Of t with ``n`` independent samples; ``p`` by the same t."""
    from scipy import special

    se = sd / n**0.5
    reach = t_quantile(0.95, n - 1) * se
    p = 2 * float(special.stdtr(n - 1, -abs(value) / se))
    subject = Subject(candidate, source, measure, changes.pop("better", "higher"), changes.pop("unit", ""))
    made = Difference(
        subject=subject,
        estimate=Estimate(value, value - reach, value + reach, n, f"t, df {n - 1}"),
        new=estimate(2.0 + value, n),
        old=estimate(2.0, n),
        wins=30,
        ties=40,
        losses=30,
        test="sign flip",
        p=p,
        adjusted=p,
        sd=sd,
        effective_n=float(n),
        clusters=n,
        scale=(0.0, 3.0),
    )
    return replace(made, **changes)


def failures(rise, n=100, p=0.001, candidate="mini", whole=False):
    made = difference(rise, 0.2, n, candidate, "", "failures", better="lower", p=p, scale=(0.0, 1.0))
    return replace(made, new=Estimate(1.0, 0.9, 1.0, n, "Wilson")) if whole else made


def info(name: str) -> RunInfo:
    return RunInfo(name, "exam.yaml", "", name * 8, 0.0, 1.0, {}, {})


def comparison(*differences, new="new", shared=0):
    pairing = Pairing(100, 100, {}, shared, 100)
    return Compared(info(new), (info("old-1"), info("old-2")), pairing, "Holm over 1 comparison", differences)


def spec(*measures, **changes):
    lines = list(measures) or [{"judge": "strict", "measure": "composite", "margin": 0.1}]
    return gate_from_dict({"measures": lines, **changes})
