"""A frontend that uses PocketBase's own JavaScript SDK, and knows nothing of transforms."""

from collections.abc import Callable

from gateway.dev.stack import Stack
from tests.frontend import User
from tests.posts.js_sdk import JsSdk
from tests.user_without_purchase import sign_up_without_purchase

_TEXT = "<p>Three words here</p>"


def test_create_returns_what_was_computed(page: JsSdk, author: User) -> None:
    """The record that create gives back holds the transform's values."""
    record = page.run(
        """return pb.collection("posts").create({
          title: " Über SDKs ", content: given.content + "<script>alert(1)</script>",
          tags: ["Python", "#py", "Product news"] })""",
        content=_TEXT,
    )
    assert record["title"] == "Über SDKs"
    assert record["slug"] == "uber-sdks"
    assert record["content"] == _TEXT
    assert record["word_count"] == 3
    assert record["tags"] == ["python", "product-news"]
    assert record["author"] == author.id


def test_update_sees_the_whole_record(page: JsSdk) -> None:
    """An update of one field is judged with the others; modifiers add and take away."""
    before, after = page.run(
        """const posts = pb.collection("posts")
        const post = await posts.create({ title: "Update me", content: given.content,
          tags: ["python", "design"] })
        return [post, await posts.update(post.id, { "tags+": "Golang", "tags-": "design" })]""",
        content=_TEXT,
    )
    assert after["tags"] == ["python", "go"]
    for same in ("title", "slug", "content", "word_count", "author"):
        assert after[same] == before[same]


def test_computed_fields_can_not_be_written(page: JsSdk) -> None:
    """Clients can't set values that the transform computes."""
    post = page.run(
        """const posts = pb.collection("posts")
        const post = await posts.create({ title: "Honest", content: given.content,
          slug: "mine", word_count: 9999, published_at: "2001-01-01 00:00:00Z" })
        return posts.update(post.id, { word_count: 9999, slug: "mine",
          published_at: "2001-01-01 00:00:00Z" })""",
        content=_TEXT,
    )
    assert (post["slug"], post["word_count"], post["published_at"]) == ("honest", 3, "")


def test_field_errors_arrive_in_data(page: JsSdk) -> None:
    """A model's errors appear in ClientResponseError like PocketBase's own."""
    error = page.run(
        'return refusal(pb.collection("posts").create({ title: "", tags: "x".repeat(9) }))'
    )
    assert error["status"] == 400
    assert error["message"]
    assert set(error["data"]) == {"title"}
    assert set(error["data"]["title"]) == {"code", "message"}


def test_pocketbases_own_validation_still_holds(page: JsSdk) -> None:
    """A value that the transform lets pass, and PocketBase does not, is refused by PocketBase."""
    error = page.run(
        'return refusal(pb.collection("posts").create({ title: "Tags", tags: ["unheard-of"] }))'
    )
    assert error["status"] == 400
    assert error["data"]["tags"]["code"] == "validation_invalid_value"


def test_what_is_not_in_the_plan_is_refused(
    open_page: Callable[[User], JsSdk], stack: Stack
) -> None:
    """A user without the entitlement keeps drafts, and reads in `data` why it stays one."""
    page = open_page(sign_up_without_purchase(stack.pocketbase.url))
    draft, error = page.run(
        """const posts = pb.collection("posts")
        const draft = await posts.create({ title: "Free of charge", content: given.content })
        return [draft, await refusal(posts.update(draft.id, { published: true }))]""",
        content=_TEXT,
    )
    assert draft["published"] is False
    assert error["status"] == 400
    assert error["data"]["published"]["code"] == "validation_not_in_plan"


def test_files_are_uploaded(page: JsSdk) -> None:
    """A multipart create with a file passes through the transform and stores the file."""
    record, size = page.run(
        """const png = Uint8Array.from(atob(given.png), (c) => c.charCodeAt(0))
        const post = await pb.collection("posts").create({ title: "With image",
          content: given.content, tags: ["Python"],
          featured_image: new File([png], "Cover Image.png", { type: "image/png" }) })
        const file = await fetch(pb.files.getURL(post, post.featured_image))
        return [post, (await file.arrayBuffer()).byteLength]""",
        content=_TEXT,
        png=_PNG,
    )
    assert record["slug"].startswith("with-image")
    assert record["tags"] == ["python"]
    assert record["featured_image"].startswith("cover_image_")
    assert size > 0


def test_expand_works_on_write(page: JsSdk, author: User) -> None:
    """`expand` and `fields` of a create mean what they mean without a transform."""
    record = page.run(
        """return pb.collection("posts").create({ title: "Expanded" },
          { expand: "author", fields: "slug,expand.author.id" })"""
    )
    assert record == {"slug": "expanded", "expand": {"author": {"id": author.id}}}


_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg"
    "=="
)


def test_the_sdk_sends_requests_to_the_gateway(page: JsSdk, author: User, stack: Stack) -> None:
    """`new PocketBase(GATEWAY, pb.authStore).send(…)` is signed in there as well."""
    answers = page.run(
        """const gateway = new PocketBase(given.gateway, pb.authStore)
        const order = { items: [{ price: "price_unknown" }], success_url: given.back,
          cancel_url: given.back }
        const sold = await refusal(gateway.send("/checkout", { method: "POST", body: order }))
        const post = await gateway.send("/records/posts", { method: "POST",
          body: { title: "By way of the gateway", content: given.content, tags: ["python"] } })
        const refused = await refusal(gateway.send("/portal", { method: "POST", body: {} }))
        const closed = await refusal(gateway.send("/admin/events", {}))
        return [sold, post.author, refused, closed]""",
        gateway=stack.gateway.url,
        back=f"{stack.plan.frontend_origins[0]}/",
        content=_TEXT,
    )
    sold, made_by, refused, closed = answers
    assert (sold["status"], list(sold["data"])) == (400, ["items.0.price"])
    assert made_by == author.id
    assert (refused["status"], list(refused["data"])) == (400, ["return_url"])
    assert closed["status"] == 403
