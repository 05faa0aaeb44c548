// Deletion of payers: which customers to delete or release at Stripe, as rows of `customer_tasks`. The column `user`
// holds the payer (lib/mirror/payer.js). A payer without a customer leaves a row too, for one that is just being
// created.
// Why here: the tasks are stored in the transaction that deletes the user or organization.
const { NOW } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { hashEmail } = require(`${__hooks}/lib/customers/addresses.js`)
const { ORGANIZATION } = require(`${__hooks}/lib/mirror/payer.js`)
const { findOne } = require(`${__hooks}/lib/mirror/records.js`)
const { keepTrialOf } = require(`${__hooks}/lib/checkout/used_trials.js`)

// Called before a user is deleted, together with the memberships and the relations in `customers` and `subscriptions`.
function enqueueCustomerDeletion(tx, user) {
  tx.db().newQuery(`DELETE FROM ${TABLES.customer_tasks} WHERE kind IN ('update', 'move') AND outcome IN ('', 'failed') AND user = {:user}`)
    .bind({ user: user.id }).execute()
  keepTrialOf(tx, user)
  // Only a verified address gives the customer to a later account.
  const address = user.verified() && user.email() ? hashEmail(user.email()) : ""
  enqueueDeletion(tx, user.id, findCustomers(tx, "user", user.id), address)
}

// Called before an organization is deleted, and for one without members (lib/teams/vacancies.js), which can't end its
// subscriptions itself.
function enqueueOrganizationDeletion(tx, id) {
  enqueueDeletion(tx, ORGANIZATION + id, findCustomers(tx, "organization", id))
}

function findCustomers(tx, column, id) {
  const found = arrayOf(new DynamicModel({ stripe_id: "" }))
  tx.db().newQuery(`SELECT stripe_id FROM ${TABLES.customers} WHERE ${column} = {:id} AND deleted = false`)
    .bind({ id }).all(found)
  return found.map((row) => row.stripe_id)
}

// `address`: the hash of the user's verified e-mail address, "" without one.
function enqueueDeletion(tx, payer, customers, address = "") {
  for (const customer of customers) add(tx, payer, customer, "{:address}", `NOT ${IS_BEING_DELETED}`, address)
  if (customers.length > 0) return
  tx.db().newQuery(`
    INSERT INTO ${TABLES.customer_tasks} (kind, user, version, outcome, address, created, finished)
    VALUES ('forget', {:payer}, 1, 'none', {:address}, ${NOW}, ${NOW})
  `).bind({ payer, address }).execute()
}

function add(tx, payer, customer, addressSql, condition, address = "") {
  tx.db().newQuery(`
    INSERT INTO ${TABLES.customer_tasks} (kind, user, customer, version, address, due, created)
    SELECT 'forget', {:payer}, {:customer}, 1, ${addressSql}, ${NOW}, ${NOW} WHERE ${condition}
  `).bind({ payer, customer, address }).execute()
}

const IS_BEING_DELETED = `EXISTS (
  SELECT 1 FROM ${TABLES.customer_tasks} WHERE customer = {:customer} AND kind = 'forget' AND outcome = '')`

// Whether a customer's deletion at Stripe is pending: until then it has no owner, because a new owner would lose
// everything bought with it.
function isBeingDeleted(tx, customer) {
  const found = new DynamicModel({ found: false })
  tx.db().newQuery(`SELECT ${IS_BEING_DELETED} AS found`).bind({ customer }).one(found)
  return found.found
}

// A customer of a payer that was deleted here, without another owner and without a deletion of its own.
const IS_LATE = `
  EXISTS (SELECT 1 FROM ${TABLES.customer_tasks} WHERE user = {:payer} AND kind = 'forget')
  AND NOT EXISTS (SELECT 1 FROM ${TABLES.customer_tasks} WHERE customer = {:customer} AND kind = 'forget')
  AND NOT EXISTS (
    SELECT 1 FROM ${TABLES.customers} WHERE stripe_id = {:customer} AND (user != '' OR organization != ''))`

// Enqueues the deletion of a customer that names a payer who does not exist: Stripe may have created it while the payer
// was deleted.
function enqueueLateDeletion(tx, payer, customer) {
  const address = `coalesce((SELECT address FROM ${TABLES.customer_tasks} WHERE user = {:payer} AND kind = 'forget' LIMIT 1), '')`
  add(tx, payer, customer, address, IS_LATE)
}

// Whether a user's verified address may give them a customer: not one of a deleted account with the same address that
// was never verified.
function mayClaimByEmail(tx, customer, user) {
  const found = arrayOf(new DynamicModel({ address: "" }))
  tx.db().newQuery(`SELECT address FROM ${TABLES.customer_tasks} WHERE customer = {:customer} AND kind = 'forget'`)
    .bind({ customer }).all(found)
  if (found.length === 0) return true
  const record = findOne(tx, "users", user)
  const own = record && record.email() ? hashEmail(record.email()) : ""
  return !!own && found.every(({ address }) => address === own)
}

module.exports = {
  enqueueCustomerDeletion, enqueueLateDeletion, enqueueOrganizationDeletion, isBeingDeleted, mayClaimByEmail,
}
