// Deletion of payers: their customers are deleted or released at Stripe (lib/customers/stripe_changes.js). `payer_changes`
// keeps the payer, the customer and the outcome for ever, because they decide who may own the customer later; the items
// of the queue are deleted after a week. A payer without a customer leaves a row too, for one that is just being created.
// Why here: rows and items are stored in the transaction that deletes the user or organization.
const { NOW } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { hashEmail } = require(`${__hooks}/lib/customers/addresses.js`)
const { enqueueDeletion, isBeingDeleted } = require(`${__hooks}/lib/customers/stripe_changes.js`)
const { ORGANIZATION } = require(`${__hooks}/lib/mirror/payer.js`)
const { findOne } = require(`${__hooks}/lib/mirror/records.js`)
const { keepTrialOf } = require(`${__hooks}/lib/checkout/used_trials.js`)
const { addErasures, anyErasures, findErased } = require(`${__hooks}/lib/privacy/erasures.js`)

const ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

// Called before a user is deleted, together with the memberships and the relations in `customers` and `subscriptions`.
function enqueueCustomerDeletion(tx, user) {
  keepTrialOf(tx, user)
  // Only a verified address gives the customer to a later account.
  const address = user.verified() && user.email() ? hashEmail(user.email()) : ""
  deleteAll(tx, user.id, findCustomers(tx, "user", user.id), address)
}

// Called before an organization is deleted, and for one without members (lib/teams/vacancies.js), which can't end its
// subscriptions itself.
function enqueueOrganizationDeletion(tx, id) {
  deleteAll(tx, ORGANIZATION + id, findCustomers(tx, "organization", id))
}

function findCustomers(tx, column, id) {
  const found = arrayOf(new DynamicModel({ stripe_id: "" }))
  tx.db().newQuery(`SELECT stripe_id FROM ${TABLES.customers} WHERE ${column} = {:id} AND deleted = false`)
    .bind({ id }).all(found)
  return found.map((row) => row.stripe_id)
}

// `address`: the hash of the user's verified e-mail address, "" without one.
function deleteAll(tx, payer, customers, address = "") {
  for (const customer of customers) if (!isBeingDeleted(tx, customer)) add(tx, payer, customer, address)
  if (customers.length > 0) return
  tx.db().newQuery(`
    INSERT INTO ${TABLES.payer_changes} (kind, payer, outcome, address, created, finished)
    VALUES ('deleted', {:payer}, 'none', {:address}, ${NOW}, ${NOW})
  `).bind({ payer, address }).execute()
}

function add(tx, payer, customer, address) {
  const id = $security.randomStringWithAlphabet(15, ID_CHARACTERS)
  tx.db().newQuery(`
    INSERT INTO ${TABLES.payer_changes} (id, kind, payer, customer, address, created)
    VALUES ({:id}, 'deleted', {:payer}, {:customer}, {:address}, ${NOW})
  `).bind({ id, payer, customer, address }).execute()
  enqueueDeletion(tx, payer, customer, id)
}

// A customer of a payer that was deleted here, without another owner and without a deletion of its own.
const LATE = `
  SELECT address FROM ${TABLES.payer_changes} WHERE payer = {:payer} AND kind = 'deleted'
  AND NOT EXISTS (SELECT 1 FROM ${TABLES.payer_changes} WHERE customer = {:customer} AND kind = 'deleted')
  AND NOT EXISTS (
    SELECT 1 FROM ${TABLES.customers} WHERE stripe_id = {:customer} AND (user != '' OR organization != ''))
  LIMIT 1`

// Enqueues the deletion of a customer that names a payer who does not exist: Stripe may have created it while the payer
// was deleted.
function enqueueLateDeletion(tx, payer, customer) {
  const found = arrayOf(new DynamicModel({ address: "" }))
  tx.db().newQuery(LATE).bind({ payer, customer }).all(found)
  for (const { address } of found) add(tx, payer, customer, address)
  if (found.length && anyErasures(tx) && findErased(tx, [payer]).size > 0) addErasures(tx, payer, [customer], [])
}

// Enqueues the deletion of an erased customer, unless it is pending or done.
function enqueueErasure(tx, payer, customer) {
  const found = new DynamicModel({ done: false })
  tx.db().newQuery(`SELECT EXISTS (
    SELECT 1 FROM ${TABLES.payer_changes} WHERE customer = {:customer} AND kind = 'deleted'
      AND outcome IN ('deleted', 'gone')) AS done
  `).bind({ customer }).one(found)
  if (!found.done && !isBeingDeleted(tx, customer)) add(tx, payer, customer, "")
}

// Whether a user's verified address may give them a customer: not one of a deleted account with the same address that
// was never verified.
function mayClaimByEmail(tx, customer, user) {
  const found = arrayOf(new DynamicModel({ address: "" }))
  tx.db().newQuery(`SELECT address FROM ${TABLES.payer_changes} WHERE customer = {:customer} AND kind = 'deleted'`)
    .bind({ customer }).all(found)
  if (found.length === 0) return true
  const record = findOne(tx, "users", user)
  const own = record && record.email() ? hashEmail(record.email()) : ""
  return !!own && found.every(({ address }) => address === own)
}

module.exports = {
  enqueueCustomerDeletion, enqueueErasure, enqueueLateDeletion, enqueueOrganizationDeletion, mayClaimByEmail,
}
