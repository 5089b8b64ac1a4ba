"""Play the scenarios of docs/scenarios and put what came of them into docs/simulation.md (the only way to do so).

Without names all of them are played, which takes about two minutes of one core; with `--check` nothing is written,
and a difference is an error.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Final

from click.testing import CliRunner

from controller.cli.main import cli

ROOT: Final = Path(__file__).parent
PAGE: Final = ROOT / "simulation.md"
DRAWN: Final = "mixed-month"
_MARK: Final = re.compile(r"(<!-- simulated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def names(page: str) -> list[str]:
    """The scenarios whose figures stand in a page, in its order."""
    return [match[2] for match in _MARK.finditer(page)]


def printed(name: str, *options: str) -> str:
    """What `vedette simulate` prints of a scenario."""
    path = ROOT / "scenarios" / f"{name}.yaml"
    result = CliRunner().invoke(cli, ["simulate", str(path), *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def block(name: str, text: str) -> str:
    """The text between the marks of a scenario."""
    return f"```\n$ vedette simulate docs/scenarios/{name}.yaml\n{text}```\n"


def figures_of(page: str, name: str) -> str:
    """What stands between the marks of a scenario in a page."""
    found = re.search(rf"<!-- simulated: {name} -->\n(.*?)<!-- end -->", page, re.DOTALL)
    assert found is not None, f"{PAGE.name} has no figures of {name}"
    return found[1]


def with_figures(page: str, name: str, new: str) -> str:
    """The page with other figures of a scenario."""
    return _MARK.sub(lambda m: f"{m[1]}{new}{m[3]}" if m[2] == name else m[0], page)


def main() -> None:
    """Play, and write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only these scenarios")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 on a difference")
    arguments = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    for name in arguments.names or names(page):
        options = (
            ("--plot", str(ROOT / f"{name}.svg")) if name == DRAWN and not arguments.check else ()
        )
        new = block(name, printed(name, *options))
        if arguments.check and figures_of(page, name) != new:
            sys.exit(f"{PAGE.name} has other figures of {name}. Run: python docs/simulations.py")
        page = with_figures(page, name, new)
    if not arguments.check:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
