"""What the client of `serve-bench` adds to what it measures: `python benchmarks/serving_bench.py [--runs 5]`.

Three clients stream from one mock server (50 ms to the first token, 5 ms between tokens), each a process of its own,
in turn: the least that aiohttp and orjson need, the OpenAI SDK, and the loop of `serve-bench`. Each stamps every chunk
with text. CPU is of the process while it sends, without its start. Medians of the runs are printed; the last line is
one JSON object. Then Poisson arrivals are held against their law, and a stall of the server of one second is looked for
in scheduled and in service latency.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from contextlib import nullcontext
from itertools import pairwise

import run as bench

CLIENTS = ("bare_aiohttp", "openai_sdk", "markscheme")
WORDS = 64
RATE = 40
CONFIG = {"stream": {"ttft_ms": 50, "itl_ms": 5}, "say": {"gen": "word " * WORDS}}
MESSAGES = [{"role": "user", "content": "[[Q1]] Say sixty-four words. " + "context " * 200}]


async def bare(url: str, users: int, requests: int) -> list[list[float]]:
    """Moments of one request: when it was sent, then when each chunk with text came."""
    import aiohttp
    import orjson

    async def one(session: aiohttp.ClientSession) -> list[float]:
        body = orjson.dumps({"model": "cand-1", "messages": MESSAGES, "stream": True, "max_tokens": 512})
        moments = [time.perf_counter()]
        headers = {"content-type": "application/json"}
        async with session.post(f"{url}/chat/completions", data=body, headers=headers) as response:
            rest = b""
            async for received in response.content.iter_any():
                now = time.perf_counter()
                *lines, rest = (rest + received).split(b"\n")
                for line in lines:
                    if line.startswith(b"data: {"):
                        choices = orjson.loads(line[6:])["choices"]
                        if choices and choices[0]["delta"].get("content"):
                            moments.append(now)
        return moments

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        return await in_turn(lambda: one(session), users, requests)


async def sdk(url: str, users: int, requests: int) -> list[list[float]]:
    """The same with the OpenAI SDK."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=url, api_key="none", max_retries=0)

    async def one() -> list[float]:
        moments = [time.perf_counter()]
        stream = await client.chat.completions.create(model="cand-1", messages=MESSAGES, stream=True, max_tokens=512)
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                moments.append(time.perf_counter())  # noqa: PERF401 - the moment matters
        return moments

    return await in_turn(one, users, requests)


async def in_turn(one, users: int, requests: int) -> list[list[float]]:
    """A closed loop."""
    numbers, found = iter(range(requests)), []

    async def user() -> None:
        for _ in numbers:
            found.append(await one())  # noqa: PERF401 - one after the other

    await asyncio.gather(*(user() for _ in range(users)))
    return found


async def ours(url: str, users: int, requests: int) -> list[list[float]]:
    """The same by `serve-bench`, its samples of its own lag included."""
    loaded = await measured(url, {"closed": users}, max(requests, 10 + 2 * users))
    found = []
    for one in loaded.requests:
        moments = [0.0, one.ttft_s]
        for gap in one.gaps_s:
            moments.append(moments[-1] + gap)
        found.append(moments)
    return found


async def measured(url: str, load: dict, requests: int, max_in_flight: int = 512):
    """One cell of `serve-bench`."""
    from markscheme.harness.exam_specs import CandidateSpec
    from markscheme.harness.models.catalog import open_model
    from markscheme.harness.records import Request
    from markscheme.harness.serving.grid import cells
    from markscheme.harness.serving.loop import Asked, Rules, measure
    from markscheme.harness.serving.purse import Purse
    from markscheme.harness.serving.spec import ServingSpec

    spec = ServingSpec.model_validate({"loads": [load], "requests": requests})
    model = open_model("openai-compatible/cand-1", base_url=url)
    request = Request(tuple(MESSAGES), {"max_tokens": 512}, stream=True)
    asked = Asked(lambda number: ("s", request), model, Purse(None, 0.0, lambda name, usage: None))
    cell = cells(spec, [CandidateSpec(name="cand", model="vllm/cand")])[0]
    try:
        return await measure(cell, 0, asked, Rules(spec.warm, max_in_flight))
    finally:
        await model.close()


