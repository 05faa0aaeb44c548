// Everything a payer has bought that decides what /checkout may sell; the policy is in gateway/checkout/quote.py.
// Why here: it is read with the user's token in one call, and the numbers of pending checkouts and the reservation of a
// trial are atomic SQL statements across all gateways.
const { NOW, sqlFromNow, sqlToUnix } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { counts, isGuest } = require(`${__hooks}/lib/checkout/guests.js`)
const { columnsOf, nameOf } = require(`${__hooks}/lib/mirror/payer.js`)
const { mayBeOnce, readBought } = require(`${__hooks}/lib/checkout/once_per_buyer.js`)
const { readPrices } = require(`${__hooks}/lib/checkout/prices.js`)
const { ENDED } = require(`${__hooks}/lib/statuses.js`)
const { hasHadTrial, holderOf } = require(`${__hooks}/lib/checkout/used_trials.js`)
const { metadata } = require(`${__hooks}/lib/vocabulary.json`)

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

// Returns the pending checkout. The number rises once its session is over and the resulting rows are mirrored.
function readPending(app, payer) {
  const buyer = nameOf(payer)
  const stored = findPending(app, buyer)
  if (!stored) {
    app.db().newQuery(`
      INSERT OR IGNORE INTO ${TABLES.pending_checkouts} (buyer, number, since)
      VALUES ({:buyer}, 1, ${NOW})
    `).bind({ buyer }).execute()
  } else if (isOver(app, payer, stored.number)) {
    endPendingCheckout(app, buyer, stored.number)
  } else {
    return stored
  }
  return findPending(app, buyer)
}

function findPending(app, buyer) {
  const found = arrayOf(new DynamicModel({ number: 0, since: 0 }))
  app.db().newQuery(`
    SELECT number, ${sqlToUnix("since")} AS since
    FROM ${TABLES.pending_checkouts} WHERE buyer = {:buyer}
  `).bind({ buyer }).all(found)
  return found.length ? { number: found[0].number, since: found[0].since } : null
}

function isOver(app, [column, id], number) {
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery(`
    SELECT count(*) AS count FROM ${TABLES.checkout_sessions} session
    LEFT JOIN ${TABLES.subscriptions} subscription ON subscription.id = session.subscription
    WHERE session.${column} = {:id}
      AND json_extract(session.metadata, '$.${metadata.attempt}') = {:number}
      AND (session.status = 'expired'
           OR (session.status = 'complete'
               AND (subscription.id IS NOT NULL OR session.mode = 'payment')))
  `).bind({ id, number: `${number}` }).one(found)
  return found.count > 0
}

// Ends a pending checkout, unless it has ended already.
function endPendingCheckout(app, buyer, number) {
  app.db().newQuery(`
    UPDATE ${TABLES.pending_checkouts} SET number = number + 1, since = ${NOW}
    WHERE buyer = {:buyer} AND number = {:number}
  `).bind({ buyer, number }).execute()
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

// Whether the user's one trial may be this payer's. It is reserved for one payer while a session can be open: otherwise
// a user could open a session for each of many organizations and complete all of them.
function reserveTrial(app, user, payer) {
  const id = $security.sha256(`${holderOf(user)}|trial`).slice(0, 15)
  const name = nameOf(payer)
  const held = readReservation(app, id)
  const isFree = !!held.payer && held.payer !== name && isPendingOver(app, held.payer)
  app.db().newQuery(`
    INSERT INTO ${TABLES.checkout_keys} (id, trial_payer, since)
    VALUES ({:id}, {:name}, ${NOW})
    ON CONFLICT (id) DO UPDATE SET trial_payer = excluded.trial_payer, since = excluded.since
    WHERE trial_payer = {:name} OR ({:isFree} AND trial_payer = {:payer} AND since = {:since})
       OR since < ${sqlFromNow("'-1 day'")}
  `).bind({ id, name, isFree, payer: held.payer, since: held.since }).execute()
  return readReservation(app, id).payer === name
}

function readReservation(app, id) {
  const found = arrayOf(new DynamicModel({ trial_payer: "", since: "" }))
  app.db().newQuery(`SELECT trial_payer, since FROM ${TABLES.checkout_keys} WHERE id = {:id}`).bind({ id }).all(found)
  return found.length ? { payer: found[0].trial_payer, since: found[0].since } : { payer: "", since: "" }
}

function isPendingOver(app, payer) {
  const stored = findPending(app, payer)
  const [column, id] = Object.entries(columnsOf(payer)).find(([, value]) => value)
  return !stored || isOver(app, [column, id], stored.number)
}

module.exports = { endPendingCheckout, readPurchaseHistory }
