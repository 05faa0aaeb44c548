"""The page of a new project: prices for guests, sign-up, a purchase, and an error."""

from tests.page.page import ExamplePage


def test_a_visitor_buys(new_page: ExamplePage) -> None:
    """Guests see prices; after sign-up and payment the first page shows the features."""
    prices, features = new_page.run("""
      await until(() => text("#prices").includes("Lifetime"))
      const prices = text("#prices")
      const email = `user-${crypto.randomUUID()}@example.com`
      fill("#sign-in", { email, password: "correct-horse" })
      await press("Sign up")
      await until(() => !at("#account").hidden)
      const lifetime = [...document.querySelectorAll("#prices > li")]
        .find((each) => each.textContent.startsWith("Lifetime"))
      lifetime.querySelector("button").click()
      const checkout = await until(() => visited.find((url) => url.includes("/c/pay/")))
      const answer = await fetch(checkout, { method: "POST", redirect: "manual",
        body: new URLSearchParams({ outcome: "pay" }) })
      await load(answer.headers.get("location"))
      return [prices, await until(() => text("#features"))]
    """)
    assert "Pro: $10.00 per month" in prices
    assert "lifetime" in features


def test_a_guest_is_asked_to_sign_in(new_page: ExamplePage) -> None:
    """An error is one message above the page."""
    message = new_page.run("""
      await press("Buy")
      return until(() => text("#problem"))
    """)
    assert message == "Sign in first."
