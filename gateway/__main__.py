"""``python -m gateway``: the command line."""

import gc

# Imports make objects that stay: looking for garbage among them takes a tenth of the start.
gc.disable()

from gateway.cli import main  # noqa: E402

gc.freeze()
gc.enable()

if __name__ == "__main__":
    main()
