"""Users who are signed up once for many tests, outside of any event loop."""

from secrets import token_hex

import httpx

from tests.frontend import User


def sign_up_without_purchase(pocketbase_url: str) -> User:
    """Create a user and log in."""
    email, password = f"user-{token_hex(6)}@example.com", token_hex(8)
    users = f"{pocketbase_url}/api/collections/users"
    new = {"email": email, "password": password, "passwordConfirm": password}
    login = {"identity": email, "password": password}
    with httpx.Client(trust_env=False) as client:
        client.post(f"{users}/records", json=new).raise_for_status()
        answer = client.post(f"{users}/auth-with-password", json=login).raise_for_status().json()
    return User(answer["record"]["id"], email, password, answer["token"])
