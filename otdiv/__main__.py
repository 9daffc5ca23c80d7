"""``python -m otdiv`` is the command ``otdiv``."""

import sys


def main() -> None:
    """The command; an interrupt while its packages are still being imported ends it quietly too."""
    try:
        from otdiv.cli.main import main as run
    except KeyboardInterrupt:
        print("otdiv: interrupted.", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
