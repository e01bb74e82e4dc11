"""Servers of an exam's own: who is asked on which, and where they are started for a run or a bench."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..harness.exam import CandidateSpec, Exam, JudgeSpec
from ..harness.models.base import ChatModel
from ..harness.serving.phases import Server, engine_identity, phases_of, place_of, servers_of
from ..harness.serving.records import ServerUse
from ..harness.serving.server import House
from ..harness.store.servers import put_server
from ..harness.store.store import Store
from .output import PlanPhase, PlanServer
from .session import WORKSPACE

if TYPE_CHECKING:
    from ..harness.serving.fleet import Fleet

LOGS = "servers"
"""Folder of a workspace with the logs of launched servers, one folder a run or bench."""


def house_of(exam: Exam, store: Store, owner: str, stop: asyncio.Event, say: Callable[[str], None]) -> House:
    """Where the servers of the run or bench ``owner`` are started. Relative paths in their arguments are from the
    exam's folder; their logs lie in the workspace, and for a database server in one under the current folder."""
    workspace = store.folder or Path.cwd() / WORKSPACE

    def record(use: ServerUse) -> None:
        put_server(store, replace(use, log=Path(use.log).relative_to(workspace).as_posix()))

    return House(owner, exam.path.parent, workspace / LOGS / owner, stop, record, say)


def server_of(exam: Exam, spec: CandidateSpec | JudgeSpec) -> Server | None:
    """The server that is started for ``spec``, which others of the exam may share; ``None`` without ``launch``."""
    place = place_of(spec)
    return None if place is None else servers_of([*exam.candidates, *exam.judges])[place]


def launched_model(exam: Exam, spec: CandidateSpec | JudgeSpec, fleet: Fleet | None) -> ChatModel | None:
    """The model of ``spec`` on the server that is started for it; ``None`` without ``launch``."""
    server = server_of(exam, spec)
    if server is None:
        return None
    from ..harness.serving.fleet import LaunchedModel

    identity = engine_identity(spec)
    return LaunchedModel(server, fleet, adapter=spec.adapter, identity=identity, timeout_s=spec.timeout_s)


def planned_phases(exam: Exam) -> list[PlanPhase]:
    """The order in which servers are started; nothing for an exam that starts none."""
    phases = phases_of(exam)
    if not any(phase.servers for phase in phases):
        return []
    return [
        PlanPhase(role=phase.role, names=list(phase.names), servers=[_planned(server) for server in phase.servers])
        for phase in phases
    ]


def _planned(server: Server) -> PlanServer:
    return PlanServer(
        name=server.name, model=server.model, gpus=list(server.gpus), usd_per_gpu_hour=server.usd_per_gpu_hour
    )


def phase_lines(phases: Sequence[PlanPhase]) -> Iterator[str]:
    """The order for a terminal."""
    if phases:
        yield "order of the servers; each is started when a call needs it, and stopped before the next:"
    for number, phase in enumerate(phases, 1):
        used = ", ".join(f"{one.name}{_on(one.gpus)}" for one in phase.servers) or "no server"
        many = "s" if len(phase.names) > 1 else ""
        yield f"  {number}. {used}: {phase.role}{many} {', '.join(phase.names)}"


def _on(gpus: Sequence[int]) -> str:
    return f" (GPU{'s' if len(gpus) > 1 else ''} {', '.join(map(str, gpus))})" if gpus else ""
