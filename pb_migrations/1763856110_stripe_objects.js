/// <reference path="../pb_data/types.d.ts" />
// The complete Stripe object on every mirrored row (`stripe_object`: hidden, so superusers only, and no user can filter
// or sort by it), and `stripe_objects` for objects that have no collection of their own.
//
// Existing rows get the object from the stored event that they show, unless its payload is pruned. `gateway reconcile`
// fills the others.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const COLLECTIONS = [
  "products", "prices", "coupons", "promotion_codes", "tax_rates", "customers", "tax_ids", "payment_methods",
  "entitlement_summaries", "payments", "charges", "invoices", "invoice_payments", "subscriptions",
  "subscription_schedules", "setup_intents", "checkout_sessions", "refunds", "disputes", "credit_notes",
]

const object = () => new JSONField({ name: "stripe_object", hidden: true, maxSize: 20000000 })

function addStripeObjects(app) {
  const name = names().namesOf(app)("stripe_objects")
  app.save(new Collection({
    name, type: "base",
    fields: [
      { name: "stripe_id", type: "text", required: true, max: 255 },
      { name: "object", type: "text", max: 255 }, // Stripe's `object`: payout, quote, review …
      { name: "customer", type: "relation", maxSelect: 1, collectionId: names().find(app, "customers").id },
      { name: "livemode", type: "bool" },
      { name: "deleted", type: "bool" },
      { name: "created", type: "date" },
      { name: "stamp", type: "text", hidden: true },
    ],
    indexes: [
      `CREATE UNIQUE INDEX idx_${name}_stripe_id ON ${name} (stripe_id)`,
      `CREATE INDEX idx_${name}_object ON ${name} (object, created)`,
      `CREATE INDEX idx_${name}_customer ON ${name} (customer)`,
    ],
  }))
}

// A row's `stamp` has the id of the event that it shows. Credentials are removed as in gateway/mirror/redaction.py;
// objects that may have nested ones are left to reconciliation.
function fill(app, key) {
  const nameOf = names().namesOf(app)
  const [name, events] = [nameOf(key), nameOf("stripe_events")]
  const run = (sql) => app.db().newQuery(sql).execute()
  run(`
    UPDATE ${name} SET stripe_object = (
      SELECT json_extract(payload, '$.data.object') FROM ${events}
      WHERE ${events}.stripe_id = json_extract(${name}.stamp, '$[4]') AND json_valid(payload))
    WHERE json_valid(stamp)
  `)
  run(`
    UPDATE ${name} SET stripe_object = json_replace(stripe_object, '$.client_secret', NULL)
    WHERE stripe_object LIKE '%"client_secret"%'
  `)
  run(`
    UPDATE ${name} SET stripe_object = NULL
    WHERE stripe_object LIKE '%\\_secret\\_%' ESCAPE '\\' OR stripe_object LIKE '%"secret"%'
  `)
}

migrate((app) => {
  addStripeObjects(app)
  for (const name of [...COLLECTIONS, "stripe_objects"]) {
    const collection = names().find(app, name)
    collection.fields.add(object())
    app.save(collection)
  }
  for (const name of COLLECTIONS) fill(app, name)
}, (app) => {
  for (const name of COLLECTIONS) {
    const collection = names().find(app, name)
    collection.fields.removeByName("stripe_object")
    app.save(collection)
  }
  app.delete(names().find(app, "stripe_objects"))
})
