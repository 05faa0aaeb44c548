"""The example project's page in a document: before sign-up, purchases, errors, posts, teams."""

import re
from typing import Any

import httpx

from gateway.dev.pocketbase import ROOT
from gateway.dev.stack import Stack
from tests.page.page import ExamplePage

_PAGE = (ROOT / "examples" / "pb_public" / "index.html").read_text()
_BUY_PRO = """
  await press("Buy: Pro, $10.00 a month")
  const checkout = await until(() => visited.find((url) => url.includes("/c/pay/")))
  await fetch(checkout, { method: "POST", body: new URLSearchParams({ outcome: "pay" }),
    redirect: "manual" })
  await until(() => text("#entitlements").startsWith("pro: until"))
"""


def test_guests_see_what_is_for_sale(page: ExamplePage) -> None:
    """Products with features, prices, intervals and trials; a button leads to sign-up."""
    found = page.run("""
      await until(() => document.querySelectorAll("#products > li").length === 4)
      await press("Sign up to buy: Writer, $5.00 a month, first 14 days free")
      return [text("#products"), document.activeElement.name, at("#signed-in").hidden]
    """)
    products, focused, is_guest = found
    assert "Features: publishing (up to 3)" in products
    assert "$100.00 a year" in products
    assert "$8.00 a month per member" in products
    assert (focused, is_guest) == ("email", True)


def test_a_refused_sign_up_marks_its_fields(page: ExamplePage) -> None:
    """PocketBase's message is at the field, which describes it and has the focus."""
    error, described, focused = page.run("""
      fill("#sign-in", { email: "me@example.com", password: "short" })
      await press("Sign up")
      const input = await until(() => at("#sign-in [aria-invalid=true]"))
      return [text("#sign-in .error"), input.getAttribute("aria-describedby"),
        document.activeElement.name]
    """)
    assert "at least 8 character" in error
    assert described == "sign-in-password-error"
    assert focused == "password"


def test_a_refused_sign_in_is_one_message(page: ExamplePage) -> None:
    """An error without fields is shown above the page."""
    message = page.run("""
      fill("#sign-in", { email: "nobody@example.com", password: "correct-horse" })
      await press("Sign in")
      return until(() => text("#problem"))
    """)
    assert message == "Failed to authenticate."


def test_a_purchase_arrives_live(page: ExamplePage) -> None:
    """Entitlement, subscription, payment and message appear without a reload."""
    found = page.run(f"""
      await signUp()
      {_BUY_PRO}
      await until(() => text("#messages") && text("#payments"))
      return [text("#subscriptions"), text("#payments"), text("#messages")]
    """)
    assert found[0].startswith("Pro: active, until 20")
    assert found[1].endswith("$10.00, succeeded")
    assert found[2].startswith("Thank you for your purchase!")


def test_the_return_from_checkout_stores_the_purchase(page: ExamplePage) -> None:
    """The session in the address is read once, and leaves the address."""
    found = page.run("""
      await signUp()
      await press("Buy: Lifetime, $250.00")
      const checkout = await until(() => visited.find((url) => url.includes("/c/pay/")))
      const paid = await fetch(checkout, { method: "POST", redirect: "manual",
        body: new URLSearchParams({ outcome: "pay" }) })
      await load(paid.headers.get("location"))
      await until(() => text("#entitlements").includes("lifetime: without end"))
      await until(() => !window.location.search.includes("session="))
      return window.location.search
    """)
    assert found.startswith("?gateway_port=")


def test_a_second_plan_leads_to_the_portal(page: ExamplePage) -> None:
    """The 409 shows its message and a button to the address of the billing portal."""
    message, portal = page.run(f"""
      await signUp()
      {_BUY_PRO}
      await press("Buy: Pro, $100.00 a year")
      await until(() => text("#problem"))
      const message = text("#problem p")
      await press("Open the billing portal")
      return [message, visited.at(-1)]
    """)
    assert message == "You already have a running subscription."
    assert "/p/session/" in portal


def test_a_refused_post_marks_its_fields(page: ExamplePage) -> None:
    """The transform's error is at its field; the form keeps its values until they are saved."""
    error, kept, posts = page.run("""
      await signUp()
      const content = "<p>Three words here</p><script>x</script>"
      fill("#new-post", { title: "Ein Über-Titel", content, published: true })
      fill("#new-post", { tags: "JS, databases" })
      await press("Save")
      const error = await until(() => text("#new-post .error"))
      const kept = at("#new-post").elements.title.value
      fill("#new-post", { published: false })
      await press("Save")
      return [error, kept, await until(() => text("#posts"))]
    """)
    assert error == "Your plan does not include publishing."
    assert kept == "Ein Über-Titel"
    assert "3 words · /ein-uber-titel · #javascript · #databases · draft" in posts


