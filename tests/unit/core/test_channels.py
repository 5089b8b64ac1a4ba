"""The `notify:` section: what is refused, with which words, and that nothing private is ever shown."""

import pytest

from controller.core.channels import (
    Channel,
    Webhook,
    masked,
    revealed,
    secret_names,
    sketched,
)
from controller.core.fleet import read_fleet
from vedette.shared.documents import BadDocument

HEAD = """version: 1
regions: [{id: fra}]
services: [{id: shop}, {id: dns}]
checks: [{id: home, service: shop, http: {url: "http://shop.example/"}}]
templates: [{id: gold, grades: [{below: "95", action: warn}]}]
contracts:
  - id: acme
    extends: gold
    effective_from: 0
    scope: {checks: [home]}
    objectives: [{id: availability, target: "99"}]
    grades: [{below: "90", action: legal}]
notify:
"""


def problems_of(channel: str) -> list[str]:
    with pytest.raises(BadDocument) as caught:
        read_fleet(f"{HEAD}  - {channel}\n".encode(), "fleet.yaml")
    return [str(one) for one in caught.value.problems]


def test_a_channel_is_read_with_what_it_leaves_out() -> None:
    text = HEAD + '  - {id: ops, url: "json://chat.example", services: [shop]}\n'
    (channel,) = read_fleet(text.encode(), "fleet.yaml").channels.values()
    assert channel.on == ["outage.opened", "outage.closed", "outage.reopened"]
    assert channel.services == ["shop"]
    assert (channel.checks, channel.scopes, channel.severities) == ([], ["global"], [])


@pytest.mark.parametrize(
    ("channel", "problem"),
    [
        pytest.param(
            "{id: a}",
            "fleet.yaml:14: notify[0]: expected exactly one of url (for apprise) and webhook, found neither",
            id="no way",
        ),
        pytest.param(
            '{id: a, url: "x://y", webhook: {url: "https://x/", secret: "${secret:k}"}}',
            "notify[0]: expected exactly one of url (for apprise) and webhook, found both",
            id="two ways",
        ),
        pytest.param(
            '{id: a, url: "x://y", on: [outage.opened, grade.wran]}',
            "notify[0].on[1]: expected one of agent.heard, agent.silent, burn.page, burn.ticket, claim.due,"
            " grade.legal, grade.warn, log.head, outage.closed, outage.confirmed,"
            " outage.opened, outage.reopened, outage.retracted, outage.revised, found 'grade.wran'",
            id="an event that there is not",
        ),
        pytest.param(
            '{id: a, url: "x://y", every: 2h}',
            "notify[0].every: expected log.head in `on`: it says how often that is told, found a channel without it",
            id="how often what is not told",
        ),
        pytest.param(
            '{id: a, url: "x://y", on: [log.head], every: 59s}',
            "notify[0].every: expected a duration from 1m to 31d, found 59s",
            id="more often than the log is signed",
        ),
        pytest.param(
            '{id: a, url: "x://y", on: [log.head], every: soon}', "notify[0].every: expected", id="no length of time"
        ),
        pytest.param(
            '{id: a, url: "x://y", on: []}', "notify[0].on: expected at least one, found an empty list", id="none"
        ),
        pytest.param(
            '{id: a, url: "x://y", on: [outage.closed, outage.closed]}',
            "notify[0].on[1]: expected each of them once, found 'outage.closed' again",
            id="an event twice",
        ),
        pytest.param(
            '{id: a, url: "x://y", services: [shopp]}',
            "notify[0].services[0]: expected a service of this file (dns, shop), found 'shopp'",
            id="an unknown service",
        ),
        pytest.param(
            '{id: a, url: "x://y", checks: [name]}',
            "notify[0].checks[0]: expected a check of this file (home), found 'name'",
            id="an unknown check",
        ),
        pytest.param(
            '{id: a, url: "x://y", contracts: [acne]}',
            "notify[0].contracts[0]: expected a contract of this file (acme), found 'acne'",
            id="an unknown contract",
        ),
        pytest.param(
            '{id: a, url: "x://y", scopes: [local]}',
            "notify[0].scopes[0]: expected one of global, regional, found 'local'",
            id="an unknown scope",
        ),
        pytest.param(
            '{id: a, url: "x://y", scopes: []}',
            "notify[0].scopes: expected at least one, found an empty list",
            id="no scope",
        ),
        pytest.param(
            '{id: a, url: "x://y", severities: [P0]}',
            "notify[0].severities[0]: expected one of P1, P2, P3, P4, found 'P0'",
            id="an unknown severity",
        ),
        pytest.param(
            '{id: a, url: "x://y", often: 1m}',
            "notify[0].often: expected no such key",
            id="an unknown key",
        ),
        pytest.param(
            '{id: a, webhook: {url: "ftp://x/", secret: "${secret:k}"}}',
            "notify[0].webhook.url: expected a URL that begins with http:// or https://",
            id="a webhook by ftp",
        ),
        pytest.param(
            '{id: a, webhook: {url: "https://me:pw@x/", secret: "${secret:k}"}}',
            "notify[0].webhook.url: expected no user in the address",
            id="a password in the address",
        ),
        pytest.param(
            '{id: a, url: "x://${secret:A B}"}',
            "notify[0].url: expected in ${secret:...} an id of 1 to 63 characters",
            id="a secret by no name",
        ),
        pytest.param(
            '{id: a, url: "x://${env:HOME}"}',
            "notify[0].url: expected secrets as ${secret:NAME}, found another ${",
            id="another kind of reference",
        ),
        pytest.param(
            r'{id: a, url: "x://y\r\nz"}',
            "notify[0].url: expected an address without blanks and control characters",
            id="a newline",
        ),
    ],
)  # fmt: skip
def test_a_wrong_channel_is_refused_with_its_place(channel: str, problem: str) -> None:
    assert any(problem in one for one in problems_of(channel)), problems_of(channel)


