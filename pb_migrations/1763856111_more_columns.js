/// <reference path="../pb_data/types.d.ts" />
// More columns of Stripe's objects. Hidden are those that are not for the buyer: fraud scores (`charges.outcome`), fees
// (`charges.balance_transaction`), and the seller's own comment on a cancellation. Existing rows get them by
// `gateway reconcile`.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const text = (name) => new TextField({ name, max: 5000 })
const number = (name) => new NumberField({ name })
const date = (name) => new DateField({ name })
const json = (name, hidden = false) => new JSONField({ name, hidden, maxSize: 2000000 })
const to = (app, collection, name, hidden = false) => new RelationField({
  name, hidden, maxSelect: 1, collectionId: names().find(app, collection).id,
})

const fieldsOf = (app) => ({
  invoices: [number("subtotal"), number("tax"), json("discounts")],
  subscriptions: [
    date("start_date"), date("trial_start"), json("discounts"), to(app, "payment_methods", "default_payment_method"),
    text("cancellation_reason"), json("cancellation_details", true),
  ],
  checkout_sessions: [
    number("amount_subtotal"), json("total_details"), json("line_items"), json("custom_fields"),
  ],
  charges: [json("outcome", true), to(app, "stripe_objects", "balance_transaction", true)],
})

migrate((app) => {
  const added = fieldsOf(app)
  for (const name in added) {
    const collection = names().find(app, name)
    for (const field of added[name]) collection.fields.add(field)
    app.save(collection)
  }
}, (app) => {
  const added = fieldsOf(app)
  for (const name in added) {
    const collection = names().find(app, name)
    for (const field of added[name]) collection.fields.removeByName(field.name)
    app.save(collection)
  }
})
