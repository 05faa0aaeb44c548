"""Routes for the export and deletion of personal data (pb_hooks/lib/privacy/)."""

from gateway.pocketbase.contracts.route import Contract, Empty, HookRoute
from gateway.pocketbase.contracts.work import Changed


class ErasedCustomer(Contract):
    """A Stripe customer."""

    id: str
    #: A user's id, or ``organizations/`` and an organization's; "" without an owner.
    payer: str


class ErasureRequest(Contract):
    """A person, with everything that identifies their data."""

    #: The record id of the user, "" for a guest.
    user: str
    customers: tuple[ErasedCustomer, ...]
    #: Stripe ids of purchases without a customer.
    objects: tuple[str, ...]
    #: E-mail addresses and phone numbers, in lower case.
    contacts: tuple[str, ...]
    #: Further values in lower case, such as the name.
    names: tuple[str, ...]


class FinishRequest(ErasureRequest):
    """The same person, and whether to rewrite the database file."""

    vacuum: bool


class FindRequest(Contract):
    """One part of a collection, and the texts that its rows are searched for, ignoring case."""

    #: Its name.
    collection: str
    #: 0, or ``next`` of the part before.
    after: int
    #: Rows that are returned or changed at most.
    limit: int
    texts: tuple[str, ...]


class FindAnswer(Contract):
    """The record ids of rows that contain a text; the next part begins after ``next``."""

    ids: tuple[str, ...]
    #: 0 at the end of the collection.
    next: int


class ErasePartRequest(FindRequest):
    """One part of a collection to erase."""

    #: The collection's key in the vocabulary, "" for a team's.
    key: str
    user: str
    #: Ids that make a row the person's own.
    own: tuple[str, ...]
    contacts: tuple[str, ...]
    names: tuple[str, ...]


class ErasePartAnswer(Contract):
    """The number of changed rows, and of work that still runs; ``next`` is 0 at the end."""

    changed: int
    open: int
    next: int


BEGIN_ERASURE = HookRoute("POST", "/api/gateway/privacy/begin", ErasureRequest, Empty)
ERASE_PART = HookRoute("POST", "/api/gateway/privacy/erase", ErasePartRequest, ErasePartAnswer)
FIND_TEXTS = HookRoute("POST", "/api/gateway/privacy/find", FindRequest, FindAnswer)
FINISH_ERASURE = HookRoute("POST", "/api/gateway/privacy/finish", FinishRequest, Changed)
