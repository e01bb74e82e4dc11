"""Writing a judge down: the file by which exams name it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ...harness.errors import BugError, ExamError, InputError
from ...harness.labwork import Lab, Tried
from ...harness.pinned import PinnedJudge, rubric_sha256
from ...harness.yaml_file import load_yaml
from ...judges.lab.design import Variant

_HEAD = """\
# A judge that was qualified by labels: markscheme judge lab {exam}, {date}.
# Exams name it by `pinned: {file}` under judges:. Any change of the rubric is noticed.
"""


def check_place(path: Path) -> None:
    """Raises InputError where writing to ``path`` would destroy something else than a pinned judge."""
    if not path.exists():
        return
    try:
        there = load_yaml(path).data
    except ExamError:
        there = None
    if not isinstance(there, Mapping) or "rubric_sha256" not in there:
        raise InputError(f"--output {path}: is there already and no pinned judge; name another file")


def write_pinned(path: Path, variant: Variant, lab: Lab, folder: Path) -> list[Path]:
    """Write ``variant`` to ``path``, and beside it a rubric that lies in the lab's ``folder``; what was written."""
    found = next(tried for tried in lab.tried if tried.configuration.name == variant.name)
    written, rubric = [path], variant.spec.rubric
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(rubric, Path) and rubric.is_relative_to(folder):
        beside = path.with_suffix(".rubric.yaml")
        shutil.copyfile(rubric, beside)
        written.append(beside)
        rubric = beside
    said = _said(variant, rubric, path) | {"qualified": _qualified(found, lab), "selected_on": list(lab.label_sets)}
    text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=118)
    head = _HEAD.format(exam=lab.exam, date=lab.date, file=path.name)
    path.write_text(head + text, encoding="utf-8")
    return written


def _said(variant: Variant, rubric: str | Path, path: Path) -> dict[str, Any]:
    """What decides the verdicts. Parameters only as far as the exam sets them: ours may be dropped for a model."""
    spec = variant.spec
    place = rubric if isinstance(rubric, str) else _relative(rubric, path.parent)
    said: dict[str, Any] = {
        "name": spec.name,
        "model": spec.model,
        "rubric": place,
        "rubric_sha256": rubric_sha256(rubric),
        "shots": spec.shots,
        "calls": spec.calls,
        "turns": spec.turns,
        "params": dict(spec.params) if "params" in spec.model_fields_set else None,
        "base_url": spec.base_url,
        "api_key_env": spec.api_key_env,
        "timeout_s": spec.timeout_s,
        "adapter": spec.adapter,
    }
    if unknown := said.keys() - PinnedJudge.model_fields.keys():
        raise BugError(f"a pinned judge has no {sorted(unknown)}")
    return {name: value for name, value in said.items() if value is not None}


def _relative(rubric: Path, folder: Path) -> str:
    """As a path: without a separator it would be the name of a packaged rubric."""
    text = Path(os.path.relpath(rubric, folder.absolute())).as_posix()
    return text if "/" in text else f"./{text}"


def _qualified(found: Tried, lab: Lab) -> dict[str, Any]:
    held = found.held_out
    if held is None or held.value is None or found.bound is None:
        raise BugError(f"{found.configuration.name} was recommended without a test")
    return {
        "measure": lab.measure,
        "criterion": lab.criterion,
        "threshold": lab.threshold,
        "value": round(held.value, 4),
        "lower_bound": round(found.bound, 4),
        "held_out": lab.held_out_n,
        "clusters": lab.held_out_clusters,
        "tried": len(lab.tried),
        "tested": lab.tested,
        "run": lab.run,
        "date": lab.date,
        "usd_per_1000": None if found.usd_per_1000 is None else float(f"{found.usd_per_1000:.4g}"),
        "seconds_per_1000": None if found.seconds_per_1000 is None else float(f"{found.seconds_per_1000:.4g}"),
    }
