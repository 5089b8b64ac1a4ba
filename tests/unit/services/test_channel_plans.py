"""Channels in a fleet file at plan and apply: apprise has its say, and what is private stays out of the file."""

import pytest

from controller.services.fleet.changes import Change, ChangeAction
from tests.unit.services.conftest import FLEET, World

NAME = "fleet.yaml"


def with_channel(channel: str) -> bytes:
    return FLEET + f"notify:\n  - {channel}\n".encode()


def problems_of(world: World, channel: str) -> str:
    return "\n".join(str(one) for one in world.fleets.plan(with_channel(channel), NAME).problems)


@pytest.mark.parametrize(
    "channel",
    [
        '{id: a, url: "json://chat.example/hooks/${secret:path}"}',
        '{id: a, url: "mailtos://ops:${secret:mail}@mail.example?to=ops@example.com"}',
        '{id: a, url: "slack://${secret:a}/${secret:b}/${secret:c}/#ops"}',
        '{id: a, url: "tgram://${secret:bot}/12315544/"}',
        '{id: a, url: "${secret:all}"}',
        '{id: a, webhook: {url: "https://itsm.example/${secret:p}", secret: "${secret:k}"}}',
        '{id: a, webhook: {url: "${secret:url}", secret: "${secret:k}"}}',
    ],
)
def test_a_channel_with_its_secrets_by_name_is_taken(world: World, channel: str) -> None:
    applied = world.fleets.apply(with_channel(channel), NAME, "ada")
    assert applied.problems == ()
    assert applied.changes == [Change(ChangeAction.ADD, "channel", "a")]
    fleet = world.fleets.fleet()
    assert fleet is not None
    assert list(fleet.channels) == ["a"]


@pytest.mark.parametrize(
    ("channel", "problem"),
    [
        ('{id: a, url: "slak://x/y"}', "fleet.yaml:8: notify[0].url: expected an address that apprise takes"),
        ('{id: a, url: "slak://x/y"}', "found the scheme 'slak'"),
        ('{id: a, url: "ops@example.com"}', "found no scheme"),
        ('{id: a, url: "mailto://x"}', "found one of mailto:// that it refuses"),
    ],
)  # fmt: skip
def test_apprise_itself_refuses_what_it_does_not_take(
    world: World, channel: str, problem: str
) -> None:
    assert problem in problems_of(world, channel)


@pytest.mark.parametrize(
    "url",
    [
        "mailto://ops:hunter2hunter2@mail.example",
        "json://ops:hunter2hunter2@chat.example",
        "slack://T1JJ3T3L2/A1BRTD4JD/hunter2hunter2hunter2abc/#ops",
        "tgram://123456789:hunter2hunter2/12315544/",
        "mailto://${secret:user}:hunter2hunter2@mail.example",
    ],
)
def test_what_is_private_in_an_address_is_refused_and_not_shown(world: World, url: str) -> None:
    said = problems_of(world, f'{{id: a, url: "{url}"}}')
    assert "notify[0].url: expected ${secret:NAME} in place of what is private" in said
    assert "hunter2" not in said


def test_everything_wrong_comes_at_once(world: World) -> None:
    channel = '{id: a, url: "slak://x", on: [outage.open], services: [shopp]}'
    said = problems_of(world, channel)
    assert said.count("notify[0]") == 3


def test_a_channel_that_changes_is_said_to(world: World) -> None:
    world.fleets.apply(with_channel('{id: a, url: "${secret:all}"}'), NAME, "ada")
    planned = world.fleets.plan(with_channel('{id: a, url: "${secret:other}"}'), NAME)
    assert planned.changes == [
        Change(ChangeAction.CHANGE, "channel", "a", ("url: '${secret:all}' -> '${secret:other}'",))
    ]
    gone = world.fleets.plan(FLEET, NAME)
    assert gone.changes == [Change(ChangeAction.RETIRE, "channel", "a")]
