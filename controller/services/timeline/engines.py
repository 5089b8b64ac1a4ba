"""Engines by check, those of which nothing happens at rest."""

from collections.abc import Iterator

from controller.core.engine import CheckEngine
from controller.core.rest import Lineups, Rest, rested


class Engines:
    """One engine a check. At rest it takes a few hundred bytes; it wakes when it is needed."""

    def __init__(self) -> None:
        self._engines: dict[str, CheckEngine | Rest] = {}
        self._lineups = Lineups()

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._engines))

    def resting(self, check: str) -> Rest | None:
        """What stands for the engine of a check at rest; None if it is awake, or there is none."""
        engine = self._engines.get(check)
        return engine if isinstance(engine, Rest) else None

    def awake(self, check: str) -> CheckEngine | None:
        """The engine of a check, awake from now on; None if there is none."""
        engine = self._engines.get(check)
        if isinstance(engine, Rest):
            engine = self._engines[check] = engine.woken()
        return engine

    def seen(self, check: str) -> CheckEngine | None:
        """The engine of a check, to be asked and not to be fed: one at rest stays so."""
        engine = self._engines.get(check)
        return engine.woken() if isinstance(engine, Rest) else engine

    def put(self, check: str, engine: CheckEngine) -> None:
        """Have this engine for a check."""
        self._engines[check] = engine

    def rest(self, check: str) -> None:
        """Let the engine of a check rest, if nothing happens."""
        engine = self._engines.get(check)
        if isinstance(engine, CheckEngine) and (rest := rested(engine, self._lineups)) is not None:
            self._engines[check] = rest

    def drop(self, check: str) -> None:
        """Have no engine for a check."""
        self._engines.pop(check, None)
