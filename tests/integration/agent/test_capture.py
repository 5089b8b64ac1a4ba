"""The first failure of a check, captured by a whole agent and delivered with the next line."""

import ssl
from pathlib import Path

import msgspec
import trustme

from tests.fakes.controller import HOST, REGION, FakeController
from tests.fakes.tcp_target import answering, response, target
from tests.integration.agent.site import joined, running
from vedette.shared.definitions import Check, canonical_bytes
from vedette.shared.probes import HttpProbe


async def test_a_failure_is_captured_once_and_travels_with_the_next_line(
    controller: FakeController, tmp_path: Path
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert(HOST).configure_cert(context)
    await joined(controller, tmp_path)
    async with target(answering(response(b"ok")), context) as at:
        http = HttpProbe(url=at.url("/home", "https"))
        check = Check(id="home", service="shop", every="1s", timeout="900ms", regions=[REGION], http=http)  # fmt: skip
        await controller.assign(canonical_bytes(check))
        agent = await running(tmp_path)
        await controller.until(lambda: sum(controller.durable.values()) >= 4)
        code, log = await agent.terminate()
    assert code == 0, log
    (held,) = controller.lines.values()
    lines = [msgspec.json.decode(held[seq]) for seq in sorted(held)]
    assert {line["kind"] for line in lines} == {"tls_verify_failed"}
    assert all(isinstance(line["loop_lag"], int) for line in lines)
    (with_capture,) = [line for line in lines if "capture" in line]
    capture = with_capture["capture"]
    assert with_capture["seq"] > capture["of"]["seq"] == lines[0]["seq"]
    assert capture["of"]["at"] == lines[0]["at"]
    assert (capture["route"]["to"], capture["route"]["reached"]) == (HOST, True)
    assert capture["answer"]["chain"][0]["sha256"] == lines[0]["http"]["tls"]["sha256"]
    assert capture["answer"]["head"]["status"] == "HTTP/1.1 200"
