/// <reference path="../pb_data/types.d.ts" />
// Articles that a transform completes, with columns of every type that matters for exports, and uploads.
migrate((app) => {
  const rule = "author = @request.auth.id"
  app.save(new Collection({
    name: "articles", type: "base", listRule: rule, viewRule: rule, createRule: rule, updateRule: rule,
    fields: [
      { name: "title", type: "text", required: true },
      { name: "slug", type: "text" },
      { name: "author", type: "text" },
      { name: "score", type: "number" },
      { name: "public", type: "bool" },
      { name: "due", type: "date" },
      { name: "tags", type: "select", maxSelect: 3, values: ["a", "b", "c"] },
      { name: "meta", type: "json" },
      { name: "internal", type: "text", hidden: true },
      { name: "created", type: "autodate", onCreate: true },
      { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
    ],
    indexes: ["CREATE UNIQUE INDEX idx_articles_slug ON articles (slug) WHERE slug != ''"],
  }))
  const owner = "user = @request.auth.id"
  app.save(new Collection({
    name: "uploads", type: "base", listRule: owner, viewRule: owner, createRule: owner,
    fields: [
      { name: "user", type: "text" },
      { name: "file", type: "file", maxSelect: 1, maxSize: 10000000, protected: true },
    ],
  }))
}, (app) => {
  app.delete(app.findCollectionByNameOrId("uploads"))
  app.delete(app.findCollectionByNameOrId("articles"))
})
