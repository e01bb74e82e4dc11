"""README, guide and reference: every page is followed as a reader would (see docs/follow.py), every link resolves."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import pytest
from markscheme.harness.exam import load_exam
from markscheme.harness.models.endpoints import PRESETS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def module(name: str) -> ModuleType:
    """A script of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found
    spec.loader.exec_module(found)
    return found


follow = module("follow")
PAGES = follow.PAGES
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
MORE = (*DOCS.glob("reference/*.md"), *DOCS.glob("decisions/*.md"), ROOT / "CHANGELOG.md")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with follow.scripted_models() as url:
        yield url


def followed(page: Path) -> Any:
    """The page; one that needs a package of another environment is tried there, and marked with its name."""
    package = follow.NEEDS.get(page.stem)
    marks = [] if package is None else [getattr(pytest.mark, package)]
    if page.stem == "mlflow":  # which warns of its own ways with SQLAlchemy
        marks.append(pytest.mark.filterwarnings("ignore"))
    if package is not None and importlib.util.find_spec(package) is None:
        marks.append(pytest.mark.skip(reason=f"needs the extra {package}: make test-{package}"))
    return pytest.param(page, marks=marks, id=page.stem)


@pytest.mark.parametrize("page", [followed(page) for page in PAGES])
def test_a_reader_who_follows_a_page_sees_what_it_says(page: Path, server: str, tmp_path: Path):
    with follow.reading(tmp_path, server) as reader:
        for block in follow.blocks(page):
            try:
                reader.follow(block)
            except Exception as error:
                hint = "python docs/follow.py writes what is printed now into the page"
                raise AssertionError(f"{page.name}:{block.line}: {error}\n({hint})") from error


def test_output_that_differs_is_noticed():
    alike = follow.alike
    assert alike("run 20261121-075017-3d8d: paid $0.12\na  1.50", "run 20270101-000000-0000: paid $3\na     1.50\n")
    assert alike("first\n…\nlast", "first\nsecond\nthird\nlast")
    assert not alike("a  1.50", "a  1.51")
    assert not alike("first\n…\nlast", "first\nsecond\nother")
    assert not alike("first", "first\nsecond")


@pytest.mark.parametrize("page", sorted({*PAGES, *MORE}), ids=lambda page: page.stem)
def test_links_resolve(page: Path):
    text = follow.FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = unquote(target).partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(file), f"{page.name} links to {target}: no such heading"


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub links them."""
    titles = re.findall(r"^#+ (.+)$", follow.FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_reference_is_what_the_models_say():
    wanted = module("generate_reference").pages()
    stale = [name for name, text in wanted.items() if (DOCS / "reference" / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run `make docs`"


def test_the_presets_are_those_of_the_code():
    page = (DOCS / "guide" / "candidates.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/` \| `([^`]+)` \| (?:`(\w+)`|–) \|$", page, re.MULTILINE)
    assert rows == [(preset.name, preset.base_url, preset.key_env or "") for preset in PRESETS.values()]


def test_every_page_of_the_guide_is_linked_from_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"docs/guide/{page.name}" not in readme] == []


def test_every_folder_of_the_tree_has_its_caption_in_the_readme():
    shown = set(re.findall(r"^(\w+)/ ", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    unwritten = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()]
    folders = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0].isalpha()]
    assert shown == {name for name in folders if not any(fnmatch(name, pattern) for pattern in unwritten)}


def test_the_examples_load():
    assert [load_exam(path).name for path in EXAMPLES] == [path.stem for path in EXAMPLES]


@pytest.mark.parametrize("name", ["own_app", "known_answers"])
def test_examples_that_need_no_key_run(name: str, server: str, tmp_path: Path):
    with follow.reading(tmp_path, server) as reader:
        said = reader.run(f"markscheme run {ROOT / 'examples' / name}.yaml --limit 6 --no-report --quiet")
    assert reader.code == 0, said
    assert "correctness" in said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_that_runs_hosted_models_says_that_they_were_scripted(page: Path):
    text = page.read_text(encoding="utf-8")
    assert "OPENAI_API_KEY=" not in text or re.search(r"[Ss]cripted models stood in for the hosted ones", text)


@pytest.mark.parametrize("name", ["notebook", "report", "review"])
def test_the_pictures_are_small(name: str):
    assert 0 < (DOCS / f"{name}.png").stat().st_size < 300_000
