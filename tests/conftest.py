"""What every test has: no keys of the real environment, no network but loopback, and real servers on demand."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

sys.path.insert(0, str(Path(__file__).parent / "servers"))

from llamacpp import TinyServer, tiny_llama
from postgres import binaries, postgres_cluster

KEPT = frozenset({"MARKSCHEME_REQUIRE_SERVERS", "MARKSCHEME_PUBLISHED_DATA"})
OURS = ("MARKSCHEME_", "OPENAI_", "ANTHROPIC_", "AZURE_", "AWS_", "DATABRICKS_", "HF_")
SECRETS = ("_API_KEY", "_TOKEN", "_BASE_URL", "_PROXY")
FIXED = {
    "ANONYMIZED_TELEMETRY": "False",
    "HF_HUB_OFFLINE": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MPLBACKEND": "Agg",
    "RAGAS_DO_NOT_TRACK": "true",
}
_opened: list[str] = []
"""Addresses off this machine that the test now running tried to reach."""


def pytest_configure() -> None:
    """Once, for this process and the ones it starts: a clean environment and the guard of the sockets."""
    for name in list(os.environ):
        if name not in KEPT and (name.startswith(OURS) or name.upper().endswith(SECRETS)):
            del os.environ[name]
    os.environ.update(FIXED)
    for method in ("connect", "connect_ex"):
        setattr(socket.socket, method, _guarded(getattr(socket.socket, method)))


def _guarded(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            _opened.append(f"{address[0]}:{address[1]}")
            raise ConnectionRefusedError(f"tests reach nothing but loopback; this one tried {_opened[-1]}")
        return connect(self, address)

    return guarded


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host in ("::1", "localhost", "0.0.0.0")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Fail a test that left the machine, also where the code under test took that for an ordinary network error."""
    _opened.clear()
    yield
    if _opened:
        pytest.fail(f"this test tried to reach {', '.join(_opened)}; tests reach nothing but loopback", pytrace=False)


@pytest.fixture(scope="session")
def tiny_server() -> Iterator[TinyServer]:
    """llama.cpp with the tiny model: ``.url`` (ends in /v1) and ``.model``."""
    if importlib.util.find_spec("xllamacpp") is None:
        _unavailable("the wheel xllamacpp is not installed (it is in requirements-dev.lock)")
    with tiny_llama() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of a private PostgreSQL database."""
    bin_dir = binaries()
    if bin_dir is None:
        _unavailable("PostgreSQL is not installed (apt-get install postgresql)")
    with postgres_cluster(bin_dir) as url:
        yield url


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("MARKSCHEME_REQUIRE_SERVERS") == "1":
        pytest.fail(f"MARKSCHEME_REQUIRE_SERVERS=1, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def mlflow_forgets() -> Iterator[None]:
    """MLflow keeps the experiment that was chosen last for the whole process: the next test has a server of its own."""
    yield
    if (fluent := sys.modules.get("mlflow.tracking.fluent")) is not None:
        fluent._active_experiment_id = None  # type: ignore[attr-defined]
        os.environ.pop("MLFLOW_EXPERIMENT_ID", None)
