// A page of Checkout that may be open while its buyer gets the same elsewhere: a subscription or a one-time purchase from
// the seller, by an invoice, a Payment Link or a quote. Stripe would sell a second one on that page.
// Why here: the item of the queue is stored in the transaction that adds the purchase.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { columnsOf } = require(`${__hooks}/lib/mirror/payer.js`)
const { readItems } = require(`${__hooks}/lib/entitlements/purchases.js`)
const { isSale } = require(`${__hooks}/lib/entitlements/sales.js`)
const { enqueue } = require(`${__hooks}/lib/work/queue.js`)
const { metadata: keys, statuses: { subscription: { ended } } } = require(`${__hooks}/lib/vocabulary.json`)

const HANDLER = "gateway.checkout.close_page"

// By collection, whether a row shows a purchase.
const IS_PURCHASE = {
  subscriptions: (row) => !ended.includes(row.getString("status")),
  checkout_sessions: (row) => !["", "open", "expired"].includes(row.getString("status")),
  invoices: (row) => row.getBool("one_time") && row.getString("status") === "paid",
}

// By collection, the Stripe ids of the prices: `prices` of a subscription, `bought` of one-time sales.
const SOLD = {
  subscriptions: (row) => ({ prices: readJson(row, "items", []).map(({ price }) => price), bought: [] }),
  checkout_sessions: (row) => ({ prices: [], bought: readItems(readJson(row, "metadata", {})).map(({ price }) => price) }),
  invoices: (row) => ({ prices: [], bought: readJson(row, "lines", []).filter(isSale).map(({ price }) => price) }),
}

function isPurchase(collection, row) {
  return collection in IS_PURCHASE && IS_PURCHASE[collection](row)
}

function readJson(row, column, empty) {
  return JSON.parse(row.getString(column) || "null") || empty
}

// Enqueues the check of the payer's pending checkout (gateway/checkout/close_page.py) after a new purchase. Nothing is
// read after a purchase by /checkout with a number: no other page of the payer is open then. A guest's purchase counts
// as in /checkout.
function enqueueCheck(tx, collection, row, payer) {
  if (!payer || !isPurchase(collection, row)) return
  const metadata = collection === "invoices" ? {} : readJson(row, "metadata", {})
  if (metadata[keys.attempt]) return
  const { prices, bought } = SOLD[collection](row)
  const number = prices.length + bought.length > 0 ? findNumber(tx, payer) : 0
  if (!number || (metadata[keys.guest] && !isProved(tx, row, payer))) return
  const source = row.getString("stripe_id")
  enqueue(tx, [{
    id: $security.sha256(`${HANDLER} ${source}`).slice(0, 15), kind: "task", handler: HANDLER, key: payer, source, tries: 20,
    payload: { number, customers: findCustomers(tx, payer), prices, bought },
  }])
}

function findNumber(tx, buyer) {
  const found = arrayOf(new DynamicModel({ number: 0 }))
  tx.db().newQuery(`SELECT number FROM ${TABLES.pending_checkouts} WHERE buyer = {:buyer}`).bind({ buyer }).all(found)
  return found.length ? found[0].number : 0
}

// Whether a guest's purchase is the payer's: the address was verified after the purchase.
function isProved(tx, row, payer) {
  // Here, because the module is required while its own requirements load this one.
  const { counts } = require(`${__hooks}/lib/checkout/guests.js`)
  const found = arrayOf(new DynamicModel({ claims: "" }))
  tx.db().newQuery(`SELECT claims FROM ${TABLES.customers} WHERE id = {:id}`)
    .bind({ id: row.getString("customer") }).all(found)
  return counts({ guest: true, claims: found.length ? found[0].claims : "" }, payer)
}

function findCustomers(tx, payer) {
  const { user, organization } = columnsOf(payer)
  const found = arrayOf(new DynamicModel({ stripe_id: "" }))
  tx.db().newQuery(`
    SELECT stripe_id FROM ${TABLES.customers} WHERE deleted = false AND ${organization ? "organization" : "user"} = {:id}
    ORDER BY [[primary]] DESC LIMIT 20
  `).bind({ id: organization || user }).all(found)
  return found.map((row) => row.stripe_id)
}

module.exports = { enqueueCheck, isPurchase }
