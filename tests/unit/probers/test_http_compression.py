"""HTTP probes and compression: what is asked for has to come, and is bounded while it is undone."""

import gzip
import tracemalloc
import zlib

import brotli
import pytest

from agent.probers.network.fault import Fault
from agent.probers.transport.inflate import Body
from tests.fakes.tcp_target import answering, response, target
from tests.unit.probers.http_probing import run_http

PACKED = {
    "gzip": gzip.compress(b"hello"),
    "deflate": zlib.compress(b"hello"),
    "br": brotli.compress(b"hello"),
    "identity": b"hello",
}


def saying(encoding: str | None) -> bytes:
    headers = () if encoding is None else (f"Content-Encoding: {encoding}",)
    return response(PACKED[encoding or "identity"], headers=headers)


@pytest.mark.parametrize("wanted", ["gzip", "br", "deflate", "identity"])
@pytest.mark.parametrize("sent", ["gzip", "br", "deflate", "identity", None])
async def test_the_demanded_compression_has_to_come(wanted: str, sent: str | None) -> None:
    async with target(answering(saying(sent))) as server:
        run = await run_http(server.url(), "body == 'hello'", compression=wanted)
        assert f"Accept-Encoding: {wanted}\r\n".encode() in server.heads[0]
    if wanted == (sent or "identity"):
        assert run.outcome == "up", run.verdict.detail
    else:
        assert (run.outcome, run.kind) == ("down", "bad_encoding")
        assert f"the check demands {wanted}" in (run.verdict.detail or "")


async def test_only_the_last_answer_has_to_be_compressed() -> None:
    away = response(status="302 Found", headers=("Location: /end",))
    parts = {b"/": away, b"/end": saying("gzip")}

    async def script(reader, writer) -> None:  # type: ignore[no-untyped-def] # a Script
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(parts[head.split(b" ")[1]])

    async with target(script) as server:
        assert (await run_http(server.url(), compression="gzip")).outcome == "up"


@pytest.mark.parametrize(
    ("answer", "method"),
    [
        pytest.param(response(status="204 None", sized=False), "GET", id="204"),
        pytest.param(response(status="304 Same", sized=False), "GET", id="304"),
        pytest.param(response(b"", headers=()), "HEAD", id="the answer to HEAD"),
    ],
)
async def test_an_answer_without_a_body_need_not_be_compressed(answer: bytes, method: str) -> None:
    async with target(answering(answer)) as server:
        run = await run_http(server.url(), "status < 400", method=method, compression="br")
    assert run.outcome == "up", run.verdict.detail


async def test_several_compressions_on_top_of_each_other_are_not_the_one() -> None:
    answer = response(gzip.compress(PACKED["gzip"]), headers=("Content-Encoding: gzip, gzip",))
    async with target(answering(answer)) as server:
        run = await run_http(server.url(), compression="gzip")
    assert run.kind == "bad_encoding"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_content_is_the_same_however_it_arrives(coding: str, piece: int) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}[coding]
    content = bytes(range(256)) * 300
    packed = pack(content)
    body = Body(len(content), coding)
    for begin in range(0, len(packed), piece):
        body.feed(packed[begin : begin + piece])
    body.end()
    assert body.content == content


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_bomb_costs_no_more_memory_than_may_be_kept(coding: str) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}[coding]
    packed = pack(bytes(64 << 20))
    body = Body(100_000, coding)
    tracemalloc.start()
    with pytest.raises(Fault, match="larger than 100000 bytes") as caught:
        body.feed(packed)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.kind == "body_too_large"
    assert len(body.content) == 100_000
    assert peak < 2_000_000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
@pytest.mark.parametrize("cut", [1, 3])
def test_a_body_that_ends_too_early_is_not_whole(coding: str, cut: int) -> None:
    body = Body(1000, coding)
    body.feed(PACKED[coding][:-cut])
    with pytest.raises(Fault, match="ends too early"):
        body.end()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_body_that_is_something_else_is_told(coding: str) -> None:
    def taken(data: bytes) -> None:
        body = Body(1000, coding)
        body.feed(data)
        body.end()

    with pytest.raises(Fault) as caught:
        taken(b"\x7b\xff\xfe this is no compression at all" * 20)
    assert caught.value.kind == "bad_encoding"


def test_a_missing_body_of_a_named_compression_is_empty() -> None:
    body = Body(1000, "gzip")
    body.end()
    assert body.content == b""
