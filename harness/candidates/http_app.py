"""`http:URL`: an application behind HTTP, asked with a JSON body template and read with JSONPaths."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from ..errors import InputError
from ..keys import digest
from ..models.faults import retry_after, trim
from ..models.sessions import Lease
from ..records import Failure, FailureKind, Reply, Sample, Timing
from .app import TIMEOUT_S, AppCandidate
from .base import Caller
from .outcomes import without_paths
from .returned import reply_from
from .templates import Render, compile_json, last_question, variables

if TYPE_CHECKING:
    import aiohttp

    from ..exam import CandidateSpec

PREFIX = "http:"
LARGEST_BODY = 16 * 2**20
"""Bytes of a response that are read; a longer one is no answer."""
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SCRUBBED_LENGTH = 6
_KINDS: Mapping[int, FailureKind] = {
    401: "unauthorized",
    403: "unauthorized",
    408: "timeout",
    429: "rate_limited",
}
_FIELDS = ("text", "contexts", "tool_calls", "usage")

Find = Callable[[Any], list[Any]]


def http_candidate(spec: CandidateSpec, *, caller: Caller, slot: int) -> AppCandidate:
    """The candidate behind ``spec.model``'s URL. Raises InputError for a bad URL, template, JSONPath or variable."""
    who, url, request, response = f"candidate {spec.name!r}", _url(spec), spec.request, spec.response
    if request is None or response is None:
        raise InputError(f"{who}: {spec.model!r} needs request: {{body: …}} and response: {{text: $.answer}}")
    parts = urlsplit(url)
    paths = {name: path for name in _FIELDS if (path := getattr(response, name))}
    headers = Headers(request.headers, who)
    app = HttpApp(
        url=url,
        method=request.method,
        version=digest([spec.version, request.method, sorted(request.headers), paths]),
        render=compile_json(request.body, f"{who} request.body"),
        headers=headers,
        find={name: compile_path(path, f"{who} response.{name}") for name, path in paths.items()},
        timeout_s=spec.timeout_s or TIMEOUT_S,
        lease=Lease(f"{parts.scheme}://{parts.netloc}"),
    )
    notes: tuple[str, ...] = ()
    if spec.version is None:
        notes = (
            f"{who}: no version is given, so its answers are kept by its path and what it is sent; "
            "a change of the application is not noticed (write version: under the candidate)",
        )
    return AppCandidate(spec.name, f"{PREFIX}{parts.scheme}://{parts.netloc}{parts.path}", app, caller, slot, notes)


def _url(spec: CandidateSpec) -> str:
    url = spec.model.removeprefix(PREFIX)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise InputError(
            f"candidate {spec.name!r}: {spec.model!r} is not of the form http:https://host/path without a user name "
            "or password; what must stay secret goes to request.headers as ${VARIABLE}"
        )
    return url


class Headers:
    """Header values whose ``${VARIABLES}`` are filled from the environment at each use, and are never shown."""

    def __init__(self, templates: Mapping[str, str], who: str) -> None:
        self._templates = templates
        for name, value in templates.items():
            for variable in _VARIABLE.findall(value):
                if variable not in os.environ:
                    raise InputError(
                        f"{who} request.headers.{name}: the environment variable {variable} "
                        f"is not set: export {variable}=…"
                    )

    def __repr__(self) -> str:
        return f"Headers({', '.join(self._templates)})"

    def values(self) -> dict[str, str]:
        """The headers as sent."""
        return {n: _VARIABLE.sub(lambda m: os.environ.get(m[1], ""), v) for n, v in self._templates.items()}

    def scrub(self, text: str) -> str:
        """``text`` without the values of the variables, should a server have echoed them."""
        for template in self._templates.values():
            for variable in _VARIABLE.findall(template):
                secret = os.environ.get(variable, "")
                if len(secret) >= _SCRUBBED_LENGTH:
                    text = text.replace(secret, "***")
        return text


