"""Finds everything that identifies a person's data: account, Stripe customers, purchases."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from gateway.pocketbase import filter
from gateway.pocketbase.contracts.privacy import ErasedCustomer, ErasureRequest
from gateway.privacy.errors import SeveralUsers
from gateway.privacy.search import Search
from gateway.rows import Json
from gateway.vocabulary import CollectionNames

#: Shorter values would be found in other people's texts.
_MIN_CHARACTERS = 3
#: The prefix of a payer that is an organization.
_ORGANIZATION = "organizations/"


@dataclass(frozen=True, slots=True)
class DataSubject:
    """A user or a guest, with the ids and texts that identify their data."""

    #: The record id, "" for a guest; also of a deleted user.
    user: str
    #: The record in the auth collection, None without an account.
    account: Json | None
    customers: tuple[ErasedCustomer, ...]
    #: Stripe ids of purchases without a customer.
    objects: tuple[str, ...]
    #: E-mail addresses and phone numbers, in lower case.
    contacts: tuple[str, ...]
    #: Names, in lower case.
    names: tuple[str, ...]
    #: Ids of organizations of which the user is a member.
    organizations: tuple[str, ...] = ()
    #: Those of which the user is the last owner, and which have other members.
    owned: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether anything is stored about the person."""
        return bool(self.account or self.customers or self.objects)

    @property
    def emails(self) -> tuple[str, ...]:
        """The addresses among the contacts."""
        return tuple(each for each in self.contacts if "@" in each)

    @property
    def erasure(self) -> ErasureRequest:
        """The person as the hooks receive it."""
        return ErasureRequest(
            user=self.user,
            customers=self.customers,
            objects=self.objects,
            contacts=self.contacts,
            names=self.names,
        )


