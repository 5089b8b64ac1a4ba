"""HTTP checks that are refused: each with its path, what was expected and what was found."""

import msgspec
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from vedette.shared.definitions import Check, canonical_bytes, decode_check, findings
from vedette.shared.documents import convert, parse, path_text
from vedette.shared.probes.host import shown_url

AUTHORITY = trustme.CA()
MINE = AUTHORITY.issue_cert("agent.example")
CERTIFICATE = MINE.cert_chain_pems[0].bytes().decode()
KEY = MINE.private_key_pem.bytes().decode()
LOCKED_KEY = (
    load_pem_private_key(KEY.encode(), None)
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    .decode()
)
OTHER_KEY = AUTHORITY.issue_cert("other.example").private_key_pem.bytes().decode()
OAUTH2 = {"token_url": "https://id.example/token", "client_id": "a", "client_secret": "b"}


def check_of(**http: object) -> Check:
    probe = {"url": "https://shop.example/", **http}
    return msgspec.convert({"id": "c", "service": "s", "http": probe}, Check)


def told(**http: object) -> list[str]:
    return [
        f"{path_text(path)}: expected {expected}, found {found}"
        for path, expected, found in findings(check_of(**http))
    ]


@pytest.mark.parametrize(
    "http",
    [
        pytest.param({"headers": {"A": ["1", "2"], "B": "3"}}, id="a repeated header"),
        pytest.param({"body_base64": "AAEC/w=="}, id="bytes that are no text"),
        pytest.param({"auth": {"basic": {"username": "a", "password": ":b"}}}, id="basic"),
        pytest.param({"auth": {"bearer": "a.b.c"}}, id="bearer"),
        pytest.param({"auth": {"oauth2": {**OAUTH2, "scopes": ["a:b"]}}}, id="oauth2"),
        pytest.param({"auth": {"bearer": "${secret:shop}"}}, id="a secret"),
        pytest.param({"proxy": "http://me:pw@proxy.example:3128"}, id="a proxy"),
        pytest.param({"version": "HTTP/2", "proxy": "http://p:1"}, id="HTTP/2 in a tunnel"),
        pytest.param({"version": "auto"}, id="any version"),
        pytest.param({"resolver": ["192.0.2.1", "192.0.2.1:53", "[::1]:53", "::1"]}, id="resolvers"),
        pytest.param({"addresses": "all", "resolver": ["192.0.2.1"]}, id="all addresses"),
        pytest.param({"compression": "br", "headers": {"Accept": "*/*"}}, id="compression"),
        pytest.param({"tls": {"ca": AUTHORITY.cert_pem.bytes().decode(), "pins": [f"spki:{'0a' * 32}"]}}, id="trust"),
        pytest.param({"tls": {"client": {"certificate": CERTIFICATE, "key": KEY}}}, id="a client certificate"),
        pytest.param({"tls": {"client": {"certificate": "${secret:c}", "key": "${secret:k}"}}}, id="a secret one"),
        pytest.param({"tls": {"min_version": "TLSv1.2", "max_version": "TLSv1.2"}}, id="one version"),
        pytest.param({"url": "http://plain.example/", "tls": {"verify": False}}, id="TLS settings without TLS"),
    ],
)  # fmt: skip
def test_it_is_taken_and_travels(http: dict[str, object]) -> None:
    check = check_of(**http)
    assert findings(check) == []
    assert decode_check(canonical_bytes(check)) == check


