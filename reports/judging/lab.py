"""A `Lab` in words and tables: what the page and the Markdown both show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...harness.labwork import Alignment, Lab, Spread, Transfer, Tried
from ...harness.records import Estimate
from .. import words

MEASURE_WORDS = {
    "kappa_quadratic": "quadratic kappa",
    "kappa_linear": "linear kappa",
    "kappa": "kappa",
    "ac1": "AC1",
    "ac2": "AC2",
    "alpha": "Krippendorff's alpha",
    "exact": "exact agreement",
    "spearman": "Spearman's rho",
    "tau_b": "Kendall's tau-b",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows, a smaller second line, and how it was come by."""

    text: str
    small: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A table under its heading; the first ``left`` columns are text."""

    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left: int = 1


def verdict(lab: Lab) -> str:
    """What a reader should take away."""
    found = lab.advice
    if found.configuration is None:
        more = "" if found.more_labels is None else f" About {found.more_labels:,} more labelled answers would tell."
        return f"No judge is recommended: {found.why}.{more}"
    tried = next(tried for tried in lab.tried if tried.configuration.name == found.configuration)
    unknown = tried.usd_per_1000 is None
    price = ", of unknown price" if unknown else f", {words.usd(tried.usd_per_1000)} per 1,000 answers"
    return (
        f"{found.configuration}{price}: the {'quickest' if unknown else 'cheapest'} whose {measure(lab)} "
        f"surely clears {lab.threshold:g}; "
        f"on labels that did not choose it, it is at least {words.number(tried.bound)}."
    )


def measure(lab: Lab) -> str:
    """The measure in words."""
    return MEASURE_WORDS.get(lab.measure, lab.measure)


def facts(lab: Lab) -> tuple[tuple[str, str], ...]:
    """Numbers for the head of the page, each with what it counts."""
    people = words.plural(lab.annotators, "annotator").partition(" ")
    return (
        (f"{lab.labelled:,}", f"labelled answers by {people[0]} {people[2]} ({words.listed(lab.label_sets)})"),
        (f"{lab.selection_n:,}", "select"),
        (f"{lab.held_out_n:,}", f"held out, in {words.plural(lab.held_out_clusters, 'cluster')}"),
        (f"{len(lab.tried):,}", f"configurations tried, {lab.tested} tested"),
    )


def sections(lab: Lab) -> list[Section]:
    """The choice, and the experiments that were asked for."""
    found = [_choice(lab)]
    if lab.alignment:
        found.append(_alignment(lab))
    if lab.shots:
        found.append(_shots(lab))
    if lab.scales:
        found.append(_scales(lab))
    if lab.calls:
        found.append(_calls(lab))
    if lab.transfer:
        found.append(_transfer(lab))
    return found


def _choice(lab: Lab) -> Section:
    tried = sorted(lab.tried, key=lambda t: (t.usd_per_1000 is None, t.usd_per_1000 or 0.0, t.configuration.name))
    ceiling = lab.ceiling
    people = "" if ceiling is None else f" Annotators among themselves: {figure(ceiling).text} {figure(ceiling).small}."
    return Section(
        "The choice",
        f"{measure(lab).capitalize()} of {lab.criterion} with the labels. One half of the labels, by cluster, selects: "
        "whoever reaches the threshold there and is not beaten by a cheaper one is tested on the other half. The lower "
        f"bounds of those tested ({lab.tested}) hold together at 95 % (Bonferroni); who clears is decided by Holm's "
        "procedure. Prices are for 1,000 graded answers; seconds are those of the calls, one after another." + people,
        ("Configuration", "Selects", "Held out", "Lower bound", "USD per 1,000", "s per 1,000", "No score", ""),
        tuple(_tried(t, lab) for t in tried),
    )


def _tried(tried: Tried, lab: Lab) -> tuple[Cell, ...]:
    at = tried.configuration
    shots = "zero-shot" if not at.shots else words.plural(at.shots, "example") + " a level"
    how = ", ".join(part for part in (at.model, at.rubric, shots if at.model != "embedded" else "") if part)
    said = "recommended" if at.name == lab.advice.configuration else "clears" if tried.clears else tried.why
    return (
        Cell(at.name, how),
        figure(tried.selection),
        figure(tried.held_out),
        Cell(words.number(tried.bound)),
        Cell(words.usd(tried.usd_per_1000)),
        Cell(words.seconds(tried.seconds_per_1000)),
        Cell(f"{tried.unscored:,}" if tried.unscored else words.NONE),
        Cell(said),
    )


def _alignment(lab: Lab) -> Section:
    names = ("exact", "kappa_quadratic", "ac2", "spearman", "bias")
    return Section(
        "1. Agreement with the labels",
        "Each judge as the exam has it, on all labelled answers, by criterion and candidate. The bias is judge minus "
        "people: what differs between candidates changes their order. AC2 and exact agreement are of whole levels.",
        ("Judge", "Criterion", "Candidate", "Answers", "Exact", "Quadratic kappa", "AC2", "Spearman", "Bias"),
        tuple(_aligned(row, names) for row in lab.alignment),
        3,
    )


def _aligned(row: Alignment, names: Sequence[str]) -> tuple[Cell, ...]:
    known = row.estimates["kappa_quadratic"]
    cells = (figure(row.estimates.get(name), name == "bias") for name in names)
    head = (Cell(row.configuration), Cell(row.criterion), Cell(row.candidate or "all"), Cell(f"{known.n:,}"))
    return (*head, *cells)


def _shots(lab: Lab) -> Section:
    def rows() -> Iterator[tuple[Cell, ...]]:
        for row in lab.shots:
            judge, criterion = Cell(row.judge), Cell(row.criterion)
            yield (
                judge,
                criterion,
                Cell("zero"),
                *spread(row.zero),
                figure(row.zero_flips, share=True),
                figure(row.zero_agreement),
                Cell(""),
            )
            few = (*spread(row.few), figure(row.few_flips, share=True), figure(row.few_agreement))
            yield (judge, criterion, Cell("few"), *few, figure(row.difference, True))

    return Section(
        "2. Zero-shot and few-shot",
        "The spread of the scores (standard deviation in shares of the scale), the information in them, how many lie "
        "at the ends, and how often an answer gets another score when it is graded again. The last column is "
        "few-shot less zero-shot on the same answers.",
        (
            "Judge",
            "Criterion",
            "Shots",
            "sd",
            "Entropy, bits",
            "At the top",
            "At the bottom",
            "Unused levels",
            "Changed",
            "Quadratic kappa",
            "Difference",
        ),
        tuple(rows()),
        3,
    )


def _scales(lab: Lab) -> Section:
    rows = tuple(
        (
            Cell(row.configuration),
            Cell(row.criterion),
            Cell(words.scale_words(row.scale)),
            *spread(row.spread)[1:3],
            figure(row.agreement),
            figure(row.spearman),
            Cell(words.number(row.same_ranking)),
            Cell(words.number(row.true_ranking)),
        )
        for row in lab.scales
    )
    count = lab.scales[0].candidates
    return Section(
        "3. Scales",
        "Each judge on several scales, mapped to that of the labels by stretching it and taking the nearest level. "
        f"Rankings are those of {words.plural(count, 'candidate')} by their means, compared by Kendall's tau-b with "
        "the ranking of the judge as configured, and with that of the labels; of few candidates it says little.",
        (
            "Configuration",
            "Criterion",
            "Scale",
            "Entropy, bits",
            "At the top",
            "Quadratic kappa",
            "Spearman",
            "Same ranking",
            "As the labels rank",
        ),
        rows,
        3,
    )


def _calls(lab: Lab) -> Section:
    rows = tuple(
        (
            Cell(row.judge),
            Cell(f"{row.n:,}"),
            Cell(words.number(row.halo_one)),
            Cell(words.number(row.halo_each)),
            Cell(words.number(row.halo_labels)),
            figure(row.halo_difference, True),
            figure(row.agreement_difference, True),
        )
        for row in lab.calls
    )
    return Section(
        "3. One call for all criteria, or one each",
        "Mean correlation between criteria. Where it is higher than the labels' own, one criterion colours the others "
        "(halo). Differences are a call each less one for all; agreement is the composite's quadratic kappa.",
        ("Judge", "Answers", "One call", "A call each", "Labels", "Difference", "Difference in agreement"),
        rows,
    )


def _transfer(lab: Lab) -> Section:
    return Section(
        "4. From one use to another",
        f"Agreement on {lab.criterion} by tag, and less that on all other answers. The judge does not transfer where "
        "the difference excludes zero; where it holds zero, its width is what is still open. Each tag is looked at by "
        "itself: of 20 without a difference, one excludes zero by chance. Rankings of candidates: judge and labels on "
        "this tag; labels on this tag and "
        "labels on the others, which is whether the benchmark transfers.",
        (
            "Judge",
            "Tag",
            "Answers",
            "Quadratic kappa",
            "Less the others",
            "Judge ranks as labels",
            "Tag ranks as others",
        ),
        tuple(_transferred(row) for row in lab.transfer),
        2,
    )


def _transferred(row: Transfer) -> tuple[Cell, ...]:
    return (
        Cell(row.configuration),
        Cell(row.tag),
        Cell(f"{row.n:,}"),
        figure(row.agreement),
        figure(row.difference, True),
        Cell(words.number(row.judge_ranking)),
        Cell(words.number(row.benchmark_ranking)),
    )


def spread(found: Spread) -> tuple[Cell, ...]:
    """sd, entropy, both ends, unused levels."""
    return (
        Cell(words.number(found.sd)),
        Cell(words.number(found.entropy_bits)),
        Cell(words.percent(found.ceiling)),
        Cell(words.percent(found.floor)),
        Cell(str(found.unused)),
    )


def figure(estimate: Estimate | None, sign: bool = False, share: bool = False) -> Cell:
    """A number over its interval; ``share`` in per cent."""
    if estimate is None:
        return Cell(words.NONE)
    how = f"{estimate.method}, n {estimate.n}"
    if estimate.value is None:
        return Cell(words.NONE, title=how)
    form = words.percent if share else words.signed if sign else words.number
    if estimate.low is None or estimate.high is None:
        return Cell(form(estimate.value), title=how)
    return Cell(form(estimate.value), f"[{form(estimate.low)}, {form(estimate.high)}]", how)
