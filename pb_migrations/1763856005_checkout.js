/// <reference path="../pb_data/types.d.ts" />
// What /checkout has to remember, and what Stripe is still to be told about customers. Superusers
// only.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const text = (name) => ({ name, type: "text", max: 5000 })
const number = (name) => ({ name, type: "number" })
const date = (name) => ({ name, type: "date" })

const COLLECTIONS = {
  // One row a buyer: the number of the subscription purchase that is under way. See
  // docs/decisions/013.
  checkout_attempts: {
    fields: [text("buyer"), number("number"), date("since")],
    indexes: (name) => [`CREATE UNIQUE INDEX idx_${name}_buyer ON ${name} (buyer)`],
  },
  // The Idempotency-Keys of the last day, hashed, with what was asked for under them.
  checkout_keys: {
    fields: [text("fingerprint"), date("since")],
    indexes: (name) => [`CREATE INDEX idx_${name}_since ON ${name} (since)`],
  },
  // Who has had a trial, for when no subscription's row says so any more: a user's id, or the hash of
  // a deleted user's e-mail address.
  trials: {
    fields: [text("holder"), date("since")],
    indexes: (name) => [`CREATE UNIQUE INDEX idx_${name}_holder ON ${name} (holder)`],
  },
  // What Stripe is still to be told about a customer, and what became of it. See docs/decisions/014.
  customer_tasks: {
    fields: [
      text("kind"), // update (a new e-mail address or name) or forget (the user is deleted)
      text("user"),
      text("customer"), // the Stripe customer's id
      number("version"), // raised by every change of the user
      text("outcome"), // empty until it is done: updated, kept, canceled, deleted, or gone
      text("error"), // of the last try
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
