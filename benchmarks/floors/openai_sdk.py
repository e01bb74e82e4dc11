"""The loop that everybody writes first: the OpenAI SDK."""

import common
from openai import AsyncOpenAI

client = AsyncOpenAI(max_retries=8)


async def call(model: str, prompt: str) -> str:
    """One chat completion."""
    messages = [{"role": "user", "content": prompt}]
    reply = await client.chat.completions.create(model=model, messages=messages, temperature=0)
    return reply.choices[0].message.content or ""


common.main(call, client.close)
