"""The folder of a team's project: app, hooks and migrations."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with an app; each part of it is optional."""

    folder: Path

    @property
    def hooks(self) -> Path:
        """The project's hooks of PocketBase."""
        return self.folder / "pb_hooks"

    @property
    def migrations(self) -> Path:
        """The project's migrations of PocketBase."""
        return self.folder / "pb_migrations"

    @property
    def catalogue(self) -> Path | None:
        """The products of the simulated Stripe account."""
        catalogue = self.folder / "stripe_catalogue.toml"
        return catalogue.absolute() if catalogue.is_file() else None

    @property
    def public(self) -> Path | None:
        """The static files that PocketBase serves."""
        public = self.folder / "pb_public"
        return public if public.is_dir() else None
