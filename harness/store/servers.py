"""Servers that were started for a run or a bench, kept beside it."""

from __future__ import annotations

import orjson
import sqlalchemy as sa

from ..serving.records import ServerUse
from .codec import dumps
from .schema import servers
from .store import Store


def put_server(store: Store, use: ServerUse) -> None:
    """Keep ``use``, over what was known of the same start."""
    row = {
        "owner": use.owner,
        "name": use.name,
        "started_at": use.started_at,
        "command": dumps(list(use.command)),
        "gpus": dumps(list(use.gpus)),
        "usd_per_gpu_hour": use.usd_per_gpu_hour,
        "ready_at": use.ready_at,
        "stopped_at": use.stopped_at,
        "log": use.log,
    }
    store.put({"servers": [row]})


def read_servers(store: Store, owner: str) -> tuple[ServerUse, ...]:
    """The servers of a run or bench in the order of their starts."""
    with store.reading() as connection:
        return servers_in(connection, owner)


def servers_in(connection: sa.Connection, owner: str) -> tuple[ServerUse, ...]:
    """The same, on a connection that is open."""
    query = sa.select(servers).where(servers.c.owner == owner).order_by(servers.c.started_at, servers.c.name)
    return tuple(
        ServerUse(
            row["owner"],
            row["name"],
            tuple(orjson.loads(row["command"])),
            tuple(orjson.loads(row["gpus"])),
            row["usd_per_gpu_hour"],
            row["started_at"],
            row["ready_at"],
            row["stopped_at"],
            row["log"],
        )
        for row in connection.execute(query).mappings()
    )
