// Everything a payer has bought that decides what /checkout may sell; the policy is in gateway/checkout/quote.py.
// Why here: it is read with the user's token in one call.
const { NOW, sqlFromNow, sqlToUnix } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { counts, isGuest } = require(`${__hooks}/lib/checkout/guests.js`)
const { nameOf } = require(`${__hooks}/lib/mirror/payer.js`)
const { mayBeOnce, readBought } = require(`${__hooks}/lib/checkout/once_per_buyer.js`)
const { readPending } = require(`${__hooks}/lib/checkout/pending_checkouts.js`)
const { readPrices } = require(`${__hooks}/lib/checkout/prices.js`)
const { reserveTrial } = require(`${__hooks}/lib/checkout/trial_reservation.js`)
const { ENDED } = require(`${__hooks}/lib/statuses.js`)
const { hasHadTrial } = require(`${__hooks}/lib/checkout/used_trials.js`)

// payer   [column, id] of the user or organization that pays
// prices  the prices of the order
// order   {key, request_hash, once}: the key may be empty; `once`: the terms file has prices that are sold once per buyer
function readPurchaseHistory(app, user, payer, prices, order) {
  const recurs = prices.some((price) => price.type === "recurring")
  const once = mayBeOnce(prices, order.once)
  // Read before the subscriptions: those of a checkout that has just ended are then among them.
  const pending = recurs || once ? readPending(app, payer) : { number: 0, since: 0 }
  const subscriptions = recurs ? readSubscriptions(app, payer) : []
  const bought = once ? readBought(app, payer) : []
  const held = subscriptions.reduce((names, { prices }) => names.concat(prices), [])
  return {
    pending,
    key: order.key ? keepKey(app, nameOf(payer), order) : null,
    subscriptions,
    bought,
    held: readPrices(held.concat(bought)),
    trial_used: recurs && (hasHadTrial(app, user, payer) || !reserveTrial(app, user, payer)),
  }
}

function readSubscriptions(app, payer) {
  const [column, id] = payer
  const found = arrayOf(new DynamicModel({
    stripe_id: "", status: "", items: "", customer: "", claims: "", guest: false,
  }))
  app.db().newQuery(`
    SELECT subscription.stripe_id, subscription.status, coalesce(subscription.items, '') AS items,
           coalesce(customer.stripe_id, '') AS customer, coalesce(customer.claims, '') AS claims,
           ${isGuest("subscription.metadata")} AS guest
    FROM ${TABLES.subscriptions} subscription LEFT JOIN ${TABLES.customers} customer ON customer.id = subscription.customer
    WHERE subscription.${column} = {:id} AND subscription.status NOT IN (${ENDED})
  `).bind({ id }).all(found)
  return found.filter((row) => counts(row, nameOf(payer)))
    .map(({ stripe_id, status, items, customer }) => ({
      stripe_id, status, customer, prices: (JSON.parse(items || "[]") || []).map((item) => item.price),
    }))
}

// Returns the first use of an idempotency key; it is kept for a day.
function keepKey(app, buyer, { key, request_hash }) {
  const id = $security.sha256(`${buyer}|${key}`).slice(0, 15)
  app.db().newQuery(`DELETE FROM ${TABLES.checkout_keys} WHERE since < ${sqlFromNow("'-1 day'")}`)
    .execute()
  app.db().newQuery(`
    INSERT OR IGNORE INTO ${TABLES.checkout_keys} (id, request_hash, since)
    VALUES ({:id}, {:request_hash}, ${NOW})
  `).bind({ id, request_hash }).execute()
  const found = new DynamicModel({ request_hash: "", since: 0 })
  app.db().newQuery(`
    SELECT request_hash, ${sqlToUnix("since")} AS since
    FROM ${TABLES.checkout_keys} WHERE id = {:id}
  `).bind({ id }).one(found)
  return { id, request_hash: found.request_hash, since: found.since }
}

module.exports = { readPurchaseHistory, readSubscriptions }
