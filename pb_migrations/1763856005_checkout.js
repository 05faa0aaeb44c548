/// <reference path="../pb_data/types.d.ts" />
// State of /checkout, and changes of customers that Stripe still lacks. Superusers only.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const text = (name) => ({ name, type: "text", max: 5000 })
const number = (name) => ({ name, type: "number" })
const date = (name) => ({ name, type: "date" })

const COLLECTIONS = {
  // One row per buyer: the number of the pending checkout. See docs/decisions/013-one-pending-checkout.md.
  checkout_attempts: {
    fields: [text("buyer"), number("number"), date("since")],
    indexes: (name) => [`CREATE UNIQUE INDEX idx_${name}_buyer ON ${name} (buyer)`],
  },
  // The Idempotency-Keys of the last day, hashed, each with a hash of its request.
  checkout_keys: {
    fields: [text("fingerprint"), date("since")],
    indexes: (name) => [`CREATE INDEX idx_${name}_since ON ${name} (since)`],
  },
  // Users who have had a trial that no subscription's row shows any more: a user's id, or the hash of a deleted user's
  // e-mail address.
  trials: {
    fields: [text("holder"), date("since")],
    indexes: (name) => [`CREATE UNIQUE INDEX idx_${name}_holder ON ${name} (holder)`],
  },
  // Changes of customers to make at Stripe, and their outcomes. See docs/decisions/014-customer-tasks.md.
  customer_tasks: {
    fields: [
      text("kind"), // update (a new e-mail address or name) or forget (the user is deleted)
      text("user"),
      text("customer"), // the Stripe customer's id
      number("version"), // increases with every change of the user
      text("outcome"), // empty until done: updated, kept, canceled, deleted or gone
      text("error"), // error of the last try
      number("attempts"),
      date("due"),
      date("created"),
      date("finished"),
    ],
    indexes: (name) => [
      `CREATE INDEX idx_${name}_due ON ${name} (due) WHERE outcome = ''`,
      `CREATE INDEX idx_${name}_customer ON ${name} (customer)`,
    ],
  },
}

migrate((app) => {
  const nameOf = names().namesOf(app)
  for (const [key, { fields, indexes }] of Object.entries(COLLECTIONS)) {
    const name = nameOf(key)
    app.save(new Collection({ name, type: "base", fields, indexes: indexes(name) }))
  }
}, (app) => {
  for (const key in COLLECTIONS) app.delete(names().find(app, key))
})
