/// <reference path="../pb_data/types.d.ts" />
// What mails state of a purchase: the buyer's language, the amount in the buyer's own currency, and why an
// invoice could not be finalized. Rows that were mirrored before show them after `gateway reconcile`.

const FIELDS = {
  customers: [new JSONField({ name: "preferred_locales", maxSize: 2000 })],
  checkout_sessions: [
    new TextField({ name: "locale", max: 100 }),
    new JSONField({ name: "presentment_details", maxSize: 2000 }),
  ],
  payments: [new JSONField({ name: "presentment_details", maxSize: 2000 })],
  charges: [new JSONField({ name: "presentment_details", maxSize: 2000 })],
  refunds: [new JSONField({ name: "presentment_details", maxSize: 2000 })],
  invoices: [new JSONField({ name: "last_finalization_error", maxSize: 20000, hidden: true })],
}
const INDEX = "idx_stripe_notifications_record"

migrate((app) => {
  for (const name in FIELDS) {
    const collection = app.findCollectionByNameOrId(name)
    for (const field of FIELDS[name]) collection.fields.add(field)
    app.save(collection)
  }
  const outbox = app.findCollectionByNameOrId("stripe_notifications")
  outbox.addIndex(INDEX, false, "record", "record != ''")
  app.save(outbox)
}, (app) => {
  const outbox = app.findCollectionByNameOrId("stripe_notifications")
  outbox.removeIndex(INDEX)
  app.save(outbox)
  for (const name in FIELDS) {
    const collection = app.findCollectionByNameOrId(name)
    for (const field of FIELDS[name]) collection.fields.removeByName(field.name)
    app.save(collection)
  }
})
