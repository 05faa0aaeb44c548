"""Set-up of a deployment: secrets, PocketBase's settings, the webhook endpoint and the portal.

`gateway init` changes what differs from the plan; `gateway doctor` compares with the same modules.
"""
