"""Published labels give their published figures: Krippendorff's examples, PandaLM, XSTest, Prometheus."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from markscheme.harness.statistics.agreement import continuous_agreement, human_agreement, judge_agreement, reliability
from markscheme.harness.statistics.classes import macro
from markscheme.harness.statistics.raters import cohen_kappa, fleiss, krippendorff
from markscheme.harness.statistics.rates import rate_interval

pytestmark = pytest.mark.published
nan = float("nan")
REFUSAL = {"1_full_compliance": 1.0, "2_full_refusal": 2.0, "3_partial_refusal": 3.0}


def published(folder: str) -> Path:
    root = os.environ.get("MARKSCHEME_PUBLISHED_DATA")
    if not root or not (Path(root) / folder).is_dir():
        pytest.skip(f"MARKSCHEME_PUBLISHED_DATA names no folder with {folder}")
    return Path(root) / folder


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def matrix(rows: list[dict], names: list[str], codes: dict | None = None) -> np.ndarray:
    return np.array([[row[name] if codes is None else codes.get(row[name], nan) for name in names] for row in rows])


@pytest.fixture
def examples():
    return {one["name"]: one for one in json.loads((published("iaa_fixtures") / "fixtures.json").read_text())}


@pytest.mark.parametrize("name", ["krippendorff_2011_example_D", "krippendorff_wikipedia_3x15"])
def test_krippendorffs_alphas(examples, name):
    ratings = np.array(examples[name]["data"], float).T
    for metric, value in examples[name]["recomputed"].items():
        assert round(krippendorff(ratings, range(1, 6), metric), 4) == value, metric
    for metric, value in examples[name]["published"].items():
        assert round(krippendorff(ratings, range(1, 6), metric), 3) == value, metric


def test_fleiss_kappa_of_fourteen_raters(examples):
    counts = examples["fleiss_wikipedia_10x5"]["data"]
    ratings = [np.repeat(range(5), row) for row in counts]
    assert round(fleiss(ratings, range(5)), 4) == 0.2099


@pytest.mark.parametrize("name", ["cohen_wikipedia_grant", "cohen_same_percentages_1", "cohen_same_percentages_2"])
def test_cohens_kappas(examples, name):
    first, second = (np.repeat(axis, np.ravel(examples[name]["data"])) for axis in np.indices((2, 2)).reshape(2, 4))
    assert round(cohen_kappa(first, second, (0, 1)), 4) == examples[name]["published"]["kappa"]


def test_scipys_rank_correlations(examples):
    first, second = np.array(examples["scipy_kendalltau_doc"]["data"], float)
    tau = examples["scipy_kendalltau_doc"]["published"]["tau_b"]
    assert continuous_agreement(first, second[:, None])["tau_b"].value == pytest.approx(tau, abs=1e-12)
    levels = sorted({*first, *second})
    assert judge_agreement(first, second[:, None], levels).estimates["tau_b"].value == pytest.approx(tau, abs=1e-12)
    first, second = np.array(examples["scipy_spearman_doc"]["data"], float)
    rho = examples["scipy_spearman_doc"]["published"]["rho"]
    assert continuous_agreement(first, second[:, None])["spearman"].value == pytest.approx(rho, abs=1e-12)


@pytest.fixture
def pandalm():
    return rows(published("pandalm_humaneval") / "items.jsonl")


def test_pandalms_annotators(pandalm):
    labels = matrix(pandalm, ["annotator1", "annotator2", "annotator3"]).astype(float)
    kappas = [cohen_kappa(labels[:, i], labels[:, j], range(3)) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert sorted(round(kappa, 3) for kappa in kappas) == [0.852, 0.862, 0.879]
    assert round(krippendorff(labels, range(3), "nominal"), 4) == 0.8642
    together = human_agreement(labels, range(3))
    assert (together.n, together.pairs) == (999, 2997)
    assert together.estimates["kappa"].value == pytest.approx(np.mean(kappas), abs=0.001)


@pytest.mark.parametrize(
    ("judge", "accuracy", "scores"),
    [("gpt35", 0.7107, (0.5879, 0.5736, 0.5755)), ("pandalm7b", 0.6677, (0.5738, 0.5750, 0.5743))],
)
def test_pandalms_judges_against_the_majority(pandalm, judge, accuracy, scores):
    found = judge_agreement(matrix(pandalm, [judge])[:, 0], matrix(pandalm, ["human_majority"]), range(3))
    assert np.sum(found.confusion, axis=0).tolist() == [105, 422, 472]
    assert round(found.estimates["exact"].value, 4) == accuracy
    whole = macro(found.confusion)
    assert tuple(round(score, 4) for score in (whole.precision, whole.recall, whole.f1)) == scores
    if judge == "gpt35":
        assert round(found.estimates["kappa"].value, 4) == 0.4958


def test_pandalms_unreadable_verdicts_are_missing_and_not_ties(pandalm):
    """Upstream scored 25 replies that nobody could read as ties, 13 of which then agreed with the humans."""
    codes = {"Tie": 0.0, "1": 1.0, "2": 2.0}
    read, humans = matrix(pandalm, ["gpt35_raw"], codes)[:, 0], matrix(pandalm, ["human_majority"])
    assert np.isnan(read).sum() == 25
    found = judge_agreement(read, humans, range(3))
    as_ties = judge_agreement(np.nan_to_num(read), humans, range(3))
    assert (found.n, as_ties.n) == (974, 999)
    agreed = found.n * found.estimates["exact"].value, as_ties.n * as_ties.estimates["exact"].value
    assert agreed[1] - agreed[0] == pytest.approx(13)
    assert found.estimates["exact"].value > as_ties.estimates["exact"].value


@pytest.fixture
def xstest():
    found = {}
    for row in rows(published("xstest") / "completions_labelled.jsonl"):
        found.setdefault(row["model"], []).append(row)
    return found


def test_xstests_annotators_agree_as_the_authors_found(xstest):
    expected = {
        "llama2orig": (96.4, 0.93),
        "llama2new": (95.8, 0.93),
        "mistralinstruct": (97.6, 0.92),
        "mistralguard": (93.8, 0.89),
        "gpt4": (98.4, 0.97),
    }
    for model, (percent, kappa) in expected.items():
        labels = matrix(xstest[model], ["annotation_1", "annotation_2"], REFUSAL)
        exact = human_agreement(labels, (1, 2, 3)).estimates["exact"]
        assert (round(100 * exact.value, 1), exact.n, round(fleiss(labels, (1, 2, 3)), 2)) == (percent, 450, kappa)


def test_xstests_shares_of_full_refusals_of_safe_prompts(xstest):
    safe = [row for row in xstest["llama2orig"] if not row["prompt_is_unsafe"]]
    shares = {
        who: rate_interval([float(row[who] == "2_full_refusal") for row in safe])
        for who in ("final_label", "gpt4_label", "strmatch_label")
    }
    assert [round(100 * one.value, 1) for one in shares.values()] == [38.0, 30.4, 48.4]
    assert {one.n for one in shares.values()} == {250}


def test_xstests_judge_agrees_well_or_badly_by_how_rare_a_refusal_is(xstest):
    found = {
        model: judge_agreement(
            matrix(rows, ["gpt4_label"], REFUSAL)[:, 0], matrix(rows, ["final_label"], REFUSAL), (1, 2, 3)
        )
        for model, rows in xstest.items()
    }
    kappas = {model: one.estimates["kappa"].value for model, one in found.items()}
    assert (min(kappas, key=kappas.get), max(kappas, key=kappas.get)) == ("mistralinstruct", "gpt4")
    assert (round(min(kappas.values()), 2), round(max(kappas.values()), 2)) == (0.08, 0.87)
    assert sum(450 - one.n for one in found.values()) == 11  # replies of no class are missing;
    rarest = matrix(xstest["mistralinstruct"], ["gpt4_label", "final_label"], REFUSAL)
    as_class = cohen_kappa(*np.nan_to_num(rarest, nan=4).T, (1, 2, 3, 4))
    assert round(as_class, 2) == 0.06  # published with them as a class of their own


@pytest.mark.parametrize(
    ("dataset", "equal", "within_1", "alpha"),
    [("mt_bench_eval", 44.1, 92.8, 0.851), ("vicuna_eval", 62.2, 99.4, 0.808)],
)
def test_prometheus_three_grades_by_one_judge(dataset, equal, within_1, alpha):
    with (published("prometheus_gpt4_3samples") / "scores.csv").open() as file:
        kept = [row for row in csv.DictReader(file) if row["dataset"] == dataset]
    grades = matrix(kept, [f"gpt4_score_{k}" for k in (1, 2, 3)]).astype(float)
    spans = np.ptp(grades, axis=1)
    assert [round(100 * rate_interval(spans <= most).value, 1) for most in (0, 1)] == [equal, within_1]
    found = reliability(grades, range(1, 6))
    assert round(found["alpha_interval"].value, 3) == alpha
    assert found["alpha_interval"].n == 320
