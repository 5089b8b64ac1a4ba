"""Entry point of the `vedette` command."""

from controller.cli.main import cli


def main() -> None:
    """Run the command line."""
    cli(prog_name="vedette")


if __name__ == "__main__":
    main()
