"""A sweep of retrievers in MLflow: one run a configuration, an evaluation table, metrics under the names used there.

Needs the extra ``mlflow``. Numbers are ours (trec_eval's conventions); docs/guide/mlflow-parity.md says where
`mlflow.metrics` would give others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..harness.errors import InputError
from ..harness.retrieval.sweep import Paper, Ranking, query_of, score_all
from ..harness.retrieval.sweep_scores import Cut, Scores, shown
from ..harness.retrieval.sweep_spec import SweepSpec
from ..harness.statistics.intervals import mean_interval
from ..harness.tracking import open_client, reason, scrubbed

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

METRICS = {"P": "precision", "recall": "recall", "nDCG": "ndcg", "MRR": "mrr", "hit": "hit_rate"}
"""Our measures -> the first part of MLflow's names: ``P`` at k = 3 is ``precision_at_3``."""
TABLE = "retrieval_evaluation.json"


def log_retrieval(
    rankings: Sequence[Ranking], spec: SweepSpec, paper: Paper, page: Path, uri: str, experiment: str
) -> list[str]:
    """Log every configuration to the tracking server (or sqlite store) at ``uri``; returns the ids of its runs.

    Raises MissingExtra, or InputError where MLflow refuses the address or does not answer.
    """
    client = open_client(uri)
    from mlflow.exceptions import MlflowException

    scores = score_all(rankings, spec, paper)
    try:
        found = client.get_experiment_by_name(experiment)
        folder = found.experiment_id if found else client.create_experiment(experiment)
        return [_log(client, folder, r, scores[r.configuration.name], spec, paper, page) for r in rankings]
    except (MlflowException, OSError) as error:
        raise InputError(
            f"MLflow at {scrubbed(uri, uri)}: {reason(error, uri)}: check the address and that the server runs; "
            "the sweep is kept, the same command logs it without asking anything again"
        ) from error


def _log(
    client: MlflowClient,
    experiment: str,
    ranking: Ranking,
    scores: Mapping[Cut, Scores],
    spec: SweepSpec,
    paper: Paper,
    page: Path,
) -> str:
    configuration = ranking.configuration
    tags = {"corpus": paper.corpus, "corpus_sha256": paper.corpus_sha256, "markscheme": "retrieve"}
    run: str = client.create_run(experiment, run_name=configuration.name, tags=tags).info.run_id
    params = {
        "retriever": configuration.retriever,
        "chunker": configuration.chunker,
        "chunk_size": configuration.size,
        "chunk_overlap": configuration.overlap,
        "k": ",".join(map(str, spec.cuts)),
        "index": spec.index,
    }
    for name, value in params.items():
        client.log_param(run, name, value)
    for name, number in metrics(ranking, scores, paper).items():
        client.log_metric(run, name, number)
    client.log_table(run, table(ranking, scores, spec, paper), TABLE)
    client.log_artifact(run, str(page))
    client.set_terminated(run)
    return run


def metrics(ranking: Ranking, scores: Mapping[Cut, Scores], paper: Paper) -> dict[str, float]:
    """``precision_at_3/mean`` with ``/low`` and ``/high`` of its 95 % interval, and what the index took."""
    clusters = _clusters(paper)
    found: dict[str, float] = {}
    for cut, at in scores.items():
        if cut.kind != "k":
            continue
        for measure, values in at.values.items():
            estimate = mean_interval(values, clusters, scale=(0.0, 1.0))
            ends = {"mean": estimate.value, "low": estimate.low, "high": estimate.high}
            name = f"{METRICS[measure]}_at_{cut.most}"
            found |= {f"{name}/{end}": float(value) for end, value in ends.items() if value is not None}
    taken = {"index_s": ranking.index_s, "index_bytes": ranking.index_bytes, "embedding_cost_usd": ranking.cost_usd}
    return found | {name: float(value) for name, value in taken.items() if value is not None}


def table(ranking: Ranking, scores: Mapping[Cut, Scores], spec: SweepSpec, paper: Paper) -> pd.DataFrame:
    """One row a question with an answer: what was asked, retrieved and relevant, and ``precision_at_3/score`` ….

    ``outputs`` and ``targets`` are lists of documents, as MLflow's retrieval metrics take them.
    """
    import pandas as pd

    samples = {sample.id: sample for sample in paper.samples}
    deepest = Cut("k", max(spec.cuts))
    rows: list[dict[str, Any]] = []
    for place, question in enumerate(paper.targets.targets):
        ranked = shown(ranking.passages.get(question, ()), deepest)
        row: dict[str, Any] = {
            "question_id": question,
            "inputs": query_of(samples[question]),
            "outputs": list(dict.fromkeys(passage.document for passage in ranked)),
            "targets": [document for document, grade in samples[question].relevant.items() if grade > 0],
        }
        for cut, at in scores.items():
            if cut.kind == "k":
                for measure, values in at.values.items():
                    row[f"{METRICS[measure]}_at_{cut.most}/score"] = float(values[place])
        rows.append(row)
    return pd.DataFrame(rows)


def _clusters(paper: Paper) -> list[str]:
    clusters = {sample.id: sample.cluster or sample.id for sample in paper.samples}
    return [clusters[question] for question in paper.targets.targets]