def client(name: str, url: str, users: int, requests: int) -> None:
    """One client: its medians in milliseconds, and CPU microseconds a chunk."""
    began = {"bare_aiohttp": bare, "openai_sdk": sdk, "markscheme": ours}[name]
    asyncio.run(began(url, 1, 3))  # what is imported and built on first use is not what is measured
    cpu = time.process_time()
    found = asyncio.run(began(url, users, requests))
    cpu = time.process_time() - cpu
    chunks = sum(len(moments) - 1 for moments in found)
    ttft = statistics.median(moments[1] - moments[0] for moments in found)
    tpot = statistics.median((moments[-1] - moments[1]) / (len(moments) - 2) for moments in found)
    sizes = {"cpu_us": 1e6 * cpu / chunks, "chunks": chunks / len(found)}
    print(json.dumps({"ttft_ms": 1e3 * ttft, "tpot_ms": 1e3 * tpot, **sizes}))


def compare(url: str, users: int, requests: int, runs: int) -> dict[str, dict[str, float]]:
    """Medians of interleaved runs; ratios are to the bare loop in the same round, since a machine has its moods."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    for _ in range(runs):
        for name in CLIENTS:
            bench.ask(f"{url}/config", CONFIG)
            command = [sys.executable, __file__, "--client", name, f"{url}/v1", str(users), str(requests)]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found[name].append(json.loads(output.splitlines()[-1]))
        base = found["bare_aiohttp"][-1]
        for results in found.values():
            results[-1] |= {f"{key}_ratio": results[-1][f"{key}_ms"] / base[f"{key}_ms"] for key in ("ttft", "tpot")}
    return {
        name: {key: statistics.median(one[key] for one in results) for key in results[0]}
        for name, results in found.items()
    }


def open_loop(url: str) -> dict[str, float]:
    """Poisson arrivals as they were sent, and a stall of the server of one second as both latencies see it."""
    from scipy.stats import kstest

    bench.ask(f"{url}/config", {"stream": {"ttft_ms": 10, "itl_ms": 0}})
    arrived = asyncio.run(measured(f"{url}/v1", {"poisson": RATE}, 1000)).requests
    planned, sent = (sorted(getattr(one, name) for one in arrived) for name in ("scheduled_s", "sent_s"))
    bench.ask(f"{url}/config", {"stream": {"ttft_ms": 10, "itl_ms": 0}, "stall": {"at_s": 2.0, "for_s": 1.0}})
    stalled = asyncio.run(measured(f"{url}/v1", {"constant": RATE}, 200, max_in_flight=4)).requests
    service = [one.e2e_s for one in stalled]
    scheduled = [one.e2e_s + one.sent_s - one.scheduled_s for one in stalled]
    return {
        **{
            name: float(kstest([RATE * (b - a) for a, b in pairwise(moments)], "expon").pvalue)
            for name, moments in (("planned_p", planned), ("sent_p", sent))
        },
        "stalled_service": sum(seconds > 0.1 for seconds in service),
        "stalled_scheduled": sum(seconds > 0.1 for seconds in scheduled),
        "longest_scheduled_s": max(scheduled),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--client", nargs=4)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--users", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--server", help="http://host:port of a mock server that runs already")
    options = parser.parse_args()
    if options.client:
        name, url, users, requests = options.client
        client(name, url, int(users), int(requests))
        return
    results = {}
    with bench.server() if options.server is None else nullcontext(options.server) as url:
        for users in options.users:
            results[users] = compare(url, users, max(30, 6 * users), options.runs)
            report(users, results[users])
    with bench.server() as url:
        opened = open_loop(url)
    print(f"Poisson at {RATE}/s, Kolmogorov-Smirnov p: {opened['planned_p']:.2f} planned, {opened['sent_p']:.2f} sent")
    print(
        f"a stall of 1 s at {RATE}/s, 4 in flight, of 200 requests beyond 0.1 s: {opened['stalled_scheduled']} by "
        f"scheduled latency (up to {opened['longest_scheduled_s']:.2f} s), {opened['stalled_service']} by service"
    )
    print(json.dumps({"results": results, "open": opened}))


def report(users: int, found: dict[str, dict[str, float]]) -> None:
    """The table of one concurrency."""
    base = found["bare_aiohttp"]
    print(f"{users} users, {base['chunks']:.0f} chunks a reply, 50 ms to the first, 5 ms between")
    print(f"{'':14}{'TTFT ms':>9}{'TPOT ms':>9}{'CPU µs/chunk':>14}{'TTFT':>8}{'TPOT':>8}")
    for name, one in found.items():
        ratios = (one["ttft_ratio"], one["tpot_ratio"])
        print(
            f"{name:14}{one['ttft_ms']:9.2f}{one['tpot_ms']:9.3f}{one['cpu_us']:14.1f}"
            + "".join(f"{ratio:8.3f}" for ratio in ratios)
        )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
