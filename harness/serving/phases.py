"""Which servers an exam needs, and in which order: one on a set of GPUs at a time, candidates before judges. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..exam_types import safe_name
from .launch_spec import PROVIDER, adapter_identity

if TYPE_CHECKING:
    from ..errors import Problem
    from ..exam import CandidateSpec, Exam, JudgeSpec
    from ..yaml_file import KeyPath, YamlFile

Spec: TypeAlias = "CandidateSpec | JudgeSpec"
Place = tuple[str, tuple[str, ...], tuple[int, ...]]
"""Model, engine arguments and GPUs: whoever has the same shares a server."""
Role = Literal["candidate", "judge"]


@dataclass(frozen=True, slots=True)
class Server:
    """A server to be started. ``name`` is unique in its exam; ``adapters`` are pairs of name and folder (or
    repository); ``timeout_s`` is for its start."""

    name: str
    model: str
    args: tuple[str, ...]
    adapters: tuple[tuple[str, str], ...]
    gpus: tuple[int, ...]
    timeout_s: float
    usd_per_gpu_hour: float | None

    def arguments(self, port: int) -> tuple[str, ...]:
        """What ``vllm`` is called with to listen on ``port`` of this machine."""
        lora = ("--enable-lora", "--lora-modules", *(_lora(name, where) for name, where in self.adapters))
        own = ("serve", self.model, *self.args, *(lora if self.adapters else ()))
        return (*own, "--host", "127.0.0.1", "--port", str(port))


def _lora(name: str, where: str) -> str:
    """``name=where``, or as JSON where vLLM would read another name and path out of that."""
    return json.dumps({"name": name, "path": where}) if set(where) & set("=,") else f"{name}={where}"


@dataclass(frozen=True, slots=True)
class Phase:
    """Candidates or judges at work at the same time, and the servers that they are asked on."""

    role: Role
    names: tuple[str, ...]
    servers: tuple[Server, ...]


def place_of(spec: Spec) -> Place | None:
    """Where ``spec`` is asked; ``None`` for what is not launched."""
    if spec.launch is None:
        return None
    return spec.model.removeprefix(PROVIDER), spec.launch.engine_args, tuple(sorted(spec.launch.gpus))


def engine_identity(spec: Spec) -> dict[str, Any]:
    """What a launched server adds to a call's key: engine arguments and adapter, never GPUs, host or port."""
    if spec.launch is None:
        return {}
    adapter = {} if spec.adapter is None else {"adapter": adapter_identity(spec.launch.adapters[spec.adapter])}
    return {"engine": list(spec.launch.engine_args), **adapter}


def servers_of(specs: Iterable[Spec]) -> dict[Place, Server]:
    """The servers that ``specs`` need, each once, in their order, with all adapters and the longest time-out."""
    found: dict[Place, Server] = {}
    for spec in specs:
        place = place_of(spec)
        if place is None or spec.launch is None:
            continue
        launch, known = spec.launch, found.get(place)
        if known is None:
            known = Server("", *place[:2], (), place[2], launch.timeout_s, None)
        price = known.usd_per_gpu_hour if spec.usd_per_gpu_hour is None else spec.usd_per_gpu_hour
        found[place] = replace(
            known,
            adapters=tuple(sorted({**dict(known.adapters), **launch.adapters}.items())),
            timeout_s=max(known.timeout_s, launch.timeout_s),
            usd_per_gpu_hour=price,
        )
    return _named(found)


def _named(servers: Mapping[Place, Server]) -> dict[Place, Server]:
    """Each server called after the end of its model's name, numbered where two would be called the same."""
    short = {place: safe_name(server.model.rstrip("/").rsplit("/", 1)[-1]) for place, server in servers.items()}
    shared, seen = Counter(short.values()), Counter[str]()
    named = {}
    for place, server in servers.items():
        seen[short[place]] += 1
        number = f"-{seen[short[place]]}" if shared[short[place]] > 1 else ""
        named[place] = replace(server, name=f"{short[place]}{number}")
    return named


def phases_of(exam: Exam) -> tuple[Phase, ...]:
    """The exam's phases in order. Servers come before what needs none, since only they can fail to start; the judges'
    come after all candidates have answered."""
    servers = servers_of([*exam.candidates, *exam.judges])
    asked = [spec for spec in exam.judges if not spec.members]
    return (*_phases("candidate", exam.candidates, servers), *_phases("judge", asked, servers))


def _phases(role: Role, specs: Sequence[Spec], servers: Mapping[Place, Server]) -> list[Phase]:
    users: dict[Server, list[str]] = {}
    for spec in specs:
        if (place := place_of(spec)) is not None:
            users.setdefault(servers[place], []).append(spec.name)
    groups: list[list[Server]] = []
    for server in users:
        room = next((group for group in groups if all(_apart(server, other) for other in group)), None)
        if room is None:
            groups.append([server])
        else:
            room.append(server)
    found = [Phase(role, tuple(name for one in group for name in users[one]), tuple(group)) for group in groups]
    rest = tuple(spec.name for spec in specs if spec.launch is None)
    return [*found, Phase(role, rest, ())] if rest else found


def _apart(one: Server, other: Server) -> bool:
    """Whether both can run at once. A server without ``gpus`` may take any."""
    return bool(one.gpus and other.gpus) and not set(one.gpus) & set(other.gpus)


def unshareable(file: YamlFile, entries: Iterable[tuple[KeyPath, Spec]]) -> Iterator[Problem]:
    """Problems of candidates and judges that would share a server, and disagree about it."""
    first: dict[tuple[Place, str], tuple[str, object]] = {}
    for at, spec in entries:
        if (place := place_of(spec)) is None or spec.launch is None:
            continue
        said: dict[str, object] = {f"adapter {name!r}": where for name, where in spec.launch.adapters.items()}
        if spec.usd_per_gpu_hour is not None:
            said["usd_per_gpu_hour"] = spec.usd_per_gpu_hour
        for what, value in said.items():
            who, before = first.setdefault((place, what), (spec.name, value))
            if before != value:
                shares = f"{who!r}, which shares the server; make them the same"
                yield file.problem(at, f"{what} is {value!r} here and {before!r} for {shares}")
