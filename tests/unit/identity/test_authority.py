import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from controller.errors import BadInput, Fatal
from controller.identity.authority import (
    Authority,
    credential_from_pem,
    ends_us,
    new_issuing,
    new_root,
    serial_text,
)

NOW = dt.datetime(2026, 6, 11, 10, tzinfo=dt.UTC)
ROOT = new_root("acme", NOW)
ISSUING = new_issuing(ROOT, "acme", NOW)


def authority() -> Authority:
    return Authority(ROOT.certificate, ISSUING, "acme")


def request(key: ec.EllipticCurvePrivateKey | None = None, name: str = "impostor") -> bytes:
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def leaf_of(chain: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificates(chain)[0]


def test_the_chain_leads_to_the_root() -> None:
    chain = x509.load_pem_x509_certificates(authority().agent("fra-1", request(), NOW).chain_pem)
    chain[0].verify_directly_issued_by(chain[1])
    chain[1].verify_directly_issued_by(ROOT.certificate)


def test_lives_are_ten_years_one_year_thirty_days_and_a_day() -> None:
    server, _ = authority().server(["controller"], NOW)
    agent = leaf_of(authority().agent("fra-1", request(), NOW).chain_pem)
    assert ROOT.certificate.not_valid_after_utc - NOW == dt.timedelta(days=3652)
    assert ISSUING.certificate.not_valid_after_utc - NOW == dt.timedelta(days=365)
    assert leaf_of(server).not_valid_after_utc - NOW == dt.timedelta(days=30)
    assert agent.not_valid_after_utc - NOW == dt.timedelta(hours=24)


def test_an_agent_is_who_the_controller_says_and_not_who_it_claims() -> None:
    leaf = leaf_of(authority().agent("fra-1", request(name="admin"), NOW).chain_pem)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
        "spiffe://acme/agent/fra-1"
    ]
    assert len(names) == 1
    assert "admin" not in leaf.subject.rfc4514_string()


def test_an_agents_certificate_is_for_clients_only() -> None:
    leaf = leaf_of(authority().agent("fra-1", request(), NOW).chain_pem)
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_record_of_an_issued_certificate_is_that_certificates() -> None:
    issued = authority().agent("fra-1", request(), NOW)
    leaf = leaf_of(issued.chain_pem)
    assert issued.serial == serial_text(leaf)
    assert issued.ends_us == ends_us(leaf) == int(leaf.not_valid_after_utc.timestamp()) * 1_000_000


def test_a_server_certificate_holds_names_and_addresses() -> None:
    chain, _ = authority().server(["controller.example", "127.0.0.1", "::1"], NOW)
    names = leaf_of(chain).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["controller.example"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def _tampered() -> bytes:
    good = bytearray(request())
    good[-1] ^= 1
    return bytes(good)


def _ed25519() -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("csr", "message"),
    [
        pytest.param(b"", "damaged", id="empty"),
        pytest.param(b"\x30\x82garbage", "damaged", id="garbage"),
        pytest.param(_tampered(), "signed by its own key", id="a signature that does not hold"),
        pytest.param(_ed25519(), "P-256", id="an Ed25519 key"),
        pytest.param(request(ec.generate_private_key(ec.SECP384R1())), "P-256", id="another curve"),
    ],
)
def test_a_bad_request_is_refused(csr: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        authority().agent("fra-1", csr, NOW)


def test_no_certificate_outlives_its_issuer() -> None:
    late = ISSUING.certificate.not_valid_after_utc - dt.timedelta(hours=1)
    leaf = leaf_of(authority().agent("fra-1", request(), late).chain_pem)
    assert leaf.not_valid_after_utc == ISSUING.certificate.not_valid_after_utc


def test_an_issuing_ca_that_has_ended_says_so() -> None:
    with pytest.raises(Fatal, match="issuing CA ended on 2027-06-11"):
        authority().agent("fra-1", request(), NOW + dt.timedelta(days=366))


def test_a_key_of_another_certificate_is_refused() -> None:
    with pytest.raises(Fatal, match="does not belong"):
        credential_from_pem(ROOT.certificate_pem, ISSUING.key_pem, "here")
    with pytest.raises(Fatal, match="damaged"):
        credential_from_pem(ROOT.certificate_pem, b"no key", "here")
