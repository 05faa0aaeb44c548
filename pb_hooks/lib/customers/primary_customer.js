// The payer's customer that /checkout uses: the one with the subscription that has run longest without a break,
// otherwise the oldest. So the choice never leaves a customer with a running subscription. Never a deleted customer, or
// one made by a Payment Link, because anyone can enter a user's id or e-mail address there.
// Why here: it is chosen in the commit transaction that changes customers or subscriptions.
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { columnsOf } = require(`${__hooks}/lib/mirror/payer.js`)
const { update } = require(`${__hooks}/lib/mirror/records.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)

// Statuses of a subscription that the payer may have to manage.
const { running: RUNNING } = require(`${__hooks}/lib/vocabulary.json`).statuses.subscription

// With fewer customers than `fewest`, the choice stays as it is.
function choosePrimary(tx, payer, fewest = 1) {
  if (!payer) return
  const customers = findCustomers(tx, columnsOf(payer))
  if (customers.length < fewest) return
  const eligible = customers.filter((record) => isClaimed(record, payer) && !isFromLink(tx, record.id))
  const first = eligible.length > 1 ? findFirst(tx, eligible) : eligible[0]
  for (const record of customers) {
    if (!first || record.id !== first.id) update(tx, record, { primary: false })
  }
  if (first) update(tx, first, { primary: true })
}

function findCustomers(tx, { user, organization }) {
  return organization
    ? tx.findRecordsByFilter(NAMES.customers, "organization = {:organization}", "", 0, 0, { organization })
    : tx.findRecordsByFilter(NAMES.customers, "user = {:user}", "", 0, 0, { user })
}

function isClaimed(customer, payer) {
  return !customer.getBool("deleted") && JSON.parse(customer.getString("claims") || "[]")
    .some(([, , claimed, primary]) => claimed === payer && primary)
}

function isFromLink(tx, customer) {
  return tx.findRecordsByFilter(
    NAMES.checkout_sessions, "customer = {:customer} && payment_link != ''", "", 1, 0, { customer },
  ).length > 0
}

function findFirst(tx, customers) {
  const since = findRunningSince(tx, customers)
  const order = (record) => [since[record.id] || "~", record.getString("created") || "~", record.id]
  return customers.sort((a, b) => compare(order(a), order(b)))[0]
}

function compare(a, b) {
  const place = a.findIndex((each, i) => each !== b[i])
  return place < 0 ? 0 : a[place] < b[place] ? -1 : 1
}

// Returns {customer: since}: from when on a subscription has been running without a break.
function findRunningSince(tx, customers) {
  const found = arrayOf(new DynamicModel({ customer: "", status: "", created: "", ended: "" }))
  const { list, values } = placeholders(customers.map((record) => record.id))
  tx.db().newQuery(`
    SELECT customer, status, created, iif(ended_at = '', canceled_at, ended_at) AS ended FROM ${TABLES.subscriptions}
    WHERE customer IN (${list}) AND status NOT IN ('incomplete', 'incomplete_expired')
  `).bind(values).all(found)
  const subscriptions = {}
  for (const row of found) (subscriptions[row.customer] ||= []).push(Object.assign({}, row))
  const since = {}
  for (const customer in subscriptions) since[customer] = beginOf(subscriptions[customer])
  return since
}

function beginOf(subscriptions) {
  const running = subscriptions.filter(({ status }) => isRunning(status)).map(({ created }) => created).sort()
  if (running.length === 0) return ""
  return subscriptions.filter(({ status }) => !isRunning(status))
    .sort((a, b) => (a.ended > b.ended ? -1 : 1))
    .reduce((since, { created, ended }) => (ended >= since && created < since ? created : since), running[0])
}

function isRunning(status) {
  return RUNNING.includes(status)
}

module.exports = { choosePrimary, isRunning }
