// Payers that are deleted: which customers Stripe is to forget, as rows of `customer_tasks`, whose `user`
// is the payer (lib/mirror/payer.js). One without a customer leaves a row too, for one that is still being made.
const { NOW } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { hashEmail } = require(`${__hooks}/lib/customers/addresses.js`)
const { ORGANIZATION } = require(`${__hooks}/lib/mirror/payer.js`)
const { findOne } = require(`${__hooks}/lib/mirror/records.js`)
const { keepTrialOf } = require(`${__hooks}/lib/checkout/used_trials.js`)

// The user is about to be deleted, together with their memberships and their relations in `customers` and
// `subscriptions`.
function enqueueCustomerDeletion(tx, user) {
  tx.db().newQuery(`DELETE FROM ${TABLES.customer_tasks} WHERE kind IN ('update', 'move') AND outcome IN ('', 'failed') AND user = {:user}`)
    .bind({ user: user.id }).execute()
  keepTrialOf(tx, user)
  // Only a verified address gives the customer to a later account.
  const address = user.verified() && user.email() ? hashEmail(user.email()) : ""
  forget(tx, user.id, findCustomers(tx, "user", user.id), address)
}

// The organization is about to be deleted, or has no members (lib/teams/vacancies.js), so that no one could end its
// subscriptions.
function forgetOrganization(tx, id) {
  forget(tx, ORGANIZATION + id, findCustomers(tx, "organization", id))
}

function findCustomers(tx, column, id) {
  const found = arrayOf(new DynamicModel({ stripe_id: "" }))
  tx.db().newQuery(`SELECT stripe_id FROM ${TABLES.customers} WHERE ${column} = {:id} AND deleted = false`)
    .bind({ id }).all(found)
  return found.map((row) => row.stripe_id)
}

// `address`: the hash of the user's verified e-mail address, "" without one.
function forget(tx, payer, customers, address = "") {
  for (const customer of customers) add(tx, payer, customer, "{:address}", `NOT ${IS_LEAVING}`, address)
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

const IS_LEAVING = `EXISTS (
  SELECT 1 FROM ${TABLES.customer_tasks} WHERE customer = {:customer} AND kind = 'forget' AND outcome = '')`

// Whether Stripe is still to forget a customer: until then it is nobody's, or who gets it would lose what
// they buy.
function isLeaving(tx, customer) {
  const found = new DynamicModel({ leaves: false })
  tx.db().newQuery(`SELECT ${IS_LEAVING} AS leaves`).bind({ customer }).one(found)
  return found.leaves
}

// Of nobody else, of a payer that was deleted here, and not forgotten yet.
const IS_LATE = `
  EXISTS (SELECT 1 FROM ${TABLES.customer_tasks} WHERE user = {:payer} AND kind = 'forget')
  AND NOT EXISTS (SELECT 1 FROM ${TABLES.customer_tasks} WHERE customer = {:customer} AND kind = 'forget')
  AND NOT EXISTS (
    SELECT 1 FROM ${TABLES.customers} WHERE stripe_id = {:customer} AND (user != '' OR organization != ''))`

// A customer names a payer that does not exist: Stripe may have made it while they were deleted.
function forgetLate(tx, payer, customer) {
  const address = `coalesce((SELECT address FROM ${TABLES.customer_tasks} WHERE user = {:payer} AND kind = 'forget' LIMIT 1), '')`
  add(tx, payer, customer, address, IS_LATE)
}

// Whether a user's verified address may give them a customer: not what somebody else had bought with it who had
// never verified it, and has deleted their account.
function mayFollow(tx, customer, user) {
  const found = arrayOf(new DynamicModel({ address: "" }))
  tx.db().newQuery(`SELECT address FROM ${TABLES.customer_tasks} WHERE customer = {:customer} AND kind = 'forget'`)
    .bind({ customer }).all(found)
  if (found.length === 0) return true
  const record = findOne(tx, "users", user)
  const own = record && record.email() ? hashEmail(record.email()) : ""
  return !!own && found.every(({ address }) => address === own)
}

module.exports = { forgetLate, forgetOrganization, isLeaving, mayFollow, enqueueCustomerDeletion }
