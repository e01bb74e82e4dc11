"""Code of the user's own, named ``package.module:name`` in an exam: found, imported, and versioned by its file."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from .errors import InputError

_loaded: dict[str, str] = {}
"""Hash of each module's file when it was loaded."""


@dataclass(frozen=True, slots=True)
class UserCode:
    """An object of a user's module. ``sha256`` is the hash of the module's file, '' where it has none."""

    target: Any
    module: str
    name: str
    sha256: str


def load(reference: str, base: Path | None = None, prefix: str = "python:") -> UserCode:
    """Import ``package.module:name``; ``name`` may be dotted.

    ``base`` (the exam's folder) and the current folder are put first on ``sys.path`` and stay there, since the
    module may import its neighbours later. ``prefix`` stands before the reference in what is said. Raises InputError
    where the module or the name is missing, or where the module raises on import.
    """
    module_name, _, name = reference.partition(":")
    reference = prefix + reference
    if not module_name or not name or not all(part.isidentifier() for part in f"{module_name}.{name}".split(".")):
        raise InputError(f"{reference}: not of the form {prefix}package.module:name")
    folders = _make_importable(base)
    _forget_namesake(module_name.partition(".")[0], folders)
    target = module = _import(module_name, reference, folders)
    sha256 = _file_sha256(module)
    if _loaded.setdefault(module_name, sha256) != sha256:
        # Edited since, in a notebook say: its old code must not answer under its new hash.
        target = module = _import(module_name, reference, folders, anew=True)
        _loaded[module_name] = sha256
    for part in name.split("."):
        try:
            target = getattr(target, part)
        except AttributeError:
            names = sorted(n for n, v in vars(module).items() if callable(v) and not n.startswith("_"))
            raise InputError(
                f"{reference}: module {module_name!r} has no {name!r}; it has {', '.join(names[:12]) or 'none'}"
            ) from None
    return UserCode(target, module_name, name, sha256)


def _make_importable(base: Path | None) -> list[str]:
    folders = list(dict.fromkeys(str(folder.resolve()) for folder in (base or Path.cwd(), Path.cwd())))
    for folder in reversed(folders):
        if folder in sys.path:
            sys.path.remove(folder)  # another exam's folder may have come before it since
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    return folders


def _forget_namesake(top: str, folders: list[str]) -> None:
    """Drop a loaded module of this name that lies in another exam's folder: two exams may each have their `app.py`."""
    loaded = sys.modules.get(top)
    here = PathFinder.find_spec(top, folders)
    if loaded is None or here is None or here.origin in (None, getattr(loaded, "__file__", None)):
        return
    for name in [name for name in sys.modules if name == top or name.startswith(f"{top}.")]:
        del sys.modules[name]
    for name in [name for name in _loaded if name == top or name.startswith(f"{top}.")]:
        del _loaded[name]


def _import(module_name: str, reference: str, folders: list[str], anew: bool = False) -> Any:
    try:
        return importlib.reload(sys.modules[module_name]) if anew else importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise InputError(f"{reference}: importing {module_name!r}: {error}; install it here") from error
        raise InputError(
            f"{reference}: there is no module {error.name!r} in {' or '.join(folders)} or among the installed "
            "packages; put its file beside the exam, install it, or correct the name"
        ) from error
    except Exception as error:
        raise InputError(f"{reference}: importing {module_name!r} raised {type(error).__name__}: {error}") from error


def _file_sha256(module: Any) -> str:
    file = getattr(module, "__file__", None)
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file and Path(file).is_file() else ""
