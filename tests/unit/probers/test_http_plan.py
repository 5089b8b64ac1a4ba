"""Plans of HTTP checks: made once for a revision, bounded in number, and never mixed up."""

import pytest

from agent.probers.http_plan import Plans
from agent.probers.network.fault import Fault
from tests.unit.probers.http_probing import check_of, run_http
from vedette.shared.definitions import Check


def check(url: str = "http://shop.example/", **more: object) -> Check:
    return check_of("http", {"url": url, **more})


def test_a_plan_is_made_once_for_a_revision() -> None:
    plans, one = Plans("us"), check()
    assert plans.plan_of(one) is plans.plan_of(one)
    assert plans.plan_of(one) is not plans.plan_of(check())


def test_the_oldest_gives_way_and_is_made_again() -> None:
    plans = Plans("us", kept_max=2)
    checks = [check(f"http://{n}.example/") for n in range(3)]
    made = [plans.plan_of(each) for each in checks]
    assert [plan.request.host for plan in made] == ["0.example", "1.example", "2.example"]
    assert plans.plan_of(checks[2]) is made[2]
    assert plans.plan_of(checks[0]) is not made[0]
    assert plans.plan_of(checks[0]).request.host == "0.example"


def test_another_check_at_the_same_place_in_memory_is_another() -> None:
    plans = Plans("us", kept_max=1)
    for n in range(200):  # each may get the identity of one that is gone
        assert plans.plan_of(check(f"http://{n}.example/")).request.host == f"{n}.example"


def test_a_request_is_what_the_check_says() -> None:
    plan = Plans("us/1").plan_of(
        check(
            "http://[2001:db8::1]:8080/ä?b=c#d",
            method="PUT",
            body="x",
            compression="br",
            headers={"user-agent": "me", "B": ["1", "2"]},
        )
    )
    assert plan.request.head() == (
        b"PUT /%C3%A4?b=c HTTP/1.1\r\n"
        b"Host: [2001:db8::1]:8080\r\n"
        b"Accept: */*\r\n"
        b"Accept-Encoding: br\r\n"
        b"user-agent: me\r\n"
        b"B: 1\r\n"
        b"B: 2\r\n"
        b"Content-Length: 1\r\n"
        b"Connection: close\r\n\r\n"
    )
    assert plan.wants.own_host == "2001:db8::1"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://x.example", "/"),
        ("http://x.example?q", "/?q"),
        ("http://x.example/a%2fb/c", "/a%2fb/c"),
        ("x.example/a", "/a"),
    ],
)
def test_the_target_is_the_path_as_it_is_written(url: str, target: str) -> None:
    assert Plans("us").plan_of(check(url)).request.target == target


def test_an_address_that_cannot_be_requested_is_unrunnable() -> None:
    with pytest.raises(Fault, match="cannot be requested") as caught:
        Plans("us").plan_of(check("http://xn--/"))
    assert caught.value.kind == "unrunnable"


async def test_such_a_check_is_the_agents_error_without_phases() -> None:
    run = await run_http("http://xn--/")
    assert (run.outcome, run.kind) == ("agent_error", "unrunnable")
    assert not run.seen.phases


def test_secrets_do_not_show_in_a_plans_text() -> None:
    plan = Plans("us").plan_of(
        check(
            auth={
                "oauth2": {
                    "token_url": "http://x/",
                    "client_id": "a",
                    "client_secret": "canary",
                }
            }
        )
    )
    assert b"canary" not in plan.oauth2_key
    assert plan.oauth2_key
