// A page of Checkout that may be open while its buyer gets a subscription elsewhere: from the seller, by a Payment Link
// or a quote. Stripe would sell a second one on that page.
// Why here: the item of the queue is stored in the transaction that adds the subscription.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { columnsOf } = require(`${__hooks}/lib/mirror/payer.js`)
const { enqueue } = require(`${__hooks}/lib/work/queue.js`)
const { metadata: keys, statuses: { subscription: { ended } } } = require(`${__hooks}/lib/vocabulary.json`)

const HANDLER = "gateway.checkout.close_page"

// Enqueues the check of the payer's pending checkout (gateway/checkout/close_page.py) after a new subscription. Nothing
// is read after a purchase by /checkout with a number: no other page of the payer is open then. A guest's subscription
// counts as in /checkout.
function enqueueCheck(tx, subscription, payer) {
  const metadata = JSON.parse(subscription.getString("metadata") || "{}") || {}
  if (!payer || metadata[keys.attempt] || ended.includes(subscription.getString("status"))) return
  const number = findNumber(tx, payer)
  if (!number || (metadata[keys.guest] && !isProved(tx, subscription, payer))) return
  const items = JSON.parse(subscription.getString("items") || "[]") || []
  const source = subscription.getString("stripe_id")
  enqueue(tx, [{
    id: $security.sha256(`${HANDLER} ${source}`).slice(0, 15), kind: "task", handler: HANDLER, key: payer, source, tries: 20,
    payload: { number, customers: findCustomers(tx, payer), prices: items.map(({ price }) => price) },
  }])
}

function findNumber(tx, buyer) {
  const found = arrayOf(new DynamicModel({ number: 0 }))
  tx.db().newQuery(`SELECT number FROM ${TABLES.pending_checkouts} WHERE buyer = {:buyer}`).bind({ buyer }).all(found)
  return found.length ? found[0].number : 0
}

// Whether a guest's subscription is the payer's: the address was verified after the purchase.
function isProved(tx, subscription, payer) {
  // Here, because the module is required while its own requirements load this one.
  const { counts } = require(`${__hooks}/lib/checkout/guests.js`)
  const found = arrayOf(new DynamicModel({ claims: "" }))
  tx.db().newQuery(`SELECT claims FROM ${TABLES.customers} WHERE id = {:id}`)
    .bind({ id: subscription.getString("customer") }).all(found)
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

module.exports = { enqueueCheck }
