import grpc
import pytest

from agent.errors import AgentError, Rejected, Unreachable
from agent.link.channel import translated


def error(code: grpc.StatusCode, details: str = "why") -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details)


@pytest.mark.parametrize("code", list(grpc.StatusCode), ids=lambda code: code.name)
def test_every_status_is_one_of_our_errors_in_a_sentence(code: grpc.StatusCode) -> None:
    ours = translated(error(code), "c.example:7443")
    assert isinstance(ours, Rejected | Unreachable)
    assert ours.exit_code == 3
    assert str(ours).startswith("The controller at c.example:7443")
    assert str(ours).endswith(".")


@pytest.mark.parametrize(
    ("details", "kind", "words"),
    [
        ("Tls handshake failed: CERTIFICATE_VERIFY_FAILED: unable", Rejected, "another controller"),
        ("Hostname Verification Check failed.", Rejected, "a certificate for other names"),
        ("Tls handshake failed: WRONG_VERSION_NUMBER: Inv", Rejected, "does not speak TLS"),
        ("Failed to connect to remote host: Connection refused", Unreachable, "nothing listens"),
        ("hostname lookup error:address lookup failed for x", Unreachable, "cannot be resolved"),
        ("Socket closed", Unreachable, "closed the connection"),
        ("The controller cannot store results now.", Unreachable, "cannot store results now."),
        ("", Unreachable, "no reason given"),
    ],
)
def test_what_cannot_be_reached_says_why(details: str, kind: type[AgentError], words: str) -> None:
    ours = translated(error(grpc.StatusCode.UNAVAILABLE, details), "c:1")
    assert type(ours) is kind
    assert words in str(ours)
