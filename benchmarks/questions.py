"""Questions whose right answers the mock server knows: `python benchmarks/questions.py 1000 out.jsonl`."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "servers"))
from mock_replies import code_word

_WORDS = (
    "anchor basket candle desert engine feather glacier hammer island jacket kettle lantern marble needle orchid "
    "pepper quartz ribbon saddle temple umbrella valley window yellow zephyr bronze copper dragon ember forest"
).split()


def question(number: int) -> dict[str, str]:
    """A sample of about 1.1 kB: id, question, context, reference."""
    rng = random.Random(number)
    sentences = [" ".join(rng.choices(_WORDS, k=14)).capitalize() + "." for _ in range(10)]
    sentences.insert(rng.randrange(10), f"The code word kept in vault {number} is {code_word(number)}.")
    return {
        "id": str(number),
        "question": f"[[Q{number}]] What is the code word kept in vault {number}?",
        "context": " ".join(sentences),
        "reference": code_word(number),
    }


def write(path: Path, count: int) -> None:
    """The first ``count`` questions as JSONL."""
    path.write_text("".join(json.dumps(question(number)) + "\n" for number in range(count)))


if __name__ == "__main__":
    write(Path(sys.argv[2]), int(sys.argv[1]))
