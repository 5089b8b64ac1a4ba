import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.link.window import Window
from agent.ports import Batch

KEY = ("e", "shop")


def batch(first: int, count: int, lost: int = 0) -> Batch:
    return Batch("e", "shop", first, [b"%d\n" % (first + i) for i in range(count)], lost)


def shown(frames: list[Batch]) -> list[tuple[int, int, int]]:
    return [(frame.first_seq, len(frame.lines), frame.lost) for frame in frames]


def test_frames_are_counted_until_they_are_acknowledged() -> None:
    window = Window({KEY: 4}, lines_max=5)
    assert shown(list(window.frames([batch(5, 3)]))) == [(5, 3, 0)]
    assert not window.is_full
    list(window.frames([batch(8, 2)]))
    assert (window.is_full, window.sent) == (True, {KEY: 9})
    window.acknowledge(KEY, 7)
    assert (window.is_full, window.is_empty) == (False, False)
    window.acknowledge(KEY, 9)
    assert window.is_empty


def test_a_refusal_sends_again_from_where_it_says() -> None:
    window = Window({})
    list(window.frames([batch(1, 3), batch(4, 3)]))
    assert not window.refuse(KEY, 4, resend_from=3)
    assert window.sent[KEY] == 2
    assert shown(list(window.frames([batch(3, 4)]))) == [(3, 4, 0)]


def test_frames_stop_when_a_refusal_comes_in_between() -> None:
    window = Window({})
    frames = window.frames([batch(1, 2), batch(3, 2)])
    assert next(frames).first_seq == 1
    window.refuse(KEY, 1, resend_from=1)
    assert list(frames) == []
    assert window.sent[KEY] == 0


def test_a_frame_that_is_never_taken_loses_only_the_line_at_fault() -> None:
    window = Window({})
    list(window.frames([batch(1, 3)]))
    assert not window.refuse(KEY, 1, resend_from=0)
    assert shown(list(window.frames([batch(1, 3)]))) == [(1, 1, 0), (2, 1, 0), (3, 1, 0)]
    window.acknowledge(KEY, 1)
    assert window.refuse(KEY, 2, resend_from=0)
    assert shown(list(window.frames([batch(2, 3)]))) == [(3, 1, 1), (4, 1, 0)]


def test_a_refusal_of_what_is_not_on_its_way_changes_nothing() -> None:
    window = Window({})
    list(window.frames([batch(1, 2)]))
    assert not window.refuse(KEY, 9, resend_from=1)
    assert (window.sent[KEY], window.rewinds) == (2, 0)


@pytest.mark.parametrize("lost", [0, 7])
def test_what_the_spool_lost_goes_with_the_next_frame(lost: int) -> None:
    window = Window({})
    assert shown(list(window.frames([batch(1 + lost, 1, lost)]))) == [(1 + lost, 1, lost)]


@settings(deadline=None)
@given(bad=st.sets(st.integers(1, 20)), sizes=st.lists(st.integers(1, 7), max_size=10))
def test_every_line_arrives_once_in_order_except_those_at_fault(
    bad: set[int], sizes: list[int]
) -> None:
    window, durable = Window({}), 0
    held: list[int] = []
    for _ in range(200):
        last = window.sent.get(KEY, 0)
        count = min(sizes.pop() if sizes else 20, 20 - last)
        if not count:
            break
        for frame in window.frames([batch(last + 1, count)]):
            numbers = range(frame.first_seq, frame.first_seq + len(frame.lines))
            if frame.first_seq != durable + 1 + frame.lost:
                window.refuse(KEY, frame.first_seq, durable + 1)
            elif bad & set(numbers):
                window.refuse(KEY, frame.first_seq, 0)
            else:
                held.extend(numbers)
                durable = numbers[-1]
                window.acknowledge(KEY, durable)
    assert held == [n for n in range(1, 21) if n not in bad]
    assert window.is_empty
