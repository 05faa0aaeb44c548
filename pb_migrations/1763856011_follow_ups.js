/// <reference path="../pb_data/types.d.ts" />
// Work that is too long for one transaction and is done in parts, with its progress. See
// pb_hooks/lib/work/parts.js. Superusers only. Prices get an index by product for it.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const name = names().namesOf(app)("follow_ups")
  app.save(new Collection({
    name, type: "base",
    fields: [
      { name: "kind", type: "text" }, // offer or owner
      { name: "subject", type: "text" }, // a product's or price's Stripe id; a customer's record id
      { name: "place", type: "text" }, // the row after which it continues
      { name: "error", type: "text" }, // error of the last part
      { name: "created", type: "date" },
      { name: "updated", type: "date" },
    ],
    indexes: [
      `CREATE UNIQUE INDEX idx_${name}_subject ON ${name} (kind, subject)`,
      `CREATE INDEX idx_${name}_updated ON ${name} (updated)`,
    ],
  }))
  const prices = names().find(app, "prices")
  prices.addIndex(`idx_${prices.name}_product`, false, "product", "")
  app.save(prices)
}, (app) => {
  const prices = names().find(app, "prices")
  prices.removeIndex(`idx_${prices.name}_product`)
  app.save(prices)
  app.delete(names().find(app, "follow_ups"))
})
