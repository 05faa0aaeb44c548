/// <reference path="../pb_data/types.d.ts" />
// Columns for pb_hooks/lib/entitlements/periods.js, refunds.js and sales.js:
//
//   invoices.one_time                some line is a one-time sale; the index has only such invoices
//   invoices.has_more, subscriptions.has_more
//                                    Stripe has more lines or items than the row, because they could not be read
//   credit_notes.out_of_band_amount  money returned outside of Stripe
//
// Lines of existing rows lack `period`, `subscription_item` and `proration` until the invoice changes or
// `gateway reconcile --only invoices` has run.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const ONE_TIME = ["user", "organization"]

migrate((app) => {
  const invoices = names().find(app, "invoices")
  invoices.fields.add(new BoolField({ name: "one_time" }))
  invoices.fields.add(new BoolField({ name: "has_more" }))
  for (const column of ONE_TIME) invoices.addIndex(`idx_${invoices.name}_one_time_${column}`, false, column, "one_time")
  app.save(invoices)

  const subscriptions = names().find(app, "subscriptions")
  subscriptions.fields.add(new BoolField({ name: "has_more" }))
  app.save(subscriptions)

  const notes = names().find(app, "credit_notes")
  notes.fields.add(new NumberField({ name: "out_of_band_amount" }))
  app.save(notes)

  app.db().newQuery(`
    UPDATE ${invoices.name} SET one_time = true WHERE EXISTS (
      SELECT 1 FROM json_each(iif(json_valid(lines), lines, '[]')) line
      JOIN ${names().namesOf(app)("prices")} price ON price.stripe_id = line.value ->> 'price' WHERE price.type = 'one_time')
  `).execute()
}, (app) => {
  const invoices = names().find(app, "invoices")
  for (const column of ONE_TIME) invoices.removeIndex(`idx_${invoices.name}_one_time_${column}`)
  invoices.fields.removeByName("one_time")
  invoices.fields.removeByName("has_more")
  app.save(invoices)

  const subscriptions = names().find(app, "subscriptions")
  subscriptions.fields.removeByName("has_more")
  app.save(subscriptions)

  const notes = names().find(app, "credit_notes")
  notes.fields.removeByName("out_of_band_amount")
  app.save(notes)
})
