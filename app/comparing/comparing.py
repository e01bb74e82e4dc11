"""A run against its baseline, as a function: what stands behind the references is read, then compared."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from ...harness.errors import InputError
from ...harness.store.frames import RunData
from ...harness.store.load import load
from ...harness.store.wordless import MARK, without_texts
from ...reports.regression.compare import Options, compared
from ...reports.regression.gate_records import GateResult
from ...reports.regression.records import Compared
from ..references import opened_run
from ..reporting import reports_of
from ..run import Run
from ..session import WORKSPACE

Reference = str | Path | Run | RunData


def compare(
    run: Reference,
    *baseline: Reference,
    workspace: str | Path = WORKSPACE,
    candidates: Sequence[str] = (),
    intersection: bool = False,
    family: Sequence[str] = (),
    worst: int = 20,
) -> Compared:
    """Compare ``run`` with the mean of the runs ``baseline``, paired by sample: ids, names, bundle files or `Run`s.

    ``candidates`` are words `NEW` or `NEW=OLD`. Raises InputError where the runs differ in samples, rubrics or judges:
    ``intersection`` compares what they have in common. Differences, intervals and tests: `Compared.differences`.
    """
    options = Options(candidate_pairs(candidates), intersection, tuple(family), worst)
    return found_by(run, baseline, workspace, options)


def found_by(run: Reference, baseline: Sequence[Reference], workspace: str | Path, options: Options) -> Compared:
    """The same with the options in one piece."""
    with ExitStack() as stores:
        new, *old = [_data(one, workspace, stores) for one in (run, *baseline)]
        return compared(new, old, options)


def _data(reference: Reference, workspace: str | Path, stores: ExitStack) -> RunData:
    """The tables behind a reference. Of a run in a store the words are read when an answer is shown: it stays open."""
    if isinstance(reference, RunData):
        return reference
    if isinstance(reference, Run):
        return reference.data
    store, run = stores.enter_context(opened_run(str(reference), workspace))
    data = load(store, run, words=False)
    return without_texts(data) if run.config.get(MARK) else data


def write_comparison(found: Compared, folder: Path, gate: GateResult | None = None) -> Path:
    """Write compare.html and compare.md into ``folder``, with what a ``gate`` said of it; returns the HTML page."""
    from ...reports.regression.compare_html import render_compare
    from ...reports.regression.compare_markdown import compare_markdown
    from ...reports.regression.gate_html import gate_section
    from ...reports.regression.gate_markdown import render_gate_markdown

    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "compare.html"
    page.write_text(render_compare(found, None if gate is None else gate_section(gate, found.notes)), encoding="utf-8")
    said = "" if gate is None else f"{render_gate_markdown(gate)}\n"
    page.with_suffix(".md").write_text(said + compare_markdown(found), encoding="utf-8")
    return page


def comparison_folder(found: Compared, workspace: str | Path) -> Path:
    """Where the pages go: beside the new run's report."""
    return reports_of(workspace) / found.new.id


def candidate_pairs(asked: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """``NEW=OLD`` or ``NEW`` -> (NEW, OLD); InputError for anything else."""
    pairs = []
    for text in asked:
        new, equals, old = text.partition("=")
        if not new or (equals and not old):
            raise InputError(f"--candidate {text!r}: write NEW, or NEW=OLD for another candidate of the baseline")
        pairs.append((new, old or new))
    return tuple(pairs)
