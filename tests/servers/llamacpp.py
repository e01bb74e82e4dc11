"""A real model server on loopback: llama.cpp (the xllamacpp wheel) with the tiny model committed beside this file.

    python tests/servers/llamacpp.py --port 0      prints {"url": "http://127.0.0.1:PORT/v1", "model": …, "pid": …}
    python tests/servers/llamacpp.py --port 8080 COMMAND …      runs COMMAND while it serves, and ends as that does
    with tiny_llama() as server: server.url, server.model

It ends when its standard input does, so that no server outlives the tests, however these end.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODEL = Path(__file__).parent / "tiny" / "tiny.gguf"
NAME = "markscheme-tiny"
SLOTS = 4
SLOT_TOKENS = 16_384
"""Room for a rubric with examples, a long context and the verdict, in tokens of this small vocabulary."""


@dataclass(frozen=True, slots=True)
class TinyServer:
    """``url`` is the OpenAI base URL (ends in /v1), ``model`` the name under which it serves."""

    url: str
    model: str
    pid: int


@contextmanager
def tiny_llama(model: Path = MODEL) -> Iterator[TinyServer]:
    """The server in a process of its own, on a free port, for the length of the block."""
    command = [sys.executable, str(Path(__file__)), "--port", "0", "--model", str(model)]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdin is not None and process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                process.wait()
                log.seek(0)
                raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{log.read()[-2000:]}")
            yield TinyServer(**json.loads(line))
        finally:
            process.kill()
            process.stdin.close()
            process.stdout.close()
            process.wait()


def main() -> None:
    """Serve until standard input ends, or the command does."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--model", type=Path, default=MODEL)
    arguments.add_argument("command", nargs=argparse.REMAINDER)
    options = arguments.parse_args()
    shown = os.dup(2)
    if options.command:  # whose words would drown in the server's
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(options.model)
    params.model_alias = {NAME}
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * SLOT_TOKENS
    # Threads would wait for each other after each of these small products, and on a busy machine for seconds.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.ui = False
    server = xllamacpp.Server(params)
    if options.command:
        os._exit(subprocess.call(options.command, stderr=shown))
    print(json.dumps({"url": f"{server.listening_address}/v1", "model": NAME, "pid": os.getpid()}), flush=True)
    sys.stdin.buffer.read()
    os._exit(0)  # the server's own way out waits for its threads, at times for ever


if __name__ == "__main__":
    main()
