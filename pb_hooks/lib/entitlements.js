// What payers may use: `entitlements`, one row a payer and feature, for PocketBase rules to read. The
// rows follow from the mirrored rows alone, so they are the same whatever came first; they are computed
// anew for every payer of whom a transaction changes something, and written where they differ.
const { toColumn } = require(`${__hooks}/lib/dates.js`)
const { NAMES } = require(`${__hooks}/lib/names.js`)
const { findOffers } = require(`${__hooks}/lib/offers.js`)
const { endOfItem, isVoided, merge, toTime } = require(`${__hooks}/lib/grants.js`)
const { DAY, readPolicy } = require(`${__hooks}/lib/policy.js`)
const { isPaid } = require(`${__hooks}/lib/periods.js`)
const purchases = require(`${__hooks}/lib/purchases.js`)
const { findRefunded } = require(`${__hooks}/lib/refunded.js`)
const { findSales, isOnce } = require(`${__hooks}/lib/sales.js`)

const AT_ONCE = 200

// Brings the rows of payers in line: by column (`user`, `organization`) a Set of ids.
function entitle(tx, payers) {
  for (const column in payers) {
    const ids = [...payers[column]]
    for (let start = 0; start < ids.length; start += AT_ONCE) {
      const some = { column, ids: ids.slice(start, start + AT_ONCE) }
      writeRows(tx, some, composeRows(some.column, findGrants(tx, some, readPolicy())))
    }
  }
}

// Returns the grants of all payers, see lib/grants.js.
function findGrants(tx, payers, policy) {
  const unusual = purchases.findUnusual(tx, payers)
  const subscriptions = purchases.findSubscriptions(tx, payers)
  const sales = findSales(tx, payers, unusual.sales)
  const summaries = purchases.findSummaries(tx, payers)
  if (subscriptions.length + sales.length === 0) return []
  const offerOf = findOffers(tx, [...subscriptions, ...sales].flatMap((bought) => bought.items))
  const facts = findFacts(tx, payers, subscriptions, unusual.money && policy.revokes)
  return [
    ...subscriptions.flatMap((each) => grantsOfSubscription(each, offerOf, facts, policy)),
    ...summaries.flatMap((each) => grantsOfSummary(each, subscriptions, facts, policy)),
    ...grantsOfSales(tx, payers, sales, offerOf, facts),
  ]
}

// What else must be known, asked for only where it matters: {of, isReturned}, about a subscription's
// item, and about a sale.
function findFacts(tx, payers, subscriptions, isMoneyBack) {
  const isUnpaid = subscriptions.some(({ status }) => status === "past_due")
  const unpaid = isUnpaid ? purchases.findUnpaid(tx, payers) : {}
  const paid = subscriptions.some(isVoided) ? purchases.findPaidInvoices(tx, payers) : []
  const refunds = isMoneyBack ? findRefunded(tx, payers) : { isItem: () => false, isSale: () => false }
  const of = (subscription, item) => ({
    unpaidSince: unpaid[subscription.id], isReturned: refunds.isItem(subscription, item),
    isPaid: isPaid(subscription, item, paid),
  })
  return { of, isReturned: refunds.isSale }
}

function grantsOfSubscription(subscription, offerOf, facts, policy) {
  return subscription.items.flatMap((item) => {
    const quantity = item.quantity ?? 1
    const until = quantity > 0
      ? endOfItem(subscription, item, facts.of(subscription, item), policy) : 0
    return grantsOf(subscription, offerOf(item).offer, { until, kind: "subscription" }, quantity)
  })
}

// Stripe names the features that a customer has now, but neither until when nor how much of them: they
// last as long as the customer's subscriptions.
function grantsOfSummary({ payer, customer, lookup_keys }, subscriptions, facts, policy) {
  return subscriptions.filter((each) => each.customer === customer).flatMap((each) => {
    const ends = each.items.map((item) => endOfItem(each, item, facts.of(each, item), policy))
    const grant = { payer, source: each.stripe_id, limit: null, until: Math.max(0, ...ends) }
    return lookup_keys.map((feature) => ({ ...grant, feature, kind: "summary" }))
  })
}

function grantsOfSales(tx, payers, sales, offerOf, facts) {
  const bought = sales.flatMap((sale) => sale.items
    .map((item) => ({ sale, item, about: offerOf(item) }))
    .filter(({ item, about }) => item.quantity > 0 && isOnce(item, about)))
  const isTimed = bought.some(({ about }) => about.offer.days !== Infinity)
  const paidAt = isTimed ? purchases.findPaidAt(tx, payers) : {}
  return bought.flatMap(({ sale, item, about: { offer } }) => {
    const { quantity } = item
    if (facts.isReturned(sale, item)) return grantsOf(sale, offer, { until: 0, kind: "payment" }, 1)
    if (offer.days === Infinity) {
      return grantsOf(sale, offer, { until: Infinity, kind: "payment" }, quantity)
    }
    const from = toTime(paidAt[sale.payment] || sale.created)
    const until = from + offer.days * quantity * DAY
    return grantsOf(sale, offer, { from, until, kind: "pass" }, 1)
  })
}

function grantsOf({ payer, stripe_id: source }, { limits }, grant, quantity) {
  return Object.keys(limits).map((feature) => (
    { ...grant, payer, feature, source, limit: limits[feature] * quantity }))
}

function composeRows(column, grants) {
  const byRow = {}
  for (const grant of grants) (byRow[idOf(column, grant)] ||= []).push(grant)
  const rows = {}
  for (const id in byRow) {
    const [{ payer, feature }] = byRow[id]
    const { active, until, limit, sources } = merge(byRow[id])
    rows[id] = {
      id, [column]: payer, feature, active, active_until: active ? toColumn(until) : "",
      limit: active && limit !== Infinity ? limit : 0, sources: JSON.stringify(sources),
    }
  }
  return rows
}

function idOf(column, { payer, feature }) {
  return $security.sha256(`${column}/${payer}/${feature}`).slice(0, 15)
}

// Writes what differs, so that subscribers hear of nothing else; rows that nothing names any more go.
function writeRows(tx, payers, rows) {
  const stored = purchases.find(tx, payers, "entitlements", {
    id: "", feature: "", active: false, active_until: "", limit: -0, sources: "",
  })
  const changed = new Set(Object.keys(rows))
  const gone = []
  for (const row of stored) {
    if (!rows[row.id]) gone.push(row.id)
    else if (isSame(row, rows[row.id])) changed.delete(row.id)
  }
  for (const record of findRows(tx, gone)) tx.delete(record)
  const records = {}
  for (const record of findRows(tx, [...changed])) records[record.id] = record
  for (const id of changed) {
    const record = records[id] || new Record(tx.findCachedCollectionByNameOrId(NAMES.entitlements))
    record.load(rows[id])
    tx.saveNoValidate(record)
  }
}

function findRows(tx, ids) {
  return ids.length ? tx.findRecordsByIds(NAMES.entitlements, ids) : []
}

function isSame(stored, row) {
  return ["active", "active_until", "limit", "sources"].every((name) => stored[name] === row[name])
}

module.exports = { entitle }
