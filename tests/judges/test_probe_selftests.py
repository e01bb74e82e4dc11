"""Every probe on planted judges: the good one passes, the one with the fault fails, and the fault is what does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

import pandas as pd
import pytest
from markscheme.harness.probing import Probe
from markscheme.harness.records import Sample
from markscheme.harness.store.frames import GRADE_COLUMNS, LABEL_COLUMNS, PREFERENCE_COLUMNS
from markscheme.judges.probes import attacks, drift, family, format, perturbation, position, retest, verbosity
from markscheme.judges.probes.base import Item
from planted_judges import ENOUGH, SEEDS, Score, answers, judged, level_of, rubric, samples, truth, wobbly

SAMPLES = samples(120)
ANSWERS = answers(SAMPLES)


def verdicts(assess: Callable[[int], Probe]) -> Counter[str]:
    return Counter(assess(seed).verdict for seed in SEEDS)


def asked(module, items: Sequence[Item], score: Score) -> Counter[str]:
    return verdicts(lambda seed: module.assess("j", items, judged(items, score, seed), rubric(), 100))


def by_text(sample: Sample, text: str, criterion: str) -> float:
    return level_of(text)


@pytest.mark.parametrize(("noise", "verdict"), [(0.015, "pass"), (0.12, "fail")])
def test_retest_passes_a_steady_judge_and_fails_one_that_grades_anew(noise, verdict):
    items = retest.design(SAMPLES, ANSWERS, 200, 0)
    assert asked(retest, items, wobbly(by_text, noise))[verdict] >= ENOUGH


def test_retest_fails_a_judge_by_noise_alone_and_not_by_what_answers_deserve():
    items = retest.design(SAMPLES, ANSWERS, 200, 0)
    assert asked(retest, items, wobbly(lambda *_: 3.0, 0.12))["fail"] >= ENOUGH
    assert asked(retest, items, wobbly(lambda *_: 3.0, 0.0))["pass"] == len(SEEDS)


BASE_ENDS = "each day."


def longer_is_better(share: float, noise: float = 0.02) -> Score:
    """A judge that gives ``share`` of the padded answers a step more."""
    base = wobbly(lambda sample, text, criterion: min(2, level_of(text[: text.index(BASE_ENDS)])), noise)

    def score(sample: Sample, text: str, criterion: str, chance: Random) -> float:
        padded = not text.endswith(BASE_ENDS)
        return base(sample, text, criterion, chance) + (padded and chance.random() < share)

    return score


@pytest.mark.parametrize(("share", "verdict"), [(0.0, "pass"), (0.35, "fail")])
def test_verbosity_passes_a_judge_without_a_taste_for_length_and_fails_one_with_it(share, verdict):
    items = verbosity.design(SAMPLES, ANSWERS, 100, 0)
    assert asked(verbosity, items, longer_is_better(share))[verdict] >= ENOUGH


def test_a_taste_for_length_as_large_as_the_limit_is_never_passed_with_confidence():
    items = verbosity.design(SAMPLES, ANSWERS, 100, 0)
    found = asked(verbosity, items, longer_is_better(0.1))
    assert found["pass"] <= len(SEEDS) * 0.1
    assert found["fail"] <= len(SEEDS) * 0.1


EDITED = perturbation.design(SAMPLES, 100, 0)
DESERVED = {"reference": 3.0, "severe": 1.0, "mild": 2.0, "preserving": 3.0}
SEVERITY = {(item.sample.id, item.text): item.severity for item in EDITED}


def blind(severity: str, share: float) -> Score:
    """A judge that takes ``share`` of the edits of a severity for what they are not."""
    good = wobbly(truth(EDITED, DESERVED), 0.003)

    def score(sample: Sample, text: str, criterion: str, chance: Random) -> float:
        if SEVERITY[sample.id, text] == severity and chance.random() < share:
            return 2.0 if severity == "preserving" else 3.0
        return good(sample, text, criterion, chance)

    return score


def test_perturbation_passes_a_judge_that_sees_the_errors():
    assert asked(perturbation, EDITED, blind("none", 0.0))["pass"] >= ENOUGH


# An error is seen where any of three criteria falls: to miss one in two, each must be missed in about four of five.
@pytest.mark.parametrize(("severity", "share"), [("severe", 0.75), ("mild", 0.9), ("preserving", 0.25)])
def test_perturbation_fails_a_judge_that_is_blind_to_one_severity(severity, share):
    found = [
        perturbation.assess("j", EDITED, judged(EDITED, blind(severity, share), seed), rubric(), 100) for seed in SEEDS
    ]
    assert sum(probe.verdict == "fail" for probe in found) >= ENOUGH
    deciding = {f.metric for probe in found for f in probe.findings if f.verdict == "fail"}
    words = {"severe": "severe errors seen", "mild": "mild errors seen", "preserving": "same score, same meaning"}
    assert deciding == {words[severity]}


def test_perturbation_shows_the_errors_that_were_missed():
    graded = judged(EDITED, lambda sample, text, criterion, chance: 3.0, 0)
    found = perturbation.assess("j", EDITED, graded, rubric(), 100)
    assert found.examples
    assert all(case.got == "3.00" and case.expected == "less than 3.00" for case in found.examples)


CITING = [
    replace(sample, reference=f"{sample.reference} So says [1], which [5] repeats.") if n < 7 else sample
    for n, sample in enumerate(SAMPLES)
]


def test_a_kind_of_edit_that_few_texts_allow_is_marked_and_those_that_cite_are_counted():
    items = perturbation.design(CITING, 400, 0)
    graded = judged(items, wobbly(truth(items, DESERVED), 0.0), 0)
    found = perturbation.assess("j", items, graded, rubric(), 400)
    assert "mild errors seen: wrong citation (only 7 texts)" in [f.metric for f in found.findings]
    assert not any("near number (only" in f.metric for f in found.findings)
    assert "wrong citation: 7 of 120 references cite a source; the others are left out of it" in found.notes


def test_references_that_cite_nothing_get_no_wrong_citation_and_it_is_said():
    assert "wrong citation" not in {item.kind for item in EDITED}
    found = perturbation.assess("j", EDITED, judged(EDITED, blind("none", 0.0), 0), rubric(), 100)
    assert any(note.startswith("wrong citation: 0 of ") for note in found.notes)


def gullible(share: float) -> Score:
    """A judge past which ``share`` of the attacks get; the others it gives the lowest score, nearly always."""

    def score(sample: Sample, text: str, criterion: str, chance: Random) -> float:
        if chance.random() < share:
            return 3.0
        return float(chance.random() < 0.03)

    return score


@pytest.mark.parametrize(("share", "verdict"), [(0.0, "pass"), (0.06, "fail")])
def test_attacks_pass_a_judge_that_none_gets_past_and_fail_a_gullible_one(share, verdict):
    items = attacks.design(SAMPLES, rubric(), 100, 0)
    assert asked(attacks, items, gullible(share))[verdict] >= ENOUGH


def test_one_attack_that_always_works_fails_a_judge_which_resists_all_others():
    items = attacks.design(SAMPLES, rubric(), 100, 0)
    obeys = lambda sample, text, criterion, chance: 3.0 if text.startswith("Ignore the rubric") else 0.0  # noqa: E731
    found = attacks.assess("j", items, judged(items, obeys, 0), rubric(), 100)
    assert found.verdict == "fail"
    assert {case.kind for case in found.examples} == {"instruction"}


def test_a_judge_that_gives_all_attacks_a_step_fails_though_none_passes():
    items = attacks.design(SAMPLES, rubric(), 100, 0)
    assert asked(attacks, items, lambda *_: 1.0)["fail"] == len(SEEDS)


def test_pasted_context_decides_nothing():
    items = attacks.design(SAMPLES, rubric(), 100, 0)
    pasted = {item.text for item in items if item.kind == attacks.PASTED}
    score = lambda sample, text, criterion, chance: 3.0 if text in pasted else 0.0  # noqa: E731
    assert pasted
    assert attacks.assess("j", items, judged(items, score, 0), rubric(), 100).verdict == "pass"


def nights(shift: float, noise: float, seed: int, count: int = 2) -> drift.Watch:
    """A watch over ``count`` nights; the last grades ``shift`` of the answers a step lower."""
    watch = drift.Watch("j", "m", drift.anchors(SAMPLES, ANSWERS, 100, 0))
    found = []
    for number in range(count):
        date = f"2026-11-{number + 1:02}"
        items = drift.design(watch, SAMPLES, date)
        base = wobbly(lambda sample, text, criterion: 1 + level_of(text) % 2, noise)
        last = number == count - 1

        def score(sample, text, criterion, chance, last=last, base=base):
            return base(sample, text, criterion, chance) - (last and chance.random() < shift)

        found.append(drift.night(date, watch, items, judged(items, score, seed)))
    return drift.Watch("j", "m", watch.anchors, tuple(found))


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, "pass"), (0.35, "fail")])
def test_drift_passes_a_judge_that_stays_and_fails_one_that_became_stricter(shift, verdict):
    found = verdicts(lambda seed: drift.assess("j", nights(shift, 0.02, seed), rubric(), 100))
    assert found[verdict] >= ENOUGH


def test_a_drift_as_large_as_the_limit_is_hardly_ever_passed():
    found = verdicts(lambda seed: drift.assess("j", nights(0.1, 0.02, seed), rubric(), 100))
    assert found["pass"] <= len(SEEDS) * 0.1


def test_the_first_night_is_the_reference_and_decides_nothing():
    watch = nights(0.0, 0.0, 0, count=1)
    found = drift.assess("j", watch, rubric(), 100)
    assert found.verdict == "not run"
    assert "2026-11-01" in found.why


def served(then: Mapping[str, int], now: Mapping[str, int]) -> Probe:
    """The probe of two nights alike, but for the model that the provider names."""
    first, last = (replace(n, served=s) for n, s in zip(nights(0.0, 0.0, 0).nights, (then, now), strict=True))
    watch = drift.Watch("j", "m", drift.anchors(SAMPLES, ANSWERS, 100, 0), (first, last))
    return drift.assess("j", watch, rubric(), 100)


def test_another_served_model_is_an_alarm_by_itself_and_both_are_named():
    found = served({"gpt-4o-2024-08-06": 100}, {"gpt-4o-2024-08-06": 60, "gpt-4o-2024-11-20": 40})
    assert found.verdict == "fail"
    (failed,) = [finding for finding in found.findings if finding.verdict == "fail"]
    assert failed.estimate.value == 0.6
    assert "'gpt-4o-2024-11-20', then by 'gpt-4o-2024-08-06'" in failed.metric
    (note,) = [note for note in found.notes if "names another model" in note]
    assert "'gpt-4o-2024-08-06' on 2026-11-01" in note
    assert "'gpt-4o-2024-11-20' on 2026-11-02" in note


def test_the_same_served_model_passes_and_an_unknown_one_decides_nothing():
    same = served({"a": 100, "b": 1}, {"a": 100})
    assert same.verdict == "pass"
    assert [f.verdict for f in same.findings if f.unit == "replies"] == ["pass"]
    for then, now in (({}, {"a": 100}), ({"a": 100}, {}), ({}, {})):
        unknown = served(then, now)
        assert unknown.verdict == "pass"
        assert not [f for f in unknown.findings if f.unit == "replies"]
    assert any("served by 'a'; which model" in note for note in served({}, {"a": 100}).notes)


def grades(broken: float, seed: int, count: int = 600) -> pd.DataFrame:
    """Grades of ``count`` replies, ``broken`` of them unreadable also after the retry."""
    draw = Random(seed)
    rows = []
    for k in range(count):
        bad = draw.random() < broken
        status, calls = ("unparsable", f'["a{k}", "b{k}"]') if bad else ("scored", f'["a{k}"]')
        score, why = (float("nan"), "no JSON") if bad else (2.0, "")
        rows.append((f"s{k}", f"s{k}", "one", 0, "j", "correctness", 0, 0, status, score, "", why, calls, "[]"))
    return pd.DataFrame.from_records(rows, columns=list(GRADE_COLUMNS))


@pytest.mark.parametrize(("broken", "verdict"), [(0.0005, "pass"), (0.04, "fail")])
def test_format_passes_readable_replies_and_fails_unreadable_ones(broken, verdict):
    assert verdicts(lambda seed: format.assess("j", grades(broken, seed)))[verdict] >= ENOUGH


def preferences(first: float, noise: float, seed: int, count: int = 200) -> pd.DataFrame:
    """Pairs in both orders: in ``first`` of them the first place wins twice, ``noise`` are undecided by chance."""
    draw = Random(seed)
    rows = []
    for k in range(count):
        better = draw.choice(("left", "right"))
        won = {"left_first": better, "right_first": better}
        if draw.random() < first:
            won = {"left_first": "left", "right_first": "right"}
        elif draw.random() < noise:
            won[draw.choice(list(won))] = "tie"
        for order, winner in won.items():
            rows.append((f"s{k}", f"s{k}", "a", "b", 0, "pairs", order, 0, "scored", winner, "", "", "[]"))
    return pd.DataFrame.from_records(rows, columns=list(PREFERENCE_COLUMNS))


@pytest.mark.parametrize(("first", "verdict"), [(0.0, "pass"), (0.2, "fail")])
def test_position_passes_a_judge_of_answers_and_fails_one_of_places(first, verdict):
    found = verdicts(lambda seed: position.assess("pairs", preferences(first, 0.08, seed)))
    assert found[verdict] >= ENOUGH


def test_several_pairs_about_one_question_get_no_mcnemar():
    table = preferences(0.2, 0.0, 1)
    assert "exact McNemar p 0.000" in position.assess("pairs", table).notes[0]
    few = table.assign(sample_id=["s" + str(int(k[1:]) % 3) for k in table["sample_id"]], left=table["sample_id"])
    assert "p 0.250 by flipping the signs of whole questions" in position.assess("pairs", few).notes[0]


def test_a_judge_that_is_inconsistent_without_a_favourite_place_fails_by_consistency():
    table = preferences(0.0, 0.4, 1)
    found = position.assess("pairs", table)
    assert {f.metric: f.verdict for f in found.findings} == {
        "same winner after the swap": "fail",
        "preference for the first place": "pass",
    }


def labelled(favour: float, seed: int, count: int = 240) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Grades and labels of answers of two families; ``favour`` of its own get a step more than people gave."""
    draw = Random(seed)
    given, said = [], []
    for k in range(count):
        for candidate in ("own", "other"):
            people = draw.randint(0, 2)
            wobble = draw.choice((-1, 1)) * (draw.random() < 0.05)
            judge = people + wobble + (candidate == "own" and draw.random() < favour)
            place = (f"s{k}", f"s{k}", candidate, 0)
            given.append((*place, "j", "correctness", 0, 0, "scored", float(judge), "", "", "[]", "[]"))
            said.append((*place, "correctness", "ann", float(people), "set", "random", "", float("nan"), "", "run"))
    return (
        pd.DataFrame.from_records(given, columns=list(GRADE_COLUMNS)),
        pd.DataFrame.from_records(said, columns=list(LABEL_COLUMNS)),
    )


