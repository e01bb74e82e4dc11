"""USD per 1,000 answers against load: a server, paid by the hour, and an API, paid by the answer; where they cross."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from ...harness.records import Estimate
from ...harness.serving.gpu_hours import HOUR_S, servers_for
from .. import words
from .axes import Axis, logarithmic
from .load_curves import FLOOR, LEFT, RIGHT, TOP, WIDTH, frame, legend

SERVERS = 3
"""How many full servers the figure goes up to."""
STEPS = 24


@dataclass(frozen=True, slots=True)
class Crossing:
    """What is drawn. Loads are queries a second, ``most_per_s`` what one server takes at its stated use;
    ``users_per_s`` is the load of the users that are declared."""

    server: str
    api: str
    usd_per_server_hour: float
    most_per_s: float
    api_usd_per_1000: Estimate
    at: Estimate
    users_per_s: float | None = None


def break_even(drawn: Crossing) -> Markup | None:
    """The figure, both axes in logarithms; ``None`` where the API is free or its price unknown."""
    api = drawn.api_usd_per_1000.value
    if not api or drawn.at.value is None or not isfinite(drawn.at.value):
        return None
    loads = _loads(drawn)
    costs = [(load, _usd_per_1000(drawn, load)) for load in loads]
    x = logarithmic([loads[0], loads[-1]], LEFT, WIDTH - RIGHT)
    y = logarithmic([min(api, *(usd for _, usd in costs)), max(api, *(usd for _, usd in costs))], FLOOR, TOP)
    ticks = [(x.at(tick), f"{tick:g}") for tick in x.ticks]
    lines, height = legend([f"{drawn.server}, paid by the hour", f"{drawn.api}, paid by the answer"])
    parts = [
        Markup('<svg viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}">').format(
            WIDTH, height, _described(drawn, api)
        ),
        *frame(ticks, y, "queries/s", "USD per 1,000 answers", words.usd),
        *_users(drawn, x),
        *_api(drawn, x, y),
        Markup('<g class="curve curve0"><path d="M{}"/></g>').format(
            "L".join(f"{x.at(load)} {y.at(usd)}" for load, usd in costs)
        ),
        *_full(drawn, x, y),
        *_crossing(drawn, x, y, api),
    ]
    return Markup("").join([*parts, *lines, Markup("</svg>")])


def _loads(drawn: Crossing) -> list[float]:
    """Ascending, two at each step from a full server to the next."""
    assert drawn.at.value is not None
    shown = [drawn.at.value, drawn.most_per_s, *([] if drawn.users_per_s is None else [drawn.users_per_s])]
    least, most = min(shown) / 4, max(*shown, drawn.most_per_s * SERVERS)
    smooth = [least * (most / least) ** (i / STEPS) for i in range(STEPS + 1)]
    full = [n * drawn.most_per_s for n in range(1, SERVERS + 1)]
    return sorted({*smooth, *full, *(load * 1.0001 for load in full if load < most)})


def _usd_per_1000(drawn: Crossing, load: float) -> float:
    servers = servers_for(load, drawn.most_per_s)
    return 1000 * servers * drawn.usd_per_server_hour / HOUR_S / load


def _api(drawn: Crossing, x: Axis, y: Axis) -> list[Markup]:
    usd = drawn.api_usd_per_1000
    parts = []
    if usd.low is not None and usd.high is not None:
        top, bottom = y.at(usd.high), y.at(usd.low)
        parts.append(
            Markup('<rect class="band" x="{}" y="{}" width="{}" height="{}"/>').format(
                LEFT, top, WIDTH - RIGHT - LEFT, round(max(1.0, bottom - top), 1)
            )
        )
    parts.append(
        Markup('<g class="curve curve1"><path d="M{} {}H{}"/></g>').format(LEFT, y.at(usd.value or 0.0), WIDTH - RIGHT)
    )
    return parts


def _full(drawn: Crossing, x: Axis, y: Axis) -> list[Markup]:
    """Where the first server is full."""
    at, up = x.at(drawn.most_per_s), y.at(_usd_per_1000(drawn, drawn.most_per_s))
    return [
        Markup('<path class="cut" d="M{} {}V{}"/>').format(at, up, FLOOR),
        Markup('<text class="tick end" x="{}" y="{}">one server full</text>').format(at - 5, FLOOR - 6),
    ]


def _users(drawn: Crossing, x: Axis) -> list[Markup]:
    if drawn.users_per_s is None:
        return []
    at = x.at(drawn.users_per_s)
    return [
        Markup('<path class="front" d="M{} {}V{}"/>').format(at, TOP, FLOOR),
        Markup('<text class="tick" x="{}" y="{}">your users</text>').format(at, TOP - 6),
    ]


def _crossing(drawn: Crossing, x: Axis, y: Axis, api: float) -> list[Markup]:
    """The ring stands where the curves cross; without one, the server is never cheaper."""
    assert drawn.at.value is not None
    if drawn.at.value > drawn.most_per_s:
        return []
    at, up = x.at(drawn.at.value), y.at(api)
    parts = [Markup('<g class="curve"><circle class="ring" cx="{}" cy="{}" r="7"/></g>').format(at, up)]
    if drawn.at.low is not None and drawn.at.high is not None and isfinite(drawn.at.high):
        parts.append(Markup('<path class="ci" d="M{} {}H{}"/>').format(x.at(drawn.at.low), up, x.at(drawn.at.high)))
    text = Markup('<text class="name" x="{}" y="{}">{}/s</text>')
    return [*parts, text.format(at + 10, up - 10, f"{drawn.at.value:.3g}")]


def _described(drawn: Crossing, api: float) -> str:
    at = drawn.at.value or 0.0
    where = f"cross at {at:.3g} queries/s" if at <= drawn.most_per_s else "do not cross"
    return (
        f"USD per 1,000 answers by load: {drawn.server} from {words.usd(_usd_per_1000(drawn, drawn.most_per_s))} when "
        f"full at {drawn.most_per_s:.3g} queries/s, {drawn.api} {words.usd(api)}; they {where}."
    )
