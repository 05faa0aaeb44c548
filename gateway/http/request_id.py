"""Request ids: from the X-Request-Id header or generated; in each response and log line.

The middleware is asgi-correlation-id's; this module decides which ids it accepts.
"""

import re
from functools import partial
from itertools import count
from secrets import token_hex

from asgi_correlation_id import CorrelationIdMiddleware, correlation_id

HEADER = "X-Request-Id"
#: As in pb_hooks/lib/transforms/call.js. UUIDs, trace ids and the ids of proxies match.
_is_accepted = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch
#: Generated ids are a random prefix per process and a number: a fifth of the cost of a UUID.
_process = token_hex(5)
_numbers = count(1)


def current_request_id() -> str:
    """Return the id of the current request, "" outside of a request."""
    return correlation_id.get() or ""


#: An ASGI middleware; an id that is not accepted is replaced by a generated one.
RequestIdMiddleware = partial(
    CorrelationIdMiddleware,
    header_name=HEADER,
    generator=lambda: f"{_process}-{next(_numbers)}",
    validator=lambda given: _is_accepted(given) is not None,
    update_request_header=False,
)
