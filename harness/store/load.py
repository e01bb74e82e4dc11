"""A run read back as the tables of `frames`, column by column. Pointers from answers and grades to calls are resolved
here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from ..safety import RESPONSE, SafetyNote, safety_label
from ..tool_calls import calls_in_words
from .codec import answer_sha256, answer_sha256_of_row
from .columns import Column, Names, Numbers, Objects, Pointers, Whole, among, chunks, fill, frame_from, key_lists
from .frames import (
    ANSWER_COLUMNS,
    GRADE_COLUMNS,
    LABEL_COLUMNS,
    PREFERENCE_COLUMNS,
    SAMPLE_COLUMNS,
    SCORE_COLUMNS,
    Place,
    RunData,
    RunInfo,
    empty_frame,
    frame_of,
)
from .label_rows import Answered, label_frame
from .load_calls import TOKENS, Pointing, pointing, read_calls, took
from .runs import Run
from .schema import answers, grades, label_sets, preferences, run_samples, samples, scores
from .servers import servers_in
from .store import Store
from .wanted import Wanted

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

Row = Mapping[Any, Any]
_SOME = 500
"""Samples a statement: below SQLite's oldest limit of 999 variables."""
_ANSWERED = ("sample_id", "candidate", "trial", "status", "text", "turns", "detail")
_WHOLE = (*TOKENS, "cache_write_tokens")


def load(store: Store, run: Run, words: bool = True) -> RunData:
    """The run's tables: only what its latest configuration still names (`Wanted`).

    Without ``words`` a million answers take a quarter of the memory: names are categoricals, and the columns of `WORDS`
    are left out. `RunData.excerpt` then reads those of some answers from the store.
    """
    with store.reading() as connection:
        data = _Reading(connection, run, Wanted.of(run), words).tables()
    return data if words else replace(data, words=partial(_excerpt, store, run))


def _excerpt(store: Store, run: Run, places: frozenset[Place]) -> RunData:
    with store.reading() as connection:
        return _Reading(connection, run, Wanted.of(run), True, places).tables()


