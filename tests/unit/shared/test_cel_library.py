import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_expectations_do_not_bring_a_command_line_into_every_agent() -> None:
    names = "typer", "prompt_toolkit", "pygments"
    code = (
        "import sys; import vedette.shared.expectations; "
        f"print([name for name in {names!r} if name in sys.modules])"
    )
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'protos'}"}
    found = subprocess.run(
        [sys.executable, "-c", code], env=path, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
