"""`matrix:` models × prompts × parameter values, expanded into candidates with readable names."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import Field, model_validator

from .exam_specs import CandidateSettings, CandidateSpec
from .exam_types import File, Filled, ModelName, Params, safe_name
from .yaml_file import mistake

OUR_PROMPT = "default"
"""What a matrix calls the prompt ``null``: the one that we use where the exam names none."""


class MatrixSpec(CandidateSettings):
    """Every combination becomes a candidate. A list under ``params`` is varied, anything else is fixed; to fix a
    parameter that is itself a list, put it into a list: ``stop: [["\\n"]]``. Further keys hold for all."""

    models: Annotated[tuple[ModelName, ...], Filled] = Field(description="a list of models")
    prompts: Annotated[tuple[File | None, ...], Filled] = (None,)
    params: Params = Field(default_factory=dict)

    @model_validator(mode="after")
    def _something_to_vary(self) -> MatrixSpec:
        for name, values in self.params.items():
            if values == []:
                raise mistake("is an empty list: no value to try; remove it, or write one", "params", name)
        return self

    def rows(self) -> list[dict[str, Any]]:
        """The candidates' own settings, one a combination: name, model, prompt, params."""
        varied = {name: value for name, value in self.params.items() if isinstance(value, list)}
        models, prompts = _shortest(list(self.models)), _stems(list(self.prompts))
        built = []
        for model, prompt, values in product(self.models, self.prompts, product(*varied.values())):
            chosen = dict(zip(varied, values, strict=True))
            parts = [models[model]]
            if "prompts" in self.model_fields_set:
                parts.append(prompts[prompt])
            parts += [f"{name}={_text(value)}" for name, value in chosen.items()]
            name = safe_name("+".join(parts))
            built.append({"name": name, "model": model, "prompt": prompt, "params": {**self.params, **chosen}})
        return built

    def expand(self) -> tuple[CandidateSpec, ...]:
        """The candidates. Raises pydantic's ValidationError for one that cannot be."""
        fixed = {name: getattr(self, name) for name in CandidateSettings.model_fields if name in self.model_fields_set}
        context = {"base": self.base}
        return tuple(CandidateSpec.model_validate({**row, **fixed}, context=context) for row in self.rows())


def _shortest(models: list[str]) -> dict[str, str]:
    """What follows the last slash, or the whole name where two models would be called the same."""
    short = {model: model.rsplit("/", 1)[-1] for model in models}
    shared = {name for name, count in Counter(short.values()).items() if count > 1}
    return {model: model if name in shared else name for model, name in short.items()}


def _stems(prompts: list[Path | None]) -> dict[Path | None, str]:
    stems = {prompt: prompt.stem if prompt else OUR_PROMPT for prompt in prompts}
    shared = {stem for stem, count in Counter(stems.values()).items() if count > 1}
    return {p: f"{p.parent.name}/{s}" if p and s in shared else s for p, s in stems.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
