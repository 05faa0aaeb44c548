// Changes that Stripe's customers still lack, as items of the queue (docs/work.md) that gateways make at Stripe: `update`
// of the address and name, `move` to another owner, `delete` after the owner's deletion. The items of one customer run
// in order, and there is one item per customer and change: enqueued again, it becomes due again.
// Why here: an item is stored in the transaction of its cause, so that it survives an outage of the gateway or Stripe;
// the effects of its end are stored with the end.
const { NOW, fromNow } = require(`${__hooks}/lib/dates.js`)
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { ORGANIZATION, columnsOf, readPayer } = require(`${__hooks}/lib/mirror/payer.js`)
const { findErased } = require(`${__hooks}/lib/privacy/erasures.js`)
const { enqueue } = require(`${__hooks}/lib/work/queue.js`)

const HANDLER = "gateway.customers.sync"

// `deletion`: the id of the row of `payer_changes` that gets the outcome of a `delete`.
function add(tx, change, payer, customer, deletion = "") {
  enqueue(tx, [{
    id: $security.sha256(`${HANDLER} ${change} ${customer}`).slice(0, 15), kind: "task", handler: HANDLER, key: customer,
    source: `${change} ${payer}`, payload: { change, payer, deletion }, tries: 0, coalesce: true,
  }])
}

// Enqueues updates of a user's new address or name.
function enqueueUserUpdate(tx, user) {
  const found = arrayOf(new DynamicModel({ stripe_id: "" }))
  tx.db().newQuery(`
    SELECT stripe_id FROM ${TABLES.customers} WHERE user = {:user} AND deleted = false AND [[primary]] = true
  `).bind({ user: user.id }).all(found)
  for (const { stripe_id } of found) enqueueUpdate(tx, user.id, stripe_id)
}

function enqueueUpdate(tx, payer, customer) {
  add(tx, "update", payer, customer)
}

// Enqueues the update of Stripe's metadata to the new owner.
function enqueueTransfer(tx, customer, payer) {
  cancelUpdates(tx, customer)
  add(tx, "move", payer, customer)
}

function enqueueDeletion(tx, payer, customer, deletion) {
  cancel(tx, customer, "payload ->> 'change' != 'delete'")
  add(tx, "delete", payer, customer, deletion)
}

// Cancels updates with the former owner's address or name.
function cancelUpdates(tx, customer) {
  cancel(tx, customer, "payload ->> 'change' = 'update'")
}

const CANCELLED = "status = 'cancelled', error = 'outdated', completed_at = {:now}"
// By condition, each with an index of its own. A running item ends where it awaits.
const CANCEL = {
  "status = 'waiting' AND status IN ('waiting','running')": CANCELLED,
  "status = 'parked'": CANCELLED,
  "status = 'running' AND status IN ('waiting','running')": "cancel = true",
}

function cancel(tx, customer, condition) {
  for (const status in CANCEL) {
    tx.db().newQuery(`
      UPDATE ${TABLES.work} SET ${CANCEL[status]} WHERE handler = {:handler} AND key = {:customer} AND ${status} AND ${condition}
    `).bind({ handler: HANDLER, customer, now: fromNow(0) }).execute()
  }
}

// Whether a customer's deletion at Stripe is pending: until then it has no owner, because a new owner would lose
// everything bought with it.
function isBeingDeleted(tx, customer) {
  return isPending(tx, customer, "delete")
}

// Whether a move is pending: until it is done, Stripe's metadata names the former owner and has no effect.
function isTransferPending(tx, customer) {
  return isPending(tx, customer, "move")
}

function isPending(tx, customer, change) {
  const found = new DynamicModel({ found: false })
  tx.db().newQuery(`SELECT EXISTS (
    SELECT 1 FROM ${TABLES.work} WHERE handler = {:handler} AND key = {:customer} AND status IN ('waiting','running')
      AND payload ->> 'change' = {:change}) AS found
  `).bind({ handler: HANDLER, customer, change }).one(found)
  return found.found
}

