"""/admin: the operator's tools over HTTP, for PocketBase's superusers.

``desk`` holds the tools while the gateway runs, ``bodies`` are what is asked and answered,
``endpoint`` is the door.
"""
