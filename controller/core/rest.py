"""A check at rest: every agent says the same as before, so that a few numbers stand for an engine.

Nearly all checks are at rest nearly all the time. Of each agent the last few samples stay known one by one,
because late evidence and an agent's own trouble reach back a little; what was before them is known by its
effect alone: one label that held without a gap.
"""

from array import array
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from controller.core.admission import sample_order
from controller.core.engine import CheckEngine
from controller.core.intervals import FOREVER_US
from controller.core.labels import Label
from controller.core.policy import PolicyRevision
from controller.core.samples import AnchorRound, Sample
from controller.core.source import Source, Speaker
from controller.core.track import Track
from vedette.shared.result import Outcome

TAIL: Final = 4
"""How many samples of each agent stay known one by one."""

_SETTLED, _TOLD, _DUE, _FIRST = range(4)
_STRIDE: Final = 2 * TAIL
_LAST: Final = _STRIDE - 2
_OUTCOMES: Final = {Label.UP: Outcome.UP, Label.DEGRADED: Outcome.DEGRADED}
_LINEUPS_MAX: Final = 4096


class Voice(NamedTuple):
    """An agent, what it numbers its results under, and what it says; NONE: it is silent."""

    agent: str
    region: str
    epoch: str
    stream: str
    label: Label


class _Seat(NamedTuple):
    place: int
    region: str
    epoch: str
    stream: str
    outcome: Outcome | None


class Lineup:
    """Who speaks for a check. Checks that the same agents probe share one."""

    __slots__ = ("seats", "voices")

    def __init__(self, voices: tuple[Voice, ...]) -> None:
        self.voices = voices
        self.seats = {
            one.agent: _Seat(place, one.region, one.epoch, one.stream, _OUTCOMES.get(one.label))
            for place, one in enumerate(voices)
        }


class Lineups:
    """Every line-up once. Agents that start again make new ones; old ones are forgotten in time."""

    def __init__(self) -> None:
        self._known: dict[tuple[Voice, ...], Lineup] = {}

    def of(self, voices: tuple[Voice, ...]) -> Lineup:
        """The line-up of these voices."""
        if len(self._known) >= _LINEUPS_MAX:
            self._known.clear()
        return self._known.setdefault(voices, Lineup(voices))


class Rest:
    """What stands for the engine of a check at rest.

    It takes what changes nothing. Whatever else comes is for the engine, which `woken` gives.
    """

    __slots__ = ("_freshness_us", "_lineup", "_numbers", "_revisions", "_rounds")

    def __init__(
        self,
        revisions: tuple[PolicyRevision, ...],
        lineup: Lineup,
        numbers: "array[int]",
        rounds: list[AnchorRound | None],
        freshness_us: int,
    ) -> None:
        self._revisions = revisions
        self._lineup = lineup
        self._numbers = numbers
        self._rounds = rounds
        self._freshness_us = freshness_us

    @property
    def settled_us(self) -> int:
        """What lies before this instant does not change any more, and is forgotten."""
        return self._numbers[_SETTLED]

    @property
    def newest_us(self) -> int:
        """The instant up to which is told: that of the newest sample, or later."""
        return self._numbers[_TOLD]

    def took(self, sample: Sample) -> bool:
        """Take a sample of this check, if it changes nothing; False: it is for the engine."""
        seat = self._lineup.seats.get(sample[0])
        if seat is None:
            return False
        place, region, epoch, stream, outcome = seat
        if (
            sample[7] is not outcome
            or sample[1] != epoch
            or sample[2] != stream
            or sample[5] != region
            or sample[10]
        ):
            return False
        numbers = self._numbers
        first = _FIRST + place * _STRIDE
        last = first + _LAST
        at_us, last_us = sample[6], numbers[last]
        is_next = last_us < at_us < last_us + self._freshness_us and sample[3] > numbers[last + 1]
        if not is_next or (at_us > numbers[_TOLD] and not self.goes_on(at_us)):
            return False
        numbers[first:last] = numbers[first + 2 : last + 2]
        numbers[last] = at_us
        numbers[last + 1] = sample[3]
        return True

    def goes_on(self, until_us: int) -> bool:
        """Time passes until then and changes nothing; False: something does, and the engine tells what."""
        numbers = self._numbers
        if until_us >= numbers[_DUE]:
            heard_us = (numbers[first + _LAST] for label, first in self._places() if label)
            numbers[_DUE] = min(heard_us, default=FOREVER_US) + self._freshness_us
            if until_us >= numbers[_DUE]:
                return False
        if until_us > numbers[_TOLD]:
            numbers[_TOLD] = until_us
        return True

    def took_anchor(self, anchor: AnchorRound) -> bool:
        """Take an anchor round, if it voids nothing; False: it is for the engine."""
        seat = self._lineup.seats.get(anchor.agent)
        if seat is None or anchor.is_bad:
            return False
        held = self._rounds[seat.place]
        if held is None or sample_order(anchor) > sample_order(held):
            self._rounds[seat.place] = anchor
            return True
        return anchor == held or anchor[:4] != held[:4]

    def woken(self) -> CheckEngine:
        """The engine that this stands for."""
        numbers, freshness_us = self._numbers, self._freshness_us
        engine, evaluation, intake = CheckEngine.resumed(
            self._revisions, settled_us=numbers[_SETTLED], newest_us=numbers[_TOLD]
        )
        begin_us = evaluation.from_us - freshness_us
        for voice, (label, first) in zip(self._lineup.voices, self._places(), strict=True):
            speaker = intake.speaker(voice.agent)
            speaker.epoch, speaker.stream = voice.epoch, voice.stream
            _resume_rounds(speaker, self._rounds[self._lineup.seats[voice.agent].place])
            if not voice.region:
                continue
            source = intake.source(voice.region, voice.agent)
            source.has_forgotten = True
            source.known_us = numbers[first]
            if label is not Label.NONE:
                tail = list(self._tail(voice, first, evaluation.policy.check))
                before = _stand_ins(tail[0], begin_us, freshness_us - 1)
                speaker.last_seq = tail[-1].seq
                source.evidence = [*before, *tail]
                source.refresh_last()
                for track in source.tracks:
                    track.resume(label)
                intake.fresh += tail
        evaluation.resume()
        heard_us = [one.at_us for one in self._rounds if one is not None]
        intake.latest_us = max([numbers[_TOLD], *heard_us])
        return engine

    def _places(self) -> Iterator[tuple[Label, int]]:
        """What each voice says, and where its numbers begin."""
        for place, voice in enumerate(self._lineup.voices):
            yield voice.label, _FIRST + place * _STRIDE

    def _tail(self, voice: Voice, first: int, check: str) -> Iterator[Sample]:
        for at in range(first, first + _STRIDE, 2):
            yield Sample(
                voice.agent, voice.epoch, voice.stream, self._numbers[at + 1], check,
                voice.region, self._numbers[at], _OUTCOMES[voice.label],
            )  # fmt: skip


