"""The house: which packages there are, what a wheel holds, and what `import markscheme` and `--help` cost."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from pathlib import Path

import markscheme
import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("app", "harness", "judges", "reports")
DATA = (
    "rubrics/*.yaml",
    "datasets/docs_qa/**/*",
    "datasets/tool_calls/*",
    "*/templates/*",
    "examples/demo.yaml",
    "py.typed",
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HEAVY = (
    "aiohttp anthropic chromadb genai_prices jinja2 jsonschema matplotlib mlflow numpy openai orjson pandas pyarrow "
    "pydantic ragas scipy sqlalchemy yaml"
).split()


def packages() -> set[str]:
    """The packages that the tree has, as `[tool.setuptools] packages` words them."""
    folders = [path.parent.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("__init__.py")]
    return {"markscheme", *(".".join(("markscheme", *folder.parts)) for folder in folders)}


def test_the_packages_listed_for_setuptools_are_those_of_the_tree():
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert set(listed) == packages()
    assert listed == sorted(listed)


def test_every_folder_with_modules_is_a_package():
    folders = {path.parent for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel of the tree as it is, built without a network and without what earlier builds left behind."""
    folder = tmp_path_factory.mktemp("build")
    left = shutil.ignore_patterns(
        ".git",
        ".venv*",
        "venv",
        "build",
        "dist",
        "*.egg-info",
        "__pycache__",
        ".*_cache",
        "node_modules",
        ".markscheme",
    )
    shutil.copytree(ROOT, folder / "tree", ignore=left, symlinks=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    built = subprocess.run(
        [*command, "--wheel-dir", folder, folder / "tree"], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("markscheme-*.whl")
    return found


def test_a_wheel_holds_the_packages_and_the_data_and_nothing_else(wheel):
    modules = {path for room in ROOMS for path in (ROOT / room).rglob("*.py")} | {ROOT / "__init__.py"}
    data = {path for pattern in DATA for path in ROOT.glob(pattern) if path.is_file() and path.parts[-3] != "tests"}
    expected = {f"markscheme/{path.relative_to(ROOT).as_posix()}" for path in modules | data}
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert any(name.startswith("markscheme/datasets/docs_qa/corpus/") for name in names)


def test_a_wheel_alone_finds_its_data(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    script = (
        "import importlib.resources, markscheme\n"
        "home = importlib.resources.files('markscheme')\n"
        "print(markscheme.__file__)\n"
        "print(all((home / name).is_file() for name in ('rubrics/docs_qa.yaml', 'datasets/docs_qa/samples.jsonl')))"
    )
    place, found = python(script, cwd=tmp_path, PYTHONPATH=str(tmp_path / "site")).splitlines()
    assert place.startswith(str(tmp_path / "site"))
    assert found == "True"


def test_nothing_generic_lies_at_the_root():
    assert [path.name for path in ROOT.glob("*.py")] == ["__init__.py"]
    assert not (ROOT / "datasets" / "__init__.py").exists()
    assert not (ROOT / "rubrics" / "__init__.py").exists()


def test_test_files_have_names_of_their_own_and_no_packages():
    tests = ROOT / "tests"
    assert list(tests.rglob("__init__.py")) == []
    names = Counter(path.name for path in tests.rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_no_module_is_longer_than_400_lines():
    long = {
        str(path.relative_to(ROOT)): lines
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_the_version_is_the_same_everywhere():
    assert PROJECT["project"]["version"] == markscheme.__version__


def test_the_public_names_are_sorted_and_can_be_imported():
    assert sorted(markscheme.__all__) == markscheme.__all__
    for name in markscheme.__all__:
        assert getattr(markscheme, name) is not None
    assert dir(markscheme) == markscheme.__all__
    with pytest.raises(AttributeError, match="no attribute 'nonsense'; it has"):
        _ = importlib.import_module("markscheme").nonsense


def test_importing_the_package_loads_nothing_heavy():
    loaded = json.loads(python("import markscheme, sys, json; print(json.dumps(sorted(sys.modules)))"))
    assert heavy(loaded) == []
    assert [name for name in loaded if name.startswith("markscheme.")] == []


def test_help_loads_nothing_heavy():
    script = (
        "import sys, json\n"
        "from markscheme.app.cli.main import main\n"
        "sys.argv = ['markscheme', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    shown = python(script).splitlines()
    assert any("run" in line for line in shown[:-1])
    assert heavy(json.loads(shown[-1])) == []


def test_the_locks_name_no_host_and_a_hash_for_everything():
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-ragas.lock"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if "://" in line or line.startswith("--")] == []
        pinned = [i for i, line in enumerate(lines) if line and line[0] not in " #"]
        assert len(pinned) > 50
        assert [lines[i] for i in pinned if "==" not in lines[i] or "--hash=sha256:" not in lines[i + 1]] == []


def heavy(modules: list[str]) -> list[str]:
    return sorted({name.partition(".")[0] for name in modules} & set(HEAVY))


def python(script: str, cwd: Path = ROOT.parent, **environment: str) -> str:
    """What a Python of its own prints for ``script``."""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | environment,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
