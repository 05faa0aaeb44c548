"""The lines of `gateway init`: changed, unchanged and open points. Never a secret."""

from collections.abc import Callable


class SetupReport:
    """Prints one line per point, and counts."""

    def __init__(self, write: Callable[[str], None], *, is_dry_run: bool = False) -> None:
        self._write = write
        #: Whether nothing may be changed.
        self.is_dry_run = is_dry_run
        self.changes = 0
        self.open_points = 0

    def change(self, sentence: str) -> None:
        """Print a change that was made, or in a dry run would be."""
        self.changes += 1
        self._write(f"{'would change' if self.is_dry_run else 'changed':<13} {sentence}")

    def keep(self, sentence: str) -> None:
        """Print a point that was right already."""
        self._write(f"{'unchanged':<13} {sentence}")

    def todo(self, sentence: str) -> None:
        """Print a point that is left to a person."""
        self.open_points += 1
        self._write(f"{'to do':<13} {sentence}")

    def end(self) -> None:
        """Print the summary."""
        if not self.changes:
            self._write("Nothing to change." if not self.open_points else "Nothing changed.")
        if self.open_points:
            points = "point is" if self.open_points == 1 else "points are"
            self._write(f"{self.open_points} {points} open (to do). Then run `gateway init` again.")
