"""``launch:`` of a candidate or judge: the vLLM server that is started for it, checked as far as an exam can know."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from ..exam_types import OrNothing, Seconds, Section, absolute_from, existing
from ..yaml_file import did_you_mean, mistake

PROVIDER = "vllm/"
"""How the models begin that can be launched."""
_OURS = {
    "--host": "the server listens on this machine only",
    "--port": "a free port is chosen",
    "--uds": "the server listens on a port",
    "--ssl-keyfile": "nobody but this machine reaches the server",
    "--ssl-certfile": "nobody but this machine reaches the server",
    "--api-key": "each server is given a key of its own",
    "--served-model-name": "the server is asked for the model by its own name",
    "--enable-lora": "name them under adapters:",
    "--lora-modules": "name them under adapters:",
    "--hf-token": "keys come from the environment: export HF_TOKEN=…",
}
"""Arguments that would undo what we promise, and what to do instead."""
_PARALLEL = ("--tensor-parallel-size", "-tp", "--pipeline-parallel-size", "-pp", "--data-parallel-size", "-dp")
_ADAPTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_CHUNK = 1 << 20


def _words(value: Any) -> Any:
    """Numbers may stand without quotes: ``[--max-model-len, 8192]``."""
    if isinstance(value, str):
        raise mistake(f"{value!r} is one text; write a list, like [--max-model-len, 8192]: no shell splits it")
    if not isinstance(value, list | tuple):
        return value
    return [str(word) if isinstance(word, int | float) and not isinstance(word, bool) else word for word in value]


def _checked_args(args: tuple[str, ...]) -> tuple[str, ...]:
    for position, word in enumerate(args):
        option = option_of(word)
        if option in _OURS:
            raise mistake(f"{option} is not yours to set: {_OURS[option]}", position)
        if "\0" in word:
            raise mistake("holds a NUL character, which no argument may", position)
    return args


def option_of(word: str) -> str:
    """``--max_model_len=8`` as vLLM names it, without its value: ``--max-model-len``."""
    name = word.partition("=")[0]
    return name.replace("_", "-") if name.startswith("--") else name


def _checked_adapters(adapters: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    """Folders become absolute; what is neither a folder nor ``owner/name`` is a mistake."""
    found = {}
    for name, where in adapters.items():
        if not _ADAPTER.fullmatch(name):
            raise mistake(f"{name!r} cannot name an adapter: write letters, digits and . _ -", name)
        path = absolute_from(where, info)
        if path.is_dir() or not _REPOSITORY.fullmatch(where):
            path = existing(path, where, name)
            if not path.is_dir():
                raise mistake(f"{where!r} is a file; name the folder that holds adapter_config.json", name)
            found[name] = str(path)
        else:
            found[name] = where
    return found


def _checked_gpus(gpus: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(gpus)) < len(gpus):
        raise mistake(f"{list(gpus)!r} names a GPU twice; write each once")
    return gpus


class LaunchSpec(Section):
    """Start ``vllm serve`` for this model and stop it afterwards. Whoever has the same model, ``args`` and ``gpus``
    shares one server, whichever adapter they ask for."""

    args: Annotated[tuple[str, ...], BeforeValidator(_words), AfterValidator(_checked_args)] = ()
    adapters: Annotated[dict[str, str], OrNothing, AfterValidator(_checked_adapters)] = Field(default_factory=dict)
    gpus: Annotated[tuple[Annotated[int, Field(strict=True, ge=0)], ...], AfterValidator(_checked_gpus)] = ()
    timeout_s: Seconds = 900.0

    @property
    def engine_args(self) -> tuple[str, ...]:
        """``args``, and over several GPUs the tensor parallelism without which all but one would idle."""
        if len(self.gpus) < 2 or any(option_of(word) in _PARALLEL for word in self.args):
            return self.args
        return (*self.args, "--tensor-parallel-size", str(len(self.gpus)))


def check_launch(spec: Launchable) -> None:
    """Raise for what stands beside ``launch`` and contradicts it, or makes no sense without."""
    if spec.launch is None:
        if spec.adapter is not None:
            own = f"on a server of your own it is a model: vllm/{spec.adapter}"
            raise mistake(f"{spec.adapter!r} needs launch: {{adapters: …}}; {own}", "adapter")
        return
    if not spec.model.startswith(PROVIDER):
        raise mistake(f"starts vLLM, and {spec.model!r} is no model of its: write vllm/owner/model", "launch")
    for name in ("base_url", "api_key_env"):
        if getattr(spec, name) is not None:
            raise mistake("has no effect beside launch, which starts a server of its own; keep one of the two", name)
    if spec.adapter is not None and spec.adapter not in spec.launch.adapters:
        hint = did_you_mean(spec.adapter, spec.launch.adapters) or ";"
        listed = ", ".join(spec.launch.adapters) or "none"
        raise mistake(f"{spec.adapter!r} is not among launch.adapters{hint} there are {listed}", "adapter")


class Launchable(Protocol):
    """What candidates and judges have in common here."""

    @property
    def model(self) -> str: ...
    @property
    def launch(self) -> LaunchSpec | None: ...
    @property
    def adapter(self) -> str | None: ...


def adapter_identity(where: str) -> str:
    """What an adapter is, wherever it lies: SHA-256 (hex) of its folder's files, or ``owner/name`` of a repository.

    Files called ``adapter_…`` count; in a folder without one, all do.
    """
    folder = Path(where)
    if not folder.is_dir():
        return where
    files = sorted(path for path in folder.iterdir() if path.is_file())
    files = [path for path in files if path.name.startswith("adapter_")] or files
    return _hash(tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files))


@lru_cache(maxsize=64)
def _hash(files: tuple[tuple[str, int, int], ...]) -> str:
    """Adapters may be large, and a run asks several times: sizes and dates tell whether one has changed since."""
    found = hashlib.sha256()
    for name, size, _ in files:
        found.update(f"{Path(name).name}\0{size}\0".encode())
        with Path(name).open("rb") as file:
            while part := file.read(_CHUNK):
                found.update(part)
    return found.hexdigest()