@dataclass(frozen=True, slots=True)
class HttpApp:
    """The application behind ``url``. ``find`` maps text, contexts, tool_calls and usage to compiled JSONPaths."""

    url: str
    method: str
    version: str
    render: Render
    headers: Headers
    find: Mapping[str, Find]
    timeout_s: float
    lease: Lease = field(repr=False)

    @property
    def identity(self) -> str:
        """``http:`` and the path of the URL: the same server on another host or port needs no call."""
        return f"http:{urlsplit(self.url).path}"

    def input(self, sample: Sample, turn: int) -> Any:
        """The body. Raises InputError for a template that cannot render."""
        messages = tuple({**m, "content": without_paths(m.get("content") or "")} for m in sample.messages)
        return self.render(variables(sample, last_question(sample), messages, turn))

    async def ask(self, sample: Sample, given: Any) -> Reply | Failure:
        """Send once. 429, 5xx and the network are ours; any other status, and a body we cannot read, its own."""
        import aiohttp

        sent_at, start = time.time(), time.perf_counter()
        try:
            status, headers, body = await self._exchange(given)
        except TimeoutError:
            return Failure("timeout", f"no answer within {self.timeout_s:g} s", sent_at=sent_at)
        except (aiohttp.ClientError, OSError) as error:
            return Failure("network", self._safe(f"{type(error).__name__}: {error}"), sent_at=sent_at)
        timing = Timing(sent_at, time.perf_counter() - start)
        if not 200 <= status < 300:
            return self._refused(status, headers, body, sent_at)
        try:
            return self._read(body, timing, last_question(sample))
        except ValueError as error:
            return Failure("candidate_error", self._safe(str(error)), status, None, sent_at)

    async def close(self) -> None:
        """Release the connections."""
        await self.lease.release()

    async def _exchange(self, given: Any) -> tuple[int, Mapping[str, str], bytes]:
        import aiohttp

        async with self.lease.session().request(
            self.method,
            self.url,
            data=None if given is None else orjson.dumps(given, default=str),
            headers=self.headers.values(),
            timeout=aiohttp.ClientTimeout(total=self.timeout_s),
            proxy=self.lease.proxy,
            allow_redirects=False,
        ) as response:
            return response.status, response.headers, await _limited(response)

    def _refused(self, status: int, headers: Mapping[str, str], body: bytes, sent_at: float) -> Failure:
        said = body[:1200].decode("utf-8", "replace")
        if 300 <= status < 400:
            said = f"redirects to {headers.get('location', '')!r}: write that URL"
        kind = "server_error" if status >= 500 else _KINDS.get(status, "candidate_error")
        return Failure(kind, self._safe(f"HTTP {status}: {said}"), status, retry_after(headers), sent_at)

    def _read(self, body: bytes, timing: Timing, prompt: str) -> Reply:
        if len(body) > LARGEST_BODY:
            raise ValueError(f"the response is larger than {LARGEST_BODY} bytes")
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise ValueError(f"the response is not JSON: {body[:120].decode('utf-8', 'replace')!r}") from None
        found = {name: values for name, find in self.find.items() if (values := find(document))}
        if "text" not in found:
            raise ValueError(f"response.text finds nothing in {trim(orjson.dumps(document).decode())}")
        return reply_from({name: _one_or_all(name, values) for name, values in found.items()}, timing, prompt)

    def _safe(self, text: str) -> str:
        return trim(self.headers.scrub(text))


def compile_path(path: str, where: str) -> Find:
    """A JSONPath as a function from a document to all that it finds. Raises InputError."""
    from jsonpath_ng.exceptions import JSONPathError
    from jsonpath_ng.ext.parser import parse

    try:
        compiled = parse(path)
    except JSONPathError as error:
        raise InputError(f"{where}: {path!r} is not a JSONPath: {error}; for example $.answer") from None
    return lambda document: [match.value for match in compiled.find(document)]


def _one_or_all(name: str, values: list[Any]) -> Any:
    """A path that finds one list finds the passages themselves; one with a wildcard finds each of them."""
    if name in ("contexts", "tool_calls"):
        return values[0] if len(values) == 1 and isinstance(values[0], list) else values
    if name == "text" and len(values) > 1:
        return "".join(value for value in values if isinstance(value, str))
    return values[0]


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    """The body, or a little more than what we would read of it."""
    chunks, size = [], 0
    async for chunk in response.content.iter_chunked(2**16):
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_BODY:
            break
    return b"".join(chunks)