@dataclass(frozen=True, slots=True)
class PersonFinder:
    """Reads as the superuser."""

    search: Search
    names: CollectionNames

    async def find(self, text: str) -> DataSubject:
        """Return the person of an e-mail address or a user's record id.

        An address also gives customers without an owner, such as those of guests. An id does so
        only if the user has verified the address: otherwise it may be another person's.

        Raises:
            SeveralUsers: the accounts differ in the case of the address.
        """
        email = text.strip().lower() if "@" in text else ""
        account = await self._find_account(text.strip(), email)
        pending = await self._find_pending(text.strip(), email)
        user = account["id"] if account else pending.user or ("" if email else text.strip())
        if account and account.get("verified"):
            email = email or str(account["email"]).lower()
        memberships = await self._list_memberships(user)
        former = [*pending.customers, *await self._list_deleted(user)]
        customers = [
            each async for each in self._find_customers(user, email, memberships.alone, former)
        ]
        owned = {each["stripe_id"]: _payer_of(each) for each in customers}
        for stripe_id in former:
            owned[stripe_id] = owned.get(stripe_id) or user
        contacts, names = [email, *pending.contacts], [*pending.names]
        for each in [account or {}, *customers]:
            contacts += [each.get("email", ""), each.get("phone", "")]
            names += [each.get("name", "")]
        return DataSubject(
            user=user,
            account=account,
            customers=tuple(ErasedCustomer(id=id, payer=payer) for id, payer in owned.items()),
            objects=tuple(dict.fromkeys([*pending.purchases, *await self._find_purchases(email)])),
            contacts=_normalize(contacts),
            names=_normalize(names),
            organizations=memberships.organizations,
            owned=memberships.owned,
        )

    async def _find_account(self, text: str, email: str) -> Json | None:
        users = self.search.records.collection(self.names.auth)
        if not email:
            return await users.get_or_none(text) if text else None
        found = await self.search.find("users", email, "email")
        found = [each for each in found if str(each["email"]).lower() == email]
        exact = [each for each in found if each["email"] == text] or found
        if len(exact) > 1:
            ids = ", ".join(each["id"] for each in exact)
            raise SeveralUsers(f"Several users have this address: name one by id ({ids}).")
        return exact[0] if exact else None

    async def _find_pending(self, text: str, email: str) -> "_Pending":
        """Return a deletion that is not complete, or was complete and is repeated."""
        erasures = self.search.records.collection(self.names.of("erasures"))
        rows = (
            await self.search.find("erasures", email, "known")
            if email
            else await erasures.full_list(filter=filter("user = {:id}", id=text))
        )
        known = [row["known"] for row in rows if row["known"]]
        return _Pending(
            user=next((row["user"] for row in rows if row["user"]), ""),
            objects=tuple(row["object"] for row in rows),
            contacts=tuple(each for one in known for each in one["contacts"]),
            names=tuple(each for one in known for each in one["names"]),
        )

    async def _list_memberships(self, user: str) -> "_Memberships":
        if not user:
            return _Memberships()
        memberships = self.search.records.collection(self.names.of("memberships"))
        alone, owned, organizations = [], [], []
        for each in await memberships.full_list(filter=filter("user = {:user}", user=user)):
            organization = each["organization"]
            organizations.append(organization)
            others = filter("organization = {:o} && user != {:u}", o=organization, u=user)
            if not await memberships.count(others):
                alone.append(organization)
            elif each["role"] == "owner" and not await memberships.count(
                f"{others} && role = 'owner'"
            ):
                owned.append(organization)
        return _Memberships(tuple(organizations), tuple(alone), tuple(owned))

    async def _find_customers(
        self, user: str, email: str, organizations: Iterable[str], former: Iterable[str]
    ) -> AsyncIterator[Json]:
        """Yield the user's customers, ownerless ones, and those of organizations without others."""
        wanted = [filter("user = {:user}", user=user)] if user else []
        wanted += [filter("organization = {:id}", id=id) for id in organizations]
        wanted += [filter("stripe_id = {:id}", id=id) for id in former]
        for row in await self.search.find("customers", email, "email") if email else ():
            if row["email"].lower() == email and not row["user"] and not row["organization"]:
                yield row
        customers = self.search.records.collection(self.names.of("customers"))
        for each in wanted:
            async for row in customers.iterate(filter=each):
                yield row

    async def _list_deleted(self, user: str) -> list[str]:
        """Return the former customers of a deleted user."""
        if not user:
            return []
        changes = self.search.records.collection(self.names.of("payer_changes"))
        wanted = filter("payer = {:user} && kind = 'deleted' && customer != ''", user=user)
        return [each["customer"] for each in await changes.full_list(filter=wanted)]

    async def _find_purchases(self, email: str) -> list[str]:
        """Return Checkout Sessions of an address without a customer, and their payments."""
        if not email:
            return []
        payments = self.search.records.collection(self.names.of("payments"))
        sessions = await self.search.find("checkout_sessions", email, "email")
        found = [
            each for each in sessions if each["email"].lower() == email and not each["customer"]
        ]
        paid = [await payments.get_or_none(each["payment"]) for each in found if each["payment"]]
        return [each["stripe_id"] for each in [*found, *paid] if each]


@dataclass(frozen=True, slots=True)
class _Pending:
    """A deletion in ``erasures``."""

    user: str
    objects: tuple[str, ...]
    contacts: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def customers(self) -> tuple[str, ...]:
        return tuple(each for each in self.objects if each.startswith("cus_"))

    @property
    def purchases(self) -> tuple[str, ...]:
        return tuple(each for each in self.objects if "_" in each and not each.startswith("cus_"))


@dataclass(frozen=True, slots=True)
class _Memberships:
    """Organizations of a user."""

    organizations: tuple[str, ...] = ()
    #: Without other members.
    alone: tuple[str, ...] = ()
    #: With other members, of which none is an owner.
    owned: tuple[str, ...] = ()


def _payer_of(customer: Json) -> str:
    organization = customer["organization"]
    return f"{_ORGANIZATION}{organization}" if organization else str(customer["user"])


def _normalize(values: Iterable[object]) -> tuple[str, ...]:
    texts = (str(value or "").strip().lower() for value in values)
    return tuple(dict.fromkeys(text for text in texts if len(text) >= _MIN_CHARACTERS))
