"""Request ids: taken from the proxy or made here, returned with each response, in each log line.

The middleware is asgi-correlation-id's; only which ids are accepted is decided here.
"""

import re
from functools import partial
from itertools import count
from secrets import token_hex

from asgi_correlation_id import CorrelationIdMiddleware, correlation_id

HEADER = "X-Request-Id"
#: The same in pb_hooks/lib/transforms/call.js. UUIDs, trace ids and ids of proxies match.
_is_accepted = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch
#: Generated ids: the name of this process and a number, at a fifth of the cost of a UUID.
_process = token_hex(5)
_numbers = count(1)


def current_request_id() -> str:
    """Return the id of the request that is being served, "" outside of one."""
    return correlation_id.get() or ""


#: An ASGI middleware; an id that is not accepted is replaced by a generated one.
RequestIdMiddleware = partial(
    CorrelationIdMiddleware,
    header_name=HEADER,
    generator=lambda: f"{_process}-{next(_numbers)}",
    validator=lambda given: _is_accepted(given) is not None,
    update_request_header=False,
)
