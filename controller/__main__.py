"""Entry point of the `vedette` command."""

import os

from controller.cli.main import cli


def main() -> None:
    """Run the command line."""
    # gRPC's own log writes what we say in a sentence, in its words and among our events.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    cli(prog_name="vedette")


if __name__ == "__main__":
    main()