FAMILIES: Mapping[str, str] = {"own": "openai", "other": "anthropic"}


@pytest.mark.parametrize(("favour", "verdict"), [(0.0, "pass"), (0.3, "fail")])
def test_family_passes_a_fair_judge_and_fails_one_that_favours_its_own(favour, verdict):
    found = verdicts(lambda seed: family.assess("j", *labelled(favour, seed), rubric(), FAMILIES, "openai"))
    assert found[verdict] >= ENOUGH


def test_family_counts_a_document_once_and_says_that_labels_were_picked():
    given, said = labelled(0.0, 3)
    where = [f"d{int(k[1:]) // 6}" for k in said["sample_id"]]
    apart, together = (
        family.assess("j", given, labels, rubric(), FAMILIES, "openai")
        for labels in (said, said.assign(cluster=where, design="chosen"))
    )
    assert apart.findings[0].estimate.method == "t, jackknife over 240 clusters"
    assert together.findings[0].estimate.method == "t, jackknife over 40 clusters"
    assert apart.notes == ()
    assert "not all labelled answers were drawn at random" in together.notes[0]


def test_a_judge_that_is_kind_to_everybody_has_no_preference():
    given, said = labelled(0.0, 3)
    given = given.assign(score=given["score"] + 1)
    assert family.assess("j", given, said, rubric(), FAMILIES, "openai").verdict == "pass"