// Returns {outdated, email, name, erased} of a claimed change: why it is not needed any more, "" if it is; the address and
// name for Stripe, null for those that stay; and whether the customer is deleted whatever the policy.
function readChange(app, asked) {
  const outdated = findReason(app, asked)
  const contact = outdated || asked.change === "delete" ? { email: null, name: null } : readContact(app, asked)
  return { outdated, ...contact, erased: findErased(app, [asked.customer]).size > 0 }
}

function findReason(app, { change, payer, customer, deletion }) {
  const [row] = app.findRecordsByFilter(NAMES.customers, "stripe_id = {:customer}", "", 1, 0, { customer })
  const owner = row ? readPayer(row) : ""
  if (change !== "delete") return owner === payer ? "" : "The customer has another owner by now."
  if (owner && owner !== payer) return "The customer has another owner by now."
  if (payer.startsWith(ORGANIZATION) && hasMembers(app, payer)) {
    app.db().newQuery(`DELETE FROM ${TABLES.payer_changes} WHERE id = {:deletion}`).bind({ deletion }).execute()
    return "The organization has members again."
  }
  return app.findRecordsByIds(NAMES.payer_changes, [deletion]).length ? "" : "The deletion was dropped."
}

function hasMembers(app, payer) {
  const { organization } = columnsOf(payer)
  return app.findRecordsByFilter(NAMES.memberships, "organization = {:organization}", "", 1, 0, { organization }).length > 0
}

// Users are read as records, because a project's users may lack a `name`.
function readContact(app, { payer, customer }) {
  if (payer.startsWith(ORGANIZATION)) return readOrganization(app, customer)
  const [user] = app.findRecordsByIds(NAMES.users, [payer])
  return user ? { email: user.email(), name: user.getString("name") } : { email: null, name: null }
}

// The name for the primary customer, and the address of another contact (lib/customers/billing_contacts.js).
function readOrganization(app, customer) {
  const found = arrayOf(new DynamicModel({ name: "", primary: false, email: "" }))
  app.db().newQuery(`
    SELECT ${TABLES.organizations}.name, ${TABLES.customers}.[[primary]], coalesce(${TABLES.users}.email, '') AS email
    FROM ${TABLES.customers} JOIN ${TABLES.organizations} ON ${TABLES.organizations}.id = ${TABLES.customers}.organization
    LEFT JOIN ${TABLES.billing_contacts} contact
      ON contact.customer = ${TABLES.customers}.stripe_id AND contact.email = ${TABLES.customers}.email
    LEFT JOIN ${TABLES.users} ON ${TABLES.users}.id = contact.user AND ${TABLES.users}.email != contact.email COLLATE NOCASE
    WHERE ${TABLES.customers}.stripe_id = {:customer}
  `).bind({ customer }).all(found)
  if (!found.length) return { name: null, email: null }
  const [{ name, primary, email }] = found
  return { name: primary ? name : null, email: email || null }
}

// Called in the transaction that ends an item: the outcome of a deletion is stored, and a customer that stays or was
// moved gets its owner from its claims again.
function end(tx, { key, status, payload, result }) {
  const { change, deletion } = JSON.parse(payload)
  if (change === "update") return
  const outcome = status === "done" ? JSON.parse(result || "{}")?.outcome || "" : status === "parked" ? "failed" : "cancelled"
  if (deletion) {
    tx.db().newQuery(`UPDATE ${TABLES.payer_changes} SET outcome = {:outcome}, finished = ${NOW} WHERE id = {:deletion}`)
      .bind({ deletion, outcome }).execute()
  }
  if (outcome === "deleted") forgetAddresses(tx, key)
  else require(`${__hooks}/lib/mirror/ownership.js`).release(tx, key)
}

// Removes the addresses that purchases keep besides the customer's own row.
function forgetAddresses(tx, customer) {
  tx.db().newQuery(`
    UPDATE ${TABLES.checkout_sessions} SET email = ''
    WHERE customer IN (SELECT id FROM ${TABLES.customers} WHERE stripe_id = {:customer})
  `).bind({ customer }).execute()
}

module.exports = {
  HANDLER, cancelUpdates, end, enqueueDeletion, enqueueTransfer, enqueueUpdate, enqueueUserUpdate, isBeingDeleted, isTransferPending,
  readChange,
}
