"""MongoDB, opened: a collection of a server that answers; errors say what to do. Needs the extra ``mongodb``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .errors import InputError, MissingExtra

if TYPE_CHECKING:
    from pymongo.collection import Collection

VARIABLE = "MARKSCHEME_MONGODB"
PATIENCE_S = 3.0
"""How long a server may take to answer at all."""


@contextmanager
def opened_collection(uri: str, name: str, database: str = "") -> Iterator[Collection[Any]]:
    """The collection, for the length of the block, of a server that was asked and answered.

    ``uri`` '' is the variable MARKSCHEME_MONGODB, the only place for a password; ``database`` '' is that of the URI.
    Raises MissingExtra, and InputError for what is wrong with the address, the login or the server.
    """
    try:
        import pymongo
        from bson.errors import BSONError
        from pymongo import errors
    except ModuleNotFoundError as error:
        raise MissingExtra("mongodb", "--mongodb") from error
    address = _address(uri)
    where = f"MongoDB at {shown(address)}"
    patience = int(1000 * PATIENCE_S)
    try:
        client: Any = pymongo.MongoClient(
            address, serverSelectionTimeoutMS=patience, connectTimeoutMS=patience, appname="markscheme"
        )
    except (errors.PyMongoError, ValueError, TypeError) as error:
        # What the driver says of an address repeats parts of it, and where a password ends is what it did not find.
        said = "no address (percent-encode name and password)" if _userinfo(address) else _reason(error, address)
        raise InputError(f"{where}: {said}: correct --mongodb or {VARIABLE}") from None
    try:
        with client:
            client.admin.command("ping")
            yield _named(client, name, database, where)
    except errors.ConnectionFailure as error:
        raise InputError(
            f"{where}: nobody answered within {PATIENCE_S:g} s ({_reason(error, address)}): start the server, or "
            f"correct --mongodb or {VARIABLE}; what was done before is kept, the same command continues"
        ) from None
    except (errors.PyMongoError, BSONError) as error:
        raise InputError(f"{where}: {_reason(error, address)}") from None


def _address(uri: str) -> str:
    if ":" in _userinfo(uri):
        raise InputError(
            f"--mongodb: the address holds a password, which others could read in the list of processes: "
            f"export {VARIABLE}=… instead and leave --mongodb out"
        )
    address = uri or os.environ.get(VARIABLE, "")
    if not address:
        raise InputError(f"MongoDB: give its address, --mongodb mongodb://localhost:27017/NAME, or export {VARIABLE}=…")
    return address


def _userinfo(uri: str) -> str:
    return uri.partition("://")[2].rpartition("@")[0]


def shown(uri: str) -> str:
    """The hosts of an address: neither user nor password nor options, which may hold secrets too."""
    rest = uri.partition("://")[2].rpartition("@")[2]
    return repr(rest.partition("/")[0].partition("?")[0])


def _named(client: Any, name: str, database: str, where: str) -> Collection[Any]:
    from pymongo import errors

    try:
        found = client[database] if database else client.get_default_database()
        collection: Collection[Any] = found[name]
    except errors.ConfigurationError:
        raise InputError(f"{where}: which database? Name it in the address, …/NAME, or with --database NAME") from None
    except errors.InvalidName as error:
        raise InputError(f"{where}: --database {database!r}, --collection {name!r}: {error}") from None
    return collection


def _reason(error: Exception, address: str) -> str:
    """The first line of what the driver says, without the password."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(", Timeout:")[0]
    password = _userinfo(address).partition(":")[2]
    for secret in {password, unquote(password)} - {""}:
        line = line.replace(secret, "***")
    return line[:300]
