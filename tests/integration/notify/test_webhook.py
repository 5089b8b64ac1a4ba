"""A signed POST to a real server, good and bad ones."""

import asyncio
import base64
import ssl
import subprocess
import time
from collections.abc import Iterator

import pytest
import trustme

from controller.core.channels import EventName
from controller.core.wording import Level, Message
from controller.notify import webhook
from controller.notify.signature import message_id, signing_keys
from controller.ports.deliveries import Outcome
from tests.fakes.webhook_target import KEY, SECRET, Ill, WebhookTarget, webhook_target

MESSAGE = Message(
    event=EventName.OPENED,
    key="itsm/outage/7",
    subject="OUT-12",
    at_us=1_750_000_000_123_456,
    level=Level.FAILURE,
    title="[OUT-12] P1 shop-home is down",
    text="Down in Zürich.",
    facts={"outage": {"handle": "OUT-12", "check": "shop-home"}},
)


def now_us() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def target() -> Iterator[WebhookTarget]:
    with webhook_target() as started:
        yield started


async def post(target: WebhookTarget, message: Message = MESSAGE) -> Outcome:
    return await webhook.post(target.url(), SECRET, message, now_us)


async def test_a_message_is_signed_json_with_its_keys(target: WebhookTarget) -> None:
    assert await post(target) == Outcome(is_delivered=True)
    (one,) = target.received
    assert one.is_signed
    assert abs(int(one.headers["webhook-timestamp"]) - time.time()) < 60
    assert one.headers["webhook-id"] == message_id("itsm/outage/7", MESSAGE.at_us)
    assert one.headers["vedette-subject"] == "OUT-12"
    assert one.headers["content-type"] == "application/json"
    assert one.headers["host"] == f"127.0.0.1:{target.port}"
    assert one.json == {
        "type": "outage.opened",
        "timestamp": "2025-06-15T15:06:40.123456Z",
        "data": {
            "key": "itsm/outage/7",
            "subject": "OUT-12",
            "level": "failure",
            "title": "[OUT-12] P1 shop-home is down",
            "text": "Down in Zürich.",
            "outage": {"handle": "OUT-12", "check": "shop-home"},
        },
    }


async def test_openssl_comes_to_the_same_signature(target: WebhookTarget) -> None:
    await post(target)
    (one,) = target.received
    signed = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}.".encode() + one.body
    command = [
        "openssl",
        "dgst",
        "-sha256",
        "-mac",
        "HMAC",
        "-macopt",
        f"hexkey:{KEY.hex()}",
        "-binary",
    ]
    done = await asyncio.to_thread(
        subprocess.run, command, input=signed, capture_output=True, check=True
    )
    assert one.headers["webhook-signature"] == f"v1,{base64.b64encode(done.stdout).decode()}"


async def test_an_id_stays_and_a_signature_does_not(target: WebhookTarget) -> None:
    for _ in range(2):
        await post(target)
    await webhook.post(target.url(), SECRET, MESSAGE, lambda: 1_750_000_000_000_000)
    ids = {one.headers["webhook-id"] for one in target.received}
    assert len(ids) == 1
    assert (
        target.received[2].headers["webhook-signature"]
        != (target.received[0].headers["webhook-signature"])
    )
    assert all(one.is_signed for one in target.received)


def test_ids_differ_where_a_database_counts_anew() -> None:
    assert message_id("ops/outage/1", 1) != message_id("ops/outage/1", 2)
    assert "." not in message_id("ops.de/outage/1", 1)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (200, Outcome(is_delivered=True)),
        (500, Outcome(error="127.0.0.1 answered 500.")),
        (404, Outcome(error="127.0.0.1 answered 404.")),
        ((429, {"Retry-After": "120"}), Outcome(error="127.0.0.1 answered 429.", wait_us=120_000_000)),
        ((503, {"Retry-After": "soon"}), Outcome(error="127.0.0.1 answered 503.")),
        ((503, {"Retry-After": "9" * 99}), Outcome(error="127.0.0.1 answered 503.", wait_us=999_999_999_000_000)),
        (410, Outcome(error="127.0.0.1 answered 410: it wants no more of these.", is_final=True)),
    ],
)  # fmt: skip
async def test_what_a_status_means(
    target: WebhookTarget, answer: int | tuple[int, dict[str, str]], outcome: Outcome
) -> None:
    target.answers.append(answer)
    assert await post(target) == outcome


async def test_retry_after_may_be_a_date(target: WebhookTarget) -> None:
    target.answers.append((503, {"Retry-After": "Sun, 15 Jun 2025 15:07:40 GMT"}))
    outcome = await webhook.post(target.url(), SECRET, MESSAGE, lambda: MESSAGE.at_us)
    assert outcome.wait_us == 60_000_000 - 123_456


