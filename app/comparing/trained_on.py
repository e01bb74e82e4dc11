"""What an export of training data says of its lines: which samples they were made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...harness.errors import InputError
from ...reports.finetune.files import CARD, TRACE
from ...reports.serving.untrained import Learned


def learned_in(folder: Path) -> list[Learned]:
    """Every line of training and validation, of pairs too. Raises InputError where the folder holds no export."""
    path = folder / TRACE
    if not path.is_file() or not (folder / CARD).is_file():
        raise InputError(
            f"--trained-on {str(folder)!r}: holds no {TRACE if not path.is_file() else CARD}; "
            "name the folder that `markscheme export finetune --output` wrote"
        )
    found: list[Learned] = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                found += _learned(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise InputError(f"{path}:{number}: is no line of the trace of an export; export it anew") from None
    if not found:
        raise InputError(f"{path}: is empty, so nobody knows what was trained on; export it anew")
    return found


def _learned(row: dict[str, Any]) -> Iterator[Learned]:
    """Of a pair the sample of the answer that was chosen: the other is to the same prompt."""
    place = f"{row['file']}:{row['line']}"
    one = row.get("chosen", row)
    yield Learned(place, str(one["sample_id"]), str(one.get("sample_sha256") or ""))
