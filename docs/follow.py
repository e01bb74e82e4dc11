"""Follows a page as a reader would: every command, file and snippet of it, in order, in one folder.

    python docs/follow.py [PAGE …]      writes what the commands print now into the pages (all of them by default)

On a page ```console blocks are run and their output compared; `$ ` begins a command, `…` alone on a line stands for any
lines. A block after a line that ends in a file's name in backquotes and a colon is written to that file. ```python
blocks are run, ```yaml ones without a name are parts of an exam or a rubric and loaded, ```text ones are illustrations.
A page in `NEEDS` is left out where its package is missing. What is replaced: hosted models answer from a scripted
server on loopback (declared as endpoints of the user's own), and `http://127.0.0.1:8000` in files and commands is that
server. `/home/you` in output is the folder.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parent))

from markscheme.app.cli import main as cli
from markscheme.harness.exam import Exam, exam_from_dict
from markscheme.judges.rubric import load_rubric
from scripted_models import scripted_models

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PAGES = (ROOT / "README.md", *sorted((DOCS / "guide").glob("*.md")))
NEEDS = {"ragas": "ragas"}
"""Page -> the package that it cannot do without, which is in an environment of its own."""
HOSTED = ("openai", "anthropic", "azure", "fireworks", "together", "gemini", "openrouter")
ADDRESS = "http://127.0.0.1:8000"
BUILDS = ("CI", "BUILD_NUMBER")
"""What build servers set; pytest then prints longer lines."""
HOME = "/home/you"
"""What pages call the folder that the reader is in."""
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([\w./-]+\.\w+)`:$")
RUN_ID = r"\d{8}-\d{6}-[0-9a-f]{4}"
SAME = (
    (re.compile(RUN_ID), "RUN"),
    (re.compile(r"\b[0-9a-f]{8}…"), "HASH…"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DATE"),
    (re.compile(r"\b\d{1,2} [A-Z][a-z]+ 20\d\d\b"), "DATE"),
    (re.compile(r"\b\d\d:\d\d UTC"), "TIME"),
    (re.compile(r"\b[\d.]+/s\b"), "RATE"),
    (re.compile(r"\$[\d,]*\.?\d+"), "$MONEY"),
    (re.compile(r"(\"spent_usd\":|\"usd\":)[\d.e-]+"), r"\1MONEY"),
    (re.compile(r"pid \d+"), "pid N"),
    (re.compile(r"\b[\d.]+ (s|min)\b"), r"N \1"),
    (re.compile(r"\b\d+\.\d+\.\d+\b"), "VERSION"),
)
"""What differs from one reader to the next."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page. ``file`` is where it is written, ``line`` where it begins on the page."""

    kind: str
    text: str
    file: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        before = text[: match.start()].rstrip().rpartition("\n")[2]
        named = NAMED.search(before)
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match[1], match[2], named[1] if named else "", line))
    assert len(found) * 2 == len(re.findall(r"^```", text, re.MULTILINE)), f"{page.name}: a fence that is not closed"
    return found


