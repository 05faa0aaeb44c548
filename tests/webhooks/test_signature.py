"""The signature check, beside the one of Stripe's own SDK."""

import hmac
import time
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stripe import SignatureVerificationError, WebhookSignature

from gateway.errors import InvalidSignature
from gateway.webhooks.signature import TOLERANCE_SECONDS, verify

_BODY = b'{"id": "evt_1"}'
_SECRETS = ("whsec_old", "whsec_new")
#: A while ahead: whenever the tests run, it is not too old.
_NOW = int(time.time()) + 3600


def _sign(secret: str, second: int) -> str:
    return hmac.new(secret.encode(), f"{second}.".encode() + _BODY, sha256).hexdigest()


_secrets = st.sampled_from((*_SECRETS, "whsec_other"))
_seconds = st.sampled_from((_NOW, _NOW - 7200, _NOW + 60, 0))
_parts = st.one_of(
    _seconds.map(lambda second: f"t={second}"),
    st.builds(lambda *of: f"v1={_sign(*of)}", _secrets, _seconds),
    st.builds(lambda *of: f"v0={_sign(*of)}", _secrets, _seconds),
    st.sampled_from(("v1=", "t=", "t=²", "t=-1", "", "=", "v1", "v1=é", "t=1e9", "t=0x7")),
)


def _is_signed(signature: str) -> bool:
    try:
        return verify(_BODY, signature, _SECRETS) == _BODY.decode()
    except InvalidSignature:
        return False


def _sdk_agrees(signature: str) -> bool:
    for secret in _SECRETS:
        try:
            WebhookSignature.verify_header(_BODY.decode(), signature, secret, TOLERANCE_SECONDS)
        except (SignatureVerificationError, ValueError, TypeError):
            continue
        return True
    return False


@given(st.lists(_parts, max_size=4))
@example([f"t={_NOW}", f"v1={_sign('whsec_new', _NOW)}"])
@example([f"t={_NOW}", "v1=é", f"v1={_sign('whsec_old', _NOW)}"])
@example([f"t={_NOW}", "v1", f"v1={_sign('whsec_old', _NOW)}"])
@example([f"t={_NOW}", f"v1={_sign('whsec_other', _NOW)}", f"v1={_sign('whsec_old', _NOW)}"])
def test_what_is_taken_for_signed_is_signed_by_the_sdk_as_well(parts: list[str]) -> None:
    """Any header is accepted only if Stripe's SDK accepts it."""
    signature = ",".join(parts)
    if _is_signed(signature):
        assert _sdk_agrees(signature)


@given(_secrets, _seconds, st.lists(st.sampled_from(("v0=ab", "v1=ab", "v9=")), max_size=2))
def test_a_header_as_stripe_writes_it_is_judged_as_by_the_sdk(
    secret: str, second: int, others: list[str]
) -> None:
    """The header's time and schemes are accepted and refused exactly as by Stripe's SDK."""
    signature = ",".join([f"t={second}", f"v1={_sign(secret, second)}", *others])
    assert _is_signed(signature) == _sdk_agrees(signature)


def test_a_signature_is_good_for_five_minutes() -> None:
    """One that is older than the tolerance is refused, whoever signed."""
    now = int(time.time())
    old = now - TOLERANCE_SECONDS - 1
    assert _is_signed(f"t={now},v1={_sign('whsec_old', now)}")
    with pytest.raises(InvalidSignature):
        verify(_BODY, f"t={old},v1={_sign('whsec_old', old)}", _SECRETS)
