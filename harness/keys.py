"""Call keys: SHA-256 of the request as rendered. Two requests share a reply exactly when they share a key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from .records import Draw, Message, Request


def digest(value: Any) -> str:
    """SHA-256 (hex) of the canonical JSON of ``value``: sorted keys, UTF-8, no spaces."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)).hexdigest()


def call_key(identity: Mapping[str, Any], request: Request, draw: Draw) -> str:
    """Key of a model call: endpoint as declared, messages, tools, parameters, draw and salt. Never host or port.

    ``stream`` is left out (the same words either way), and so are the paths of images (their content is hashed).
    """
    return digest(
        [
            identity,
            [_without_paths(message) for message in request.messages],
            request.params,
            request.tools,
            request.tool_choice,
            request.schema,
            [draw.slot, draw.trial, draw.repeat, draw.attempt],
            draw.salt,
        ]
    )


def work_key(name: str, version: str, payload: Any, draw: Draw) -> str:
    """Key of a call without a wire (an application, a function): name, code version, input, draw and salt."""
    return digest([name, version, payload, [draw.slot, draw.trial, draw.repeat, draw.attempt], draw.salt])


def _without_paths(message: Message) -> Message:
    content = message.get("content")
    if not isinstance(content, list | tuple):
        return message
    return {**message, "content": [{k: v for k, v in part.items() if k != "path"} for part in content]}
