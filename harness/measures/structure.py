"""Measures on JSON answers: whether they parse, and whether they follow a schema."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ..errors import InputError
from ..records import Said, Sample
from .text import quoted

_FENCE = re.compile(r"```(?:json|JSON)?[ \t]*\n(.*?)\n?```", re.DOTALL)
_LONGEST_WHY = 200


@dataclass(frozen=True, slots=True)
class JsonValid:
    """1 where the whole answer, or all of it but one Markdown code fence around it, is JSON (RFC 8259), else 0."""

    def __str__(self) -> str:
        return "json_valid"

    @property
    def version(self) -> str:
        """'': ours."""
        return ""

    def score(self, sample: Sample, answer: Said) -> tuple[float | None, str]:
        """See the class; needs no reference."""
        try:
            document(answer.text)
        except ValueError as error:
            return 0.0, str(error)
        return 1.0, ""


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """1 where the answer is JSON as for `json_valid` and follows the JSON schema in ``file``, else 0 and why.

    ``file`` is relative to the exam. No reference of the schema is fetched. Raises InputError where the file is missing
    or no schema.
    """

    file: str
    base: InitVar[Path | None] = None
    _validator: Any = field(init=False, repr=False, compare=False)
    _sha256: str = field(init=False, repr=False, compare=False)

    def __post_init__(self, base: Path | None) -> None:
        validator, sha256 = _schema(self, (base or Path.cwd()) / self.file)
        object.__setattr__(self, "_validator", validator)
        object.__setattr__(self, "_sha256", sha256)

    def __str__(self) -> str:
        return f"json_schema({quoted(self.file)})"

    @property
    def version(self) -> str:
        """Hash of the schema's file."""
        return self._sha256

    def score(self, sample: Sample, answer: Said) -> tuple[float | None, str]:
        """See the class; needs no reference."""
        from jsonschema.exceptions import best_match

        try:
            found = document(answer.text)
        except ValueError as error:
            return 0.0, str(error)
        worst = best_match(self._validator.iter_errors(found))
        if worst is None:
            return 1.0, ""
        return 0.0, f"{worst.json_path}: {worst.message}"[:_LONGEST_WHY]


def document(text: str) -> Any:
    """The JSON that ``text`` is, alone or in one code fence. Raises ValueError."""
    stripped = text.strip()
    fenced = _FENCE.fullmatch(stripped)
    try:
        return orjson.loads(fenced[1] if fenced else stripped)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}"[:_LONGEST_WHY]) from None


def _schema(measure: JsonSchema, path: Path) -> tuple[Any, str]:
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for
    from referencing import Registry

    try:
        body = path.read_bytes()
    except OSError as error:
        raise InputError(f"measure {str(measure)!r}: {path} cannot be read: {error.strerror}") from None
    try:
        schema = json.loads(body)
        kind = validator_for(schema)
        kind.check_schema(schema)
    except (ValueError, SchemaError) as error:
        reason = error.message if isinstance(error, SchemaError) else str(error)
        raise InputError(f"measure {str(measure)!r}: {path} is not a JSON schema: {reason[:_LONGEST_WHY]}") from None
    return kind(schema, registry=Registry()), hashlib.sha256(body).hexdigest()
