"""Routes of subscription changes and reported usage."""

from gateway.pocketbase.contracts.route import Contract, HookRoute


class PreviewUse(Contract):
    """A preview that is about to be charged."""

    #: The nonce of its token.
    preview: str
    #: The digest of the caller's Idempotency-Key, or ``none``.
    key: str
    subscription: str
    #: Unix seconds: the preview's date, and now.
    date: int
    now: int
    #: Whether its credit is larger the earlier it is dated.
    is_credit: bool


class UsedPreview(Contract):
    """The first use of the preview."""

    key: str
    #: Unix seconds from which the change is charged.
    date: int
    #: Whether the subscription was changed after the preview.
    changed: bool


class MeteredRequest(Contract):
    """A meter and who pays for it: a user or an organization, the other is ""."""

    user: str
    organization: str
    meter: str


class MeteredCustomer(Contract):
    """The Stripe customer whose running subscription includes the meter, "" if there is none."""

    customer: str
    #: When the first such subscription began, in Unix seconds.
    since: int


USE_PREVIEW = HookRoute("POST", "/api/gateway/previews/use", PreviewUse, UsedPreview)
METERED = HookRoute("POST", "/api/gateway/metered", MeteredRequest, MeteredCustomer)
