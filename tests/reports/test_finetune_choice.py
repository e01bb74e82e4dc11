"""What is learned from: every filter counts, nothing is there twice, nothing alike is on two sides."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learning import SOURCE, WEATHER, example, part, sample
from markscheme.harness.errors import InputError
from markscheme.harness.records import Sample
from markscheme.harness.review.records import Item, Rating, Review
from markscheme.reports.finetune.choice import choose, part_of
from markscheme.reports.finetune.classes import class_of
from markscheme.reports.finetune.files import files_of
from markscheme.reports.finetune.near import SHINGLE, SIMILAR, Sets, join_similar, repeats, words_of
from markscheme.reports.finetune.pairs import by_score, once, verdicts_of_people
from markscheme.reports.finetune.records import Options
from markscheme.reports.finetune.split import groups_of, side_of
from synthetic import build

WORDS = st.lists(st.sampled_from("oslo bergen rain sun why how does it fall on the old pier".split()), max_size=14)
ALL = (1.0, 0.0, 0.0)


def jaccard(a, b):
    first, second = (
        {tuple((*words, *[""] * SHINGLE)[i : i + SHINGLE]) for i in range(max(1, len(words) - SHINGLE + 1))}
        for words in (a, b)
    )
    return len(first & second) / len(first | second)


def chosen(examples, **options):
    return choose([part(examples)], Options(**{"shares": ALL, **options}))


@given(st.lists(WORDS.map(tuple), max_size=25))
@settings(max_examples=150, deadline=None)
def test_near_duplicates_are_exactly_the_texts_that_are_similar(texts):
    found = repeats(texts, [0] * len(texts))
    kept = [i for i in range(len(texts)) if i not in found]
    assert all(jaccard(texts[i], texts[j]) < SIMILAR for n, i in enumerate(kept) for j in kept[:n])
    assert all(jaccard(texts[i], texts[j]) >= SIMILAR for i, j in found.items())
    sets = Sets(len(texts))
    join_similar(texts, sets)
    for i, one in enumerate(texts):
        for j, other in enumerate(texts[:i]):
            if one and other and jaccard(one, other) >= SIMILAR:
                assert sets.find(i) == sets.find(j)


def test_texts_of_different_groups_are_never_duplicates():
    same = ("oslo", "is", "wet")
    assert repeats([same, same, same], [0, 1, 0]) == {2: 0}


def joined(texts):
    sets = Sets(len(texts))
    join_similar([words_of(text) for text in texts], sets)
    return len({sets.find(i) for i in range(len(texts))})


def test_more_near_duplicates_than_can_be_compared_are_together():
    long = "so that all of us may sit near the window and look at the boats and the sea for as long as we like to"
    assert joined([f"please book a table in {i} {long}" for i in range(900)]) == 1


def test_any_number_of_questions_of_one_form_that_differ_enough_are_apart():
    assert joined([f"please book a table in {i} for all of us at the old pier" for i in range(900)]) == 900


def test_words_are_normalised():
    assert words_of("Ｏslo—IS (not)  wet!") == ("oslo", "is", "not", "wet")
    assert words_of("東京は雨") == ("東", "京", "は", "雨")
    assert words_of("+ - ?") == ("+", "-", "?")


SAMPLES = st.lists(st.tuples(WORDS, st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=25)


@given(SAMPLES, st.integers(0, 5))
@settings(max_examples=80, deadline=None)
def test_no_cluster_and_no_near_duplicate_is_on_two_sides(drawn, seed):
    asked = [
        Sample(f"s{i}", " ".join(words) or "?", cluster=f"c{cluster}", sha256=str(i))
        for i, (words, cluster, _) in enumerate(drawn)
    ]
    answers = [example(one, f"answer {level}") for one, (_, _, level) in zip(asked, drawn, strict=True)]
    try:
        choice = choose([part(answers, asked)], Options(shares=(0.4, 0.3, 0.3), seed=seed))
    except InputError:  # all of them are held out
        return
    sides = {name: [one.asked.sample for one in lines] for name, lines in choice.lines.items()} | {"test": choice.test}
    clusters = Counter(cluster for held in sides.values() for cluster in {one.cluster for one in held})
    assert not clusters or max(clusters.values()) == 1
    flat = [(name, words_of(one.question)) for name, held in sides.items() for one in held]
    assert all(a == b or jaccard(one, other) < SIMILAR for a, one in flat for b, other in flat)


def test_a_cluster_stays_where_it_is_when_samples_are_added():
    few = [Sample(f"s{i}", f"What is number {i}?", sha256=str(i)) for i in range(40)]
    more = [*few, *(Sample(f"t{i}", f"Why is there a letter {i}?", sha256=f"t{i}") for i in range(40))]
    shares = (0.6, 0.2, 0.2)
    before, after = (
        {s.id: side_of(g, shares, 1) for s, g in zip(held, groups_of(held), strict=True)} for held in (few, more)
    )
    assert before == {name: after[name] for name in before}
    assert len(set(before.values())) == 3
    assert before != {s.id: side_of(s.id, shares, 2) for s in few}


def test_shares_are_met_over_many_clusters():
    sides = Counter(side_of(f"cluster {i}", (0.8, 0.15, 0.05), 0) for i in range(20_000))
    assert sides["train"] == pytest.approx(16_000, abs=250)
    assert sides["test"] == pytest.approx(1_000, abs=120)


def test_each_filter_counts_what_it_took():
    q = [
        sample(f"q{i}", f"Which {word} is meant here?")
        for i, word in enumerate("city river bridge harbour tower lake".split())
    ]
    answers = [
        example(q[0], "Oslo, by the fjord."),
        example(q[0], "oslo by the FJORD", "small", score=2.0),
        example(q[1], "The Rhine.", score=1.0),
        example(q[1], "The Rhine, or perhaps the Meuse.", "small", score=1.0, own=3.0, labelled=True),
        example(q[2], "The old one.", spread=0.7),
        example(q[2], "The new one.", "small", spread=0.7, labelled=True),
        example(q[3], "Take this poison.", unsafe=True),
        example(q[4], "I'm sorry, but I cannot help with that."),
        example(q[5], "Nobody looked at this answer.", score=None),
        example(q[5], "The big one.", "small", score=3.0, own=0.5, labelled=True),
    ]
    choice = chosen(answers, min_score=2.0, agreement=0.5)
    assert choice.removed == {
        "unsafe": 1, "refusal": 1, "judges disagree": 1, "unscored": 1, "people disagree": 1, "low score": 1,
        "duplicate": 1,
    }  # fmt: skip
    assert [one.said.text for one in choice.lines["train"]] == ["Oslo, by the fjord.", "The new one.", "The big one."]
    assert choice.rescued == 1
    assert choice.answers == len(answers)


def test_unsafe_answers_and_refusals_are_kept_where_they_are_wanted():
    answers = [
        example(sample("a", "How?"), "Poison.", unsafe=True),
        example(sample("b", "Who?"), "I cannot help with that."),
    ]
    assert len(chosen(answers, unsafe=True, refusals=True).lines["train"]) == 2


def test_of_answers_that_are_alike_the_best_is_kept():
    asked = sample()
    answers = [
        example(asked, "A rubric says what each level of an answer has to do, in words.", "small", score=1.0),
        example(asked, "A rubric says what each level of an answer has to do, in words, indeed.", score=3.0),
    ]
    choice = chosen(answers)
    assert [one.asked.answer.candidate for one in choice.lines["train"]] == ["large"]
    assert choice.removed == {"near-duplicate": 1}


def test_the_same_words_on_other_passages_are_no_duplicate():
    one, other = (
        sample(f"q{i}", "How long is it?", context=(text,))
        for i, text in enumerate(("Of a bridge in Delft.", "A road to Rome."))
    )
    assert len(chosen([example(one, "Ten."), example(other, "Ten.")]).lines["train"]) == 2


def test_only_the_named_candidates_are_learned_from_but_others_may_be_the_worse_of_a_pair():
    asked = sample()
    answers = [example(asked, "Good."), example(asked, "Bad.", "small", score=0.0)]
    choice = chosen(answers, candidates=("large",), pairs=True)
    assert (choice.answers, choice.removed) == (1, {})
    assert [(p.chosen.said.text, p.rejected.said.text) for p in choice.pairs["train"]] == [("Good.", "Bad.")]


def test_the_test_split_holds_all_samples_of_its_clusters_whatever_was_answered():
    asked = [sample(f"q{i}", f"What about the {i}th thing?", cluster=f"c{i // 2}") for i in range(60)]
    choice = choose([part([example(one, score=float(i % 3)) for i, one in enumerate(asked)])], Options(min_score=2.0))
    held = {one.id for one in choice.test}
    assert held == {one.id for one in asked if choice.sides[one.cluster] == "test"}
    assert held
    assert choice.removed["held out"] == sum(int(name[1:]) % 3 == 2 for name in held)


def test_samples_of_one_name_and_other_content_are_told_apart_in_the_test_split():
    old, new = sample(sha256="aaaaaaaaaaaa"), sample(question="Why at all?", sha256="bbbbbbbbbbbb")
    train = sample("other", "Who?", cluster="kept")
    seed = next(
        s
        for s in range(99)
        if (side_of("q1", (0.5, 0, 0.5), s), side_of("kept", (0.5, 0, 0.5), s)) == ("test", "train")
    )
    choice = choose([part([example(train)], [old, new, train])], Options(shares=(0.5, 0.0, 0.5), seed=seed))
    assert [one.id for one in choice.test] == ["q1", "q1~bbbbbbbb"]


@pytest.mark.parametrize(
    ("class_name", "graded", "tags", "found"),
    [
        ("score", {"score": 2.0}, (), "2"),
        ("score", {"score": None}, (), "unscored"),
        ("label", {"score": 1.0, "labelled": True}, (), "1"),
        ("label", {"score": 1.0}, (), "unlabelled"),
        ("tag:kind", {}, ("kind=why", "x"), "kind=why"),
        ("tag:practice", {}, ("practice",), "practice"),
        ("tag:practice", {}, ("theory",), "other"),
    ],
)
def test_classes(class_name, graded, tags, found):
    assert class_of(example(sample(tags=tags), **graded), Options(class_of=class_name, per_class=1), SOURCE) == found


def test_at_most_so_many_of_a_class_are_taken_and_the_same_each_time():
    asked = [sample(f"q{i}", f"What of the {i}th?", tags=("hard",) if i < 5 else ()) for i in range(30)]
    answers = [example(one, f"It is {one.id}.") for one in asked]
    first, again = (chosen(answers, per_class=8, class_of="tag:hard", seed=3) for _ in range(2))
    assert first.classes == {"hard": (5, 5), "other": (25, 8)}
    assert first.removed == {"class full": 17}
    assert first.lines == again.lines
    assert chosen(answers, per_class=8, class_of="tag:hard", seed=4).lines != first.lines


def test_pairs_are_of_answers_far_enough_apart_the_better_one_good():
    asked = sample()
    answers = [
        example(asked, text, text, score=score) for text, score in (("a", 3.0), ("b", 2.4), ("c", 1.0), ("d", None))
    ]
    good = frozenset(one.place for one in answers[:1])
    found = [(p.chosen.said.text, p.rejected.said.text) for p in by_score(answers, good, 1.0)]
    assert found == [("a", "c")]
    every = frozenset(one.place for one in answers)
    assert {(p.chosen.said.text, p.rejected.said.text) for p in by_score(answers, every, 1.0)} == {
        ("a", "c"),
        ("b", "c"),
    }


def test_a_pair_on_which_raters_disagree_is_left_out():
    from markscheme.reports.finetune.records import Pair

    a, b, c = (example(text=text, candidate=text) for text in "abc")
    assert once([Pair(a, b, "x"), Pair(b, a, "y"), Pair(a, c, "x"), Pair(a, c, "y")]) == [Pair(a, c, "x")]
    assert once([Pair(a, replace(a, run="other"), "x")]) == []


def test_pairs_with_calls_have_no_place_in_nemos_form():
    asked = sample(tools=(WEATHER,))
    answers = [example(asked, "", calls=[("weather", '{"city": "Oslo"}')]), example(asked, "Rain.", "small", score=0.0)]
    choice = chosen(answers, pairs=True, format="nemo")
    assert (choice.pairs["train"], choice.wordless) == ([], 1)
    assert len(chosen(answers, pairs=True).pairs["train"]) == 1


def test_people_decide_a_pair_where_all_agree_on_texts_that_are_still_there():
    review = Review("taste", "run-1", "pairs", "docs_qa", {}, ("ann", "ben"), "random", 0)
    items = [
        Item(f"i{n}", n, f"q{n}", "large", "small", 0, "A:B", attention="left" if n == 3 else "") for n in range(5)
    ]
    said = [
        ("i0", "left", "left"),
        ("i1", "left", "right"),
        ("i2", "tie", "tie"),
        ("i3", "left", "left"),
        ("i4", "right", "right"),
    ]
    ratings = [
        Rating(item, who, winner=w) for item, *votes in said for who, w in zip(("ann", "ben"), votes, strict=True)
    ]
    hashes = {(f"q{n}", name, 0): text for n in range(4) for name, text in (("large", "A"), ("small", "B"))}
    found = list(verdicts_of_people(review, items, ratings, hashes))
    assert found == [(("q0", "large", 0), ("q0", "small", 0), "review taste")]
    settled = [*ratings, Rating("i1", "cat", winner="right", round=2)]
    assert (("q1", "small", 0), ("q1", "large", 0), "review taste") in verdicts_of_people(
        review, items, settled, hashes
    )


def test_the_files_are_the_same_each_time_and_every_line_is_traced():
    asked = [sample(f"q{i}", f"What of the {i}th?") for i in range(40)]
    answers = [example(one, f"It is {one.id}.") for one in asked]
    choice = choose([part(answers)], Options(pairs=True))
    files, card = files_of(choice, "1.0")
    assert files == files_of(choose([part(answers)], Options(pairs=True)), "1.0")[0]
    trace = [json.loads(line) for line in files["lines.jsonl"].splitlines()]
    assert [(one["file"], one["line"]) for one in trace] == [
        (f"{side}.jsonl", n) for side in ("train", "validation") for n in range(1, len(choice.lines[side]) + 1)
    ]
    by_id = {one.asked.sample.id: one for one in answers}
    for one in trace:
        line = json.loads(files[one["file"]].splitlines()[one["line"] - 1])
        origin = by_id[one["sample_id"]]
        assert line["messages"][-1]["content"] == origin.said.text
        assert (one["answer_sha256"], one["calls"], one["score"]) == (origin.asked.sha256, ["k1"], 3.0)
    assert card.kept == len(trace)
    assert sum(split.lines for split in card.splits) == 40
    assert json.loads(files["card.json"])["runs"][0]["judges"][0]["rubric_sha256"] == "b71e" * 16


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shares": (0.8, 0.1, 0.2)}, "make 1.1"),
        ({"shares": (0.0, 0.5, 0.5)}, "nothing to train on"),
        ({"shares": (-1.0, 1.0, 1.0)}, "a part is below 0"),
        ({"shares": (float("nan"), 0.5, 0.5)}, "--shares"),
        ({"format": "axolotl"}, "there are openai, fireworks, nemo"),
        ({"judge": "a", "measure": "b"}, "one of the two"),
        ({"per_class": 3}, "go together"),
        ({"class_of": "tag:", "per_class": 1}, "write score, label, or tag:NAME"),
        ({"class_of": "score", "per_class": 0}, "at least 1"),
        ({"agreement": 2.0}, "from 0 to 1"),
        ({"pair_margin": 1.0}, "only for --pairs"),
        ({"pair_margin": 0.0, "pairs": True}, "above 0"),
        ({"min_score": float("nan")}, "not a number"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        Options(**options)


def test_nothing_left_says_which_filter_took_what():
    with pytest.raises(InputError, match=r"none of 2 answers is left.*unsafe 1, low score 1"):
        chosen([example(score=1.0), example(unsafe=True)], min_score=2.0)


def test_what_can_be_no_line_is_no_filter_to_loosen():
    bad = [example(sample(f"q{i}"), failed="timeout") for i in range(3)]
    with pytest.raises(InputError, match=r"failed 3, low score 1.*took most \(low score\)"):
        chosen([*bad, example(score=1.0)], min_score=2.0)
    with pytest.raises(InputError, match="What helps: another run"):
        chosen(bad)


def test_a_question_that_another_candidate_was_asked_is_no_failed_answer():
    data = build(n=2)
    answers = [example(failed="not_recorded"), example(sample("q2"))]
    made = part_of(data, (one.asked for one in answers), [one.asked.sample for one in answers], Options())
    assert [one.asked.sample.id for one in made.examples] == ["q2"]
