"""Tells people and handlers what happened: mails, and a team's own functions, once an event.

``kinds`` says which event means what, ``announcer`` who is to be told. That is written to the
outbox in the event's transaction; ``sender`` claims it there (``outbox``), and calls a handler
(``handlers``) or renders a mail (``templates``) and posts it (``post``).

A handler is a function of the team's app (`Gateway.on`).
"""
