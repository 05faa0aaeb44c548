"""Mails and a team's event handlers, as items of the queue of background work.

``kinds`` maps Stripe's event types to kinds of notifications. ``router`` returns the items of an
event, which are written in the event's transaction. ``work_handlers`` runs them: it calls a handler
(``handlers``) or sends a mail (``mail_sender``, ``templates``).
"""
