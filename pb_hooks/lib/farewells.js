// Payers that are deleted: which customers Stripe is to forget, as rows of `customer_tasks`, whose `user`
// is the payer (lib/payer.js). One without a customer leaves a row too, for one that is still being made.
const { hashEmail, hasHadTrial, keepTrial } = require(`${__hooks}/lib/standing.js`)
const { ORGANIZATION } = require(`${__hooks}/lib/payer.js`)

const NOW = "strftime('%Y-%m-%d %H:%M:%fZ')"

// The user is about to be deleted, together with their memberships and what names them in `customers` and `subscriptions`.
function noteUserDeletion(tx, user) {
  tx.db().newQuery("DELETE FROM customer_tasks WHERE kind = 'update' AND user = {:user}")
    .bind({ user: user.id }).execute()
  // A shop's users need not have an address: what they don't have, others don't have too.
  if (user.email() && hasHadTrial(tx, user)) keepTrial(tx, hashEmail(user.email()))
  forget(tx, user.id, findCustomers(tx, "user", user.id))
}

// The organization is about to be deleted, or has no member any more (lib/vacancies.js): nobody could end its
// subscriptions.
function forgetOrganization(tx, id) {
  forget(tx, ORGANIZATION + id, findCustomers(tx, "organization", id))
}

function findCustomers(tx, column, id) {
  const found = arrayOf(new DynamicModel({ stripe_id: "" }))
  tx.db().newQuery(`SELECT stripe_id FROM customers WHERE ${column} = {:id} AND deleted = false`)
    .bind({ id }).all(found)
  return found.map((row) => row.stripe_id)
}

function forget(tx, payer, customers) {
  for (const customer of customers) add(tx, payer, customer, `NOT ${IS_LEAVING}`)
  if (customers.length > 0) return
  tx.db().newQuery(`
    INSERT INTO customer_tasks (kind, user, version, outcome, created, finished)
    VALUES ('forget', {:payer}, 1, 'none', ${NOW}, ${NOW})
  `).bind({ payer }).execute()
}

function add(tx, payer, customer, condition) {
  tx.db().newQuery(`
    INSERT INTO customer_tasks (kind, user, customer, version, due, created)
    SELECT 'forget', {:payer}, {:customer}, 1, ${NOW}, ${NOW} WHERE ${condition}
  `).bind({ payer, customer }).execute()
}

const IS_LEAVING = `EXISTS (
  SELECT 1 FROM customer_tasks WHERE customer = {:customer} AND kind = 'forget' AND outcome = '')`

// Whether Stripe is still to forget a customer: until then it is nobody's, or who gets it would lose what
// they buy.
function isLeaving(tx, customer) {
  const found = new DynamicModel({ leaves: false })
  tx.db().newQuery(`SELECT ${IS_LEAVING} AS leaves`).bind({ customer }).one(found)
  return found.leaves
}

// Of nobody else, of a payer that was deleted here, and not forgotten yet.
const IS_LATE = `
  EXISTS (SELECT 1 FROM customer_tasks WHERE user = {:payer} AND kind = 'forget')
  AND NOT EXISTS (SELECT 1 FROM customer_tasks WHERE customer = {:customer} AND kind = 'forget')
  AND NOT EXISTS (
    SELECT 1 FROM customers WHERE stripe_id = {:customer} AND (user != '' OR organization != ''))`

// A customer names a payer that does not exist: Stripe may have made it while they were deleted.
function forgetLate(tx, payer, customer) {
  add(tx, payer, customer, IS_LATE)
}

module.exports = { forgetLate, forgetOrganization, isLeaving, noteUserDeletion }
