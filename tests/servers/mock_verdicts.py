"""How the mock judge fills the schema, tool or JSON that it is asked for: best values where the answer is right."""

from __future__ import annotations

import re
from typing import Any

import orjson

WHY = "Compared with the reference answer, the submission is "
GOOD = re.compile(r"^(c|yes|pass|correct|true|1|5|good|a|left)$", re.IGNORECASE)
BAD = re.compile(r"^(i|no|fail|incorrect|false|0|bad|d|right)$", re.IGNORECASE)


def wanted_schema(body: dict[str, Any]) -> dict[str, Any] | None:
    given = body.get("response_format") or {}
    if given.get("type") == "json_schema":
        return given["json_schema"]["schema"]
    if body.get("output_config", {}).get("format"):
        return body["output_config"]["format"]["schema"]
    return _schema_in_text(body)


def _schema_in_text(body: dict[str, Any]) -> dict[str, Any] | None:
    """A JSON schema written into the prompt, as the JSON-in-text rung does."""
    for message in [*body.get("messages", ()), {"content": body.get("system", "")}]:
        content = message.get("content")
        text = content if isinstance(content, str) else orjson.dumps(content).decode()
        if '"properties"' not in text:
            continue
        for at in (match.start() for match in re.finditer(r"\{", text)):
            for end in (match.end() for match in re.finditer(r"\}", text[at:])):
                try:
                    schema = orjson.loads(text[at : at + end])
                except orjson.JSONDecodeError:
                    continue
                if isinstance(schema, dict) and "properties" in schema:
                    return schema
    return None


def any_verdict(raw: bytes, why: str, good: bool) -> dict[str, Any]:
    top = 10 if re.search(rb"0 ?(-|to|and) ?10|between 0 and 10", raw) else 1
    return {
        "reason": why, "reasoning": why, "rationale": why, "score": top if good else 0, "pass": good,
        "verdict": int(good), "result": "yes" if good else "no", "value": "pass" if good else "fail", "feedback": why,
    }  # fmt: skip


def fill(schema: Any, name: str, good: bool, root: Any, depth: int = 0) -> Any:
    """An instance of a JSON schema, coloured by the verdict: best values where ``good``, else worst."""
    if not isinstance(schema, dict) or depth > 10:
        return None
    if "$ref" in schema:
        target = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return fill(target, name, good, root, depth + 1)
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            options = [option for option in schema[union] if option.get("type") != "null"] or schema[union]
            return fill(options[0], name, good, root, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _choose(schema["enum"], good)
    return _fill_type(schema, name, good, root, depth)


def _choose(options: list[Any], good: bool) -> Any:
    numbers = [option for option in options if isinstance(option, int | float) and not isinstance(option, bool)]
    if numbers:
        return max(numbers) if good else min(numbers)
    wanted = GOOD if good else BAD
    return next((option for option in options if wanted.match(str(option))), options[0 if good else -1])


def _fill_type(schema: dict[str, Any], name: str, good: bool, root: Any, depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next(option for option in kind if option != "null")
    if kind == "object" or "properties" in schema:
        return {key: fill(sub, key, good, root, depth + 1) for key, sub in schema.get("properties", {}).items()}
    if kind == "array":
        return [fill(schema.get("items", {"type": "string"}), name, good, root, depth + 1)]
    if kind == "boolean":
        return good
    if kind in ("integer", "number"):
        return schema.get("maximum", 1) if good else schema.get("minimum", 0)
    if re.search("verdict|result|grade|choice|label", name, re.IGNORECASE):
        return "yes" if good else "no"
    return WHY + ("right." if good else "wrong.")
