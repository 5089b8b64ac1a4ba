"""What became of each result around an outage, and why it does not count where it does not."""

from collections.abc import Mapping, Sequence

from controller.core.labels import Label, Said
from controller.core.samples import Sample
from controller.services.outages.explanation import SampleView, Trouble
from controller.services.results.backing import Backed
from vedette.shared.result import Outcome


class Judging:
    """Says of each result what became of it, and why."""

    def __init__(
        self,
        said: Mapping[Sample, Said],
        troubles: Sequence[Trouble],
        regions: frozenset[str],
        late_us: int,
    ) -> None:
        self._said = said
        self._troubles = troubles
        self._regions = regions
        self._late_us = late_us

    def judged(self, one: Backed) -> SampleView:
        """A result with its label, or the reason why it has none or another than its own."""
        sample = one.sample
        said = None if one.is_overruled else self._said.get(sample)
        trouble = self._trouble(sample)
        after_us = None if one.received_us is None else one.received_us - sample.at_us
        return SampleView(
            sample=sample,
            label=said.label.name if said else Label.NONE.name,
            detail=one.detail,
            is_voided=trouble is not None,
            trigger=one.trigger,
            is_overruled=one.is_overruled,
            why_not=self._why_not(one, said, trouble),
            received_us=one.received_us,
            late_us=after_us if after_us is not None and after_us > self._late_us else None,
            addr=one.addr,
            attempts=one.attempts,
        )

    def _trouble(self, sample: Sample) -> Trouble | None:
        for one in self._troubles:
            is_after = one.to_us is None or sample.at_us < one.to_us
            if one.agent == sample.agent and one.from_us <= sample.at_us and is_after:
                return one
        return None

    def _why_not(self, one: Backed, said: Said | None, trouble: Trouble | None) -> str:
        sample = one.sample
        if one.is_overruled:
            return "another line under the same number counts: an integrity alarm"
        if sample.outcome is Outcome.AGENT_ERROR:
            return "the fault was the agent's own, so it says nothing of the target"
        if trouble is not None:
            return (
                "the agent's own network was in trouble:"
                f" {trouble.ok} of {trouble.total} anchors answered"
            )
        if sample.region not in self._regions:
            return "its region had no vote"
        if said is None:
            return "no definition of the check was in force"
        if said.is_blip:
            return "a failure that no other confirmed"
        if sample.outcome is not Outcome.DOWN and said.label is Label.DOWN:
            return "a success that no other confirmed"
        return ""
