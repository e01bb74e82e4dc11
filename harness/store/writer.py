"""The async side of the store: rows wait for the group commit, look-ups go out together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ..records import Call
from .batch import Batch
from .codec import Row
from .store import Store

Entry = tuple[str, Row]
"""A table's name and a row for it."""


class Writer:
    """One thread, one connection at a time: commits at most 64 rows or 20 ms together. Belongs to one event loop."""

    def __init__(self, store: Store, run: str) -> None:
        self._store = store
        self._run = run
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="markscheme-store")
        self._commits: Batch[Entry, None] = Batch(self._commit, self._thread)
        self._lookups: Batch[str, dict[str, Call]] = Batch(self._find, self._thread, max_wait_s=0.0)

    def put(self, *entries: Entry) -> asyncio.Future[None]:
        """Queue rows; the future is done when they are committed and carries the `StoreError` if they could not be."""
        return self._commits.submit(*entries)

    def alone(self) -> bool:
        """Whether nobody else writes to this store; see `lease.alone`."""
        return self._store.alone(self._run)

    async def find(self, key: str) -> Call | None:
        """The recorded call under ``key``."""
        return (await self._lookups.submit(key)).get(key)

    async def drain(self) -> None:
        """Commit what is queued; raises what a commit raised."""
        await self._commits.drain()

    async def close(self) -> None:
        """Commit what is queued and let the thread go."""
        try:
            await self.drain()
        finally:
            self._thread.shutdown()

    def _commit(self, entries: Sequence[Entry]) -> None:
        rows: dict[str, list[Row]] = {}
        for table, row in entries:
            rows.setdefault(table, []).append(row)
        self._store.put(rows)

    def _find(self, keys: Sequence[str]) -> dict[str, Call]:
        return self._store.find_calls(keys, self._run)
