"""What was changed between two runs of an exam, in words: ``judge strict: model a → b``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...harness.store.history import Sitting
from .. import words
from .alike import CANDIDATE, JUDGE, SHOWN

RUBRIC = ("name", "version", "sha256", "scale")
_TITLES = {"prompt_sha256": "prompt", "system_sha256": "system prompt"}
_OF_TEXT = frozenset({"prompt", "prompt_sha256", "system_sha256"})
"""Long texts, and hashes of texts: what was changed about them is not quoted."""


def changed(then: Sitting, now: Sitting) -> tuple[str, ...]:
    """A sentence a thing: candidates, judges and their rubrics, dataset, measures, who served the replies, and our own
    version. Where models are served, and how many calls at a time, is no change."""
    ours, theirs = now.run.config, then.run.config
    found = [*_parts("candidate", theirs, ours, CANDIDATE), *_parts("judge", theirs, ours, JUDGE)]
    found += _dataset(theirs.get("dataset") or {}, ours.get("dataset") or {})
    found += _listed("measures", theirs.get("measures") or (), ours.get("measures") or ())
    found += _served(then, now)
    found += _value("markscheme", then.run.versions.get("markscheme"), now.run.versions.get("markscheme"))
    return tuple(found)


def graded_alike(then: Sitting, now: Sitting, judge: str) -> bool:
    """Whether a judge is declared the same in both, with the same rubric."""
    one, other = (_entries(sitting.run.config, "judges").get(judge, {}) for sitting in (then, now))
    return not judge_changed(one, other)


def judge_changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What differs between two descriptions of a judge; '' for nothing."""
    return "; ".join([*_values(then, now, JUDGE), *_rubric(then, now)])


def _parts(kind: str, theirs: Mapping[str, Any], ours: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    before, after = _entries(theirs, f"{kind}s"), _entries(ours, f"{kind}s")
    for name in dict.fromkeys((*before, *after)):
        if name not in before or name not in after:
            yield f"{kind} {name}: {'new' if name in after else 'gone'}"
            continue
        one, other = before[name], after[name]
        rubric = list(_rubric(one, other)) if kind == "judge" else []
        given = [n for n in names if not (rubric and n == "prompt")]  # a judge's instructions have its rubric in them
        if told := [*_values(one, other, given), *rubric]:
            yield f"{kind} {name}: {'; '.join(told)}"


def _rubric(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    before, after = (_mapping(entry.get("rubric")) for entry in (one, other))
    if any(before.get(name) != after.get(name) for name in RUBRIC):
        yield f"rubric {_rubric_words(before)} → {_rubric_words(after)}"


def _mapping(rubric: Any) -> Mapping[str, Any]:
    return rubric if isinstance(rubric, Mapping) else {"name": rubric}


def _rubric_words(rubric: Mapping[str, Any]) -> str:
    version = f" {rubric['version']}" if rubric.get("version") else ""
    return f"{rubric.get('name') or 'unknown'}{version} ({words.short(str(rubric.get('sha256') or ''))})"


def _values(one: Mapping[str, Any], other: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from _value(_TITLES.get(name, name), one.get(name), other.get(name), quoted=name not in _OF_TEXT)


def _value(title: str, then: Any, now: Any, quoted: bool = True) -> Iterator[str]:
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys((*then, *now)):
            yield from _value(f"{title}.{name}", then.get(name), now.get(name), quoted)
    elif then != now:
        before, after = (_text(value) for value in (then, now))
        short = max(len(before), len(after)) <= SHOWN
        yield f"{title} {before} → {after}" if quoted and short else f"another {title}"


def _text(value: Any) -> str:
    return "none" if value is None or value == "" else str(value)


def _dataset(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if told := [*_values(then, now, ("name", "version", "n", "subset"))]:
        yield f"dataset: {'; '.join(told)}"
    elif then.get("sha256") != now.get("sha256"):
        before, after = (words.short(str(one.get("sha256") or "unknown")) for one in (then, now))
        yield f"dataset: content {before} → {after}"


def _listed(title: str, then: Any, now: Any) -> Iterator[str]:
    gone, new = [name for name in then if name not in now], [name for name in now if name not in then]
    told = [f"{which} {words.listed(map(str, names))}" for which, names in (("new", new), ("gone", gone)) if names]
    if told:
        yield f"{title}: {'; '.join(told)}"


def _served(then: Sitting, now: Sitting) -> Iterator[str]:
    """Only where the provider named a model on both nights."""
    for (role, who), models in now.served.items():
        known = then.served.get((role, who), models)
        if known != models:
            yield f"{role} {who}: served by {words.listed(known)} → {words.listed(models)}"


def _entries(config: Mapping[str, Any], part: str) -> dict[str, Mapping[str, Any]]:
    return {entry["name"]: entry for entry in config.get(part) or () if isinstance(entry, Mapping) and "name" in entry}
