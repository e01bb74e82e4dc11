"""The values that exam files hold, checked: names, paths, addresses, names of variables and models."""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from .data_samples import FIELDS
from .errors import InputError
from .exam_mlflow import checked_name, is_mlflow
from .yaml_file import did_you_mean, mistake

EMBEDDED = "embedded"
"""The judge without a model."""
_UNWIRED = ("baseline/", "replay/", "python:", "http:", "mlflow:")
_NAME = re.compile(r"\w[\w .,:/@+=()#-]*")
_UNSAFE = re.compile(r"[^\w .,:/@+=()#-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYS_IN_PARAMS = frozenset({"api_key", "apikey", "api-key", "api_token", "authorization", "extra_headers"})


class Section(BaseModel):
    """Unknown keys are mistakes; a validated section does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def base_of(info: ValidationInfo) -> Path:
    """The folder of the file that is validated."""
    return Path((info.context or {}).get("base") or Path.cwd())


def packaged_files(kind: Literal["datasets", "rubrics"]) -> dict[str, Path]:
    """Packaged data sets or rubrics by name."""
    folder = Path(str(resources.files("markscheme"))) / kind
    if not folder.is_dir():
        return {}
    if kind == "rubrics":
        return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {path.name: path for path in sorted(folder.iterdir()) if (path / "samples.jsonl").is_file()}


def existing(path: Path, written: str, *at: str) -> Path:
    """``path`` if it is there. Paths are kept absolute: a command may be given from any folder."""
    if path.exists():
        return path
    try:
        beside = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
    except OSError:
        beside = []
    hint = did_you_mean(path.name, beside) or "; paths are relative to the file that names them"
    raise mistake(f"{written!r}: there is no such file ({path}){hint}", *at)


def _file(value: Any, info: ValidationInfo) -> Any:
    if value is None or not isinstance(value, str | Path):
        return value
    path = existing(absolute_from(value, info), str(value))
    if path.is_dir():
        raise mistake(f"{str(value)!r}: is a folder; name a file")
    return path


def absolute_from(value: str | Path, info: ValidationInfo) -> Path:
    """``value`` from the folder of the file that names it."""
    return absolute(base_of(info) / Path(value).expanduser())


def absolute(path: Path) -> Path:
    """From the root, without ``..``, symbolic links as they are."""
    return Path(os.path.normpath(Path.cwd() / path))


def packaged_or_path(kind: Literal["datasets", "rubrics"]) -> Any:
    """A packaged name, or a path: what has a separator or a suffix is a path.

    A rubric stays a name, since a packaged one must satisfy more than a user's; a data set becomes its folder.
    """

    def resolve(value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str | Path):
            raise mistake(f"{value!r} is wrong: wanted a packaged name or a path")
        written = str(value)
        if isinstance(value, Path) or Path(written).suffix or any(part in written for part in ("/", "\\", "..")):
            return existing(absolute_from(value, info), written)
        packaged = packaged_files(kind)
        if written in packaged:
            return written if kind == "rubrics" else packaged[written]
        raise mistake(
            f"{written!r} is not among the packaged {kind} ({', '.join(packaged) or 'none'})"
            f"{did_you_mean(written, packaged) or ';'} write ./{written} for a file or folder of your own"
        )

    return BeforeValidator(resolve)


def is_wired(model: str) -> bool:
    """Whether the name stands for a model behind an endpoint, not for an application, a sheet, a baseline or a jury."""
    return "/" in model and not model.startswith(_UNWIRED)


def safe_name(text: str) -> str:
    """``text`` as a name: what a name may not hold becomes a hyphen."""
    return _UNSAFE.sub("-", text).replace("..", "-").strip(" -./:@+=()#,")[:120] or "candidate"


def _checked_name(value: str) -> str:
    if not _NAME.fullmatch(value) or value != value.strip() or ".." in value or len(value) > 120:
        raise mistake(
            f"{value!r} cannot be a name: write up to 120 letters, digits, spaces and . , : / @ + = ( ) # _ -, "
            "starting with a letter or digit"
        )
    return value


def _variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise mistake(
            "is not the name of an environment variable (letters, digits, _), like MY_API_KEY; the value is not "
            "shown here, since it may be the key itself: keys never stand in a file"
        )
    return value


def _url(value: str) -> str:
    from .models.endpoints import checked_url

    try:
        return checked_url(value, "this address")
    except InputError as error:
        raise mistake(str(error)) from None


def _endpoint_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
        raise mistake(f"{value!r} cannot stand before the slash of a model: write letters, digits and . _ -")
    return value


def _filled(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if not value:
        raise mistake("is an empty list; write at least one entry")
    return value


def _nothing_is_empty(value: Any) -> Any:
    """A key with nothing behind it is an empty section."""
    return {} if value is None else value


def _without_keys(params: dict[str, Any]) -> dict[str, Any]:
    for name in params:
        if name.lower() in _KEYS_IN_PARAMS:
            raise mistake(
                f"{name!r} does not belong here: keys come from the environment, see api_key_env and endpoints"
            )
    return params


def _numbers_of_contexts(value: Any) -> Any:
    if value is None:
        return None
    listed = list(value) if isinstance(value, list | tuple) else [value]
    if not listed:
        raise mistake("is an empty list; write at least one number of passages")
    for number in listed:
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise mistake(f"{number!r} is not a number of passages; write 0 or more, or a list like [0, 1, 3, 5, 10]")
    if len(set(listed)) < len(listed):
        raise mistake(f"{listed!r} has a number twice; each makes a candidate of its own")
    return tuple(listed) if isinstance(value, list | tuple) else value


def _sample_field(value: str) -> str:
    if value not in FIELDS:
        raise mistake(
            f"{value!r} is not a field of a sample{did_you_mean(value, FIELDS) or ';'} left of the colon stands one of "
            f"{', '.join(FIELDS)}, right of it the file's column; further columns need no mention"
        )
    return value


def _model_name(model: str) -> str:
    if model.startswith("python:"):
        module, _, target = model.removeprefix("python:").partition(":")
        if not target or not all(part.isidentifier() for part in f"{module}.{target}".split(".")):
            raise mistake(f"{model!r} is not of the form python:package.module:name")
    elif is_mlflow(model):
        return checked_name(model)
    elif model.startswith("http:"):
        if "@" in model.removeprefix("http:").split("?")[0]:
            raise mistake("the address must not hold a user name or password; send them in request.headers")
        if not re.match(r"https?://[^/\s]+", model.removeprefix("http:")):
            raise mistake(f"{model!r} is not of the form http:https://host/path")
    elif model != EMBEDDED and not all(model.partition("/")):
        raise mistake(f"{model!r} has no provider; write provider/model, like openai/gpt-4o-mini")
    return model


SampleField = Annotated[str, AfterValidator(_sample_field)]
ModelName = Annotated[str, AfterValidator(_model_name)]
Name = Annotated[str, AfterValidator(_checked_name)]
Count = Annotated[int, Field(strict=True, ge=1)]
Seconds = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Usd = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
File = Annotated[Path, BeforeValidator(_file)]
Variable = Annotated[str, AfterValidator(_variable)]
Url = Annotated[str, AfterValidator(_url)]
EndpointName = Annotated[str, AfterValidator(_endpoint_name)]
Contexts = Annotated[int | tuple[int, ...] | None, BeforeValidator(_numbers_of_contexts)]
"""How many passages: one number, or several to be tried."""
Filled = AfterValidator(_filled)
"""Of a list: at least one entry."""
OrNothing = BeforeValidator(_nothing_is_empty)
"""Of a section: may stand there empty."""
Params = Annotated[dict[str, Any], OrNothing, AfterValidator(_without_keys)]