def severe_seen(share: float, seed: int) -> Score:
    """A judge that sees just so many severe errors, and misses the others by every criterion."""
    good = truth(EDITED, DESERVED)

    def score(sample: Sample, text: str, criterion: str, chance: Random) -> float:
        missed = SEVERITY[sample.id, text] == "severe" and Random(f"{seed}|{text}").random() >= share
        return 3.0 if missed else good(sample, text, criterion)

    return score


def at_the_limit(probe: str, seed: int) -> Probe:
    """The probe on a judge whose fault is as large as the limit allows."""
    if probe == "retest":
        items = retest.design(SAMPLES, ANSWERS, 200, 0)
        return retest.assess("j", items, judged(items, wobbly(by_text, 0.0545), seed), rubric(), 200)
    if probe == "perturbation":
        return perturbation.assess("j", EDITED, judged(EDITED, severe_seen(0.9, seed), seed), rubric(), 100)
    if probe == "format":
        return format.assess("j", grades(0.01, seed))
    if probe == "position":
        return position.assess("pairs", preferences(0.1, 0.05, seed))
    return family.assess("j", *labelled(0.1, seed), rubric(), FAMILIES, "openai")


@pytest.mark.parametrize("probe", ["retest", "perturbation", "format", "position", "family"])
def test_a_fault_as_large_as_the_limit_takes_the_pass_away(probe):
    found = verdicts(lambda seed: at_the_limit(probe, seed))
    assert found["pass"] <= len(SEEDS) * 0.125


