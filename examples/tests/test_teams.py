"""Organizations: members share what their organization buys, and each is a seat."""

import pytest
import pytest_asyncio

from gateway import ValidationFailed
from gateway.testing import Buy, SignedUpUser, SignUp, eventually


@pytest_asyncio.fixture
async def organization(user: SignedUpUser) -> str:
    """The id of an organization that `user` owns."""
    made = await user.pb.collection("organizations").create({"name": "Acme"})
    return str(made["id"])


async def _join(owner: SignedUpUser, organization: str, member: SignedUpUser) -> None:
    invitation = await owner.pb.collection("membership_invitations").create(
        {"organization": organization, "user": member.id, "role": "member"}
    )
    theirs = member.pb.collection("membership_invitations")
    await theirs.update(invitation["id"], {"accepted": True})


async def test_members_share_a_plan(
    buy: Buy, user: SignedUpUser, sign_up: SignUp, organization: str
) -> None:
    """A member writes the organization's plans after its purchase, and not before."""
    member = await sign_up()
    await _join(user, organization, member)
    plan = {"organization": organization, "title": "Q3"}
    with pytest.raises(ValidationFailed):
        await member.pb.collection("plans").create(plan)
    await buy("studio_monthly", organization=organization)
    await member.pb.collection("plans").create(plan)
    messages = await eventually(lambda: member.pb.collection("messages").full_list())
    assert [message["organization"] for message in messages] == [organization]


async def test_a_member_is_a_seat(
    buy: Buy, user: SignedUpUser, sign_up: SignUp, organization: str
) -> None:
    """The quantity of the subscription follows the number of members."""
    await buy("studio_monthly", organization=organization)
    subscriptions = user.pb.collection("subscriptions")
    [before] = await subscriptions.full_list()
    await _join(user, organization, await sign_up())

    async def has_two_seats() -> bool:
        [now] = await subscriptions.full_list()
        return bool(now["quantity"] == 2)

    assert before["quantity"] == 1
    assert await eventually(has_two_seats, within=30)
