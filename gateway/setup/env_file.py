"""The deployment's `.env`, changed in place, and the secrets that it keeps as files.

Present values and comments stay. Where docker/secrets has moved a secret into a file, `.env`
has the file's name instead (``STRIPE_SECRET_KEY=secrets/stripe_secret_key``): such a secret is read
from its file and written to it.
"""

import os
import re
import stat
import tempfile
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from gateway.private_file import write_private
from gateway.setup.errors import SetupError

#: Folder of the secrets that compose mounts, beside `.env`.
SECRETS_FOLDER = "secrets"
#: Characters that compose, dotenv and the shell scripts of docker/ read alike without quotes.
_PLAIN = re.compile(r"[\w./:@%+,=*~-]([\w./:@%+,=*~ -]*[\w./:@%+,=*~-])?", re.ASCII)
_QUOTABLE = re.compile(r"[^'\\\r\n\0]+")
_HEADER = "# Settings of this deployment; .env.example explains them. Never commit this file.\n"


class EnvFile:
    """A `.env` file; changes are kept until `save`."""

    def __init__(self, file: Path) -> None:
        """Read the file; a missing one begins as `.env.example` beside it, or empty.

        Raises:
            SetupError: it can't be read.
        """
        # A link stays a link: compose may be given the same file elsewhere.
        self.file = Path(os.path.realpath(file))
        self.is_new = not self.file.exists()
        self._text = self._begin() if self.is_new else _read(self.file)
        self._saved = self._text
        self._files: dict[Path, str] = {}

    @property
    def folder(self) -> Path:
        """The deployment's folder."""
        return self.file.parent

    def get(self, name: str) -> str:
        """Return a value, "" without one; a secret that is stored as a file is read.

        Raises:
            SetupError: the file can't be read.
        """
        file = self._find_secret_file(name)
        if file is None:
            return self._value(name)
        return self._files.get(file) or _read(file).strip()

    def set(self, name: str, value: str) -> bool:
        """Set a value, in its secret file if it has one; return whether that changes anything.

        Raises:
            SetupError: `.env` can't hold the value.
        """
        if self.get(name) == value:
            return False
        file = self._find_secret_file(name)
        if file is not None:
            self._files[file] = value
        else:
            self._replace_line(name, f"{name}={_quote(name, value)}")
        return True

    @property
    def is_changed(self) -> bool:
        """Return whether `save` would write anything."""
        return bool(self._files) or self._text != self._saved or self.is_open_to_others

    @property
    def is_open_to_others(self) -> bool:
        """Return whether other users can read the file."""
        return not self.is_new and bool(stat.S_IMODE(self.file.stat().st_mode) & 0o077)

    def save(self) -> None:
        """Write the changed files, each atomically and with mode 0600.

        Raises:
            SetupError: a file can't be written.
        """
        if not self.is_changed:
            return
        try:
            for file, value in self._files.items():
                _write_secret(file, value)
            owner = None if self.is_new else self.file.stat()
            write_private(self.file, self._text)
            if owner and os.geteuid() == 0:
                # Run by root, the file stays its owner's.
                os.chown(self.file, owner.st_uid, owner.st_gid)
        except OSError as error:
            raise SetupError(
                f"Can't write {error.filename or self.file}: {error.strerror}."
            ) from None
        self._files.clear()
        self._saved, self.is_new = self._text, False

    def require_writable(self) -> None:
        """Refuse early, before anything is created that has to be stored here.

        Raises:
            SetupError: the folder can't be written.
        """
        try:
            with tempfile.TemporaryFile(dir=self.folder):
                return
        except OSError as error:
            raise SetupError(f"Can't write {self.file}: {error.strerror}.") from None

    def list_interpolated(self) -> list[str]:
        """Return the names of values in which compose would replace ``$…``."""
        found = re.findall(
            r"^(?:export\s+)?(\w+)\s*=[ \t]*[^'\s#][^\n#]*?\$", self._text, re.MULTILINE
        )
        return sorted(set(found))

    def _begin(self) -> str:
        example = self.file.with_name(".env.example")
        return _read(example) if example.is_file() else _HEADER

    def _value(self, name: str) -> str:
        return dotenv_values(stream=StringIO(self._text), interpolate=False).get(name) or ""

    def _find_secret_file(self, name: str) -> Path | None:
        place = f"{SECRETS_FOLDER}/{name.lower()}"
        return self.folder / place if self._value(name) == place else None

    def _replace_line(self, name: str, line: str) -> None:
        """Replace the last line of a name, which is the one that counts, or add one."""
        found = list(re.finditer(rf"^(?:export\s+)?{name}\s*=.*$", self._text, re.MULTILINE))
        if found:
            start, end = found[-1].span()
            self._text = self._text[:start] + line + self._text[end:]
            return
        gap = "" if not self._text or self._text.endswith("\n") else "\n"
        self._text = f"{self._text}{gap}{line}\n"


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SetupError(f"Can't read {file}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SetupError(f"Can't read {file}: it is not UTF-8.") from None


def _write_secret(file: Path, value: str) -> None:
    """Replace a secret of docker/secrets, in a folder that only its owner can enter."""
    part = file.with_suffix(".part")
    write_private(part, value)
    # compose mounts the file with its mode, and the services run as another user.
    part.chmod(0o444)
    part.replace(file)


def _quote(name: str, value: str) -> str:
    if not value or _PLAIN.fullmatch(value):
        return value
    if not _QUOTABLE.fullmatch(value):
        raise SetupError(rf"{name} can't have a line break, ' or \: .env can't hold them.")
    return f"'{value}'"
