"""HTTP probes that say who asks: basic, bearer, OAuth2 client credentials."""

import asyncio
import base64
import json
from collections.abc import Iterator
from itertools import count

import pytest

from agent.probers.http import HttpProber
from agent.probers.network.admission import Admission
from agent.probers.network.stopwatch import monotonic_us
from tests.fakes.tcp_target import Script, answering, head_of, response, silent, target
from tests.unit.probers.http_probing import LOOPBACK_ONLY, check_of, run_http


def guarded(word: bytes) -> Script:
    """Answers 200 to who says `word`, and 401 to everybody else."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await head_of(reader, writer)
        writer.write(response() if word in head else response(status="401 Unauthorized"))

    return script


def granting(numbers: Iterator[int], expires_in: int | None = 3600) -> Script:
    """A token endpoint: the tokens are t1, t2 and so on."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await head_of(reader, writer)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        head_and_body[writer.get_extra_info("sockname")[1]] = head + await reader.readexactly(
            length
        )
        granted: dict[str, object] = {"access_token": f"t{next(numbers)}", "token_type": "Bearer"}
        if expires_in is not None:
            granted["expires_in"] = expires_in
        writer.write(response(json.dumps(granted).encode()))

    return script


head_and_body: dict[int, bytes] = {}


def credentials(token_url: str, **more: object) -> dict[str, object]:
    oauth2 = {"token_url": token_url, "client_id": "me", "client_secret": "s:cret/", **more}
    return {"oauth2": oauth2}


async def test_basic_is_a_user_and_a_password() -> None:
    said = b"Authorization: Basic " + base64.b64encode("jo:größe".encode())
    async with target(guarded(said)) as server:
        auth = {"basic": {"username": "jo", "password": "größe"}}
        assert (await run_http(server.url(), auth=auth)).outcome == "up"
        assert (await run_http(server.url())).kind == "bad_status"


async def test_a_user_in_the_url_is_basic() -> None:
    said = b"Authorization: Basic " + base64.b64encode(b"jo:a/b")
    async with target(guarded(said)) as server:
        run = await run_http(f"http://jo:a%2Fb@127.0.0.1:{server.port}/")
    assert run.outcome == "up"


async def test_bearer_is_sent_as_it_is() -> None:
    async with target(guarded(b"Authorization: Bearer abc.def\r\n")) as server:
        assert (await run_http(server.url(), auth={"bearer": "abc.def"})).outcome == "up"


@pytest.mark.parametrize(
    "auth",
    [
        pytest.param({"bearer": "canary"}, id="a bearer token"),
        pytest.param({"basic": {"username": "canary"}}, id="a password"),
    ],
)
async def test_credentials_stay_with_their_origin(auth: dict[str, object]) -> None:
    async with target(answering(response(b"ok"))) as other:
        away = response(status="302 Found", headers=(f"Location: http://localhost:{other.port}/",))
        async with target(answering(away)) as server:
            await run_http(server.url(), auth=auth)
            assert b"authorization" in server.heads[0].lower()
        assert b"authorization" not in other.heads[0].lower()


async def test_credentials_are_kept_within_their_origin() -> None:
    async with target(guarded(b"Bearer abc")) as server:
        here = response(status="302 Found", headers=("Location: /in",))

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await head_of(reader, writer)
            ok = b" /in " in head and b"Authorization: Bearer abc" in head
            writer.write(response() if ok else here)

        async with target(script) as origin:
            run = await run_http(origin.url(), "size(hops) == 2", auth={"bearer": "abc"})
        assert server.heads == []
    assert run.outcome == "up"


@pytest.mark.parametrize("client_auth", ["basic", "body"])
async def test_a_token_is_fetched_once_and_its_time_is_not_the_targets(client_auth: str) -> None:
    prober = HttpProber(Admission(LOOPBACK_ONLY))
    async with target(granting(count(1))) as endpoint, target(guarded(b"Bearer t1\r\n")) as server:
        auth = credentials(
            endpoint.url("/token"),
            scopes=["a", "b"],
            parameters={"audience": "x y"},
            client_auth=client_auth,
        )
        check = check_of("http", {"url": server.url(), "auth": auth})
        runs = [await prober.probe(check) for _ in range(3)]
        assert len(endpoint.heads) == 1
        sent = head_and_body[endpoint.port]
    assert [run.variables["status"] for run in runs] == [200, 200, 200]
    assert all(sum((run.phases or {}).values()) == run.took_us for run in runs)
    assert sent.startswith(b"POST /token ")
    assert b"grant_type=client_credentials&scope=a+b" in sent
    assert sent.endswith(b"&audience=x+y")
    pair = base64.b64encode(b"me:s%3Acret%2F")
    assert (pair in sent) == (client_auth == "basic")
    assert (b"client_id=me&client_secret=s%3Acret%2F" in sent) == (client_auth == "body")


