"""The end of the demo: the evidence is handed over, and both verifiers look at it."""

import datetime as dt
import shutil
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console

from controller.cli.demo.stage import Stage

CONTRACT: Final = "acme-gold"
ZONE: Final = "Europe/Warsaw"
_FROM_OUTSIDE: Final = ("openssl", "sha256sum", "seq", "diff")


def hand_over(console: Console, stage: Stage) -> None:
    """Export a bundle, and check it offline: by our program, and by a shell script that needs none of ours."""
    annex, bundle = stage.folder / "annex.txt", stage.folder / "bundle"
    annex.write_text(stage.command("evidence", "annex"))
    period = dt.datetime.now(ZoneInfo(ZONE)).strftime("%Y-%m")
    console.print("\n[bold]The evidence, for the other side.[/]")
    _say(console, f"vedette evidence export --contract {CONTRACT} --period {period} -o bundle")
    words = ("--contract", CONTRACT, "--period", period, "-o", str(bundle))
    told = stage.command("evidence", "export", *words)
    console.out(told.splitlines()[0].removeprefix(f"{stage.folder}/"), highlight=False)
    console.print("\n[bold]What it shows to somebody who trusts the annex alone.[/]")
    _say(console, "vedette verify bundle --trust annex.txt --recompute")
    told = stage.command("verify", str(bundle), "--trust", str(annex), "--recompute")
    console.out(told.rstrip(), highlight=False)
    if any(shutil.which(one) is None for one in _FROM_OUTSIDE):
        return
    console.print("\n[bold]The same without any program of ours.[/]")
    _say(console, "sh bundle/verify.sh annex.txt")
    console.out(stage.shell(bundle / "verify.sh", str(annex)).rstrip(), highlight=False)


def _say(console: Console, command: str) -> None:
    console.print(f"[dim]$ {command}[/]")
