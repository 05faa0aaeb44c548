"""Tells people and handlers what happened: mails, and a team's own functions, once an event.

``kinds`` says which event means what, ``announcer`` who is to be told. That is written to the
outbox in the event's transaction; ``sender`` claims it there (``outbox``), and calls a handler
(``handlers``) or renders a mail (``templates``) and posts it (``post``).

A handler is a function in the module that GATEWAY_HANDLERS names::

    from gateway.notifications import Notification, on


    @on("receipt", "customer.subscription.deleted")
    async def tell_the_team(notification: Notification) -> None: ...
"""

from gateway.notifications.handlers import on
from gateway.notifications.notification import Notification

__all__ = ["Notification", "on"]
