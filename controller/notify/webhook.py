"""One signed POST to a webhook's server.

Nothing of the answer but its status and Retry-After is read. Redirects are not followed: a server that moved
is to be named anew. The name is resolved here and the address judged before the connection is made, so that a
name cannot lead elsewhere in between; proxies of the environment are not used for the same reason.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Final

import httpx
import msgspec

from controller.core.instants import instant_text
from controller.core.wording import Message
from controller.notify.addresses import address_problem
from controller.notify.signature import message_id, signed_headers, signing_keys
from controller.ports.deliveries import Outcome
from vedette.shared.limits import NOTIFY_ADDRESSES_MAX, NOTIFY_SECONDS_MAX
from vedette.shared.probes.host import url_problem

USER_AGENT: Final = "vedette"
_GONE: Final = 410
_SECOND_US: Final = 1_000_000
_PORTS: Final = {"http": 80, "https": 443}


def payload(message: Message) -> bytes:
    """The body of a webhook: type, timestamp and data, as Standard Webhooks recommends."""
    data = {
        "key": message.key,
        "subject": message.subject,
        "level": message.level.value,
        "title": message.title,
        "text": message.text,
        **message.facts,
    }
    return msgspec.json.encode(
        {"type": str(message.event), "timestamp": instant_text(message.at_us), "data": data}
    )


async def post(url: str, secret: str, message: Message, now_us: Callable[[], int]) -> Outcome:
    """Send a message; how that went. Does not raise, whatever the server does."""
    try:
        keys = signing_keys(secret)
        if wrong := url_problem(url):
            raise ValueError(f"expected as address of a webhook {wrong}, found another text")
        target = httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as error:
        return Outcome(error=f"Nothing can be sent: {error}.")
    try:
        async with asyncio.timeout(NOTIFY_SECONDS_MAX):
            return await _posted(target, keys, message, now_us)
    except TimeoutError:
        return Outcome(error=f"{target.host} did not answer within {NOTIFY_SECONDS_MAX:.0f} s.")
    except httpx.HTTPError as error:
        return Outcome(error=f"{target.host}: {_reason(error)}.")
    except OSError as error:
        return Outcome(error=f"{target.host}: {error.strerror or error}.")


async def _posted(
    target: httpx.URL, keys: Sequence[bytes], message: Message, now_us: Callable[[], int]
) -> Outcome:
    host = target.raw_host.decode("ascii")
    addresses = await _addresses(host, target.port or _PORTS[target.scheme])
    if not addresses:
        return Outcome(error=f"{target.host} has no address.")
    refused = [problem for one in addresses if (problem := address_problem(one))]
    if refused:
        return Outcome(error=f"{target.host} has the address {refused[0]}.")
    body = payload(message)
    at_s = now_us() // _SECOND_US
    headers = {
        "Host": target.netloc.decode("ascii"),
        "User-Agent": USER_AGENT,
        "Content-Type": "application/json",
        "vedette-subject": message.subject,
        **signed_headers(keys, message_id(message.key, message.at_us), at_s, body),
    }
    async with httpx.AsyncClient(
        verify=_trusted(), trust_env=False, follow_redirects=False, timeout=NOTIFY_SECONDS_MAX
    ) as client:
        for place, address in enumerate(addresses):
            request = client.build_request(
                "POST",
                target.copy_with(host=address),
                content=body,
                headers=headers,
                extensions={"sni_hostname": host},
            )
            try:
                answer = await client.send(request, stream=True)
            except httpx.ConnectError:
                if place == len(addresses) - 1:
                    raise
                continue
            # The body stays unread; closing ends the connection.
            await answer.aclose()
            return _outcome(target, answer, now_us)
    raise AssertionError("the loop returns or raises")


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities of this machine's choice: `SSL_CERT_FILE` or `SSL_CERT_DIR`, or else the public ones."""
    return httpx.create_ssl_context()


async def _addresses(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))[:NOTIFY_ADDRESSES_MAX]


def _outcome(target: httpx.URL, answer: httpx.Response, now_us: Callable[[], int]) -> Outcome:
    if answer.is_success:
        return Outcome(is_delivered=True)
    said = f"{target.host} answered {answer.status_code}"
    if answer.status_code == _GONE:
        return Outcome(error=f"{said}: it wants no more of these.", is_final=True)
    if answer.is_redirect:
        return Outcome(error=f"{said}: it moved, and redirects are not followed.")
    return Outcome(error=f"{said}.", wait_us=_wait_us(answer, now_us()))


def _wait_us(answer: httpx.Response, now_us: int) -> int:
    """What Retry-After asks for (RFC 9110, 10.2.3), in microseconds; 0 if it asks for nothing."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), 10**9) * _SECOND_US
    try:
        at = parsedate_to_datetime(text)
        return max(0, int(at.timestamp()) * _SECOND_US - now_us)
    except (ValueError, OverflowError):
        return 0


def _reason(error: httpx.HTTPError) -> str:
    """What went wrong, in a few words; libraries leave some of these empty."""
    text = str(error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
