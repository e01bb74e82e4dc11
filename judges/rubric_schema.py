"""JSON schema of rubric files of both kinds, by which editors complete and check them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .pairwise_file import SEES as PAIRWISE_SEES
from .pairwise_file import PairwiseFile
from .rubric_file import MOST_LEVELS, NAME, RESERVED, SEES, RubricFile


def rubric_json_schema() -> dict[str, Any]:
    """The schema. What spans several keys (weights, gaps in the scale) only the loading of a rubric can see."""
    pointwise, pairwise = _texts(RubricFile.model_json_schema()), _texts(PairwiseFile.model_json_schema())
    kinds = {**pointwise.pop("$defs"), **pairwise.pop("$defs"), "RubricFile": pointwise, "PairwiseFile": pairwise}
    pointwise["properties"]["sees"] |= _shown(SEES)
    pairwise["properties"]["sees"] |= _shown(PAIRWISE_SEES)
    pointwise["properties"]["criteria"] |= {"minItems": 1}
    pairwise["properties"]["considerations"] |= {"minItems": 1}
    criterion = kinds["CriterionFile"]["properties"]
    criterion["name"] |= {"type": "string", "pattern": f"^{NAME.pattern}$", "not": {"enum": list(RESERVED)}}
    criterion["levels"] |= {"minItems": 2, "maxItems": MOST_LEVELS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Markscheme rubric",
        "if": {"required": ["kind"], "properties": {"kind": {"const": "pairwise"}}},
        "then": {"$ref": "#/$defs/PairwiseFile"},
        "else": {"$ref": "#/$defs/RubricFile"},
        "$defs": kinds,
    }


def _texts(schema: dict[str, Any]) -> dict[str, Any]:
    """``schema`` where a text may also be a number or a boolean, as written: ``version: 1.10`` is text."""
    for kind in (schema, *schema["$defs"].values()):
        for about in kind["properties"].values():
            if about.get("type") == "string" and "enum" not in about and "const" not in about:
                about["type"] = ["string", "number", "boolean"]
    return schema


def _shown(sees: Sequence[str]) -> dict[str, Any]:
    words = [word for name in sees for word in (name, f"{name}?") if word != "question?"]
    return {"items": {"enum": words}, "uniqueItems": True}
