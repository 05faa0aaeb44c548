/// <reference path="../pb_data/types.d.ts" />
// The meter of a metered price, by which POST /usage finds the customer to bill. Existing rows get it by
// `gateway reconcile --only prices`.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const prices = names().find(app, "prices")
  prices.fields.add(new TextField({ name: "meter", max: 5000 }))
  app.save(prices)
}, (app) => {
  const prices = names().find(app, "prices")
  prices.fields.removeByName("meter")
  app.save(prices)
})
