"""Label files into the workspace: those that an exam names, and those that a command is given."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...harness.errors import InputError
from ...harness.exam import Exam, LabelSpec
from ...harness.exam_labels import packaged_labels
from ...harness.label_matching import WORDS, Matching
from ...harness.labels import LabelFile, check_strata, read_labels
from ...harness.records import LabelSet
from ...harness.store import runs
from ...harness.store.label_sets import read_label_set
from ...harness.store.labels import drop_labels, label_set_source, put_labels
from ...harness.store.reviews import REVIEWED
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ..session import Session, exam_identity


@dataclass(frozen=True, slots=True)
class Attached:
    """What came of one file of labels in a run: ``rows`` have a score."""

    name: str
    path: Path
    rows: int
    matching: Matching

    def note(self) -> str:
        """How many hold and why the others do not; '' where all do."""
        found = self.matching
        if not found.unattached:
            return "" if found.attached else f"labels {self.name}: {self.path} holds no label"
        reasons = "; ".join(
            f"{count} × {WORDS[reason]} (first: line {found.first[reason]})"
            for reason, count in found.unattached.most_common()
        )
        return f"labels {self.name}: {found.attached} of {self.rows} hold for this run; {reasons}"


def read_labels_of(exam: Exam) -> list[tuple[LabelSpec, LabelFile]]:
    """The exam's label files. Raises DataError with every mistake, before anything is paid for."""
    return [(spec, read_spec(spec)) for spec in exam.labels]


def read_spec(spec: LabelSpec) -> LabelFile:
    """One file, checked against what is said about it."""
    file = read_labels(spec.path, spec.annotators)
    check_strata(file, spec.shares)
    return file


def attach_labels(
    session: Session, files: list[tuple[LabelSpec, LabelFile]], say: Callable[[str], None]
) -> list[Attached]:
    """Bind the exam's labels to the run's answers, and forget sets that the exam named before and names no longer."""
    store, run = session.store, runs.find(session.store, session.run.id)
    base = _base(store)
    before = {_described_name(entry, _folder(base, run), base) for entry in session.run.config.get("labels", ())}
    named = {set_name(spec, base) for spec, _ in files}
    if gone := sorted(before - named):
        drop_labels(store, gone, [r.id for r in runs.all_runs(store) if r.exam == exam_identity(session.exam, store)])
    found = [attach(store, run, spec, file) for spec, file in files]
    for note in filter(None, (attached.note() for attached in found)):
        say(note)
    return found


def refresh_labels(store: Store, run: Run) -> list[str]:
    """Read the files that the run's exam named once more; what is to be said of them."""
    attached, notes = refreshed(store, run)
    return [*filter(None, (one.note() for one in attached)), *notes]


def refreshed(store: Store, run: Run) -> tuple[list[Attached], list[str]]:
    """`refresh_labels`, set by set. What is no longer there keeps what was read from it, and is noted. The labels of a
    bundle are those that it was made with."""
    found: list[Attached] = []
    notes: list[str] = []
    if store.bundle is not None:
        return found, notes
    folder = _folder(_base(store), run)
    for entry in run.config.get("labels", ()):
        path = _described_path(entry, folder)
        if not path.is_file():
            notes.append(f"labels {entry['path']}: the file is gone; what was read from it before counts")
            continue
        known = {name: value for name, value in entry.items() if name not in ("path", "sha256")}
        spec = LabelSpec(path=path, **known)
        found.append(attach(store, run, spec, read_spec(spec)))
    return found, notes


def attach(store: Store, run: Run, spec: LabelSpec, file: LabelFile) -> Attached:
    """Bind one file's labels to the run's answers. Raises InputError where its name is that of another file's set."""
    base = _base(store)
    name, source = set_name(spec, base), _source(spec.path, base)
    held = label_set_source(store, name)
    if held not in (None, source) and (str(held).startswith(REVIEWED) or (base / str(held)).is_file()):
        raise InputError(f"{spec.path}: a label set {name!r} was read from {held} already; give this one another name")
    made = LabelSet(name, spec.design, spec.shares, spec.seed, spec.labelled_at or "", source)
    found = put_labels(store, run, made, file)
    found.bound.clear()  # it is in the store now, and may be large
    return Attached(name, spec.path, len(file), found)


def set_name(spec: LabelSpec, base: Path) -> str:
    """Its name as given; else that of a packaged one, or of the file from where the workspace stands."""
    return spec.name or _source(spec.path, base).removesuffix(spec.path.suffix)


def _source(path: Path, base: Path) -> str:
    packaged = {file: name for name, file in packaged_labels().items()}
    return packaged.get(path) or Path(os.path.relpath(path, base)).as_posix()


def _base(store: Store) -> Path:
    """What exams and labels are named relative to, so that a moved project keeps them."""
    return store.folder.parent if store.folder else Path.cwd()


def _folder(base: Path, run: Run) -> Path:
    return (base / run.exam).parent


def _described_path(entry: Mapping[str, Any], folder: Path) -> Path:
    return packaged_labels().get(entry["path"]) or Path(os.path.normpath(folder / entry["path"]))


def _described_name(entry: Mapping[str, Any], folder: Path, base: Path) -> str:
    path = _described_path(entry, folder)
    return str(entry.get("name") or _source(path, base).removesuffix(path.suffix))


def worded(store: Store, path: Path, design: str = "", shares: Sequence[str] = ()) -> LabelSpec:
    """The file as a command names it; without a ``design`` a set that is known already stays what it was said to be."""
    spec = spec_of_words(path, design or "unknown", list(shares), "", "")
    known = None if design else read_label_set(store, set_name(spec, _base(store)))
    if known is None:
        return spec
    said = {"shares": known.weights, "seed": known.seed, "labelled_at": known.labelled_at or None}
    return spec.model_copy(update={"design": known.design, **said})


def spec_of_words(path: Path, design: str, shares: list[str], name: str, labelled_at: str) -> LabelSpec:
    """A spec from the words of a command line. Raises InputError."""
    data: dict[str, Any] = {"path": path.absolute(), "design": design, "shares": {}}
    for text in shares:
        stratum, _, share = text.rpartition("=")
        try:
            data["shares"][stratum] = float(share)
        except ValueError:
            raise InputError(
                f"--share {text!r}: wanted a stratum and its share of all answers, like easy=0.7"
            ) from None
    data |= {key: value for key, value in (("name", name), ("labelled_at", labelled_at)) if value}
    try:
        return LabelSpec.model_validate(data)
    except ValidationError as error:
        found = [((*e["loc"], *e.get("ctx", {}).get("at", ())), e["msg"]) for e in error.errors()]
        wrong = dict.fromkeys(_wrong_word(loc, said, data) for loc, said in found)
        raise InputError("\n".join(wrong)) from None


def _wrong_word(loc: tuple[str | int, ...], said: str, data: Mapping[str, Any]) -> str:
    """A mistake in a word of a command line, by its option; that of a file names the file itself."""
    name = str(loc[0]) if loc else "label"
    if name == "path":
        return said
    given = f" {data[name]!r}" if isinstance(data.get(name), str) else ""
    option = {"shares": "share"}.get(name, name.replace("_", "-"))
    return f"--{option}{given}: {said}"
