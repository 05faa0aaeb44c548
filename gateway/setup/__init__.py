"""Set-up of a deployment: secrets, PocketBase's settings, the webhook endpoint and the portal.

`gateway init` corrects each difference from the plan; `gateway doctor` compares by the same code.
"""
