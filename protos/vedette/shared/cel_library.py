"""The CEL library without its command line.

Importing `cel` imports its own command line too, and with that typer, rich and prompt_toolkit: 15 MB in every agent, for
nothing. The package finds an empty module in its place. Import `cel` from here and nowhere else.
"""

import sys
from types import ModuleType

sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))

import cel as cel  # noqa: E402 - only now, and for others to import from here
