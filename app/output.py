"""What commands print with `--json`: one object, the last line of standard output."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ..harness.records import Estimate
from .shown import Shown


class EstimateOutput(BaseModel):
    """A number with its 95 % interval; null where it is undefined, or no honest interval exists."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str

    @classmethod
    def of(cls, one: Estimate) -> EstimateOutput:
        """The estimate without its notes."""
        return cls(value=one.value, low=one.low, high=one.high, n=one.n, method=one.method)


class SummaryRow(BaseModel):
    """One cell: a candidate's mean by a measure, ``judge`` '' where no judge gave it. Without a report no interval is
    computed (``low`` and ``high`` are null) and nothing is corrected. ``correction`` says what human labels made of the
    judge's own mean, which is ``judge_only``: `ppi++`, `human-only`, `rogan-gladen`, or `uncorrected`."""

    candidate: str
    judge: str
    measure: str
    n: int
    mean: float | None
    low: float | None = None
    high: float | None = None
    judge_only: float | None = None
    correction: str | None = None


class RunOutput(BaseModel):
    """`markscheme run`, `generate`, `grade`: ``grades`` counts (answer, judge, criterion) rows by status,
    ``preferences`` the verdicts of pairwise judges (two for each pair of answers), empty where there is none."""

    model_config = ConfigDict(extra="forbid")

    run: str
    answers: dict[str, int]
    grades: dict[str, int]
    preferences: dict[str, int] = {}
    calls: dict[str, int]
    spent_usd: float | None
    summary: list[SummaryRow]
    report: str | None


class PlanRow(BaseModel):
    """What one candidate or judge is going to cost. Dollars are null where no price is known; `minutes` is for its
    calls alone at the exam's concurrency and an assumed latency per call."""

    role: str
    name: str
    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    usd_at_most: float | None
    minutes: float
    prompt: str


class PlanServer(BaseModel):
    """A server that is going to be started; ``gpus`` are empty where it may take any."""

    name: str
    model: str
    gpus: list[int]
    usd_per_gpu_hour: float | None


class PlanPhase(BaseModel):
    """Candidates or judges that are at work at the same time, and their servers."""

    role: str
    names: list[str]
    servers: list[PlanServer]


class PlanOutput(Shown):
    """`markscheme run --plan`: nothing is called. ``phases`` are in their order, where servers are started."""

    run: str | None
    samples: int
    rows: list[PlanRow]
    calls: int
    usd: float | None
    minutes: float
    notes: list[str] = Field([])
    phases: list[PlanPhase] = Field([])


class PathOutput(BaseModel):
    """Commands that write files: what was written, and how many rows where that makes sense."""

    paths: list[str]
    rows: int | None = None


class SynthesisOutput(Shown):
    """`markscheme dataset synthesize`: questions to be reviewed, those turned down by a filter, and what was paid."""

    path: str
    questions: int
    filtered: dict[str, int]
    documents: int
    calls: dict[str, int]
    spent_usd: float | None


class RunLine(BaseModel):
    """One run of a workspace; ``created_at`` is Unix time."""

    id: str
    exam: str
    name: str
    created_at: float
    finished: bool


class RunList(BaseModel):
    """`markscheme store runs`."""

    runs: list[RunLine]