@dataclass(frozen=True)
class _Reading:
    """What is read of a run: all of it, or the answers at these ``places`` with all that belongs to them."""

    connection: sa.Connection
    run: Run
    wanted: Wanted
    words: bool
    places: frozenset[Place] | None = None

    def tables(self) -> RunData:
        """For some places without labels, preferences, and calls that nothing points at."""
        whole = self.places is None
        asked = self._samples()
        compared, comparing = self._preferences(asked) if whole else (empty_frame(PREFERENCE_COLUMNS), None)
        said, asking = self._answers(asked)
        graded, judging = self._grades(asked)
        pointed = [asking, judging, *([] if comparing is None else [comparing])]
        calls = read_calls(self.connection, self.run.id, pointed, self._keys, self.words, whole)
        said = said.assign(**took(asking, calls, self.run.id, _replayed(self.run)))
        return RunData(
            info_of(self.run),
            self._made(asked, SAMPLE_COLUMNS),
            self._made(said, ANSWER_COLUMNS),
            self._made(graded, GRADE_COLUMNS),
            self._made(self._scores(asked), SCORE_COLUMNS),
            self._made(calls.frame(self.run.id)),
            compared,
            self._labels(asked) if whole else empty_frame(LABEL_COLUMNS),
            servers=servers_in(self.connection, self.run.id) if whole else (),
            safety={name: note for name, note in zip(asked["sample_id"], asked["safety"], strict=True) if note},
        )

    def _made(self, table: pd.DataFrame, columns: Sequence[str] = ()) -> pd.DataFrame:
        """The listed columns, counts as integers where none is missing, names as plain texts in a run with words."""
        found = table[[name for name in columns if name in table]] if columns else table
        counted = [name for name in _WHOLE if name in found and not found[name].isna().any()]
        found = found.astype(dict.fromkeys(counted, "int64"))
        if self.words:
            found = found.astype({name: "str" for name in found if found[name].dtype == "category"})
        return found

    def _samples(self) -> pd.DataFrame:
        """In exam order, ``sample_id`` a categorical of the same order."""
        import pandas as pd

        s = run_samples.c
        told = _told if self.words else _relevant_and_safety
        columns: dict[str, Column] = {"sample_id": Objects(), "position": Whole(), "cluster": Objects()}
        columns |= {"tags": Names(), "sha256": Objects(), "body": Objects(told)}
        query = (
            sa.select(s.sample_id, s.position, s.cluster, s.tags, s.sha256, samples.c.body)
            .join(samples, samples.c.sha256 == s.sha256)
            .where(s.run == self.run.id)
        )
        fill(self.connection, self._queries(query, s.sample_id), columns)
        read = frame_from(columns)
        read = read.sort_values("position", ignore_index=True)
        names = ("question", "context", "reference", "relevant", "safety")[0 if self.words else 3 :]
        told_of = dict(zip(names, zip(*read["body"], strict=True), strict=True)) if len(read) else {}
        read = read.assign(**{name: list(told_of.get(name, ())) for name in names})
        cluster = read["cluster"].where(read["cluster"] != "", read["sample_id"])
        ids = pd.Categorical(read["sample_id"], categories=read["sample_id"])
        return read.assign(sample_id=ids, cluster=pd.Categorical(cluster))

    def _queries(self, query: sa.Select[Any], sample: sa.ColumnElement[Any]) -> Iterator[sa.Select[Any]]:
        if self.places is None:
            yield query
            return
        ids = sorted({place[0] for place in self.places})
        for start in range(0, len(ids), _SOME):
            yield query.where(sample.in_(ids[start : start + _SOME]))

    def _answers(self, asked: pd.DataFrame) -> tuple[pd.DataFrame, Pointing]:
        columns: dict[str, Column] = {"status": Names(), "owner": Names(), "retrieved": Objects(_list_or_none)}
        if self.words:
            columns |= {"detail": Objects(), "text": Objects(_text)}
            columns |= {"tool_calls": Objects(_list_or_none), "turns": Objects(_list_or_none)}
        columns["pointers"] = Pointers()
        frame, rows, pointers = self._rows(asked, answers, columns, self.wanted.answer)
        if self.words:
            frame["detail"] = frame["detail"].where(frame["status"] != "ok", "")
        return frame, pointing(pointers, rows, "candidate", frame["candidate"].array)

    def _grades(self, asked: pd.DataFrame) -> tuple[pd.DataFrame, Pointing]:
        columns: dict[str, Column] = {"judge": Names(), "criterion": Names(), "turn": Whole(), "repeat": Whole()}
        columns |= {"status": Names(), "score": Numbers()}
        columns["labels"] = Objects(_list_or_none)
        if self.words:
            columns |= {"reasoning": Objects(_text), "why": Objects(), "calls": Objects()}
        columns["pointers"] = Pointers()
        frame, rows, pointers = self._rows(asked, grades, columns, self.wanted.grade)
        # A jury's grades point at the calls of its members, whose own grades say so.
        judges = frame["judge"].array
        own = ~judges.isin(list(self.wanted.juries))
        return frame, pointing(pointers, rows[own], "judge", judges[own])

    def _scores(self, asked: pd.DataFrame) -> pd.DataFrame:
        columns: dict[str, Column] = {"measure": Names(), "value": Numbers(), "why": Names()}
        return self._rows(asked, scores, columns, self.wanted.score)[0]

    def _rows(
        self, asked: pd.DataFrame, table: sa.Table, columns: dict[str, Column], wants: Callable[[Row], bool]
    ) -> tuple[pd.DataFrame, NDArray[np.intp], Any]:
        """Place, cluster and ``columns`` of the wanted rows in their order; which rows of those read they are, and what
        became of the column of pointers."""
        samples = asked["sample_id"].array
        columns = {"sample_id": Names(samples.categories), "candidate": Names(), "trial": Whole(), **columns}
        chosen = [table.c["calls" if name == "pointers" else name].label(name) for name in columns]
        queries = self._queries(sa.select(*chosen).where(table.c.run == self.run.id), table.c.sample_id)
        fill(self.connection, queries, columns, None if self.places is None else among(self.places))
        pointers = columns.pop("pointers").made() if "pointers" in columns else None
        read = frame_from(columns)
        by = [c.name for c in table.primary_key if c.name not in ("run", "sample_id")]
        rows = _in_order(read, by, _wanted_rows(read, by, wants))
        frame = read.take(rows).reset_index(drop=True)
        frame.insert(1, "cluster", asked["cluster"].array.take(frame["sample_id"].cat.codes))
        return frame, rows, pointers

    def _preferences(self, asked: pd.DataFrame) -> tuple[pd.DataFrame, Pointing]:
        import numpy as np
        import pandas as pd

        found = self.connection.execute(rows_of_run(preferences, self.run.id)).mappings()
        rows = [row for row in found if self.wanted.preference(row)]
        pointers = Pointers()
        pointers.extend([row["calls"] for row in rows])
        raters = pd.Categorical([row["rater"] for row in rows])
        frame = frame_of(PREFERENCE_COLUMNS, (preference_of(row, _clusters(asked)) for row in rows))
        return frame, pointing(pointers.made(), np.arange(len(rows)), "judge", raters)

    def _keys(self) -> Iterator[str]:
        """Of the calls that answers, grades and preferences point at."""
        for table in (answers, grades, preferences):
            query = sa.select(table.c.calls).where(table.c.run == self.run.id)
            for part in self._queries(query, table.c.sample_id):
                for rows in chunks(self.connection, part):
                    yield from chain.from_iterable(key_lists([row[0] for row in rows]))

    def _labels(self, asked: pd.DataFrame) -> pd.DataFrame:
        if self.connection.execute(sa.select(label_sets.c.name).limit(1)).first() is None:
            return empty_frame(LABEL_COLUMNS)
        found = self.connection.execute(rows_of_run(answers, self.run.id, _ANSWERED)).mappings()
        answered = [_answered(row) for row in found if row["status"] == "ok" and self.wanted.answer(row)]
        return label_frame(self.connection, answered, _clusters(asked))