@dataclass
class Reader:
    """Somebody who does what a page says, in one folder."""

    folder: Path
    server: str
    code: int = 0
    names: dict[str, Any] = field(default_factory=dict)

    def follow(self, block: Block) -> None:
        if block.kind == "console":
            self.console(block.text)
        elif block.file:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.here(block.text), encoding="utf-8")
        elif block.kind == "python":
            self.python(block.text)
        elif block.kind == "yaml":
            self.load(yaml.safe_load(self.here(block.text)))
        else:
            assert block.kind == "text", f"a block of kind {block.kind!r} without a file's name is tried by nobody"

    def here(self, text: str) -> str:
        return text.replace(ADDRESS, self.server)

    def there(self, text: str) -> str:
        return text.replace(self.server, ADDRESS).replace(str(self.folder), HOME)

    def console(self, text: str) -> None:
        """Run the commands of a block. Raises AssertionError where one prints something else than the page says."""
        for command, expected in commands(text):
            said = self.there(self.run(self.here(command)))
            if not alike(expected, said):
                raise AssertionError(f"$ {command}\n--- the page says\n{expected}\n--- it says\n{said}")

    def renewed(self, text: str) -> str:
        """The block with what its commands print now, where that differs."""
        parts = []
        for command, expected in commands(text):
            said = self.there(self.run(self.here(command)))
            parts.append(f"$ {command}\n{expected if alike(expected, said) else _shortened(said)}".rstrip("\n") + "\n")
        return "".join(parts)

    def run(self, command: str) -> str:
        """What the terminal shows: both streams."""
        if command == "echo $?":
            return f"{self.code}\n"
        words = shlex.split(command.replace("\\\n", " "))
        if words[0] == "export":
            os.environ.update(word.split("=", 1) for word in words[1:])
            return ""
        if words[0] == "markscheme" and not set(words) & {"|", ">", "&&"}:
            return self.markscheme(words)
        done = subprocess.run(  # noqa: S602 - the pages are ours
            command,
            shell=True,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.code = done.returncode
        return done.stdout

    def markscheme(self, words: list[str]) -> str:
        """In this process, where pandas is loaded once."""
        shown = io.StringIO()
        argv, sys.argv, self.code = sys.argv, words, 0
        try:
            with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
                cli.main()
        except SystemExit as stop:
            self.code = int(stop.code or 0)
        finally:
            sys.argv = argv
        return shown.getvalue()

    def python(self, text: str) -> None:
        """Run as a notebook's cell; its asserts are what is checked."""
        exec(compile(self.here(text), "page", "exec"), self.names)  # noqa: S102 - the pages are ours

    def load(self, data: dict[str, Any]) -> None:
        """A part of an exam or of a rubric, completed to a whole one."""
        if data.keys() <= Exam.model_fields.keys():
            whole = {"dataset": "docs_qa", "candidates": [{"name": "any", "model": "baseline/lead"}], **data}
            exam_from_dict(whole, base=self.folder, name="part")
            return
        packaged = yaml.safe_load((ROOT / "rubrics" / "docs_qa.yaml").read_text(encoding="utf-8"))
        part = self.folder / "part-of-a-rubric.yaml"
        part.write_text(yaml.safe_dump({**packaged, **data}), encoding="utf-8")
        load_rubric(part, shots=0)


def commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with the output that the page shows."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.split("\n")
        count = next(i for i, line in enumerate(lines, 1) if not line.endswith("\\"))
        yield "\n".join(lines[:count]), "\n".join(lines[count:])


def _shortened(said: str) -> str:
    """Of a plan the numbers and the first prompt."""
    first = said.find("--- first prompt of")
    second = said.find("--- first prompt of", first + 1)
    return f"{said[:second].rstrip()}\n…\n" if 0 <= first < second else said


def alike(expected: str, shown: str) -> bool:
    """Whether ``shown`` is what the page says but for what differs from one reader to the next."""
    pattern = "\n".join(
        r"(?:.*\n)*?.*" if line.strip() == "…" else re.escape(line).replace("…", r".*?")
        for line in normal(expected).split("\n")
    )
    return re.fullmatch(pattern, normal(shown)) is not None


def normal(text: str) -> str:
    for pattern, name in SAME:
        text = pattern.sub(name, text)
    return "\n".join(re.sub(r" {2,}", "  ", line).rstrip() for line in text.strip().split("\n"))


@contextlib.contextmanager
def reading(folder: Path, url: str) -> Iterator[Reader]:
    """A reader in ``folder`` without keys, whose hosted models answer at ``url``; undoes what it changes."""
    before, modules, path, place = dict(os.environ), set(sys.modules), list(sys.path), Path.cwd()
    endpoints = [{"name": name, "base_url": url} for name in HOSTED]
    (folder / "hosted.yaml").write_text(yaml.safe_dump({"endpoints": endpoints}), encoding="utf-8")
    desk = folder / "desk"
    desk.mkdir()
    for name in [name for name in os.environ if name.startswith("MARKSCHEME_") or name.endswith("_API_KEY")]:
        del os.environ[name]
    for name in BUILDS:
        os.environ.pop(name, None)
    os.environ["MARKSCHEME_ENDPOINTS"] = str(folder / "hosted.yaml")
    # Beside our own commands stands the `vllm` of the tests.
    programs = (str(Path(sys.executable).parent), str(ROOT / "tests" / "servers"), os.environ["PATH"])
    os.environ["PATH"] = os.pathsep.join(programs)
    os.chdir(desk)
    try:
        yield Reader(desk, url.removesuffix("/v1"))
    finally:
        os.chdir(place)
        os.environ.clear()
        os.environ.update(before)
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(desk):
                del sys.modules[name]


def main() -> None:
    """Renew the pages that are named, or all."""
    chosen = [Path(name).resolve() for name in sys.argv[1:]] or list(PAGES)
    for page in chosen:
        if page.stem in NEEDS and find_spec(NEEDS[page.stem]) is None:
            sys.stderr.write(f"{page.name}: left out, for want of {NEEDS[page.stem]}\n")
            continue
        text, parts, end = page.read_text(encoding="utf-8"), [], 0
        with scripted_models() as url, tempfile.TemporaryDirectory() as folder, reading(Path(folder), url) as reader:
            for block, match in zip(blocks(page), FENCE.finditer(text), strict=True):
                new = reader.renewed(block.text) if block.kind == "console" else block.text
                if block.kind != "console":
                    reader.follow(block)
                parts += [text[end : match.start()], f"```{block.kind}\n{new}```"]
                end = match.end()
        page.write_text("".join([*parts, text[end:]]), encoding="utf-8")


if __name__ == "__main__":
    main()
