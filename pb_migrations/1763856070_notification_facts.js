/// <reference path="../pb_data/types.d.ts" />
// Columns for mails about a purchase: the buyer's language, the amount in the buyer's currency, and the reason why an
// invoice could not be finalized. Existing rows get them by `gateway reconcile`.
const names = () => require(`${__hooks}/lib/migration_names.js`)

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

migrate((app) => {
  for (const name in FIELDS) {
    const collection = names().find(app, name)
    for (const field of FIELDS[name]) collection.fields.add(field)
    app.save(collection)
  }
  const outbox = names().find(app, "notifications")
  outbox.addIndex(`idx_${outbox.name}_record`, false, "record", "record != ''")
  app.save(outbox)
}, (app) => {
  const outbox = names().find(app, "notifications")
  outbox.removeIndex(`idx_${outbox.name}_record`)
  app.save(outbox)
  for (const name in FIELDS) {
    const collection = names().find(app, name)
    for (const field of FIELDS[name]) collection.fields.removeByName(field.name)
    app.save(collection)
  }
})