async def test_a_token_is_fetched_anew_when_it_expires_or_is_refused() -> None:
    now = [monotonic_us()]
    prober = HttpProber(Admission(LOOPBACK_ONLY), monotonic=lambda: now[0])
    numbers = count(1)
    async with target(granting(numbers, 100)) as endpoint, target(guarded(b"Bearer t")) as server:
        check = check_of("http", {"url": server.url(), "auth": credentials(endpoint.url())})
        await prober.probe(check)
        now[0] += 89_000_000
        await prober.probe(check)
        assert len(endpoint.heads) == 1
        now[0] += 2_000_000  # ten seconds before its end is too close to it
        await prober.probe(check)
        assert len(endpoint.heads) == 2
    async with (
        target(granting(numbers, None)) as endpoint,
        target(guarded(b"Bearer t4")) as server,
    ):
        check = check_of("http", {"url": server.url(), "auth": credentials(endpoint.url())})
        refused, taken = await prober.probe(check), await prober.probe(check)
        assert (refused.variables["status"], taken.variables["status"]) == (401, 200)


async def test_runs_at_the_same_time_share_one_fetch() -> None:
    prober = HttpProber(Admission(LOOPBACK_ONLY))
    async with target(granting(count(1))) as endpoint, target(guarded(b"Bearer t1")) as server:
        check = check_of("http", {"url": server.url(), "auth": credentials(endpoint.url())})
        runs = await asyncio.gather(*(prober.probe(check) for _ in range(5)))
        assert len(endpoint.heads) == 1
    assert {run.variables["status"] for run in runs} == {200}


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param(
            answering(response(b'{"error":"invalid_client"}', status="401 No")),
            "127.0.0.1 answers 401 (invalid_client) instead of a token",
            id="a refusal",
        ),
        pytest.param(
            answering(response(b'{"error":"<canary>"}', status="400 No")),
            "127.0.0.1 answers 400 instead of a token",
            id="a refusal with a strange word",
        ),
        pytest.param(answering(response(b"<html>")), "something else than a token", id="no JSON"),
        pytest.param(answering(response(b"[]")), "something else than a token", id="no object"),
        pytest.param(answering(response(b"{}")), "something else than a token", id="no token"),
        pytest.param(
            answering(response(b'{"access_token":"a b"}')), "no bearer token", id="a smuggled space"
        ),
        pytest.param(
            answering(response(b'{"access_token":"a\\r\\nX: y"}')),
            "no bearer token",
            id="a smuggled header",
        ),
        pytest.param(
            answering(response(b'{"access_token":"a","token_type":"mac"}')),
            "no bearer token",
            id="another kind of token",
        ),
        pytest.param(
            answering(response(bytes(100_000))), "larger than 65536 bytes", id="a huge answer"
        ),
        pytest.param(answering(), "closed the connection without an answer", id="no answer"),
        pytest.param(silent, "did not begin to answer", id="silence"),
    ],
)
async def test_no_token_is_a_failure_of_its_own(script: Script, said: str) -> None:
    async with target(script) as endpoint, target(answering(response())) as server:
        run = await run_http(server.url(), within="300ms", auth=credentials(endpoint.url()))
        assert server.heads == []
    assert (run.outcome, run.kind) == ("down", "token_failed")
    assert said in (run.verdict.detail or "")
    assert "s:cret" not in f"{run.verdict.detail} {run.seen.facts}"


async def test_the_token_endpoint_is_held_to_the_policy() -> None:
    async with target(answering(response())) as server:
        run = await run_http(server.url(), auth=credentials("http://10.0.0.1/token"))
    assert (run.outcome, run.kind) == ("agent_error", "policy_refused")


async def test_a_slow_token_is_not_the_targets_fault() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        await granting(count(1))(reader, writer)

    async with target(slow) as endpoint, target(silent) as server:
        run = await run_http(server.url(), within="300ms", auth=credentials(endpoint.url()))
    assert (run.outcome, run.kind) == ("down", "token_failed")
    assert "in the rest: 127.0.0.1 did not begin to answer" in (run.verdict.detail or "")
    assert "first_byte" in (run.seen.phases or {})


async def test_a_life_that_is_written_as_text_is_taken() -> None:
    granted = granting(count(), "3600")  # type: ignore[arg-type] # as some write it
    async with target(granted) as endpoint, target(answering(response())) as server:
        oauth2 = {"token_url": endpoint.url(), "client_id": "me", "client_secret": "x"}
        run = await run_http(server.url(), auth={"oauth2": oauth2})
    assert run.outcome == "up", run.verdict.detail
