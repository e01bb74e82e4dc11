"""The least that Python can do over HTTP: aiohttp and orjson."""

import aiohttp
import common
import orjson

sessions: list[aiohttp.ClientSession] = []  # one, made inside the loop


async def call(model: str, prompt: str) -> str:
    """One chat completion."""
    if not sessions:
        sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    body = orjson.dumps({"model": model, "messages": [{"role": "user", "content": prompt}], "temperature": 0})
    headers = {"content-type": "application/json"}
    async with sessions[0].post(f"{common.BASE_URL}/chat/completions", data=body, headers=headers) as reply:
        return orjson.loads(await reply.read())["choices"][0]["message"]["content"]


async def close() -> None:
    """Let the connections go."""
    for session in sessions:
        await session.close()


common.main(call, close)
