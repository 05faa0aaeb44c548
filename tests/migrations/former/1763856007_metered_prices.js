/// <reference path="../pb_data/types.d.ts" />
// Which meter a metered price bills, so that POST /usage can tell whose usage may be reported on it.
// Prices that were mirrored before show theirs after `gateway reconcile --only prices`.

migrate((app) => {
  const prices = app.findCollectionByNameOrId("prices")
  prices.fields.add(new TextField({ name: "meter", max: 5000 }))
  app.save(prices)
}, (app) => {
  const prices = app.findCollectionByNameOrId("prices")
  prices.fields.removeByName("meter")
  app.save(prices)
})
