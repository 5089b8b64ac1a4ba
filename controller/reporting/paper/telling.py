"""What every part of a paper is told with: the facts of the bundle, the texts, and its report as a story."""

from dataclasses import dataclass

from controller.core.paper.facts import PaperFacts
from controller.reporting.catalogue import Catalogue
from controller.reporting.figures import Clock
from controller.reporting.story.context import Telling


@dataclass(frozen=True, slots=True)
class PaperTelling:
    """A bundle that is being told of. `report` tells of its figures."""

    facts: PaperFacts
    texts: Catalogue
    report: Telling

    @classmethod
    def of(cls, facts: PaperFacts, texts: Catalogue) -> "PaperTelling":
        """A bundle in a language."""
        return cls(facts, texts, Telling.of(facts.report, texts))

    @property
    def clock(self) -> Clock:
        """The clock of the contract."""
        return self.report.clock

    def say(self, key: str, **values: object) -> str:
        """A text of the language."""
        return self.texts.say(key, **values)


def in_fours(digits: str, count: int = 8) -> tuple[str, ...]:
    """A hash in groups of four, `count` groups a line: for reading aloud."""
    groups = [digits[at : at + 4] for at in range(0, len(digits), 4)]
    return tuple(" ".join(groups[at : at + count]) for at in range(0, len(groups), count))