@pytest.mark.parametrize(
    "channel",
    [
        '{id: a, webhook: {url: "https://x/", secret: hunter2hunter2}}',
        '{id: a, webhook: {url: "https://x/", secret: 4915112345}}',
        '{id: a, webhook: {url: "https://me:hunter2hunter2@x/", secret: "${secret:k}"}}',
        '{id: a, webhook: {url: "ftp://me:hunter2hunter2@x/", secret: "${secret:k}"}}',
        "{id: a, url: 4915112345}",
        '{id: a, url: "x://hunter2hunter2 /"}',
        '{id: a, url: "x://hunter2hunter2/${secret"}',
    ],
)
def test_what_is_private_is_not_shown_where_it_is_refused(channel: str) -> None:
    said = "\n".join(problems_of(channel))
    assert "hunter2" not in said
    assert "49151" not in said


def test_an_id_stands_once_and_channels_are_not_without_end() -> None:
    two = HEAD + '  - {id: a, url: "x://y"}\n  - {id: a, url: "x://y"}\n'
    with pytest.raises(BadDocument, match="an id of its own, found 'a' again"):
        read_fleet(two.encode(), "fleet.yaml")
    many = HEAD + "".join(f'  - {{id: c{n}, url: "x://y"}}\n' for n in range(201))
    with pytest.raises(BadDocument, match="expected at most 200 channels, found 201"):
        read_fleet(many.encode(), "fleet.yaml")


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        pytest.param({}, True, id="no filter lets everything pass"),
        pytest.param({"services": ["shop"]}, True, id="its service"),
        pytest.param({"services": ["dns"]}, False, id="another service"),
        pytest.param({"checks": ["home", "name"]}, True, id="one of its checks"),
        pytest.param({"scopes": ["regional"]}, False, id="another scope"),
        pytest.param({"severities": ["P1"]}, False, id="another severity"),
        pytest.param({"services": ["shop"], "severities": ["P1"]}, False, id="all must agree"),
    ],
)
def test_filters(filters: dict[str, list[str]], passes: bool) -> None:
    channel = Channel(id="ops", url="x://y", **filters)  # type: ignore[arg-type] # a table of keywords
    assert channel.passes(service="shop", check="home", scope="global", severity="P2") is passes


def test_secrets_are_put_in_place_so_that_they_cannot_change_an_address() -> None:
    values = {"token": "a/b?c", "all": "https://x/y?z=1"}
    assert revealed("https://x/${secret:token}/hook", values) == "https://x/a%2Fb%3Fc/hook"
    assert revealed("${secret:all}", values) == "https://x/y?z=1"
    with pytest.raises(KeyError):
        revealed("${secret:other}", values)


def test_the_names_of_all_secrets_are_known() -> None:
    hook = Webhook(url="https://x/${secret:path}", secret="${secret:key}")
    assert Channel(id="a", webhook=hook).secret_names == {"path", "key"}
    assert secret_names("no", "${secret:a}${secret:b}") == {"a", "b"}


def test_values_are_taken_out_of_texts_in_every_shape() -> None:
    text = masked("POST /a%2Fb to a/b failed", {"token": "a/b"})
    assert text == "POST /secret:token to secret:token failed"


def test_a_sketch_stands_for_an_address_whose_secrets_are_not_known() -> None:
    assert sketched("${secret:all}") is None
    sketch = sketched("slack://${secret:a}/x")
    assert sketch is not None
    assert "secret:" not in sketch


def test_s52_a_channel_may_choose_the_grades_of_the_files_contracts() -> None:
    text = (
        HEAD + '  - {id: ops, url: "json://x.example", on: [grade.warn, grade.legal, burn.page]}\n'
    )
    (channel,) = read_fleet(text.encode(), "fleet.yaml").channels.values()
    assert channel.on == ["grade.warn", "grade.legal", "burn.page"]


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        pytest.param("ops2", "found 'ops2'", id="one"),
        pytest.param("[ops, ops2]", "grades[0].notify[1]: expected a channel of this file (ops), found 'ops2'", id="several"),
    ],
)  # fmt: skip
def test_s52_a_grade_that_names_no_channel_is_refused_with_its_line(
    named: str, problem: str
) -> None:
    head = HEAD.replace("action: legal", f"action: legal, notify: {named}")
    with pytest.raises(BadDocument) as caught:
        read_fleet((head + '  - {id: ops, url: "json://x.example"}\n').encode(), "fleet.yaml")
    (one,) = caught.value.problems
    assert str(one).startswith("fleet.yaml:12: contracts[0].grades[0].notify")
    assert problem in str(one)
