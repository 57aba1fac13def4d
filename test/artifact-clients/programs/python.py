"""`python python.py LIBRARY URL KEY`: fetches the URL with the key, follows redirects, writes the body to stdout."""

import asyncio
import sys
from collections.abc import Callable

library, url, key = sys.argv[1:4]
headers = {"Authorization": f"Bearer {key}"}


def by_requests() -> bytes:
    import requests

    return requests.get(url, headers=headers, timeout=60).content


def by_httpx() -> bytes:
    import httpx

    return httpx.get(url, headers=headers, follow_redirects=True).content


def by_aiohttp() -> bytes:
    import aiohttp

    async def get() -> bytes:
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
            return await response.read()

    return asyncio.run(get())


def by_urllib() -> bytes:
    from urllib.request import Request, urlopen

    with urlopen(Request(url, headers=headers)) as response:
        return response.read()


def by_urllib3() -> bytes:
    import urllib3

    return urllib3.PoolManager().request("GET", url, headers=headers).data


libraries: dict[str, Callable[[], bytes]] = {
    "requests": by_requests,
    "httpx": by_httpx,
    "aiohttp": by_aiohttp,
    "urllib": by_urllib,
    "urllib3": by_urllib3,
}
sys.stdout.buffer.write(libraries[library]())
