// Changes of users and organizations that Stripe's customers still lack. The gateway does them at Stripe.
// Why here: a task is stored in the transaction of its change, so that it survives an outage of the gateway or Stripe,
// and is handed out to one gateway at a time.
const { NOW, sqlFromNow } = require(`${__hooks}/lib/dates.js`)
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { release } = require(`${__hooks}/lib/mirror/ownership.js`)
const { ORGANIZATION } = require(`${__hooks}/lib/mirror/payer.js`)
const { runTransaction } = require(`${__hooks}/lib/database/transaction.js`)

// Enqueues updates of a user's new address or name.
function enqueueUserUpdate(tx, user) {
  for (const customer of findPrimary(tx, user.id)) enqueueUpdate(tx, user.id, customer)
}

function findPrimary(tx, user) {
  const found = arrayOf(new DynamicModel({ stripe_id: "" }))
  tx.db().newQuery(`
    SELECT stripe_id FROM ${TABLES.customers} WHERE user = {:user} AND deleted = false AND [[primary]] = true
  `).bind({ user }).all(found)
  return found.map((row) => row.stripe_id)
}

// Enqueues an update of a customer's address and name. A task in progress stays, and is due again when it ends, because
// its version differs. A failed one restarts.
function enqueueUpdate(tx, payer, customer) {
  const raised = tx.db().newQuery(`
    UPDATE ${TABLES.customer_tasks} SET version = version + 1, outcome = '',
      attempts = iif(outcome = '', attempts, 0), due = iif(outcome = '', due, ${NOW})
    WHERE kind = 'update' AND customer = {:customer} AND outcome IN ('', 'failed')
  `).bind({ customer }).execute()
  if (raised.rowsAffected() === 0) add(tx, payer, customer)
}

function add(tx, user, customer) {
  tx.db().newQuery(`
    INSERT INTO ${TABLES.customer_tasks} (kind, user, customer, version, due, created)
    VALUES ('update', {:user}, {:customer}, 1, ${NOW}, ${NOW})
  `).bind({ user, customer }).execute()
}

// Hands out tasks that are due to one gateway for some seconds: {limit, lease}.
function takeTasks(app, { limit, lease }) {
  // Usually there is nothing to do, and no write transaction is needed.
  if (findDue(app, limit).length === 0) return []
  let tasks = []
  app.runInTransaction((tx) => {
    dropOutdated(tx)
    tasks = findDue(tx, limit)
    for (const { id } of tasks) {
      tx.db().newQuery(`
        UPDATE ${TABLES.customer_tasks} SET attempts = attempts + 1,
          due = ${sqlFromNow("{:lease}")} WHERE id = {:id}
      `).bind({ id, lease: `+${lease} seconds` }).execute()
    }
  })
  return withPayers(app, tasks)
}

// An organization that had no members has one again: drops the tasks that end its billing.
function dropOutdated(tx) {
  tx.db().newQuery(`
    DELETE FROM ${TABLES.customer_tasks} WHERE kind = 'forget' AND outcome = '' AND due <= ${NOW}
      AND user LIKE 'organizations/%' AND EXISTS (
        SELECT 1 FROM ${TABLES.memberships} WHERE 'organizations/' || organization = ${TABLES.customer_tasks}.user)
  `).execute()
}

// A new list per call: a query appends to the list that it is given.
function findDue(app, limit) {
  const found = arrayOf(new DynamicModel({
    id: "", kind: "", user: "", customer: "", version: 0, attempts: 0,
  }))
  app.db().newQuery(`
    SELECT id, kind, user, customer, version, attempts FROM ${TABLES.customer_tasks}
    WHERE outcome = '' AND due <= ${NOW} ORDER BY due LIMIT {:limit}
  `).bind({ limit }).all(found)
  return found.map((task) => Object.assign({}, task))
}

// Read as records, because a project's users may lack a `name`. Null stays unchanged at Stripe.
function withPayers(app, tasks) {
  const users = {}
  const records = app.findRecordsByIds(NAMES.users, tasks.map(({ user }) => user))
  for (const user of records) users[user.id] = { email: user.email(), name: user.getString("name") }
  return tasks.map((task) => {
    const contact = task.user.startsWith(ORGANIZATION) ? describeOrganization(app, task) : users[task.user]
    return Object.assign({ email: "", name: "" }, task, contact)
  })
}

// The name for the primary customer, and the address of another contact (lib/customers/billing_contacts.js).
function describeOrganization(app, { customer }) {
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

// Stores the outcome of a task: {id, version, outcome} if it is done, with `error` if the outcome is `failed`;
// otherwise {id, error, retry} with the seconds until the next try. A failed task is due again once its outcome is
// emptied.
function endTask(app, { id, version, outcome, error, retry }) {
  if (!outcome) {
    app.db().newQuery(`
      UPDATE ${TABLES.customer_tasks} SET error = {:error},
        due = ${sqlFromNow("{:retry}")} WHERE id = {:id} AND outcome = ''
    `).bind({ id, error, retry: `+${retry} seconds` }).execute()
    return
  }
  runTransaction(app, (tx) => {
    // The user was changed again in the meantime.
    tx.db().newQuery(`UPDATE ${TABLES.customer_tasks} SET due = ${NOW} WHERE id = {:id} AND version != {:version}`)
      .bind({ id, version }).execute()
    tx.db().newQuery(`
      UPDATE ${TABLES.customer_tasks} SET outcome = {:outcome}, error = {:error}, due = ${NOW}, finished = ${NOW}
      WHERE id = {:id} AND version = {:version}
    `).bind({ id, version, outcome, error: error || "" }).execute()
    tx.db().newQuery(`
      DELETE FROM ${TABLES.customer_tasks} WHERE id = {:id} AND kind = 'update' AND outcome NOT IN ('', 'failed')
    `).bind({ id }).execute()
    if (outcome === "deleted") forgetAddresses(tx, id)
    else releaseCustomer(tx, id)
  })
}

// Removes the addresses that purchases keep besides the customer's own row.
function forgetAddresses(tx, id) {
  tx.db().newQuery(`
    UPDATE ${TABLES.checkout_sessions} SET email = '' WHERE customer IN (
      SELECT ${TABLES.customers}.id FROM ${TABLES.customers}
      JOIN ${TABLES.customer_tasks} task ON task.customer = ${TABLES.customers}.stripe_id WHERE task.id = {:id})
  `).bind({ id }).execute()
}

// A customer that stays or was moved gets its owner from its claims again.
function releaseCustomer(tx, id) {
  const found = arrayOf(new DynamicModel({ customer: "" }))
  tx.db().newQuery(`
    SELECT customer FROM ${TABLES.customer_tasks} WHERE id = {:id} AND kind IN ('forget', 'move') AND outcome != ''
      AND customer != ''
  `).bind({ id }).all(found)
  for (const { customer } of found) release(tx, customer)
}

module.exports = { endTask, enqueueUpdate, enqueueUserUpdate, takeTasks }
