"""The root key goes away, comes back once a year, and nothing is restarted for it."""

import json
import shutil
import signal
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from tests.integration.rpc.running import FLEET, SECONDS_MAX
from tests.integration.rpc.test_processes import Shell


def shown_leaf(address: str, ca: Path) -> x509.Certificate:
    """The certificate that a new connection sees, verified against the root."""
    host, _, port = address.rpartition(":")
    trust = ssl.create_default_context(cafile=str(ca))
    with (
        socket.create_connection((host, int(port)), timeout=SECONDS_MAX) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        der = secured.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


@pytest.mark.parametrize("who", ["people"])
def test_a_new_issuing_ca_is_taken_up_without_a_restart(tmp_path: Path, who: str) -> None:
    shell = Shell(tmp_path)
    stick, away = tmp_path / "stick" / "root.key", tmp_path / "safe.key"
    token, ca = tmp_path / "token", tmp_path / "state" / "ca.pem"
    made = shell.run("init", "--root-key", str(stick), "--token-file", str(token), "--json")
    assert json.loads(made.stdout)["root_key"] == str(stick)
    assert not (tmp_path / "state" / "root-ca.key").exists()
    shutil.move(stick, away)
    (tmp_path / "fleet.yaml").write_bytes(FLEET)
    with shell.serve() as (process, addresses):
        before = shown_leaf(addresses[who], ca)
        assert shell.run(
            "login", addresses[who], "--ca", str(ca), "--token-file", str(token)
        ).returncode == 0  # fmt: skip
        renewed = shell.run("ca", "renew-issuing", "--root-key", str(away), "--json")
        assert renewed.returncode == 0, renewed.stderr
        process.send_signal(signal.SIGHUP)
        while (after := shown_leaf(addresses[who], ca)) == before:
            assert process.poll() is None
        issuing = x509.load_pem_x509_certificate(
            (tmp_path / "state" / "issuing-ca.pem").read_bytes()
        )
        after.verify_directly_issued_by(issuing)
        assert shell.run("apply", "-f", str(tmp_path / "fleet.yaml")).returncode == 0
        acts = json.loads(shell.run("audit", "list", "--json").stdout)["acts"]
    assert [act["action"] for act in acts] == ["fleet.apply", "ca.renew_issuing", "token.create"]
    assert (acts[1]["role"], acts[1]["peer"]) == ("local", "local")
    assert acts[1]["subject"] == json.loads(renewed.stdout)["issuing_ca_sha256"]
    assert not list((tmp_path / "state").glob("*root*key*"))


def test_the_key_of_another_root_is_refused(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    other = tmp_path / "other"
    shell.run("init", "--token-file", str(tmp_path / "token"))
    shell.run("init", "--state", str(other), "--token-file", str(tmp_path / "token2"))
    issuing = (tmp_path / "state" / "issuing-ca.pem").read_bytes()
    refused = shell.run("ca", "renew-issuing", "--root-key", str(other / "root-ca.key"))
    assert refused.returncode == 3
    assert "does not hold the key of this controller's root" in refused.stderr
    missing = shell.run("ca", "renew-issuing", "--root-key", str(tmp_path / "nothing"))
    assert missing.returncode == 2
    assert "Cannot read the root key" in missing.stderr
    assert (tmp_path / "state" / "issuing-ca.pem").read_bytes() == issuing
