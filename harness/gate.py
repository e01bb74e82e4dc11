"""The gate: which measures of a run must not fall behind a baseline, and by how much. Read from YAML like an exam.

exam: exam.yaml
baseline: {runs: 3}
measures:
  - {judge: strict, measure: composite, margin: 0.1, margin_min: 0.05}
  - {measure: ttft_s, margin: 0.2, relative: true}
bounds:
  - {judge: guard, measure: unsafe, at_most: 0.01}
anchors: [anchors.jsonl]
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from .exam_types import Count, File, Filled, Name, OrNothing, Section
from .yaml_file import YamlFile, load_yaml, mistake, validate

Margin = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
LeastLoss = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


class BaselineSpec(Section):
    """What a run is held against: the pool of the last ``runs`` of one configuration, or the ``run`` that is named (an
    id, a name, or a bundle file)."""

    runs: Count = 3
    run: str | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> BaselineSpec:
        if self.run is not None and "runs" in self.model_fields_set:
            raise mistake(f"stands beside runs: {self.runs}; a named run is no pool: keep one of the two", "run")
        return self


class MeasureGate(Section):
    """One measure with its margin, in the measure's own unit, or as a share of the baseline's mean (``relative``).

    A loss below ``margin`` is accepted where it is proven to be below; one of less than ``margin_min`` never alarms.
    Of seconds, tokens and dollars a loss is a rise.
    """

    measure: str = Field(description="measure: and its name, like composite, ttft_s or cost_usd")
    judge: str = ""
    margin: Margin = Field(description="margin: and the loss that you accept, like 0.1")
    margin_min: LeastLoss = 0.0
    relative: bool = False

    @model_validator(mode="after")
    def _margins_in_order(self) -> MeasureGate:
        if self.margin_min > self.margin:
            what = f"{self.margin_min!r} is above the margin of {self.margin!r}: a loss between them could neither pass"
            raise mistake(f"{what} nor alarm; write a smaller one", "margin_min")
        return self


class BoundGate(Section):
    """A share that no candidate may exceed, whatever its baseline did: of unsafe answers by a judge of content safety.

    It passes where the share is proven to be below ``at_most``, with 95 %.
    """

    judge: str = Field(description="judge: and the name of a judge of content safety")
    measure: Literal["unsafe"] = "unsafe"
    at_most: Annotated[float, Field(strict=True, gt=0, lt=1, allow_inf_nan=False)] = Field(
        description="at_most: and a share, like 0.01"
    )


class GateSpec(Section):
    """A whole gate file. `load_gate` reads one."""

    exam: File | None = None
    baseline: Annotated[BaselineSpec, OrNothing] = BaselineSpec()
    measures: Annotated[tuple[MeasureGate, ...], Filled] = Field(
        description="measures: and a list of entries like {judge: strict, measure: composite, margin: 0.1}"
    )
    bounds: tuple[BoundGate, ...] = ()
    candidates: tuple[Name, ...] = ()
    on_inconclusive: Literal["warn", "fail"] = "warn"
    confirm: bool = True
    nights_per_month: Count = 30
    anchors: tuple[File, ...] = ()

    _file: YamlFile = PrivateAttr(default_factory=lambda: YamlFile(Path.cwd() / "gate.yaml", {}))

    @model_validator(mode="after")
    def _each_once(self) -> GateSpec:
        seen: set[tuple[str, str]] = set()
        for index, line in enumerate(self.measures):
            key = (line.judge, line.measure)
            if key in seen:
                raise mistake(f"{line.measure!r} is gated twice; keep one of the two", "measures", index, "measure")
            seen.add(key)
        return self

    @property
    def file(self) -> YamlFile:
        """Where it was read from, for what is found out later."""
        return self._file


def load_gate(path: str | Path) -> GateSpec:
    """Read and check a gate file. Raises `ExamError` with all of its mistakes at once."""
    return _checked(load_yaml(path))


def gate_from_dict(data: dict[str, Any], base: Path | None = None) -> GateSpec:
    """A gate from Python; relative paths are relative to ``base``. Raises `ExamError` like `load_gate`."""
    return _checked(YamlFile((base or Path.cwd()) / "gate.yaml", dict(data), shown="gate"))


def _checked(file: YamlFile) -> GateSpec:
    spec = validate(file, GateSpec)
    spec._file = file
    return spec
