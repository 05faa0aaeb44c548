"""An organization and its members, made as a frontend makes them."""

from dataclasses import dataclass
from typing import Any

from tests.dashboard import Dashboard
from tests.frontend import Frontend, Record, User

ORGANIZATIONS = "/api/collections/organizations/records"
MEMBERSHIPS = "/api/collections/memberships/records"
INVITATIONS = "/api/collections/membership_invitations/records"


@dataclass(frozen=True)
class Team:
    """An organization with three members."""

    frontend: Frontend
    dashboard: Dashboard
    id: str
    owner: User
    admin: User
    member: User

    async def invite(self, user: User, role: str = "member", *, by: User | None = None) -> Record:
        """Invite a user, by default as the owner."""
        body = {"organization": self.id, "user": user.id, "role": role}
        token = (by or self.owner).token
        return dict(await self.frontend.call("POST", INVITATIONS, token=token, body=body))

    async def add(self, user: User, role: str = "member", *, by: User | None = None) -> Record:
        """Invite a user, who accepts; return the membership."""
        invitation = await self.invite(user, role, by=by)
        path = f"{INVITATIONS}/{invitation['id']}"
        await self.frontend.call("PATCH", path, token=user.token, body={"accepted": True})
        return await self.find(user)

    async def find(self, user: User) -> Record:
        """Return a user's membership."""
        where = f"organization = '{self.id}' && user = '{user.id}'"
        [row] = await self.dashboard.list("memberships", where)
        return row

    async def remove(self, user: User, *, by: User | None = None) -> None:
        """Remove a user, by default as the owner."""
        membership = await self.find(user)
        token = (by or self.owner).token
        await self.frontend.call("DELETE", f"{MEMBERSHIPS}/{membership['id']}", token=token)

    async def ask(self, method: str, path: str, token: str, body: Any = None) -> int:
        """Send a request to PocketBase; return the status."""
        headers = {"Authorization": token} if token else {}
        answer = await self.frontend.http.request(method, path, json=body, headers=headers)
        return answer.status_code


async def found_team(frontend: Frontend, dashboard: Dashboard) -> Team:
    """Found an organization with an owner, an admin, and a plain member."""
    owner, admin, member = [await frontend.sign_up() for _ in range(3)]
    body = {"name": "Acme"}
    made = await frontend.call("POST", ORGANIZATIONS, token=owner.token, body=body)
    team = Team(frontend, dashboard, made["id"], owner, admin, member)
    await team.add(admin, "admin")
    await team.add(member)
    return team
