"""From what an exam says of a candidate to the candidate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..exam_mlflow import is_mlflow
from ..models.base import ChatModel
from ..records import Message, Sample
from . import baselines, python_app, replay
from .base import Caller, Candidate
from .prompted import Prompt, PromptedCandidate, default_prompt, sampling
from .retrieving import Shelf, with_retriever
from .templates import compile_file, read_text

if TYPE_CHECKING:
    from ..exam import CandidateSpec
    from ..retrieval.spec import RetrieverSpec


def build_candidate(
    spec: CandidateSpec,
    *,
    open_model: Callable[[CandidateSpec], ChatModel],
    caller: Caller,
    slot: int,
    shelf_of: Callable[[RetrieverSpec], Shelf] | None = None,
) -> Candidate:
    """The candidate that ``spec`` describes; reads its files, calls nothing.

    ``slot`` tells candidates with identical settings apart; ``shelf_of`` (see `retrieving.shelves`) is needed where a
    spec may name a retriever. Raises InputError (or DataError) for whatever the spec names that cannot be used.
    """
    answering = _answering(spec, open_model, caller, slot)
    return answering if shelf_of is None else with_retriever(answering, spec, shelf_of)


def _answering(
    spec: CandidateSpec, open_model: Callable[[CandidateSpec], ChatModel], caller: Caller, slot: int
) -> Candidate:
    """The candidate, seeing the samples' own context."""
    model = spec.model
    if model.startswith(python_app.PREFIX):
        return python_app.python_candidate(spec, caller=caller, slot=slot)
    if is_mlflow(model):
        from .mlflow_model import mlflow_candidate

        return mlflow_candidate(spec, caller=caller, slot=slot)
    if model.startswith("http:"):
        from .http_app import http_candidate

        return http_candidate(spec, caller=caller, slot=slot)
    if model.startswith(replay.PREFIX):
        return replay.replay_candidate(spec.name, model, caller=caller, base=spec.base)
    if model.startswith(baselines.PREFIX):
        return baselines.baseline_candidate(spec.name, model, caller=caller)
    asking = sampling(spec.params, spec.stream, spec.tool_choice)
    return PromptedCandidate(spec.name, open_model(spec), caller, prompt_of(spec.prompt, spec.system), asking, slot)


def prompt_of(template: Path | None, system: Path | None) -> Prompt:
    """The prompt in these files; ours without one. Raises InputError for a file that cannot be read or compiled."""
    message: Message | None = {"role": "system", "content": read_text(system)} if system else None
    if template is None:
        return Prompt(default_prompt, message)
    return Prompt(compile_file(template), message, own=True)


def candidate_notes(candidate: Candidate, samples: Sequence[Sample]) -> tuple[str, ...]:
    """What the operator should know of a candidate before it runs (no version given, answers that match no sample)."""
    if isinstance(candidate, replay.ReplayCandidate):
        return (*candidate.notes, *candidate.unmatched(samples))
    return candidate.notes
