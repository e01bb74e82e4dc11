"""Which answers are worth learning from. Each that is taken out is counted under the first reason that holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ...harness.records import Failed
from ...harness.refusals import refusal_class
from ...harness.text import is_refusal
from ...harness.tool_calls import functions_of
from .formats import malformed
from .near import repeats, words_of
from .prompts import has_images
from .records import Example, Options


class Filter(NamedTuple):
    """``takes`` says whether an answer is taken out, ``meaning`` why, in words of the card."""

    name: str
    meaning: str
    takes: Callable[[Example], bool]


def _failed(example: Example) -> str:
    outcome = example.asked.answer.outcome
    return outcome.kind if isinstance(outcome, Failed) else ""


def _empty(example: Example) -> bool:
    said = example.said
    return said is None or not (said.text.strip() or said.tool_calls)


def _unknown(example: Example) -> bool:
    said = example.said
    return said is not None and not {call.name for call in said.tool_calls} <= functions_of(example.prompt.tools).keys()


READABLE = (
    Filter("truncated", "cut by the token limit", lambda one: _failed(one) == "truncated"),
    Filter("failed", "no answer", lambda one: bool(_failed(one))),
    Filter("empty", "neither text nor calls", _empty),
    Filter("image", "a part of the prompt is no text", lambda one: has_images(one.prompt.messages)),
    Filter("malformed call", "the arguments of a call are no JSON object", malformed),
    Filter("unknown function", "a call of a function that was not offered", _unknown),
)
"""What can be no line at all, whatever anybody says of it."""
UNSAFE = "unsafe"
DUPLICATE, NEAR_DUPLICATE = "duplicate", "near-duplicate"
HELD_OUT, CLASS_FULL = "held out", "class full"
LATER = (
    (DUPLICATE, "the same question and the same answer, once normalised"),
    (NEAR_DUPLICATE, "nearly the same question and answer as a better or an earlier one"),
    (HELD_OUT, "its cluster is in the test split"),
    (CLASS_FULL, "its class has enough"),
)


def filters(options: Options) -> tuple[Filter, ...]:
    """Those that ``options`` ask for, in the order in which they are applied."""
    found = list(READABLE)
    if not options.unsafe:
        found.append(Filter(UNSAFE, "by a label, else by a judge of safety", lambda one: one.graded.unsafe))
    if not options.refusals:
        found.append(Filter("refusal", "declines to answer", _refuses))
    if options.agreement is not None:
        bound = options.agreement
        found.append(
            Filter(
                "judges disagree",
                f"their scores are more than {bound:g} of the scale apart",
                lambda one: not one.graded.labelled and (one.graded.spread or 0.0) > bound + 1e-9,
            )
        )
    if options.min_score is not None:
        found += _by_score(options.min_score)
    return tuple(found)


def _by_score(least: float) -> Iterable[Filter]:
    def low(score: float | None) -> bool:
        return score is not None and score < least - 1e-9

    yield Filter("unscored", "nobody scored it", lambda one: one.graded.score is None)
    yield Filter(
        "people disagree",
        f"the judge gives {least:g} or more, people less",
        lambda one: one.graded.labelled and low(one.graded.score) and not low(one.graded.own),
    )
    yield Filter("low score", f"below {least:g}", lambda one: low(one.graded.score))


def sieved(examples: Iterable[Example], by: Sequence[Filter]) -> tuple[list[Example], Counter[str]]:
    """What no filter takes out, and how many each took."""
    kept, counts = [], Counter[str]()
    for example in examples:
        name = next((one.name for one in by if one.takes(example)), "")
        if name:
            counts[name] += 1
        else:
            kept.append(example)
    return kept, counts


def without_repeats(examples: Sequence[Example]) -> tuple[list[Example], Counter[str]]:
    """Each question with each answer once: of those that are alike the best scored, then the first.

    Only answers of one group are compared: the same words said of other passages are no repetition.
    """
    order = sorted(range(len(examples)), key=lambda i: (-_score(examples[i]), i))
    numbers: dict[str, int] = {}
    groups = [numbers.setdefault(examples[i].group, len(numbers)) for i in order]
    texts = [words_of(text_of(examples[i])) for i in order]
    counts, first, taken = Counter[str](), dict[tuple[int, tuple[str, ...]], int](), set()
    for n, key in enumerate(zip(groups, texts, strict=True)):
        if first.setdefault(key, n) != n:
            counts[DUPLICATE] += 1
            taken.add(order[n])
    unique = list(first.values())
    near = repeats([texts[n] for n in unique], [groups[n] for n in unique])
    counts[NEAR_DUPLICATE] += len(near)
    taken.update(order[unique[n]] for n in near)
    return [example for i, example in enumerate(examples) if i not in taken], counts


def text_of(example: Example) -> str:
    """What was asked and answered, calls included: what makes two lines the same."""
    said, sample = example.said, example.asked.sample
    asked = [message.get("content") for message in sample.messages if message.get("role") == "user"]
    parts = [*asked, sample.question, *sample.turns]
    texts = [part if isinstance(part, str) else "" for part in parts]
    if said is not None:
        texts += said.turns or (said.text,)
        texts += [f"{call.name} {call.arguments}" for call in said.tool_calls]
    return "\n".join(texts)


def _score(example: Example) -> float:
    score = example.graded.score
    return float("-inf") if score is None else score


def _refuses(example: Example) -> bool:
    said = example.said
    if said is None or said.tool_calls:
        return False
    return is_refusal(said.text) or refusal_class(said.text) == "full_refusal"
