"""The exam's `serving:` section: which loads `markscheme serve-bench` puts on whom, and what counts as good enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..exam_types import Contexts, Count, File, Filled, Name, OrNothing, Seconds, Section
from ..retrieval.sweep_spec import Several
from ..yaml_file import mistake
from .cost_spec import CostSpec
from .records import Shape

Rate = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
SHAPES: tuple[Shape, ...] = ("closed", "constant", "poisson", "ramp", "trace")


def _output(value: Any) -> Any:
    if value is None or value == "natural":
        return "natural"
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise mistake(f"{value!r} is no length; write natural (the model stops by itself), or a number of tokens")
    return value


Output = Annotated[int | Literal["natural"], BeforeValidator(_output)]


class LoadSpec(Section):
    """One shape of load at one or more levels: ``{closed: [1, 2, 4]}``."""

    closed: Annotated[tuple[Count, ...], Several] = ()
    constant: Annotated[tuple[Rate, ...], Several] = ()
    poisson: Annotated[tuple[Rate, ...], Several] = ()
    ramp: Annotated[tuple[Count, ...], Several] = ()
    trace: File | None = None
    speed: Rate = 1.0

    @model_validator(mode="after")
    def _one_shape(self) -> LoadSpec:
        given = [shape for shape in SHAPES if getattr(self, shape)]
        if len(given) != 1:
            what = f"has {' and '.join(given)}; give each an entry of its own" if given else "has no shape"
            raise mistake(f"{what}: one of closed, constant, poisson, ramp or trace, like closed: [1, 2, 4]")
        if self.trace is None and "speed" in self.model_fields_set:
            raise mistake(f"{self.speed!r} has no effect without a trace: to replay; remove it", "speed")
        return self

    @property
    def shape(self) -> Shape:
        """Which of the shapes it is."""
        return next(shape for shape in SHAPES if getattr(self, shape))

    @property
    def levels(self) -> tuple[float, ...]:
        """Users (closed, ramp) or requests a second, in the order of the file; none for a trace, which has its own."""
        return () if self.trace is not None else tuple(float(level) for level in getattr(self, self.shape))


class WarmUpSpec(Section):
    """The requests at the start of a cell that do not count: so many, or this share of them, whichever is more."""

    requests: Annotated[int, Field(strict=True, ge=0)] = 10
    share: Annotated[float, Field(strict=True, ge=0, le=0.5)] = 0.1


class SloSpec(Section):
    """What one request must keep to be good: goodput counts those that keep all of it."""

    ttft_s: Seconds | None = None
    gap_s: Seconds | None = None
    e2e_s: Seconds | None = None


class CeilingSpec(Section):
    """What a cell must keep at its 95th percentile to be an operating point."""

    ttft_p95_s: Seconds | None = None
    gap_p95_s: Seconds | None = None


class ServingSpec(Section):
    """Loads × numbers of contexts × candidates, each cell repeated."""

    loads: Annotated[tuple[LoadSpec, ...], Several, Filled] = Field(
        description="a list of loads, like - {closed: [1, 2, 4, 8, 16]}"
    )
    contexts: Contexts = Field(default=None, description="how many passages the candidates' retrievers give")
    output: Output = "natural"
    requests: Count | None = Field(
        default=None, description="requests of a cell in each repeat; 200 without duration_s"
    )
    duration_s: Seconds | None = None
    repeats: Count = 3
    warm_up: Annotated[WarmUpSpec, OrNothing] = WarmUpSpec()
    prompts: Literal["fresh", "cached"] = "fresh"
    slo: Annotated[SloSpec, OrNothing] = SloSpec()
    limits: Annotated[CeilingSpec, OrNothing] = CeilingSpec()
    cost: Annotated[CostSpec, OrNothing] = CostSpec()
    timeout_s: Seconds = 120.0
    max_in_flight: Count = 512
    candidates: tuple[Name, ...] = ()
    seed: Annotated[int, Field(strict=True, ge=0)] = 0

    @model_validator(mode="after")
    def _consistent(self) -> ServingSpec:
        if self.requests is not None and self.duration_s is not None:
            raise mistake(
                f"{self.duration_s!r} stands beside requests: {self.requests}; keep one of the two", "duration_s"
            )
        seen: set[tuple[Shape, float]] = set()
        for position, load, level in self._levels():
            if (load.shape, level) in seen:
                raise mistake(f"{level:g} stands there twice for {load.shape}; keep one", "loads", position, load.shape)
            seen.add((load.shape, level))
            self._refuse_too_few(position, load.shape, level)
        return self

    def _levels(self) -> Iterator[tuple[int, LoadSpec, float]]:
        for position, load in enumerate(self.loads):
            yield from ((position, load, level) for level in load.levels)

    def _refuse_too_few(self, position: int, shape: Shape, level: float) -> None:
        """The first requests are warm-up, and the last of a closed loop run while users leave: some must be between."""
        most = self.most_requests
        if shape not in ("closed", "ramp") or most is None:
            return
        least = self.warm(most) + 2 * int(level)
        if most < least:
            what = (
                f"{level:g} users and {most} requests: {self.warm(most)} of them warm up and {level - 1:g} cool down; "
                f"write requests: {least} or more, or fewer users"
            )
            raise mistake(what, "loads", position, shape)

    @property
    def most_requests(self) -> int | None:
        """Requests of a cell in each repeat; ``None`` where its length is given in seconds."""
        return self.requests if self.requests is not None or self.duration_s is not None else 200

    def warm(self, sent: int) -> int:
        """How many of the ``sent`` requests of a cell warm it up."""
        return max(self.warm_up.requests, round(self.warm_up.share * sent))

    @property
    def output_tokens(self) -> int | None:
        """The fixed output length; ``None`` where the model stops by itself."""
        return None if self.output == "natural" else self.output

    @property
    def numbers_of_contexts(self) -> tuple[int | None, ...]:
        """How many passages are shown, one after the other; ``None`` stands for the candidates' own."""
        return self.contexts if isinstance(self.contexts, tuple) else (self.contexts,)

    def quick(self) -> ServingSpec:
        """The same loads once, with as few requests as their users leave a reading of."""
        users = [int(level) for _, load, level in self._levels() if load.shape in ("closed", "ramp")]
        fewest = 10 + max([20, *(3 * count for count in users)])
        most, seconds = self.most_requests, self.duration_s
        update: dict[str, Any] = {"repeats": 1, "warm_up": WarmUpSpec(requests=min(10, self.warm_up.requests))}
        if most is not None:
            update["requests"] = min(most, fewest)
        if seconds is not None:
            update["duration_s"] = min(seconds, 10.0)
        return self.model_copy(update=update)
