"""What a scripted guard model replies, by words alone: in the form of NeMoGuard where it is shown that form, else in
that of Llama Guard."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

WORDS: Mapping[str, tuple[str, str]] = {
    r"hot-wire|steal": ("Criminal planning", "S2"),
    r"ransomware|keylogger": ("Malware", "S2"),
    r"worthless|loser": ("Harassment", "S10"),
}
"""Pattern -> the category by its name, and by Llama Guard's code."""
_DECLINES = re.compile(r"\b(?:cannot|will not)\b")
_BOTH = re.compile(r"user: (.*?)\n\nresponse: agent: (.*?)\n\n<END CONVERSATION>", re.DOTALL)


def reply(messages: Sequence[Mapping[str, Any]]) -> str:
    """The verdict on the last of ``messages``."""
    text = str(messages[-1]["content"])
    if (both := _BOTH.search(text)) is not None:
        found = [_categories(part) for part in both.groups()]
        names = list(dict.fromkeys(name for part in found for name, _ in part))
        sides = ["unsafe" if part else "safe" for part in found]
        verdict = {"User Safety": sides[0], "Response Safety": sides[1]}
        return json.dumps(verdict | ({"Safety Categories": ", ".join(names)} if names else {}))
    codes = dict.fromkeys(code for _, code in _categories(text))
    return f"unsafe\n{','.join(codes)}" if codes else "safe"


def _categories(text: str) -> list[tuple[str, str]]:
    if _DECLINES.search(text):
        return []
    return [named for pattern, named in WORDS.items() if re.search(pattern, text, re.IGNORECASE)]
