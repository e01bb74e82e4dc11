"""HTTP sessions: one per event loop and server, made on first use and shared by the models that talk to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import aiohttp

CONNECT_TIMEOUT_S = 30.0
KEEPALIVE_S = 30.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(slots=True)
class _Shared:
    session: aiohttp.ClientSession
    users: int = 0


_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Shared]] = WeakKeyDictionary()


class Lease:
    """One model's hold on the session of ``base_url``; the last to let go closes it."""

    __slots__ = ("_base_url", "_loop", "_shared", "proxy")

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._loop: asyncio.AbstractEventLoop | None = None
        self._shared: _Shared | None = None
        self.proxy = proxy_for(base_url)
        """From HTTPS_PROXY, HTTP_PROXY and NO_PROXY, read once: aiohttp would read them, and .netrc, at each call."""

    def session(self) -> aiohttp.ClientSession:
        """The session of the running event loop."""
        loop = asyncio.get_running_loop()
        if self._shared is None or self._loop is not loop or self._shared.session.closed:
            shared = _sessions.setdefault(loop, {})
            known = shared.get(self._base_url)
            if known is None or known.session.closed:
                known = shared[self._base_url] = _Shared(_new_session())
            known.users += 1
            self._loop, self._shared = loop, known
        return self._shared.session

    async def release(self) -> None:
        """Let go; may be called more than once, and for a loop that is gone."""
        shared, loop = self._shared, self._loop
        self._shared = self._loop = None
        if shared is None or loop is None:
            return
        shared.users -= 1
        if shared.users > 0:
            return
        _sessions.get(loop, {}).pop(self._base_url, None)
        if loop is asyncio.get_running_loop():
            await shared.session.close()
        elif shared.session.connector is not None:  # its loop has ended: there is nobody to wait for
            shared.session.connector._close()


def _new_session() -> aiohttp.ClientSession:
    import aiohttp

    return aiohttp.ClientSession(
        # How many calls are in flight is the dispatcher's to say, not the pool's.
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_S),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "markscheme", "Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"},
        read_bufsize=2**18,
    )


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for ``url``, or ``None``. No proxy leads to this machine itself."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    if parts.hostname in _LOOPBACK:
        return None
    proxy = getproxies().get(parts.scheme)
    if not proxy or proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
