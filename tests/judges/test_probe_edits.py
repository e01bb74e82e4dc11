"""The edits of right answers: each does what it says and nothing else, on any text."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markscheme.judges.probes import citations, edits
from markscheme.judges.probes.attacks import ATTACKS, PASTED, design
from markscheme.judges.probes.base import drawn
from markscheme.judges.probes.perturbation import design as perturbed
from markscheme.judges.probes.verbosity import FILLER, padded
from planted_judges import rubric, samples

TEXT = "In 1854 the bridge at Delft is 57 metres long. It can carry 3.5 tons, because the NDCG of Oslo does not apply."
NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
words = st.sampled_from(
    "the bridge is long it can not 12 0.57 1,000 Delft F1 é 東京 🙂 does cannot because each . ? \n".split(" ")
)
texts = st.one_of(st.lists(words, max_size=30).map(" ".join), st.text(max_size=80))
seeds = st.integers(0, 2**32)
ALL = (
    edits.wrong_number,
    edits.near_number,
    edits.negation,
    edits.dropped_sentence,
    edits.swapped_entity({"Jena", "Porto"}, ""),
    edits.irrelevant(["Another answer.", "The bridge."]),
    citations.wrong_citation({"Jena"}, ""),
    *edits.PRESERVING.values(),
)


@pytest.mark.parametrize("edit", ALL)
@given(text=texts, seed=seeds)
def test_an_edit_changes_the_text_or_says_that_it_cannot(edit, text, seed):
    changed = edit(text, Random(seed))
    assert changed is None or changed != text
    assert changed == edit(text, Random(seed))


@pytest.mark.parametrize("edit", [edits.wrong_number, edits.near_number])
@given(text=texts, seed=seeds)
def test_the_number_edits_change_exactly_one_number_and_nothing_else(edit, text, seed):
    changed = edit(text, Random(seed))
    if changed is None:
        return
    before, after = NUMBER.findall(text), NUMBER.findall(changed)
    assert len(before) == len(after)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    assert NUMBER.sub("#", text) == NUMBER.sub("#", changed)


def test_a_wrong_number_is_far_off_and_a_near_one_is_near():
    assert edits.wrong_number("It is 0.57.", Random(0)) == "It is 0.17."
    assert edits.near_number("It is 0.57.", Random(0)) == "It is 0.58."
    assert edits.wrong_number("It takes 1,200 steps.", Random(0)) == "It takes 6,200 steps."
    assert edits.wrong_number("No figure in F1 or BM25.", Random(0)) is None


@given(text=texts, seed=seeds)
def test_negation_adds_or_takes_away_one_not_and_leaves_all_other_words(text, seed):
    changed = edits.negation(text, Random(seed))
    if changed is None:
        return
    before, after = Counter(re.findall(r"\w+", text)), Counter(re.findall(r"\w+", changed))
    difference = {word: after[word] - before[word] for word in before | after if after[word] != before[word]}
    assert difference in ({"not": 1}, {"not": -1}, {"cannot": -1, "can": 1})


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("A tie counts, so it is a win.", "A tie counts, so it is not a win."),
        ("It does not help.", "It does help."),
        ("One cannot pool them.", "One can pool them."),
    ],
)
def test_negation_turns_a_statement_round(text, turned):
    assert edits.negation(text, Random(1)) == turned


@pytest.mark.parametrize("name", ["bold", "bullets", "white space"])
@given(text=texts, seed=seeds)
def test_formatting_keeps_every_word_in_its_order(name, text, seed):
    changed = edits.PRESERVING[name](text, Random(seed))
    if changed is not None:
        letters = re.compile(r"[\w.,?!]")
        assert letters.findall(changed.replace("*", "")) == letters.findall(text.replace("*", ""))


def test_synonyms_replace_only_words_of_the_list():
    changed = edits.synonyms(TEXT, Random(0))
    assert changed == TEXT.replace("because", "since")
    assert edits.synonyms("Nothing here.", Random(0)) is None
    assert not set(edits.SYNONYMS) & set(edits.SYNONYMS.values())


def test_no_synonym_says_the_opposite_of_its_word():
    assert all(("not" in word) == ("not" in other) for word, other in edits.SYNONYMS.items())


def test_a_swapped_name_comes_from_elsewhere_and_stands_in_every_place():
    changed = edits.swapped_entity({"Jena", "Delft"}, "A question about Porto.")(
        "Go to BM25 in Delft, then Delft.", Random(0)
    )
    assert changed in ("Go to Jena in Delft, then Delft.", "Go to BM25 in Jena, then Jena.")
    assert edits.swapped_entity({"Jena"}, "of Jena")("In Delft it is Oslo.", Random(0)) is None


def test_the_first_word_of_a_sentence_is_no_name():
    assert edits.entities("Precision is high. The NDCG of Oslo is not.") == {"NDCG", "Oslo"}


def test_the_longest_sentence_is_dropped():
    assert edits.dropped_sentence("Short. This one is much longer. End.", Random(0)) == "Short. End."
    assert edits.dropped_sentence("Only one.", Random(0)) is None


@given(text=texts.filter(str.strip), share=st.sampled_from([0.5, 1.0]))
def test_padding_adds_about_its_share_and_keeps_the_text_in_front(text, share):
    long = padded(text, share)
    added = len(long) - len(text.rstrip())
    assert long.startswith(text.rstrip())
    assert share * len(text) <= added <= share * len(text) + max(map(len, FILLER)) + 1


def test_the_filler_shares_no_figure_and_no_name_with_any_question():
    assert not NUMBER.search(" ".join(FILLER))
    assert edits.entities(" ".join(FILLER)) == set()


def test_edits_are_spread_over_items_and_kinds_and_are_the_same_for_a_seed():
    asked = samples(60)
    made = [item for item in perturbed(asked, 100, 7) if item.severity == "severe"]
    assert made == [item for item in perturbed(asked, 100, 7) if item.severity == "severe"]
    assert [i.text for i in made] != [i.text for i in perturbed(asked, 100, 8) if i.severity == "severe"]
    assert set(Counter(item.kind for item in made).values()) <= set(range(20, 31))
    assert max(Counter(item.sample.id for item in made).values()) == 2
    assert len({(item.sample.id, item.text) for item in made}) == 100
    assert all(item.text != item.sample.reference for item in made)


def test_every_edit_has_its_reference_graded_beside_it():
    items = perturbed(samples(20), 10, 0)
    bases = {item.key: item for item in items if not item.base}
    assert {item.base for item in items if item.base} == set(bases)
    assert all(base.text == base.sample.reference for base in bases.values())


def test_attacks_come_alike_often_one_to_a_question_as_long_as_there_are_questions():
    made = [item for item in design(samples(120), rubric(), 100, 0) if item.kind != PASTED]
    assert max(Counter(item.sample.id for item in made).values()) == 1
    counts = Counter(item.kind for item in made)
    assert set(counts) == set(ATTACKS) - {"empty"}, "the rubric grades an empty answer, and no judge is asked"
    assert max(counts.values()) - min(counts.values()) <= 1


def test_the_fake_verdict_fits_the_rubric_and_the_break_out_tries_to_close_its_fence():
    made = {item.kind: item.text for item in design(samples(30), rubric(), 30, 0)}
    assert '"correctness"' in made["fake verdict"]
    assert '"score": 3' in made["fake verdict"]
    assert "</answer>" in made["break-out"]


def test_drawing_takes_from_every_group_before_it_takes_twice():
    items = [f"{group}{k}" for group in "abcde" for k in range(4)]
    chosen = drawn(items, 7, 3, [item[0] for item in items])
    assert len(set(chosen)) == 7
    assert {item[0] for item in chosen} == set("abcde")
    assert chosen == drawn(items, 7, 3, [item[0] for item in items])


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("It holds [1].", "It holds [2]."),
        ("As Section 3.1 says.", "As Section 3.2 says."),
        ("See Table 4 and table 9.", "See Table 9 and table 9."),
        ("So it is (Smith 2020).", "So it is (Jones 2020)."),
        ("So found Smith et al. (2020).", "So found Jones et al. (2020)."),
        ("(Smith & Weiss, 2019a) agree.", "(Jones & Weiss, 2019a) agree."),
    ],
)
def test_a_wrong_citation_points_elsewhere_and_changes_nothing_else(text, wrong):
    edited = {citations.wrong_citation({"Jones", "Smith"}, "")(text, Random(seed)) for seed in range(8)}
    assert wrong in edited
    assert all(len(citations.citations(other)) == len(citations.citations(text)) for other in edited)


def test_a_source_that_the_text_cites_too_is_taken_before_any_other():
    edit = citations.wrong_citation({"Jones"}, "")
    assert {edit("Here [1], there [7].", Random(seed)) for seed in range(8)} == {
        "Here [7], there [7].",
        "Here [1], there [1].",
    }
    assert {edit("(Smith 2020) and (Weiss 2021)", Random(seed)) for seed in range(8)} == {
        "(Weiss 2020) and (Weiss 2021)",
        "(Smith 2020) and (Smith 2021)",
    }


@pytest.mark.parametrize("text", ["In 2020 it was 3 metres [sic].", "Smith said so.", "(see above)", ""])
def test_what_cites_nothing_has_no_wrong_citation(text):
    assert citations.wrong_citation({"Jones"}, "")(text, Random(0)) is None


def test_an_author_who_stands_in_the_context_is_no_wrong_one():
    assert citations.wrong_citation({"Jones"}, "Jones wrote it.")("So it is (Smith 2020).", Random(0)) is None
