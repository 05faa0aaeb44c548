/// <reference path="../../../pb_data/types.d.ts" />
// Collections of the team's app in shop.py.
migrate((app) => {
  const open = { listRule: "", viewRule: "", createRule: "", updateRule: "", deleteRule: "" }
  app.save(new Collection({
    name: "articles", type: "base", ...open,
    listRule: "author = @request.auth.id",
    fields: [{ name: "title", type: "text" }, { name: "author", type: "text" }],
  }))
  app.save(new Collection({
    name: "labels", type: "base", ...open,
    fields: [{ name: "name", type: "text" }],
  }))
  app.save(new Collection({
    name: "payouts", type: "base",
    fields: [
      { name: "stripe_id", type: "text", required: true },
      { name: "version", type: "text", hidden: true },
      { name: "stripe_object", type: "json", hidden: true, maxSize: 2000000 },
      { name: "created", type: "date" },
      { name: "status", type: "text" },
      { name: "amount", type: "number" },
    ],
    indexes: ["CREATE UNIQUE INDEX idx_payouts_stripe_id ON payouts (stripe_id)"],
  }))
  app.save(new Collection({
    name: "ledger", type: "base",
    fields: [{ name: "stripe_id", type: "text" }, { name: "created", type: "date" }],
  }))
  const products = app.findCollectionByNameOrId("products")
  products.fields.add(new TextField({ name: "tax_code" }))
  app.save(products)
}, (app) => {
  const products = app.findCollectionByNameOrId("products")
  products.fields.removeByName("tax_code")
  app.save(products)
  for (const name of ["articles", "labels", "payouts", "ledger"]) app.delete(app.findCollectionByNameOrId(name))
})
