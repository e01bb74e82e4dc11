"""A run comes back from PostgreSQL by columns as it does by rows."""

import pytest
from markscheme.harness.records import Answer, Call, Failed, Grade, Reply, Said, Sample, Scored, Timing, Usage
from markscheme.harness.store import codec, columns, runs
from markscheme.harness.store.load import load
from markscheme.harness.store.schema import metadata
from markscheme.harness.store.store import Store
from row_by_row import records, tables

pytestmark = pytest.mark.server
CONFIG = {"candidates": [{"name": "mini"}], "judges": [{"name": "strict"}], "measures": []}


def test_tables_from_a_server_are_those_by_rows(postgres_url, monkeypatch):
    monkeypatch.setattr(columns, "_FETCHED", 2)
    store = Store(postgres_url)
    try:
        run = runs.begin(store, "e.yaml", {})
        runs.describe_run(store, run, "f", CONFIG, {})
        samples = [Sample(f"q-{n}", question="why?", sha256=str(n)) for n in (2, 1, 0)]
        store.put_samples(run.id, samples)
        reply = Reply("so", Usage(10, 5), Timing(1.0, 0.5, 0.25, gaps_s=(0.1, 0.3)))
        said = [Said("so"), Said("naïvely"), Failed("timeout", "candidate", "60 s")]
        paid_by = (run.id, "earlier", run.id, run.id)
        store.put(
            {
                "calls": [
                    codec.call_to_row(Call(f"k{n}", payer, "candidate", "mini", "m", reply, 1, 0.01, 86400.0), None)
                    for n, payer in enumerate(paid_by)
                ],
                "answers": [
                    codec.answer_to_row(Answer(run.id, s.id, "mini", 0, said[n], (f"k{n}",)), 0)
                    for n, s in enumerate(samples)
                ],
                "grades": [
                    codec.grade_to_row(Grade(run.id, s.id, "mini", 0, "strict", "c", Scored(float(n)), calls=()), 0)
                    for n, s in enumerate(samples[:2])
                ],
            }
        )
        run = runs.find(store, "latest")
        data, expected = load(store, run), tables(store, run)
        assert {name: records(getattr(data, name)) for name in expected} == expected
        part = load(store, run, words=False).excerpt([1])
        assert records(part.answers) == expected["answers"][1:2]
    finally:
        metadata.drop_all(store.engine)
        store.close()
