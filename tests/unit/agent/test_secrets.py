"""Secrets in a check: put in place where they may stand, and taken out of everything that is told."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.secrets import Mask, Secret, Unusable, revealed, secret_names
from vedette.shared.definitions import Check
from vedette.shared.probes import HttpProbe
from vedette.shared.probes.http_auth import Auth, BasicAuth

VALUE = 'can"ary/&+1 7%ü'
SECRET = Secret("tok", 3, VALUE)
LABEL = "secret:tok@3"


def check(**probe: object) -> Check:
    probe = {"url": "https://shop.example/", **probe}
    return Check(id="home", service="shop", http=HttpProbe(**probe))  # type: ignore[arg-type] # of the test's own making


def probe_of(made: Check) -> HttpProbe:
    assert isinstance(made.http, HttpProbe)
    return made.http


def test_a_value_stands_as_it_is_in_headers_and_bodies_and_quoted_in_urls() -> None:
    made = probe_of(
        revealed(
            check(
                url="https://shop.example/${secret:tok}?k=${secret:tok}",
                headers={"X-Key": "Bearer ${secret:tok}", "X-Many": ("a", "${secret:tok}")},
                body='{"k": "${secret:tok}"}',
                auth=Auth(basic=BasicAuth(username="bo", password="${secret:tok}")),
            ),
            {"tok": SECRET},
        )
    )
    quoted = quote(VALUE, safe="")
    assert made.url == f"https://shop.example/{quoted}?k={quoted}"
    assert made.headers == {"X-Key": f"Bearer {VALUE}", "X-Many": ("a", VALUE)}
    assert made.body == f'{{"k": "{VALUE}"}}'
    assert made.auth is not None
    assert made.auth.basic == BasicAuth(username="bo", password=VALUE)


def test_expectations_are_left_as_they_are() -> None:
    one = check(expect=["body != '${secret:tok}'"])
    assert secret_names(one) == frozenset()
    assert probe_of(revealed(one, {})).expect == ["body != '${secret:tok}'"]


def test_the_names_that_a_check_needs_are_found_everywhere() -> None:
    one = check(
        url="https://x/${secret:a}", headers={"A": "${secret:b}${secret:c}"}, body="${secret:d}"
    )
    assert secret_names(one) == {"a", "b", "c", "d"}
    with pytest.raises(KeyError):
        revealed(one, {"a": Secret("a", 1, "x" * 8)})


@pytest.mark.parametrize(
    ("probe", "value"),
    [
        pytest.param({"headers": {"X": "${secret:tok}"}}, "two\nlines-canary", id="lines in a header"),
        pytest.param({"auth": Auth(bearer="${secret:tok}")}, "a canary b", id="spaces in a token"),
        pytest.param({"url": "https://x/${secret:tok}"}, "canary" * 500, id="a URL beyond measure"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_without_being_shown(
    probe: dict[str, object], value: str
) -> None:
    with pytest.raises(Unusable) as caught:
        revealed(check(**probe), {"tok": Secret("tok", 1, value)})
    assert "canary" not in str(caught.value)
    assert "http" in str(caught.value)


def test_a_secret_is_not_shown_by_accident() -> None:
    assert "ary" not in repr(SECRET)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(VALUE, id="as it is"),
        pytest.param(VALUE.upper(), id="in capitals"),
        pytest.param(quote(VALUE, safe=""), id="in a URL"),
        pytest.param(json.dumps(VALUE), id="in JSON"),
        pytest.param(json.dumps(VALUE, ensure_ascii=False), id="in JSON with letters"),
        pytest.param(VALUE.encode().decode("latin-1"), id="bytes read as Latin-1"),
        pytest.param("can&quot;ary/&amp;+1 7%ü", id="in HTML"),
        pytest.param(VALUE.encode().hex(), id="in hexadecimal"),
        pytest.param(
            base64.b64encode(f"bo:{VALUE}".encode()).decode(), id="in basic authorization"
        ),
        pytest.param(base64.b64encode(f"b:{VALUE}!".encode()).decode(), id="base64, shifted"),
        pytest.param(
            base64.urlsafe_b64encode(f"{VALUE}!!".encode()).decode(), id="base64 for URLs"
        ),
    ],
)
def test_whatever_it_looks_like_the_label_stands_there(seen: str) -> None:
    text = Mask([SECRET]).text(f"before {seen} after")
    assert LABEL in text
    for shape in (VALUE, quote(VALUE, safe=""), "ary", "YXJ5"):
        assert shape.lower() not in text.lower()
    assert text.startswith("before ")


@pytest.mark.parametrize("kept", range(8, len(VALUE) + 1))
def test_what_was_cut_is_masked_too(kept: int) -> None:
    mask = Mask([SECRET])
    assert VALUE[:kept] not in mask.text(f"saw {VALUE[:kept]}")
    assert VALUE[:kept] not in mask.text(f"saw '{VALUE[:kept]}...'")


def test_masking_reaches_into_whatever_holds_texts() -> None:
    seen = {"headers": {"x": [VALUE, "plain"]}, VALUE: (1, None, VALUE), "raw": VALUE.encode()}
    masked = Mask([SECRET]).of(seen)
    assert masked["headers"] == {"x": [LABEL, "plain"]}
    assert masked[LABEL] == (1, None, LABEL)
    assert b"ary" not in masked["raw"]


def test_without_secrets_nothing_is_touched() -> None:
    seen = {"body": "text"}
    assert Mask([]).of(seen) is seen


def test_of_two_secrets_of_which_one_begins_the_other_the_whole_is_masked() -> None:
    mask = Mask([Secret("short", 1, "abcdefgh"), Secret("long", 1, "abcdefghijkl")])
    assert mask.text("x abcdefghijkl y") == "x secret:long@1 y"
    assert mask.text("x abcdefgh y") == "x secret:short@1 y"


@given(
    value=st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), min_size=8, max_size=40),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_no_text_shows_a_value_after_masking(value: str, before: str, after: str) -> None:
    text = Mask([Secret("t", 1, value)]).text(before + value + after)
    assert value not in text
