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
    "cached": "markscheme.app.caching.cached",
    "grade": "markscheme.app.run",
    "load_exam": "markscheme.harness.exam",
    "mlflow_scorer": "markscheme.judges.mlflow",
    "open_run": "markscheme.app.run",
    "run": "markscheme.app.run",
}

__all__ = ["Run", "ScriptedModel", "__version__", "cached", "grade", "load_exam", "mlflow_scorer", "open_run", "run"]

if TYPE_CHECKING:
    from .app.caching.cached import cached
    from .app.run import Run, grade, open_run, run
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
