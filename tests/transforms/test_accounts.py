"""PocketBase's own account requests keep what others stored since they loaded the record."""

import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from gateway.dev.pocketbase import ROOT
from gateway.dev.stack import Stack
from tests.frontend import User
from tests.pocketbase_alone import start_alone
from tests.superuser import open_superuser_client
from tests.user_without_purchase import sign_up_without_purchase

#: A team's hooks: what each request waits for changes the user, and a route gives out tokens.
_HOOKS = """
onRecordConfirmVerificationRequest((e) => {
  const other = e.app.findRecordById("users", e.record.id)
  other.set("name", "banned")
  e.app.save(other)
  e.next()
}, "users")
onRecordConfirmPasswordResetRequest((e) => {
  const other = e.app.findRecordById("users", e.record.id)
  other.set("name", "banned")
  e.app.save(other)
  e.next()
}, "users")
routerAdd("GET", "/api/tokens/{id}", (e) => {
  const user = e.app.findRecordById("users", e.request.pathValue("id"))
  const [verification, reset] = [user.newVerificationToken(), user.newPasswordResetToken()]
  return e.json(200, { verification, reset })
})
"""


@pytest.fixture
def teams(fresh_stack: Callable[..., Stack], tmp_path: Path) -> Stack:
    """Parts with a team's hooks besides the gateway's."""
    made = fresh_stack(start=False)
    hooks = shutil.copytree(ROOT / "pb_hooks", tmp_path / "hooks")
    (hooks / "team.pb.js").write_text(_HOOKS)
    made.pocketbase.command = tuple(
        f"--hooksDir={hooks}" if part.startswith("--hooksDir") else part
        for part in made.pocketbase.command
    )
    start_alone(made.pocketbase)
    return made


def _read_user(stack: Stack, user: User) -> dict[str, object]:
    with open_superuser_client(stack.pocketbase) as client:
        found: dict[str, object] = client.get(f"/api/collections/users/records/{user.id}").json()
    return found


@pytest.mark.parametrize("request_name", ["confirm-verification", "confirm-password-reset"])
def test_an_account_request_saves_only_what_it_changes(request_name: str, teams: Stack) -> None:
    """A field that was stored between its load and its save stays, and it does its work."""
    user = sign_up_without_purchase(teams.pocketbase.url)
    base = teams.pocketbase.url
    tokens = httpx.get(f"{base}/api/tokens/{user.id}", trust_env=False).json()
    body = {"token": tokens["verification"]}
    if request_name == "confirm-password-reset":
        new = {"password": "another-password", "passwordConfirm": "another-password"}
        body = {"token": tokens["reset"], **new}
    url = f"{base}/api/collections/users/{request_name}"
    answer = httpx.post(url, json=body, trust_env=False)
    assert answer.status_code == 204, answer.text
    stored = _read_user(teams, user)
    assert stored["name"] == "banned"
    if request_name == "confirm-verification":
        assert stored["verified"] is True
    else:
        login = {"identity": user.email, "password": "another-password"}
        url = f"{base}/api/collections/users/auth-with-password"
        assert httpx.post(url, json=login, trust_env=False).is_success
