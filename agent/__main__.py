"""`vedette-agent`, also as `python -m agent`."""

import os


def main() -> None:
    """Run the command line."""
    # Whatever gRPC has to say reaches people as our own sentences.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from agent.cli.main import cli

    cli(prog_name="vedette-agent")


if __name__ == "__main__":
    main()
