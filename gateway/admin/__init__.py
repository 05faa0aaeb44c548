"""/admin: the operators' commands over HTTP, for PocketBase's superusers.

``bodies`` has the request and response models, ``endpoint`` the routes; ``work`` and
``work_bodies`` those of background work.
"""