def _stand_ins(first: Sample, begin_us: int, step_us: int) -> list[Sample]:
    """Samples that say from `begin_us` on what `first` says, less than a freshness apart."""
    count = max(0, -(-(first.at_us - begin_us) // step_us))
    return [
        first._replace(seq=-number, at_us=first.at_us - number * step_us)
        for number in range(count, 0, -1)
    ]


def _resume_rounds(speaker: Speaker, held: AnchorRound | None) -> None:
    if held is not None:
        speaker.rounds = [held]
        speaker.hear_round(held)
        speaker.has_forgotten = True


def rested(engine: CheckEngine, lineups: Lineups) -> Rest | None:
    """What stands for an engine of whose check nothing happens; None if something does, or did lately."""
    calm = engine.calm()
    newest_us = engine.newest_us
    if calm is None or newest_us is None:
        return None
    evaluation, intake = calm
    sources = {one.agent: one for one in intake.sources.values()}
    if len(sources) < len(intake.sources) or len(evaluation.tracks) < len(sources):
        return None
    numbers = [engine.settled_us, newest_us, -FOREVER_US]
    voices: list[Voice] = []
    rounds: list[AnchorRound | None] = []
    for agent, speaker in sorted(intake.speakers.items()):
        if speaker.bad or any(one.is_bad for one in speaker.rounds):
            return None
        rounds.append(speaker.rounds[-1] if speaker.rounds else None)
        source = sources.get(agent)
        if source is None:
            voices.append(Voice(agent, "", speaker.epoch, speaker.stream, Label.NONE))
            numbers += (-FOREVER_US, 0) * TAIL
            continue
        (track,) = (one for one in evaluation.tracks if one.source is source)
        tail = _tail_of(source, track, evaluation.from_us, newest_us)
        if tail is None:
            return None
        label = track.labels[-1] if source.evidence else Label.NONE
        voices.append(Voice(agent, source.region, speaker.epoch, speaker.stream, label))
        numbers += tail
    return Rest(
        engine.revisions,
        lineups.of(tuple(voices)),
        array("q", numbers),
        list(rounds),
        evaluation.policy.freshness_us,
    )


def _tail_of(source: Source, track: Track, held_us: int, newest_us: int) -> list[int] | None:
    """The numbers of one agent at rest since before `held_us`: times and numbers of its last samples."""
    freshness_us = track.outlook.policy.freshness_us
    if source.voided:
        return None
    if not source.evidence:
        silent_us = -FOREVER_US if track.base_us is None else track.base_us + freshness_us
        return [max(silent_us, source.known_us), 0] * TAIL
    evidence = source.evidence
    tail = evidence[-TAIL:]
    outcome = _OUTCOMES.get(track.labels[-1])
    speaker = source.speaker
    is_steady = (
        len(tail) == TAIL
        and evidence[0].at_us <= held_us
        and evidence[-1].at_us + freshness_us > newest_us
        and all(one.outcome is outcome for one in evidence)
        and all(
            one.at_us < other.at_us < one.at_us + freshness_us for one, other in pairwise(evidence)
        )
        and all(
            (one.epoch, one.stream, one.digest) == (speaker.epoch, speaker.stream, 0)
            for one in tail
        )
        and all(one.seq < other.seq for one, other in pairwise(tail))
    )
    return [number for one in tail for number in (one.at_us, one.seq)] if is_steady else None
