"""/admin: the operator's tools over HTTP, for PocketBase's superusers.

``bodies`` has the requests and responses, ``endpoint`` the routes.
"""