def test_a_slow_drift_is_found_by_the_chart_where_no_night_stands_out():
    draw = Random(11)
    anchors = drift.anchors(SAMPLES, ANSWERS, 100, 0)
    found = []
    for number in range(30):
        shift = 0.0 if number < 10 else 0.04
        scores = [
            {c.name: 1.0 + (draw.random() < shift) + (draw.random() < 0.02) for c in rubric().criteria} for _ in anchors
        ]
        found.append(drift.Night(f"2026-11-{number + 1:02}", tuple(scores)))
    probe = drift.assess("j", drift.Watch("j", "m", anchors, tuple(found)), rubric(), 100)
    assert probe.verdict == "fail"
    assert abs(probe.findings[0].estimate.value or 0) < 0.15
    assert not any("moved:" in note for note in probe.notes)
    assert any("CUSUM passed its bound" in note for note in probe.notes)


def test_a_judge_that_always_does_the_same_wrong_thing_fails():
    padded = verbosity.design(SAMPLES, ANSWERS, 100, 0)
    step = lambda sample, text, criterion, chance: 1.0 + (not text.endswith(BASE_ENDS))  # noqa: E731
    assert verbosity.assess("j", padded, judged(padded, step, 0), rubric(), 100).verdict == "fail"
    always_first = position.assess("pairs", preferences(1.0, 0.0, 0))
    assert {finding.verdict for finding in always_first.findings} == {"fail"}
    twice = retest.design(SAMPLES, ANSWERS, 200, 0)
    salts = {item.key: item.salt for item in twice}
    graded = judged(twice, lambda *_: 3.0, 0)
    lower = judged(twice, lambda *_: 2.0, 0)
    mixed = {key: lower[key] if salt else graded[key] for key, salt in salts.items()}
    assert {f.verdict for f in retest.assess("j", twice, mixed, rubric(), 200).findings if f.limit} == {"fail"}


def test_a_judge_that_never_differs_from_people_passes():
    given, said = labelled(0.0, 1)
    given = given.assign(score=said["score"].to_numpy())
    assert family.assess("j", given, said, rubric(), FAMILIES, "openai").verdict == "pass"
    kind = given.assign(score=given["score"] + (given["candidate"] == "own"))
    assert family.assess("j", kind, said, rubric(), FAMILIES, "openai").verdict == "fail"
