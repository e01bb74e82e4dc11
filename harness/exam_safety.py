"""Guard models in an exam: ``parser: llama-guard`` and its like, for judges whose model words its verdicts itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from .exam_types import Section
from .yaml_file import mistake

if TYPE_CHECKING:
    from .exam_specs import JudgeSpec

Format = Literal["json", "llama-guard", "nemoguard", "regex"]
_PATTERNS = ("safe", "unsafe", "user_safe", "user_unsafe", "categories")
_LLAMA_GUARD_NUMBERS_OTHERWISE = "safety"


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise mistake(f"{pattern!r} is not a regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class ParserSpec(Section):
    """How a judge's verdict is read: ``json`` as a judge is asked for it, ``llama-guard`` or ``nemoguard`` as these
    models write it, or by patterns (Python's `re`, searched anywhere, case ignored), of which just one of ``safe`` and
    ``unsafe`` must occur. ``categories`` finds codes or names of categories, its first group where it has one."""

    format: Format = "regex"
    safe: Pattern | None = Field(default=None, description="safe: and a pattern like '^no'")
    unsafe: Pattern | None = Field(default=None, description="unsafe: and a pattern like '^yes'")
    user_safe: Pattern | None = None
    user_unsafe: Pattern | None = None
    categories: Pattern | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, value: Any) -> Any:
        if value is None:
            raise mistake("an empty value is wrong: wanted json, llama-guard, nemoguard or patterns")
        if isinstance(value, str) and value != "regex":
            return {"format": value}
        return value

    @model_validator(mode="after")
    def _patterns_where_they_count(self) -> ParserSpec:
        given = [name for name in _PATTERNS if getattr(self, name) is not None]
        if self.format != "regex":
            if given:
                raise mistake(f"has no effect with format: {self.format}; remove one of the two", given[0])
            return self
        for one, other in (("safe", "unsafe"), ("unsafe", "safe"), ("user_safe", "user_unsafe")):
            if getattr(self, one) is None and (one in ("safe", "unsafe") or getattr(self, other) is not None):
                raise mistake(f"is missing: a verdict is read by {one} and {other}; write a pattern for each", one)
        if self.user_safe is not None and self.user_unsafe is None:
            raise mistake("is missing: write a pattern for each of user_safe and user_unsafe", "user_unsafe")
        return self


JSON = ParserSpec(format="json")
"""The judge that is asked for JSON, down the ladder."""


def is_guard(spec: JudgeSpec) -> bool:
    """Whether the judge's model words its verdicts itself."""
    return spec.parser.format != "json"


def check_guard(spec: JudgeSpec) -> None:
    """Raise for what a guard model cannot do, or would silently ignore."""
    if not is_guard(spec):
        return
    what = f"{spec.parser.format!r} is how a guard model words its verdict"
    if spec.mode == "pairwise":
        raise mistake(f"{what}; a pairwise judge compares: remove one of the two", "parser")
    if "/" not in spec.model:
        raise mistake(f"{what}; {spec.model!r} asks no model: remove it", "parser")
    for name in ("shots", "calls"):
        if name in spec.model_fields_set:
            raise mistake(f"has no effect beside parser: {spec.parser.format}; remove it", name)
    if spec.parser.format == "llama-guard" and spec.rubric == _LLAMA_GUARD_NUMBERS_OTHERWISE:
        raise mistake(
            "'safety' numbers its categories otherwise than Llama Guard does, whose S1 would be read as another: write "
            "llama_guard, or a file with the categories that your server's template shows the model",
            "rubric",
        )


def described_parser(spec: JudgeSpec) -> Mapping[str, Any]:
    """For a run's configuration; nothing for a judge that is asked for JSON."""
    return {"parser": spec.parser.model_dump(mode="json", exclude_none=True)} if is_guard(spec) else {}
