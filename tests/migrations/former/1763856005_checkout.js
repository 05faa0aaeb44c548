/// <reference path="../pb_data/types.d.ts" />
// What /checkout has to remember, and what Stripe is still to be told about customers. Superusers
// only.

const text = (name) => ({ name, type: "text", max: 5000 })
const number = (name) => ({ name, type: "number" })
const date = (name) => ({ name, type: "date" })

const COLLECTIONS = {
  // One row a buyer: the number of the subscription purchase that is under way. See
  // docs/decisions/013.
  checkout_attempts: {
    fields: [text("buyer"), number("number"), date("since")],
    indexes: ["CREATE UNIQUE INDEX idx_checkout_attempts_buyer ON checkout_attempts (buyer)"],
  },
  // The Idempotency-Keys of the last day, hashed, with what was asked for under them.
  checkout_keys: {
    fields: [text("fingerprint"), date("since")],
    indexes: ["CREATE INDEX idx_checkout_keys_since ON checkout_keys (since)"],
  },
  // Who has had a trial, for when no subscription's row says so any more: a user's id, or the hash of
  // a deleted user's e-mail address.
  trials: {
    fields: [text("holder"), date("since")],
    indexes: ["CREATE UNIQUE INDEX idx_trials_holder ON trials (holder)"],
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
    indexes: [
      "CREATE INDEX idx_customer_tasks_due ON customer_tasks (due) WHERE outcome = ''",
      "CREATE INDEX idx_customer_tasks_customer ON customer_tasks (customer)",
    ],
  },
}

migrate((app) => {
  for (const [name, { fields, indexes }] of Object.entries(COLLECTIONS)) {
    app.save(new Collection({ name, type: "base", fields, indexes }))
  }
}, (app) => {
  for (const name in COLLECTIONS) app.delete(app.findCollectionByNameOrId(name))
})
