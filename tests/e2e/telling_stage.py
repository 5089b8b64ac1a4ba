"""A fleet of real processes whose controller is given secrets."""

import subprocess
import sys
from typing import Self

from controller.cli.demo.stage import COMMAND_SECONDS_MAX, Stage


class TellingStage(Stage):
    """A Stage on which secrets are entered as a person does: on standard input."""

    def __enter__(self) -> Self:
        return self

    def secret(self, name: str, value: str) -> None:
        """Keep a value under a name."""
        subprocess.run(
            [sys.executable, "-m", "controller", "secret", "set", name],
            env=self._environment,
            input=value,
            text=True,
            capture_output=True,
            timeout=COMMAND_SECONDS_MAX,
            check=True,
        )
