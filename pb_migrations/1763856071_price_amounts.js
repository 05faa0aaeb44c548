/// <reference path="../pb_data/types.d.ts" />
// Prices without a fixed amount: `unit_amount` is 0 for tiers and for an amount that the buyer chooses. Existing rows get
// the columns by `gateway reconcile --only prices`.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const FIELDS = [
  new TextField({ name: "amount_type", max: 20 }), // fixed, package, tiered or custom
  new TextField({ name: "unit_amount_decimal", max: 100 }),
  new JSONField({ name: "custom_unit_amount", maxSize: 2000 }),
  new JSONField({ name: "transform_quantity", maxSize: 2000 }),
  new TextField({ name: "tiers_mode", max: 100 }),
  new JSONField({ name: "tiers", maxSize: 2000000 }),
  new JSONField({ name: "currency_options", maxSize: 2000000 }),
]

migrate((app) => {
  const prices = names().find(app, "prices")
  for (const field of FIELDS) prices.fields.add(field)
  app.save(prices)
}, (app) => {
  const prices = names().find(app, "prices")
  for (const field of FIELDS) prices.fields.removeByName(field.name)
  app.save(prices)
})
