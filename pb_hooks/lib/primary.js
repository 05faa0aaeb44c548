// Which of a payer's customers /checkout and /portal use: the first that was claimed to be it, unless it
// is deleted or a Payment Link made it, because anybody may write a user's id or e-mail address there.
const { columnsOf } = require(`${__hooks}/lib/payer.js`)
const { update } = require(`${__hooks}/lib/records.js`)

function choosePrimary(tx, payer) {
  if (!payer) return
  const customers = findCustomers(tx, columnsOf(payer))
  const [first] = customers
    .map((record) => ({ record, since: primarySince(record, payer) }))
    .filter(({ record, since }) => since !== null && !isFromLink(tx, record.id))
    .sort((a, b) => a.since - b.since || (a.record.id < b.record.id ? -1 : 1))
  for (const record of customers) {
    if (!first || record.id !== first.record.id) update(tx, record, { primary: false })
  }
  if (first) update(tx, first.record, { primary: true })
}

function findCustomers(tx, { user, organization }) {
  return organization
    ? tx.findRecordsByFilter("customers", "organization = {:organization}", "", 0, 0, { organization })
    : tx.findRecordsByFilter("customers", "user = {:user}", "", 0, 0, { user })
}

// Since when the payer's claims say so; null if they don't.
function primarySince(customer, payer) {
  if (customer.getBool("deleted")) return null
  const times = JSON.parse(customer.getString("claims") || "[]")
    .filter(([, , claimed, primary]) => claimed === payer && primary)
    .map(([, since]) => since)
  return times.length ? Math.min(...times) : null
}

function isFromLink(tx, customer) {
  return tx.findRecordsByFilter(
    "checkout_sessions", "customer = {:customer} && payment_link != ''", "", 1, 0, { customer },
  ).length > 0
}

module.exports = { choosePrimary }
