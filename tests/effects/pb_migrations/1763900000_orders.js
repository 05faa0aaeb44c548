/// <reference path="../../../pb_data/types.d.ts" />
// Collections of the app in orders.py.
migrate((app) => {
  const open = { listRule: "", viewRule: "", createRule: "", updateRule: "", deleteRule: "" }
  const users = app.findCollectionByNameOrId("users")
  app.save(new Collection({
    name: "orders", type: "base", ...open,
    fields: [
      { name: "title", type: "text", min: 2 },
      { name: "status", type: "text" },
      { name: "copies", type: "number" },
      { name: "paid", type: "bool" },
      { name: "tags", type: "select", values: ["a", "b"], maxSelect: 2 },
      { name: "details", type: "json" },
      { name: "letter", type: "editor", maxSize: 1000000 },
      { name: "buyer", type: "relation", collectionId: users.id, maxSelect: 1 },
      { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
    ],
  }))
  app.save(new Collection({ name: "counts", type: "base", ...open, fields: [
    { name: "number", type: "number" }, { name: "order", type: "text" },
  ] }))
  app.settings().batch.enabled = true
  app.save(app.settings())
}, (app) => {
  for (const name of ["counts", "orders"]) app.delete(app.findCollectionByNameOrId(name))
})