async def test_redirects_lead_nowhere(target: WebhookTarget) -> None:
    with webhook_target() as inside:
        target.answers.append((302, {"Location": inside.url()}))
        outcome = await post(target)
        assert outcome.error == "127.0.0.1 answered 302: it moved, and redirects are not followed."
        assert inside.received == []


@pytest.mark.parametrize("ill", [Ill.SILENT, Ill.DRIPPING])
async def test_what_hangs_is_left_at_the_deadline(
    target: WebhookTarget, ill: Ill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "NOTIFY_SECONDS_MAX", 1.0)
    target.answers.append(ill)
    assert (await post(target)).error == "127.0.0.1 did not answer within 1 s."


async def test_a_flood_is_not_read(target: WebhookTarget) -> None:
    target.answers.append(Ill.FLOODING)
    assert await post(target) == Outcome(is_delivered=True)


@pytest.mark.parametrize("ill", [Ill.GARBAGE, Ill.CLOSING])
async def test_what_is_no_answer_is_a_failure_in_a_sentence(
    target: WebhookTarget, ill: Ill
) -> None:
    target.answers.append(ill)
    outcome = await post(target)
    assert outcome.error.startswith("127.0.0.1: ")
    assert outcome.error.endswith(".")


async def test_nobody_there_is_a_failure() -> None:
    outcome = await webhook.post("http://127.0.0.1:1/", SECRET, MESSAGE, now_us)
    assert outcome.error == "127.0.0.1: All connection attempts failed."


async def test_a_name_without_an_address_is_a_failure() -> None:
    outcome = await webhook.post("http://nowhere.invalid/", SECRET, MESSAGE, now_us)
    assert outcome.error.startswith("nowhere.invalid: ")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://0.0.0.0:80/",
        "http://224.0.0.1/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fd00:ec2::254]/",
        "http://2852039166/",
    ],
)
async def test_addresses_of_the_cloud_and_of_nobody_are_refused(url: str) -> None:
    outcome = await webhook.post(url, SECRET, MESSAGE, now_us)
    assert (
        "link-local, multicast, unspecified and reserved addresses are not sent to" in outcome.error
    )


@pytest.mark.parametrize(
    ("url", "secret", "error"),
    [
        (
            "https://x.example/",
            "hunter2hunter2",
            "expected as key of a webhook whsec_ and base64 of",
        ),
        ("https://x.example/", "whsec_c2hvcnQ=", "24 to 64 random bytes"),
        ("https://x.example/", "whsec_!!!!", "found another text"),
        ("ftp://x.example/", SECRET, "a URL that begins with http:// or https://"),
        ("https:///x", SECRET, "a URL with a host"),
        ("https://127.0.0.1:99999/", SECRET, "a port from 1 to 65535"),
    ],
)
async def test_what_secrets_may_turn_out_to_be_is_a_failure_that_shows_none(
    url: str, secret: str, error: str
) -> None:
    outcome = await webhook.post(url, secret, MESSAGE, now_us)
    assert error in outcome.error
    assert "hunter2" not in outcome.error


def test_a_key_is_what_follows_the_mark() -> None:
    assert signing_keys(SECRET) == [KEY]
    assert signing_keys(f"{SECRET}\n") == [KEY]


async def test_while_a_key_is_changed_both_sign(target: WebhookTarget) -> None:
    other = "whsec_" + base64.b64encode(KEY[::-1]).decode()
    await webhook.post(target.url(), f"{other} {SECRET}", MESSAGE, now_us)
    await post(target)
    both, one = (r.headers["webhook-signature"].split() for r in target.received)
    assert (len(both), len(one)) == (2, 1)
    mixed = await webhook.post(target.url(), f"{SECRET} hunter2", MESSAGE, now_us)
    assert "found another text" in mixed.error


async def test_tls_is_verified_by_name(
    target: WebhookTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    target.server.socket = context.wrap_socket(target.server.socket, server_side=True)
    trusting = ssl.create_default_context()
    ca.configure_trust(trusting)
    monkeypatch.setattr(webhook, "_trusted", lambda: trusting)
    port = target.port
    good = await webhook.post(f"https://localhost:{port}/hook", SECRET, MESSAGE, now_us)
    assert good == Outcome(is_delivered=True)
    assert target.received[0].headers["host"] == f"localhost:{port}"
    bad = await webhook.post(f"https://127.0.0.1:{port}/hook", SECRET, MESSAGE, now_us)
    assert "CERTIFICATE_VERIFY_FAILED" in bad.error
