"""The command `compare --gate`, once its words are parsed: decide, write the files, print, and the exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...harness.errors import InputError
from ...harness.gate import GateSpec, load_gate
from ...harness.store.runs import Run
from ...reports.junit import render_junit
from ...reports.regression.compare import Options
from ...reports.regression.gate_markdown import render_gate_markdown
from ..commands import emit
from .comparing import comparison_folder, write_comparison
from .confirming import run_again
from .gate_output import print_gate, to_output
from .gating import Confirm, Gated, Question, gate
from .judges import judges_watched
from .output import to_output as compared_output


@dataclass(frozen=True, slots=True)
class GateFiles:
    """The gate's file, where to write what it said (``output``: the folder of the comparison's pages), whether to make
    a second run where it alarms, and whether to have its anchors graded."""

    gate: Path
    junit: Path | None = None
    summary: Path | None = None
    confirm: bool = False
    output: Path | None = None
    watch: bool = False


def run(references: tuple[str, tuple[str, ...]], files: GateFiles, options: Options, workspace: str, json: bool) -> int:
    """Compare, decide and print what came of it; returns the exit code."""
    spec = load_gate(files.gate)
    if files.confirm and not spec.confirm:
        raise InputError(f"--confirm: {files.gate} says confirm: false, so that every alarm counts; remove one of them")
    if files.watch and not spec.anchors:
        raise InputError(f"--watch: {files.gate} names no anchors: to grade; markscheme judge anchors RUN -o FILE")
    found = gate(
        Question(references[0], spec, references[1], workspace, options),
        _confirm(spec, workspace) if files.confirm else None,
        judges_watched(spec, references[0], workspace, grade=files.watch, progress=True),
    )
    page = _write(found, files, workspace)
    if json:
        emit(to_output(found.result, compared_output(found.compared, str(page))))
    else:
        print_gate(found.result, sys.stdout)
        sys.stdout.write(f"report: {page}\n")
    return found.result.exit_code


def refuse_without_gate(baseline: Sequence[str] | None, **given: object) -> None:
    """Raise InputError for what needs a gate where there is none."""
    for name, value in given.items():
        if value:
            raise InputError(f"--{name} is about a gate: name its file with --gate")
    if not baseline:
        raise InputError("BASELINE is missing: name one or more runs, or a gate, which has a baseline (--gate FILE)")


def _confirm(spec: GateSpec, workspace: str) -> Confirm:
    def confirm(new: Run) -> str:
        sys.stderr.write(f"note: run {new.id} alarms; a second fresh run is made to confirm it\n")
        return run_again(spec, new, workspace, progress=True)

    return confirm


def _write(found: Gated, files: GateFiles, workspace: str) -> Path:
    if files.junit is not None:
        _put(files.junit, render_junit(found.result))
    if files.summary is not None:
        _put(files.summary, render_gate_markdown(found.result))
    folder = files.output or comparison_folder(found.compared, workspace)
    return write_comparison(found.compared, folder, found.result)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