def _clusters(asked: pd.DataFrame) -> dict[str, str]:
    return dict(zip(asked["sample_id"], asked["cluster"], strict=True))


def _replayed(run: Run) -> set[str]:
    """Candidates whose answers come from a sheet."""
    candidates = run.config.get("candidates", ())
    return {c["name"] for c in candidates if str(c.get("model", "")).startswith("replay/")}


def _wanted_rows(read: pd.DataFrame, by: Sequence[str], wants: Callable[[Row], bool]) -> NDArray[np.intp]:
    """Rows of samples that the run has and that ``wants`` takes; it is asked once for all that are alike."""
    import numpy as np

    # Only how often an answer is graded depends on its sample; every sample has a first repeat.
    varies = "repeat" in by and bool((read["repeat"] > 0).any())
    alike = [*by, "sample_id"] if varies else list(by)
    known = np.flatnonzero(read["sample_id"].cat.codes >= 0)
    own = read[[*by, "sample_id"]].take(known)
    number = own.groupby(alike, observed=True, sort=False).ngroup().to_numpy()
    firsts = own.drop_duplicates(alike)
    taken = np.array([wants(row) for row in firsts.to_dict("records")], dtype=bool)
    rows: NDArray[np.intp] = known[taken[number]]
    return rows


def _in_order(read: pd.DataFrame, by: Sequence[str], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """``rows`` in exam order, within a sample by the columns ``by``."""
    import numpy as np

    keys = [read[name].cat.codes if read[name].dtype == "category" else read[name] for name in ("sample_id", *by)]
    return rows[np.lexsort([np.asarray(key)[rows] for key in reversed(keys)])]


def rows_of_run(table: sa.Table, run: str, columns: Sequence[str] = ()) -> sa.Select[Any]:
    """Rows of the run's present samples in exam order, all ``columns`` or these."""
    places = (run_samples.c.run == table.c.run) & (run_samples.c.sample_id == table.c.sample_id)
    keys = [column for column in table.primary_key if column.name not in ("run", "sample_id")]
    chosen = sa.select(*(table.c[name] for name in columns)) if columns else sa.select(table)
    return chosen.join(run_samples, places).where(table.c.run == run).order_by(run_samples.c.position, *keys)


def _answered(row: Row) -> Answered:
    return row["sample_id"], row["candidate"], row["trial"], answer_sha256_of_row(row)


def info_of(run: Run) -> RunInfo:
    """The run without its tables."""
    return RunInfo(
        run.id, run.exam, run.name, run.fingerprint, run.created_at, run.finished_at, run.versions, run.config
    )


def _told(body: str | None) -> tuple[str, str, Any, str, SafetyNote | None]:
    """Question, context, reference and relevant documents of a sample, and what people said of its safety."""
    found = orjson.loads(body or "{}")
    question = found.get("question") or found.get("turns") or found.get("messages") or ""
    context = orjson.dumps(found.get("context", [])).decode()
    return readable(question), context, _reference(found), _documents(found), _safety(found)


def _reference(body: Mapping[str, Any]) -> Any:
    """The reference; where there is none, the right calls in words."""
    reference, calls = body.get("reference"), body.get("tool_calls")
    return reference if reference is not None or calls is None else calls_in_words(calls)


def _relevant_and_safety(body: str | None) -> tuple[str, SafetyNote | None]:
    """The last two alone: most samples have neither, and then there is nothing to parse."""
    if not body or not ('"relevant"' in body or '"safety"' in body):
        return "{}", None
    found = orjson.loads(body)
    return _documents(found), _safety(found)


def _safety(body: Mapping[str, Any]) -> SafetyNote | None:
    if not body.get("safety"):
        return None
    try:
        label = safety_label(body["safety"])
    except ValueError:  # recorded before such labels were checked
        return None
    answer = body.get("metadata", {}).get(RESPONSE)
    return SafetyNote(label, answer_sha256(answer) if isinstance(answer, str) else "")


def _documents(body: Mapping[str, Any]) -> str:
    return orjson.dumps(body.get("relevant", {})).decode()


def readable(content: Any) -> str:
    """What a reader should see of text, parts, turns or messages."""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        inner = content.get("content", content.get("text", ""))
        text = readable(inner) if inner else f"[{content.get('type', 'part')}]"
        return f"{content['role']}: {text}" if "role" in content else text
    return "\n".join(readable(part) for part in content)


def preference_of(row: Row, clusters: Mapping[str, str]) -> tuple[Any, ...]:
    """A row of `PREFERENCE_COLUMNS`."""
    names = ("left", "right", "trial", "rater", "shown_order", "repeat", "status", "winner")
    head = (row["sample_id"], clusters[row["sample_id"]], *(row[name] for name in names))
    return (*head, row["reasoning"] or "", row["why"], row["calls"])


def _text(value: str | None) -> str:
    return value or ""


def _list_or_none(value: str | None) -> str:
    """A JSON list; an empty one where the database has none."""
    return value or "[]"
