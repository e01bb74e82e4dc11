"""Grade models with a judge you have graded first.

import markscheme as ms

run = ms.run("exam.yaml")          # generate → grade → report; continues where it stopped
run.summary()                      # candidate × measure, with intervals, as a DataFrame
run.answers, run.grades            # DataFrames
ms.grade(frame, rubric="docs_qa", judge="openai/gpt-4o-mini")
ms.load_exam("exam.yaml")
ms.cached("openai/gpt-4o-mini").ask("Why?")   # asked, and paid for, once
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Run": "markscheme.app.run",
    "ScriptedModel": "markscheme.harness.models.scripted",
    "accept": "markscheme.app.api.data",
    "align": "markscheme.app.api.judging",
    "anchors": "markscheme.app.api.judging",
    "bundle": "markscheme.app.bundling",
    "cache_export": "markscheme.app.api.caching",
    "cache_import": "markscheme.app.api.caching",
    "cache_prune": "markscheme.app.api.caching",
    "cache_stats": "markscheme.app.api.caching",
    "cached": "markscheme.app.caching.cached",
    "compare": "markscheme.app.comparing.comparing",
    "correct": "markscheme.app.api.judging",
    "demo": "markscheme.app.api.running",
    "doctor": "markscheme.app.api.running",
    "export": "markscheme.app.api.keeping",
    "export_finetune": "markscheme.app.api.keeping",
    "gate": "markscheme.app.api.regressions",
    "gate_plan": "markscheme.app.api.regressions",
    "feedback": "markscheme.app.api.feedback",
    "generate": "markscheme.app.api.running",
    "grade": "markscheme.app.api.running",
    "history": "markscheme.app.comparing.history",
    "import_csv": "markscheme.app.api.importing",
    "import_feedback": "markscheme.app.api.feedback",
    "import_inspect": "markscheme.app.api.importing",
    "import_labels": "markscheme.app.api.importing",
    "import_lm_eval": "markscheme.app.api.importing",
    "import_load": "markscheme.app.api.importing",
    "import_mlflow": "markscheme.app.api.importing",
    "import_otel": "markscheme.app.api.importing",
    "import_promptfoo": "markscheme.app.api.importing",
    "init": "markscheme.app.api.running",
    "lab": "markscheme.app.api.judging",
    "lab_plan": "markscheme.app.api.judging",
    "load_exam": "markscheme.harness.exam",
    "merge": "markscheme.app.bundling",
    "mlflow_scorer": "markscheme.judges.mlflow",
    "open_run": "markscheme.app.run",
    "over_time": "markscheme.app.api.drift",
    "plan": "markscheme.app.api.running",
    "probe": "markscheme.app.api.judging",
    "probe_plan": "markscheme.app.api.judging",
    "purge": "markscheme.app.api.keeping",
    "report": "markscheme.app.api.keeping",
    "retrieve": "markscheme.app.api.data",
    "review_export": "markscheme.app.api.reviews",
    "review_import": "markscheme.app.api.reviews",
    "review_plan": "markscheme.app.api.reviews",
    "review_result": "markscheme.app.api.reviews",
    "review_serve": "markscheme.app.api.reviews",
    "rubric_diff": "markscheme.app.api.rubrics",
    "rubric_list": "markscheme.app.api.rubrics",
    "rubric_schema": "markscheme.app.api.rubrics",
    "rubric_show": "markscheme.app.api.rubrics",
    "run": "markscheme.app.api.running",
    "runs": "markscheme.app.api.keeping",
    "serve_bench": "markscheme.app.api.serving",
    "serve_plan": "markscheme.app.api.serving",
    "small_large": "markscheme.app.api.regressions",
    "synthesize": "markscheme.app.api.data",
}

__all__ = [
    "Run",
    "ScriptedModel",
    "__version__",
    "accept",
    "align",
    "anchors",
    "bundle",
    "cache_export",
    "cache_import",
    "cache_prune",
    "cache_stats",
    "cached",
    "compare",
    "correct",
    "demo",
    "doctor",
    "export",
    "export_finetune",
    "feedback",
    "gate",
    "gate_plan",
    "generate",
    "grade",
    "history",
    "import_csv",
    "import_feedback",
    "import_inspect",
    "import_labels",
    "import_lm_eval",
    "import_load",
    "import_mlflow",
    "import_otel",
    "import_promptfoo",
    "init",
    "lab",
    "lab_plan",
    "load_exam",
    "merge",
    "mlflow_scorer",
    "open_run",
    "over_time",
    "plan",
    "probe",
    "probe_plan",
    "purge",
    "report",
    "retrieve",
    "review_export",
    "review_import",
    "review_plan",
    "review_result",
    "review_serve",
    "rubric_diff",
    "rubric_list",
    "rubric_schema",
    "rubric_show",
    "run",
    "runs",
    "serve_bench",
    "serve_plan",
    "small_large",
    "synthesize",
]

if TYPE_CHECKING:
    from .app.api.caching import cache_export, cache_import, cache_prune, cache_stats
    from .app.api.data import accept, retrieve, synthesize
    from .app.api.drift import over_time
    from .app.api.feedback import feedback, import_feedback
    from .app.api.importing import (
        import_csv,
        import_inspect,
        import_labels,
        import_lm_eval,
        import_load,
        import_mlflow,
        import_otel,
        import_promptfoo,
    )
    from .app.api.judging import align, anchors, correct, lab, lab_plan, probe, probe_plan
    from .app.api.keeping import export, export_finetune, purge, report, runs
    from .app.api.regressions import gate, gate_plan, small_large
    from .app.api.reviews import review_export, review_import, review_plan, review_result, review_serve
    from .app.api.rubrics import rubric_diff, rubric_list, rubric_schema, rubric_show
    from .app.api.running import demo, doctor, generate, grade, init, plan, run
    from .app.api.serving import serve_bench, serve_plan
    from .app.bundling import bundle, merge
    from .app.caching.cached import cached
    from .app.comparing.comparing import compare
    from .app.comparing.history import history
    from .app.run import Run, open_run
    from .harness.exam import load_exam
    from .harness.models.scripted import ScriptedModel
    from .judges.mlflow import mlflow_scorer


def __getattr__(name: str) -> Any:
    """Public names are imported on first use (PEP 562), so that `import markscheme` costs next to nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'markscheme' has no attribute {name!r}; it has {', '.join(__all__)}")
    import importlib

    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
