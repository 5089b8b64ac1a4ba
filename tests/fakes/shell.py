"""The shell in which tests run `verify.sh`: dash, which knows POSIX and nothing else, where it is installed."""

import shutil
from typing import Final

SHELL: Final = shutil.which("dash") or "sh"
