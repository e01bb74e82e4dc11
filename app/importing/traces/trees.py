"""The spans of a trace as a tree: what lies under what, and which span it is that answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .kinds import Kind, kind_of
from .spans import Span, text_of_first


@dataclass(frozen=True, eq=False)
class Trace:
    """Its spans in the order in which they started. ``orphans`` counts those whose parent is nowhere."""

    trace_id: str
    spans: Sequence[Span]
    kinds: dict[str, Kind | None]
    depths: dict[str, int]
    orphans: int
    children: dict[str, list[Span]] = field(repr=False)
    told: dict[tuple[str, ...], str] = field(default_factory=dict, repr=False)
    """What `said` found: each call of a model in a trace asks the same."""

    def kind(self, span: Span) -> Kind | None:
        """What the span was."""
        return self.kinds[span.span_id]

    def of_kind(self, *kinds: Kind) -> list[Span]:
        """Its spans of these kinds."""
        return [span for span in self.spans if self.kind(span) in kinds]

    def under(self, span: Span) -> list[Span]:
        """All spans below, in the order in which they started."""
        seen, waiting = {span.span_id}, [span.span_id]
        while waiting:
            inner = [child.span_id for child in self.children.get(waiting.pop(), ()) if child.span_id not in seen]
            seen.update(inner)
            waiting += inner
        return [one for one in self.spans if one.span_id in seen and one is not span]

    def said(self, names: tuple[str, ...]) -> str:
        """What the first span that says it says under one of ``names``, in their order; "" for nothing."""
        if names not in self.told:
            texts = (text_of_first(span, (name,)) for name in names for span in self.spans)
            self.told[names] = next(filter(None, texts), "")
        return self.told[names]

    def above(self, span: Span) -> list[Span]:
        """The spans that it lies under, the nearest first."""
        by_id = {one.span_id: one for one in self.spans}
        found: dict[str, Span] = {}
        while (parent := by_id.get(span.parent_id)) is not None and parent.span_id not in found:
            found[parent.span_id] = span = parent
        return list(found.values())

    def outermost(self) -> list[Span]:
        """Its agents, chains and models, the outermost first; of those side by side agents, then the last one."""
        return sorted(self.of_kind("agent", "chain", "inference"), key=self._rank, reverse=True)

    def _rank(self, span: Span) -> tuple[int, bool, int]:
        return -self.depths[span.span_id], self.kind(span) == "agent", span.end_ns or span.start_ns or 0


def traces_of(spans: Iterable[Span]) -> list[Trace]:
    """The traces that hold anything of generative AI, in the order in which they started."""
    grouped: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        grouped[span.trace_id].append(span)
    traces = [_trace(trace_id, group) for trace_id, group in grouped.items()]
    kept = [trace for trace in traces if any(kind is not None for kind in trace.kinds.values())]
    return sorted(kept, key=lambda trace: trace.spans[0].start_ns or 0)


def _trace(trace_id: str, spans: list[Span]) -> Trace:
    ordered = sorted(spans, key=lambda span: span.start_ns or 0)
    ids = {span.span_id for span in ordered}
    children: dict[str, list[Span]] = defaultdict(list)
    for span in ordered:
        children[span.parent_id if span.parent_id in ids else ""].append(span)
    kinds = {span.span_id: kind_of(span) for span in ordered}
    orphans = sum(bool(span.parent_id) and span.parent_id not in ids for span in ordered)
    return Trace(trace_id, ordered, kinds, _depths(ordered, children, kinds), orphans, children)


def _depths(spans: Sequence[Span], children: dict[str, list[Span]], kinds: dict[str, Kind | None]) -> dict[str, int]:
    """How many spans of generative AI lie above each; spans that are each other's parents are at the top."""
    depths: dict[str, int] = {}
    waiting = [(span, 0) for span in children.get("", ())]
    while waiting:
        span, depth = waiting.pop()
        if span.span_id in depths:
            continue
        depths[span.span_id] = depth
        below = depth + (kinds[span.span_id] is not None)
        waiting += [(child, below) for child in children.get(span.span_id, ())]
    return {span.span_id: depths.get(span.span_id, 0) for span in spans}