def test_a_plan_publishes(page: ExamplePage) -> None:
    """With "Writer" a post is published, and the page counts it."""
    allowance = page.run("""
      await signUp()
      await press("Buy: Writer, $5.00 a month, first 14 days free")
      const checkout = await until(() => visited.find((url) => url.includes("/c/pay/")))
      await fetch(checkout, { method: "POST", body: new URLSearchParams({ outcome: "pay" }),
        redirect: "manual" })
      await until(() => text("#allowance") === "0 of 3 posts published.")
      fill("#new-post", { title: "Mine", content: "<p>Three words here</p>", published: true })
      await press("Save")
      return until(() => text("#allowance").startsWith("1") && text("#allowance"))
    """)
    assert allowance == "1 of 3 posts published."


def test_reports_need_an_entitlement(page: ExamplePage) -> None:
    """The API rule refuses a report before the purchase, and allows it after."""
    refused, reports = page.run(f"""
      await signUp()
      fill("#new-report", {{ title: "Numbers" }})
      await press("Save report")
      const refused = await until(() => text("#problem"))
      {_BUY_PRO}
      fill("#new-report", {{ title: "Numbers" }})
      await press("Save report")
      return [refused, await until(() => text("#reports"))]
    """)
    assert refused == "Failed to create record."
    assert reports == "Numbers"


def test_a_team_with_seats(page: ExamplePage, stack: Stack) -> None:
    """A team is created, an invited user accepts, and the seats follow live."""
    guest = _sign_up(stack)
    invitations = f"{stack.pocketbase.url}/api/collections/membership_invitations/records"
    found = page.run(f"""
      await signUp()
      fill("#new-team", {{ name: "Acme" }})
      await press("Create team")
      await until(() => text("#teams").includes("Acme, 1 member"))
      const team = at("#buyer").options[1].value
      at("#buyer").value = team
      await press("Buy: Studio, $8.00 a month per member")
      const checkout = await until(() => visited.find((url) => url.includes("/c/pay/")))
      await fetch(checkout, {{ method: "POST", body: new URLSearchParams({{ outcome: "pay" }}),
        redirect: "manual" }})
      await until(() => text("#subscriptions").includes("1 seat, Acme"))
      fill(`#invite-${{team}}`, {{ user: "{guest["id"]}" }})
      await press("Invite")
      await until(() => text("#teams").includes("invited as member"))
      const headers = {{ Authorization: "{guest["token"]}", "Content-Type": "application/json" }}
      const {{ items }} = await (await fetch("{invitations}", {{ headers }})).json()
      await fetch("{invitations}/" + items[0].id,
        {{ method: "PATCH", headers, body: '{{"accepted": true}}' }})
      await until(() => text("#teams").includes("Acme, 2 members"))
      return until(() => text("#subscriptions").includes("2 seats, Acme"))
    """)
    assert found is True


def _sign_up(stack: Stack) -> dict[str, Any]:
    users = f"{stack.pocketbase.url}/api/collections/users"
    account = {"email": "invited@example.com", "password": "correct-horse"}
    with httpx.Client(trust_env=False) as http:
        body = account | {"passwordConfirm": account["password"]}
        http.post(f"{users}/records", json=body).raise_for_status()
        login = {"identity": account["email"], "password": account["password"]}
        signed_in = http.post(f"{users}/auth-with-password", json=login).json()
    return {"id": signed_in["record"]["id"], "token": signed_in["token"]}


def test_the_page_is_for_phones_and_screen_readers() -> None:
    """It has a viewport and a language; every field has a label, every section a heading."""
    assert '<html lang="en">' in _PAGE
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in _PAGE
    body = _PAGE.split("<script type")[0]
    labels = "".join(re.findall(r"<label.*?</label>", body, re.DOTALL))
    for tag in ("<input", "<textarea", "<select"):
        assert body.count(tag) == labels.count(tag), tag
    for title in re.findall(r'<section[^>]*aria-labelledby="([^"]+)"', body):
        assert f'<h2 id="{title}">' in body
    assert body.count("<section") == len(re.findall(r"<section[^>]*aria-labelledby", body))
