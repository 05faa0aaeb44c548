"""`.env` is changed in place: comments, other values, links and secret files stay."""

import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from gateway.setup.env_file import EnvFile
from gateway.setup.errors import SetupError


def _write(folder: Path, text: str) -> EnvFile:
    (folder / ".env").write_text(text)
    return EnvFile(folder / ".env")


def test_other_lines_stay(tmp_path: Path) -> None:
    """The last line of a name counts, as for compose; a new name is added at the end."""
    env = _write(tmp_path, "# a\nA=1\n\nexport B='x y'\nA=2 # mine\nC=3")
    assert (env.get("A"), env.get("B"), env.get("D")) == ("2", "x y", "")
    assert env.set("A", "4")
    assert env.set("D", "5")
    assert not env.set("B", "x y")
    env.save()
    assert (tmp_path / ".env").read_text() == "# a\nA=1\n\nexport B='x y'\nA=4\nC=3\nD=5\n"
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_a_new_file_begins_as_the_example(tmp_path: Path) -> None:
    """Its comments explain the values; nothing is written without a change."""
    (tmp_path / ".env.example").write_text("# Explains A.\nA=\n")
    env = EnvFile(tmp_path / ".env")
    env.save()
    assert not env.file.exists()
    env.set("A", "1")
    env.save()
    assert env.file.read_text() == "# Explains A.\nA=1\n"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that it leads to is written."""
    (tmp_path / "real").mkdir()
    _write(tmp_path / "real", "A=1\n")
    (tmp_path / ".env").symlink_to(tmp_path / "real" / ".env")
    env = EnvFile(tmp_path / ".env")
    env.set("A", "2")
    env.save()
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "real" / ".env").read_text() == "A=2\n"


def test_secrets_of_files_stay_in_files(tmp_path: Path) -> None:
    """As docker/secrets leaves them: the name in .env, the value in a file of mode 0444."""
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets" / "stripe_secret_key"
    file.write_text("sk_test_1\n")
    env = _write(tmp_path, "STRIPE_SECRET_KEY=secrets/stripe_secret_key\n")
    assert env.get("STRIPE_SECRET_KEY") == "sk_test_1"
    assert env.set("STRIPE_SECRET_KEY", "sk_test_2")
    assert env.get("STRIPE_SECRET_KEY") == "sk_test_2"
    env.save()
    assert file.read_text() == "sk_test_2"
    assert stat.S_IMODE(file.stat().st_mode) == 0o444
    assert (tmp_path / ".env").read_text() == "STRIPE_SECRET_KEY=secrets/stripe_secret_key\n"
    assert sorted(each.name for each in file.parent.iterdir()) == [file.name]


@pytest.mark.parametrize(
    "value", ["a b", "a#b", "a $b", 'a"b', "ü", "/_/* /admin/*", "a,b", "https://a.test", "a=b"]
)
def test_odd_characters_are_quoted(tmp_path: Path, value: str) -> None:
    """Written values are read back unchanged."""
    env = EnvFile(tmp_path / ".env")
    env.set("A", value)
    env.save()
    assert EnvFile(tmp_path / ".env").get("A") == value
    assert dotenv_values(tmp_path / ".env", interpolate=False)["A"] == value
    assert env.list_interpolated() == []


@pytest.mark.parametrize("value", ["a'b", "a\nb", "a\\b"])
def test_other_characters_are_refused(tmp_path: Path, value: str) -> None:
    """compose and the shell scripts of docker/ would read them differently."""
    with pytest.raises(SetupError, match="A can't have"):
        EnvFile(tmp_path / ".env").set("A", value)


def test_a_dollar_without_quotes_is_named(tmp_path: Path) -> None:
    """compose would replace it."""
    env = _write(tmp_path, "A=pa$word\nB='pa$word'\n# C=$x\nD=1 # $x\n")
    assert env.list_interpolated() == ["A"]


def test_a_file_that_is_not_readable_is_named(tmp_path: Path) -> None:
    """A folder, or another encoding."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(SetupError, match="Is a directory"):
        EnvFile(tmp_path / "folder")
    (tmp_path / ".env").write_bytes(b"A=\xff")
    with pytest.raises(SetupError, match="not UTF-8"):
        EnvFile(tmp_path / ".env")
