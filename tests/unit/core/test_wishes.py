"""Wishes: the oldest first, within the rates, and none that is too old."""

from controller.core.quota import Rate
from controller.core.wishes import Wish, Wishes
from vedette.shared.limits import CONFIRM_WISHES_MAX

SECOND = 1_000_000
AGENTS = ("fra-1", "nyc-1")


def wish(
    check: str, due: int = 0, *, until: int = 60, rank: int = 0, since: int | None = None
) -> Wish:
    since_us = (due if since is None else since) * SECOND
    return Wish(rank, since_us, check, due * SECOND, until * SECOND)


def taken(wishes: Wishes, seconds: float, agents: tuple[str, ...] = AGENTS) -> list[str]:
    served = wishes.take(int(seconds * SECOND), agents, lambda *_: True)
    return [f"{agent} {one.check}" for agent, one in served]


def test_what_is_due_is_served_once() -> None:
    wishes = Wishes()
    wishes.put("fra-1", wish("a"), 0)
    wishes.put("fra-1", wish("b", 3), 0)
    assert taken(wishes, 1) == ["fra-1 a"]
    assert wishes.next_us(SECOND, AGENTS) == 3 * SECOND
    assert taken(wishes, 3) == ["fra-1 b"]
    assert taken(wishes, 4) == []
    assert wishes.next_us(4 * SECOND, AGENTS) is None


def test_an_agent_gets_no_more_than_its_rate_and_the_oldest_go_first() -> None:
    wishes = Wishes(Rate(2, 3))
    for n in range(6):
        wishes.put("fra-1", wish(f"c{n}", 9 - n), 0)
    assert taken(wishes, 10) == ["fra-1 c5", "fra-1 c4", "fra-1 c3"]
    assert wishes.next_us(10 * SECOND, AGENTS) == 10 * SECOND + SECOND // 2
    assert taken(wishes, 10.5) == ["fra-1 c2"]
    assert taken(wishes, 11.5) == ["fra-1 c1", "fra-1 c0"]


def test_all_agents_together_get_no_more_than_their_rate_whoever_has_waited_longest() -> None:
    wishes = Wishes(Rate(10, 10), Rate(2, 2))
    wishes.put("fra-1", wish("a", 1), 0)
    wishes.put("fra-1", wish("b", 4), 0)
    wishes.put("nyc-1", wish("c", 2), 0)
    wishes.put("nyc-1", wish("d", 3), 0)
    assert taken(wishes, 10) == ["fra-1 a", "nyc-1 c"]
    assert wishes.next_us(10 * SECOND, AGENTS) == 10 * SECOND + SECOND // 2
    assert taken(wishes, 11) == ["nyc-1 d", "fra-1 b"]


def test_a_lesser_rank_goes_first_however_late_it_came() -> None:
    wishes = Wishes(Rate(1, 1))
    wishes.put("fra-1", wish("a", 0, rank=1), 0)
    wishes.put("fra-1", wish("b", 5), 0)
    assert taken(wishes, 5) == ["fra-1 b"]
    assert taken(wishes, 6) == ["fra-1 a"]


def test_who_has_waited_longest_goes_first_however_often_it_was_wished() -> None:
    wishes = Wishes(Rate(1, 1))
    wishes.put("fra-1", wish("a", 5, since=4), 0)
    wishes.put("fra-1", wish("b", 6, since=1), 0)
    assert taken(wishes, 6) == ["fra-1 b"]
    assert taken(wishes, 7) == ["fra-1 a"]


def test_one_that_was_not_served_in_time_waits_no_more() -> None:
    wishes = Wishes()
    wishes.put("fra-1", wish("a", until=10), 0)
    assert taken(wishes, 10) == []
    assert wishes.next_us(11 * SECOND, AGENTS) is None


def test_one_check_is_wished_once_and_the_more_urgent_counts() -> None:
    wishes = Wishes()
    wishes.put("fra-1", wish("a", 5, rank=1), 0)
    wishes.put("fra-1", wish("a", 2), 0)
    wishes.put("fra-1", wish("a", 4), 0)
    wishes.put("fra-1", wish("a", 1, rank=1), 0)
    assert taken(wishes, 1) == []
    assert taken(wishes, 10) == ["fra-1 a"]
    assert taken(wishes, 11) == []


def test_one_that_is_not_wanted_any_more_costs_nothing() -> None:
    wishes = Wishes(Rate(1, 1))
    for check in "abc":
        wishes.put("fra-1", wish(check), 0)
    served = wishes.take(SECOND, AGENTS, lambda _, one: one.check == "c")
    assert [one.check for _, one in served] == ["c"]
    assert taken(wishes, 10) == []


def test_who_is_not_there_is_not_served_and_keeps_its_place() -> None:
    wishes = Wishes()
    wishes.put("fra-1", wish("a"), 0)
    assert taken(wishes, 1, ("nyc-1",)) == []
    assert taken(wishes, 2) == ["fra-1 a"]


def test_who_left_is_forgotten() -> None:
    wishes = Wishes()
    wishes.put("fra-1", wish("a"), 0)
    wishes.retain({"nyc-1": None})
    assert taken(wishes, 2) == []


def test_there_is_a_bound_to_what_waits() -> None:
    wishes = Wishes()
    for n in range(CONFIRM_WISHES_MAX + 3):
        wishes.put("fra-1", wish(f"c{n}"), 0)
    assert wishes.dropped == 3
    wishes.put("nyc-1", wish("a"), 0)
    assert wishes.dropped == 3
