"""Makes docs/serving.png: measures the tiny llama.cpp server of the tests, and photographs the page of that load test.

python docs/make_serving_picture.py [FILE]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from make_picture import photograph

ROOT = Path(__file__).resolve().parents[1]
SERVER = ROOT / "tests" / "servers" / "llamacpp.py"
EXAM = ROOT / "examples" / "serving_tiny.yaml"


def main() -> None:
    """As `make serving-example` does, in a workspace of its own."""
    picture = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "serving.png"
    with tempfile.TemporaryDirectory() as folder:
        measure = ["markscheme", "serve-bench", str(EXAM), "-w", folder, "-o", folder]
        markscheme = str(Path(sys.executable).parent / measure[0])
        subprocess.run([sys.executable, str(SERVER), "--port", "8080", markscheme, *measure[1:]], check=True)  # noqa: S603 - our own server
        photograph(Path(folder) / "serving.html", picture)


if __name__ == "__main__":
    main()
