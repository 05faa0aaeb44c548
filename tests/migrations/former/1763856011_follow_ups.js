/// <reference path="../pb_data/types.d.ts" />
// Work that is too long for the transaction it follows from, to be done in parts: what is still to do, and
// how far it is. See pb_hooks/lib/work/parts.js. Superusers only. Prices are found by their product for it.

migrate((app) => {
  app.save(new Collection({
    name: "follow_ups", type: "base",
    fields: [
      { name: "kind", type: "text" }, // offer or owner
      { name: "subject", type: "text" }, // a product's or price's Stripe id; a customer's record id
      { name: "place", type: "text" }, // behind which row it goes on
      { name: "error", type: "text" }, // of the last part
      { name: "created", type: "date" },
      { name: "updated", type: "date" },
    ],
    indexes: [
      "CREATE UNIQUE INDEX idx_follow_ups_subject ON follow_ups (kind, subject)",
      "CREATE INDEX idx_follow_ups_updated ON follow_ups (updated)",
    ],
  }))
  const prices = app.findCollectionByNameOrId("prices")
  prices.addIndex("idx_prices_product", false, "product", "")
  app.save(prices)
}, (app) => {
  const prices = app.findCollectionByNameOrId("prices")
  prices.removeIndex("idx_prices_product")
  app.save(prices)
  app.delete(app.findCollectionByNameOrId("follow_ups"))
})
