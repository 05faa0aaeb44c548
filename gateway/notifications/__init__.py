"""Notifications: mails, and calls of a team's event handlers, at most once per event each.

``kinds`` maps Stripe's event types to kinds of notifications. ``router`` returns the outbox
entries of an event, which are written in the event's transaction. ``outbox_sender`` claims them
(``outbox``) and calls a handler (``handlers``) or sends a mail (``mail_sender``, ``templates``).
"""