@pytest.mark.parametrize(
    ("http", "said"),
    [
        pytest.param({"url": "invalid://x"}, "http.url: expected a URL that begins with http:// or https://, found 'invalid://x'", id="another scheme"),
        pytest.param({"phase_timeouts": {"connect": "1h"}}, "http.phase_timeouts.connect: expected a time within the check's timeout", id="a phase past the timeout"),
        pytest.param({"headers": {"X": "\u20ac"}}, "http.headers.X: expected a value of latin-1 characters", id="a header beyond latin-1"),
        pytest.param({"method": "CONNECT"}, "http.method: expected a method that asks the target itself", id="CONNECT"),
        pytest.param({"headers": {"A": "1", "a": "2"}}, "http.headers.a: expected each header once; for several values write a list", id="a header twice"),
        pytest.param({"headers": {"Host": ["a", "b"]}}, "http.headers.Host: expected one value, found a list", id="two hosts"),
        pytest.param({"headers": {"Upgrade": "h2c"}}, "http.headers.Upgrade: expected a header that the agent does not set itself", id="an upgrade"),
        pytest.param({"headers": {"A": ["ok", "b\r\nC: d"]}}, "http.headers.A: expected a value without control characters", id="a smuggled header"),
        pytest.param({"body": "a", "body_base64": "YQ=="}, "http.body_base64: expected body or body_base64, found both", id="two bodies"),
        pytest.param({"auth": {}}, "http.auth: expected exactly one of basic, bearer, oauth2, found none", id="no way to say who asks"),
        pytest.param({"auth": {"bearer": "a", "basic": {"username": "b"}}}, "http.auth: expected exactly one of basic, bearer, oauth2, found basic and bearer", id="two ways"),
        pytest.param({"auth": {"bearer": "a b"}}, "http.auth.bearer: expected a token of printable ASCII characters without spaces", id="a token with a space"),
        pytest.param({"auth": {"basic": {"username": "a:b"}}}, "http.auth.basic.username: expected a user name without a colon", id="a colon"),
        pytest.param({"auth": {"basic": {"username": "a", "password": "b\n"}}}, "http.auth.basic.password: expected text without control characters", id="a newline"),
        pytest.param({"auth": {"bearer": "a"}, "headers": {"authorization": "b"}}, "http.auth: expected auth or a header Authorization, found both", id="auth and its header"),
        pytest.param({"auth": {"bearer": "a"}, "url": "http://me@x/"}, "http.auth: expected auth or a user in the url, found both", id="auth and a user"),
        pytest.param({"auth": {"oauth2": {**OAUTH2, "token_url": "x://y"}}}, "http.auth.oauth2.token_url: expected a URL that begins with", id="a token URL"),
        pytest.param({"auth": {"oauth2": {**OAUTH2, "scopes": ["a b"]}}}, "http.auth.oauth2.scopes[0]: expected a scope without spaces", id="a scope"),
        pytest.param({"auth": {"oauth2": {**OAUTH2, "parameters": {"scope": "x"}}}}, "http.auth.oauth2.parameters.scope: expected a parameter that the grant does not set itself", id="a parameter"),
        pytest.param({"proxy": "socks5://p:1"}, "http.proxy: expected a URL that begins with", id="another proxy"),
        pytest.param({"proxy": "https://p:1"}, "http.proxy: expected a proxy such as http://proxy.example:3128", id="a proxy over TLS"),
        pytest.param({"proxy": "http://p:1/x"}, "http.proxy: expected a proxy such as", id="a proxy with a path"),
        pytest.param({"proxy": "http://p:1", "addresses": "all"}, "http.addresses: expected addresses: any, because a proxy resolves the name itself, found all", id="all behind a proxy"),
        pytest.param({"proxy": "http://p:1", "version": "HTTP/2", "url": "http://x/"}, "http.version: expected HTTP/1.1 to a plain http target behind a proxy, found HTTP/2", id="plain HTTP/2 behind a proxy"),
        pytest.param({"resolver": ["ns.example"]}, "http.resolver[0]: expected an address such as 192.0.2.53", id="a resolver by name"),
        pytest.param({"resolver": ["192.0.2.1:0"]}, "http.resolver[0]: expected an address such as", id="a port of zero"),
        pytest.param({"compression": "br", "headers": {"accept-encoding": "br"}}, "http.compression: expected no Accept-Encoding where", id="compression twice"),
        pytest.param({"tls": {"ca": "no"}}, "http.tls.ca: expected certificates in PEM (-----BEGIN CERTIFICATE-----), found other text", id="no CA"),
        pytest.param({"tls": {"ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}}, "http.tls.ca: expected certificates in PEM, found PEM that cannot be read", id="an unreadable CA"),
        pytest.param({"tls": {"ca": CERTIFICATE, "verify": False}}, "http.tls.ca: expected a CA together with verify: true", id="a CA for nothing"),
        pytest.param({"tls": {"server_name": "a/b"}}, "http.tls.server_name: expected a name, without /", id="a server name"),
        pytest.param({"tls": {"min_version": "TLSv1.3", "max_version": "TLSv1.2"}}, "http.tls.min_version: expected a version up to max_version (TLSv1.2), found TLSv1.3", id="no version left"),
        pytest.param({"tls": {"client": {"certificate": "x", "key": KEY}}}, "http.tls.client.certificate: expected certificates in PEM", id="no certificate"),
        pytest.param({"tls": {"client": {"certificate": CERTIFICATE, "key": "x"}}}, "http.tls.client.key: expected a private key in PEM", id="no key"),
        pytest.param({"tls": {"client": {"certificate": CERTIFICATE, "key": LOCKED_KEY}}}, "http.tls.client.key: expected a private key without a passphrase, found an encrypted one", id="a locked key"),
        pytest.param({"tls": {"client": {"certificate": CERTIFICATE, "key": OTHER_KEY}}}, "http.tls.client.key: expected the private key of the certificate, found the key of another", id="the wrong key"),
    ],
)  # fmt: skip
def test_it_is_refused(http: dict[str, object], said: str) -> None:
    (only,) = told(**http)
    assert only.startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{url: http://x, version: HTTP/3}", "version: expected one of HTTP/1.1, HTTP/2, auto, found 'HTTP/3'", id="a version"),
        pytest.param("{url: http://x, compression: zip}", "compression: expected one of br, deflate, gzip, identity", id="a compression"),
        pytest.param("{url: http://x, tls: {pins: [abc]}}", "tls.pins[0]: expected cert: or spki: and the SHA-256", id="a pin"),
        pytest.param("{url: http://x, tls: {min_version: TLSv1.4}}", "tls.min_version: expected one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3", id="a TLS version"),
        pytest.param("{url: http://x, body_base64: '***'}", "body_base64: expected base64", id="no base64"),
        pytest.param("{url: http://x, body_file: a.json}", "body_file: expected no such key", id="a file"),
        pytest.param("{url: http://x, verify: false}", "verify: expected no such key", id="TLS settings stand in tls"),
        pytest.param("{url: http://x, auth: {oauth2: {client_id: a, client_secret: b}}}", "auth.oauth2.token_url: expected a value, found nothing", id="no token URL"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_refused_where_it_stands(text: str, said: str) -> None:
    document = parse(f"http: {text}".encode(), "check.yaml")
    data = {"id": "c", "service": "s", **document.data}
    _, problems = convert(document, (), data, Check)
    assert str(problems[0]).startswith(f"check.yaml:1: http.{said}")


def test_a_password_in_a_url_is_not_shown() -> None:
    check = check_of(url="https://me:canary@shop.example/a?b=c@d")
    assert check.target == "https://shop.example/a?b=*"
    assert check_of(url="shop.example/@x").target == "http://shop.example/@x"
    assert "canary" not in f"{told(proxy='ftp://me:canary@p')}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:canary@h.example:99999/a?k=canary&b#canary", "https://h.example:99999/a?k=*&*"),
        ("u:canary@h.example/x://y", "h.example/x://y"),
        ("http://u:canary@h.example/x://y", "http://h.example/x://y"),
    ],
)
def test_a_url_for_people_keeps_its_secrets(url: str, shown: str) -> None:
    assert shown_url(url) == shown
