// Transfers a customer when a superuser edits its owner in the dashboard.
// Why here: it is a request to PocketBase. PocketBase's own update would leave the other rows behind, and Stripe's
// metadata would bring the former owner back.
const { NAMES } = require(`${__hooks}/lib/names.js`)
const { transferByHand } = require(`${__hooks}/lib/mirror/ownership.js`)
const { readPayer } = require(`${__hooks}/lib/mirror/payer.js`)

function transfer(e) {
  const before = readPayer(e.record.original())
  if (before === readPayer(e.record)) return e.next()
  requireOneOwner(e.record)
  // Reset: the new owner may have a primary customer already.
  e.record.set("primary", false)
  const app = e.app
  app.runInTransaction((tx) => {
    e.app = tx
    try {
      e.next()
      transferByHand(tx, tx.findRecordById(NAMES.customers, e.record.id), before)
    } finally {
      e.app = app
    }
  })
}

function requireOneOwner(record) {
  const [user, organization] = [record.getString("user"), record.getString("organization")]
  if (!!user !== !!organization) return
  const [code, message] = user
    ? ["validation_one_owner", "A customer belongs to a user or to an organization: empty the other."]
    : ["validation_owner_required", "A customer can be moved, but not left without an owner."]
  throw new BadRequestError("Failed to update record.", { user: new ValidationError(code, message) })
}

module.exports = { transfer }
