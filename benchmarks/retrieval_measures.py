"""CPU seconds to score 10,000 queries of 100 results by six measures: ours, pytrec_eval, and a bare Python loop.

`python benchmarks/retrieval_measures.py [--judged 20] [--found 5] [--runs 7]`. All three start from the same
dicts of strings, and each is timed from there to the means. pytrec_eval wants scores and not an order, so making its
dicts is timed by itself, too. Documents' ids are strings of their own in every ranking, as when read from a file.
Medians are printed; the last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import random
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

from markscheme.harness.measures.retrieval import evaluate, parse_retrieval

Judgments = dict[str, dict[str, int]]
Rankings = dict[str, list[str]]
OURS = {"P@5": "P_5", "recall@10": "recall_10", "nDCG@10": "ndcg_cut_10", "RR": "recip_rank", "AP": "map"}
OURS["hit@3"] = "success_3"


def made_up(queries: int, results: int, judged: int, found: int, seed: int = 1) -> tuple[Judgments, Rankings]:
    """Judgments with grades 0 to 2, and rankings that hold ``found`` of a query's judged documents."""
    draw = random.Random(seed)
    documents = [f"document-{i:06d}" for i in range(100_000)]
    judgments, rankings = {}, {}
    for number in range(queries):
        some = draw.sample(documents, judged)
        judgments[f"query-{number}"] = {name: draw.randrange(3) for name in some}
        ranking = list(dict.fromkeys(some[:found] + draw.sample(documents, results)))[:results]
        draw.shuffle(ranking)
        rankings[f"query-{number}"] = [name[:1] + name[1:] for name in ranking]
    return judgments, rankings


def ours(judgments: Judgments, rankings: Rankings) -> list[float]:
    means = evaluate(judgments, rankings, [parse_retrieval(name) for name in OURS]).means()
    return [mean or 0.0 for mean in means.values()]


def pytrec_scores(rankings: Rankings) -> dict[str, dict[str, float]]:
    return {q: {name: float(-rank) for rank, name in enumerate(ranking)} for q, ranking in rankings.items()}


def pytrec(judgments: Judgments, scores: dict[str, dict[str, float]]) -> list[float]:
    import pytrec_eval

    wanted = {name.replace("_", ".") if name[-1].isdigit() else name for name in OURS.values()}
    wanted = {name.replace("ndcg.cut", "ndcg_cut") for name in wanted}
    found = pytrec_eval.RelevanceEvaluator(judgments, wanted).evaluate(scores)
    answerable = [row for q, row in found.items() if any(grade > 0 for grade in judgments[q].values())]
    return [statistics.fmean(row[name] for row in answerable) for name in OURS.values()]


def bare_loop(judgments: Judgments, rankings: Rankings) -> list[float]:
    """What one writes by hand."""
    totals, n = [0.0] * 6, 0
    for query, judged in judgments.items():
        relevant = sum(grade > 0 for grade in judged.values())
        if not relevant:
            continue
        n += 1
        hits, precisions, first, dcg, top = 0, 0.0, 0.0, 0.0, {3: 0, 5: 0, 10: 0}
        for rank, name in enumerate(rankings[query], 1):
            grade = judged.get(name, 0)
            if grade > 0:
                hits += 1
                precisions += hits / rank
                first = first or 1 / rank
                dcg += grade / math.log2(rank + 1) if rank <= 10 else 0.0
                for k in top:
                    top[k] += rank <= k
        best = sorted((grade for grade in judged.values() if grade > 0), reverse=True)[:10]
        ideal = sum(grade / math.log2(rank + 1) for rank, grade in enumerate(best, 1))
        row = (top[5] / 5, top[10] / relevant, dcg / ideal, first, precisions / relevant, float(top[3] > 0))
        totals = [total + value for total, value in zip(totals, row, strict=True)]
    return [total / n for total in totals]


def cpu_s(run: Callable[[], object], runs: int) -> float:
    """Median CPU seconds (user + system) of ``runs`` runs after one that is not counted."""
    taken = []
    for _ in range(runs + 1):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return statistics.median(taken[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--results", type=int, default=100)
    parser.add_argument("--judged", type=int, default=20, help="documents a query")
    parser.add_argument("--found", type=int, default=5, help="how many of them are among the results")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    judgments, rankings = made_up(options.queries, options.results, options.judged, options.found)
    scores = pytrec_scores(rankings)
    answers = [ours(judgments, rankings), pytrec(judgments, scores), bare_loop(judgments, rankings)]
    for other in answers[1:]:
        assert all(math.isclose(a, b, abs_tol=1e-9) for a, b in zip(answers[0], other, strict=True)), answers
    timed = {
        "markscheme": cpu_s(lambda: ours(judgments, rankings), options.runs),
        "pytrec_eval: making its dicts": cpu_s(lambda: pytrec_scores(rankings), options.runs),
        "pytrec_eval: scoring": cpu_s(lambda: pytrec(judgments, scores), options.runs),
        "bare Python loop": cpu_s(lambda: bare_loop(judgments, rankings), options.runs),
    }
    judged = f"{options.found} of {options.judged} judged documents returned"
    print(
        f"{options.queries:,} queries × {options.results} results × {len(OURS)} measures, {judged}; all agree to 1e-9"
    )
    for name, seconds in timed.items():
        print(f"{name:32} {seconds:6.3f} s")
    versions = {name: version(name) for name in ("numpy", "pytrec-eval-terrier")} | {
        "python": platform.python_version()
    }
    print(json.dumps({"queries": options.queries, "results": options.results, "cpu_s": timed, "versions": versions}))


if __name__ == "__main__":
    main()
