"""`python -m gateway.dev`: run everything on this machine."""

import argparse
import sys
from pathlib import Path

from gateway.dev.errors import StackError
from gateway.dev.pocketbase import ROOT
from gateway.dev.run import run


def main() -> int:
    """Run until asked to stop; return the exit code."""
    options = _parse_options()
    try:
        run(options.folder.resolve(), options.env_file)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    print("All parts have ended.")
    return 0


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gateway.dev", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".local", help="where data, logs and secrets are kept"
    )
    parser.add_argument(
        "--env-file", type=Path, default=ROOT / ".env", help="settings, as in .env.example"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
