"""What samples say of themselves beside question and reference: their metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from .runs import Run
from .schema import run_samples, samples
from .store import Store


def sample_metadata(store: Store, run: Run) -> dict[str, Mapping[str, Any]]:
    """Sample id -> its metadata, in exam order; an empty one where it has none or its text was purged."""
    s = run_samples.c
    query = (
        sa.select(s.sample_id, samples.c.body)
        .join(samples, samples.c.sha256 == s.sha256)
        .where(s.run == run.id)
        .order_by(s.position)
    )
    with store.reading() as connection:
        return {name: _metadata(body) for name, body in connection.execute(query)}


def _metadata(body: str | None) -> Mapping[str, Any]:
    if not body or '"metadata"' not in body:
        return {}
    found: Mapping[str, Any] = orjson.loads(body).get("metadata") or {}
    return found
