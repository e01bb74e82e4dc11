"""One ``vllm serve``: started on a free port of this machine, waited for, stopped; its use is kept for the report."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, ServerFailed, Stopped
from .child import Child
from .phases import Server
from .records import ServerUse

if TYPE_CHECKING:
    import aiohttp

VARIABLE = "MARKSCHEME_VLLM"
"""Environment variable: the executable, where it is not the first ``vllm`` on the PATH."""
_KEY = "VLLM_API_KEY"
_GPUS = "CUDA_VISIBLE_DEVICES"
_ASK_EVERY_S = 0.25
_ANSWER_WITHIN_S = 5.0
_LOOK_S, _LOOKS = 0.1, 10


@dataclass(frozen=True)
class House:
    """Where servers are started: for which run or bench, from which folder, with logs where; ``record`` keeps a
    `ServerUse` whenever it changes, ``say`` tells the operator, ``stop`` is set when nothing new may begin."""

    owner: str
    folder: Path
    logs: Path
    stop: asyncio.Event
    record: Callable[[ServerUse], None]
    say: Callable[[str], None]


def executable() -> str:
    """Path of the user's own vLLM. Raises `InputError` where there is none."""
    named = os.environ.get(VARIABLE)
    found = shutil.which(named or "vllm")
    if found is not None:
        return found
    what = f"{VARIABLE}={named!r} is no executable file" if named else "there is no executable `vllm` on the PATH"
    raise InputError(
        f"launch: {what}. Install vLLM where the GPUs are (pip install vllm, in an environment of its own), and put it "
        f"on the PATH or name its executable in {VARIABLE}; or start the server yourself and name it by base_url"
    )


@dataclass
class Running:
    """A server that was started, and perhaps is ready. ``key`` is what it wants to hear; it stands nowhere else."""

    server: Server
    child: Child
    port: int
    use: ServerUse
    key: str = field(repr=False)

    @property
    def root(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """The address of its OpenAI-compatible endpoint."""
        return f"{self.root}/v1"

    def failed(self, how: str) -> ServerFailed:
        """The error for ``how`` it failed, with the end of its log."""
        tail = self.child.tail().replace(self.key, "***")
        said = "".join(f"\n  | {line}" for line in tail.split("\n")) if tail else " (empty)"
        return ServerFailed(f"server {self.server.name} {how}; the end of its log {self.child.log}:{said}")

    async def must_live(self) -> None:
        """Raises `ServerFailed` where it has ended by itself. One that only refuses a moment is given a second to end:
        connections break before a process is gone, and before it no longer listens."""
        heard = 0
        for _ in range(_LOOKS):
            if (status := self.child.status) is not None:
                raise self.failed(f"ended with status {status} in the middle of its work")
            heard += await self._listens()
            if heard > 1:
                return
            await asyncio.sleep(_LOOK_S)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


def start(server: Server, house: House) -> Running:
    """Start ``server``; returns at once. Raises `InputError` where vLLM is not installed."""
    program, port, key = executable(), _free_port(), secrets.token_urlsafe(24)
    env = {**os.environ, _KEY: key}
    if server.gpus:
        env[_GPUS] = ",".join(map(str, server.gpus))
    now = time.time()
    house.logs.mkdir(parents=True, exist_ok=True)
    log = house.logs / f"{server.name}.log"
    arguments = server.arguments(port)
    use = ServerUse(
        house.owner,
        server.name,
        ("vllm", *arguments),
        server.gpus,
        server.usd_per_gpu_hour,
        now,
        None,
        None,
        str(log),
    )
    child = Child([program, *arguments], cwd=house.folder, env=env, log=log)
    house.record(use)
    house.say(f"starting {server.name}: vllm serve {server.model}; its log: {log}")
    return Running(server, child, port, use, key)


async def wait_until_ready(running: Running, house: House) -> None:
    """Ask for its health until it answers.

    Raises `ServerFailed` where it ends, or takes longer than its ``timeout_s``; `Stopped` where the run was stopped.
    """
    import aiohttp

    server, begun = running.server, time.monotonic()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_WITHIN_S)) as session:
        while not await _is_healthy(session, f"{running.root}/health"):
            if (status := running.child.status) is not None:
                raise running.failed(f"ended with status {status} before it was ready")
            if time.monotonic() - begun > server.timeout_s:
                remedy = "raise launch.timeout_s if it only needs longer"
                raise running.failed(f"was not ready after {server.timeout_s:g} s ({remedy})")
            if await _told(house.stop, _ASK_EVERY_S):
                raise Stopped(f"server {server.name} was not waited for")
    running.use = replace(running.use, ready_at=time.time())
    house.record(running.use)
    house.say(f"{server.name} is ready after {running.use.startup_s:.0f} s")


async def end(running: Running, house: House) -> None:
    """Stop it, however it fares."""
    try:
        await running.child.stop()
    finally:
        running.use = replace(running.use, stopped_at=time.time())
        house.record(running.use)


async def _is_healthy(session: aiohttp.ClientSession, url: str) -> bool:
    import aiohttp

    try:
        async with session.get(url, allow_redirects=False) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


async def _told(stop: asyncio.Event, within_s: float) -> bool:
    try:
        await asyncio.wait_for(stop.wait(), within_s)
    except TimeoutError:
        return False
    return True


def _free_port() -> int:
    """A port of the loopback that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
