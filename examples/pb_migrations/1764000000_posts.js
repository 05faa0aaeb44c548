/// <reference path="../../.local/pb_data/types.d.ts" />
// Blog posts: published ones are public, an author reads and writes their own.
// Logic beyond rules is in examples/shop/posts.py: it fills slug, word_count and published_at.

const IS_USER = '@request.auth.collectionName = "users"'
const IS_AUTHOR = `${IS_USER} && author = @request.auth.id`
const FOR_ONESELF = "(@request.body.author:isset = false || @request.body.author = @request.auth.id)"

const TAGS = ["announcement", "databases", "design", "go", "javascript", "product-news", "python",
  "tutorial"]

migrate((app) => {
  app.save(new Collection({
    name: "posts", type: "base",
    listRule: `published = true || (${IS_AUTHOR})`,
    viewRule: `published = true || (${IS_AUTHOR})`,
    createRule: `${IS_USER} && ${FOR_ONESELF}`,
    updateRule: IS_AUTHOR,
    deleteRule: IS_AUTHOR,
    fields: [
      { name: "title", type: "text", required: true, max: 200 },
      { name: "slug", type: "text", required: true, max: 100 },
      { name: "content", type: "editor", maxSize: 1000000 },
      { name: "word_count", type: "number", onlyInt: true },
      { name: "author", type: "relation", required: true, maxSelect: 1, cascadeDelete: true,
        collectionId: app.findCollectionByNameOrId("users").id },
      { name: "published", type: "bool" },
      { name: "published_at", type: "date" },
      // A select, so that `tags+` and `tags-` add and take away single ones.
      { name: "tags", type: "select", maxSelect: TAGS.length, values: TAGS },
      { name: "featured_image", type: "file", maxSelect: 1, maxSize: 5242880,
        mimeTypes: ["image/jpeg", "image/png", "image/webp"] },
      { name: "created", type: "autodate", onCreate: true },
      { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
    ],
    indexes: [
      "CREATE UNIQUE INDEX idx_posts_slug ON posts (slug)",
      "CREATE INDEX idx_posts_author_published ON posts (author, published)",
    ],
  }))
}, (app) => {
  app.delete(app.findCollectionByNameOrId("posts"))
})
