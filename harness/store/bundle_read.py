"""A bundle opened as a workspace of its own. It comes from elsewhere: every byte is checked, nothing is evaluated."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, LargeZipFile, ZipFile

import orjson
import sqlalchemy as sa
from pydantic import ValidationError

from ..errors import InputError
from .bundle import FORMAT, MANIFEST, Manifest, member_name
from .bundle_check import RowCheck, check_whole
from .codec import Row
from .schema import SCHEMA_VERSION, metadata
from .store import Store

SUFFIX = ".mks"
MOST_BYTES = 64 << 30
"""Of all members together, unpacked."""
MOST_TIMES = 500
"""How many times larger than the file they may be, from `SMALL` bytes on."""
SMALL = 64 << 20
LONGEST_LINE = 32 << 20
_MANIFEST_BYTES = 1 << 20
_SOME = 500
_TABLES = frozenset(metadata.tables) - {"meta"}
_AGAIN = "get it again from where it was made"


def is_bundle(path: Path) -> bool:
    """Whether a file is named like a bundle or begins like one; its content is checked when it is opened."""
    if not path.is_file():
        return False
    if path.suffix == SUFFIX:
        return True
    try:
        with ZipFile(path) as archive:
            return MANIFEST in archive.namelist()
    except (BadZipFile, OSError, ValueError):
        return False


@dataclass(frozen=True)
class Bundle:
    """A bundle whose manifest and sizes hold."""

    path: Path
    manifest: Manifest
    archive: ZipFile

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of a table, checked one by one. Raises InputError; for the hash, after the last one."""
        member = self.manifest.members[table]
        where = f"{self.path}: {member_name(table)}"
        check = RowCheck(metadata.tables[table], member.columns, where)
        sha256, number = hashlib.sha256(), 0
        for line in self._lines(table, where):
            sha256.update(line)
            number += 1
            yield check.row(line, number)
        if number != member.rows:
            raise InputError(f"{where}: has {number} rows, the manifest says {member.rows}; {_AGAIN}")
        if sha256.hexdigest() != member.sha256:
            raise InputError(f"{where}: its hash is not that of the manifest: the file was changed; {_AGAIN}")

    def _lines(self, table: str, where: str) -> Iterator[bytes]:
        with _reading(where), self.archive.open(member_name(table)) as raw:
            lines = io.BufferedReader(raw, 1 << 20)  # type: ignore[type-var]
            while line := lines.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE:
                    raise InputError(f"{where}: a line is longer than {LONGEST_LINE >> 20} MiB; {_AGAIN}")
                yield line


@contextmanager
def opened_bundle(path: Path) -> Iterator[Bundle]:
    """A bundle to read from, for the length of the block. Raises InputError for a file that is none."""
    with ExitStack() as stack:
        with _reading(str(path)):
            archive = stack.enter_context(ZipFile(path))
            manifest = _checked(path, archive)
        yield Bundle(path, manifest, archive)


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[Store, Manifest]]:
    """A store that holds what the bundle does, in a temporary folder that is gone after the block."""
    with opened_bundle(path) as bundle, tempfile.TemporaryDirectory(prefix="markscheme-") as folder:
        store = Store(folder)
        store.bundle, store.where = path, str(path)
        try:
            _fill(store, bundle)
            check_whole(store, bundle.manifest.runs, str(path))
            yield store, bundle.manifest
        finally:
            store.close()


def _fill(store: Store, bundle: Bundle) -> None:
    with store.writing() as connection:
        for table in bundle.manifest.members:
            rows = bundle.rows(table)
            insert = sa.insert(metadata.tables[table])
            while some := list(islice(rows, _SOME)):
                try:
                    connection.execute(insert, some)
                except sa.exc.IntegrityError as error:
                    raise InputError(
                        f"{bundle.path}: {member_name(table)}: two rows have one key ({error.orig}); {_AGAIN}"
                    ) from error


def _checked(path: Path, archive: ZipFile) -> Manifest:
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if MANIFEST not in names:
        raise InputError(f"{path}: is no bundle: it has no {MANIFEST}; markscheme bundle RUN -o FILE{SUFFIX} makes one")
    allowed = {MANIFEST, *(member_name(table) for table in _TABLES)}
    if unknown := [name for name in names if name not in allowed]:
        raise InputError(f"{path}: member {unknown[0]!r} is none that a bundle has; {_AGAIN}")
    if len(set(names)) < len(names):
        raise InputError(f"{path}: a member is there twice; {_AGAIN}")
    if any(info.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or info.flag_bits & 1 for info in infos):
        raise InputError(f"{path}: is packed in a way that bundles are not; {_AGAIN}")
    size, total = path.stat().st_size, sum(info.file_size for info in infos)
    if total > MOST_BYTES or (total > SMALL and total > MOST_TIMES * size):
        raise InputError(
            f"{path}: {size} bytes would unpack to {total}, more than {MOST_TIMES} times as many or than "
            f"{MOST_BYTES >> 30} GiB: it is not opened"
        )
    if archive.getinfo(MANIFEST).file_size > _MANIFEST_BYTES:
        raise InputError(f"{path}: {MANIFEST} is larger than {_MANIFEST_BYTES >> 20} MiB; {_AGAIN}")
    manifest = _manifest(path, archive.read(MANIFEST))
    wanted = {MANIFEST, *(member_name(table) for table in manifest.members)}
    if wanted != set(names):
        raise InputError(f"{path}: {MANIFEST} and the members differ: {min(wanted ^ set(names))!r}; {_AGAIN}")
    return manifest


def _manifest(path: Path, text: bytes) -> Manifest:
    where = f"{path}: {MANIFEST}"
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{where}: is not JSON ({error}); {_AGAIN}") from error
    made = data if isinstance(data, dict) else {}
    for name, ours in (("format", FORMAT), ("schema_version", SCHEMA_VERSION)):
        if isinstance(version := made.get(name), int) and version > ours:
            by = f"markscheme {made.get('markscheme')!s:.40}"
            raise InputError(f"{where}: {name} {version}, by {by}; this one reads up to {ours}: update markscheme")
    try:
        manifest = Manifest.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where} {field}: {first['msg']}; {_AGAIN}") from error
    if unknown := sorted(manifest.members.keys() - _TABLES):
        raise InputError(f"{where} members: table {unknown[0]!r} is none that a bundle has; {_AGAIN}")
    return manifest


@contextmanager
def _reading(where: str) -> Iterator[None]:
    """What a damaged zip makes Python raise, as an InputError."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{where}: there is no such file") from None
    except (BadZipFile, LargeZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise InputError(f"{where}: is no bundle, or damaged ({error}); {_AGAIN}") from error
