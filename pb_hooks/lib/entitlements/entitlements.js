// Computes `entitlements`, one row per payer and feature, which PocketBase rules read. The rows follow from the
// mirrored rows alone, so the order of events does not matter. They are recomputed for each payer of a changed row, and
// written if they differ.
// Why here: entitlements must be committed together with the rows that they follow from.
const { toColumn, toTime } = require(`${__hooks}/lib/dates.js`)
const { NAMES } = require(`${__hooks}/lib/names.js`)
const { findFeatures } = require(`${__hooks}/lib/entitlements/features.js`)
const { endOfItem, merge } = require(`${__hooks}/lib/entitlements/paid_until.js`)
const { DAY_MS, readPolicy } = require(`${__hooks}/lib/hook_settings.js`)
const { isPaid, isPaidInFull } = require(`${__hooks}/lib/entitlements/periods.js`)
const { findPaidAt, findPaidInvoices, findPurchases, findUnpaid } = require(`${__hooks}/lib/entitlements/purchases.js`)
const { findRefunded } = require(`${__hooks}/lib/entitlements/refunded_purchases.js`)
const { findSales, isOnce } = require(`${__hooks}/lib/entitlements/sales.js`)

const MAX_PAYERS = 200

// Recomputes the entitlements of payers. `payers` has a Set of ids per column (`user`, `organization`).
function updateEntitlements(tx, payers) {
  for (const column in payers) {
    const ids = [...payers[column]]
    for (let start = 0; start < ids.length; start += MAX_PAYERS) {
      const some = { column, ids: ids.slice(start, start + MAX_PAYERS) }
      const purchases = findPurchases(tx, some)
      const grants = findGrants(tx, some, purchases, readPolicy())
      writeRows(tx, column, purchases.entitlements, composeRows(column, grants))
    }
  }
}

// Returns the grants of all payers, see lib/entitlements/paid_until.js.
function findGrants(tx, payers, purchases, policy) {
  const { subscriptions, summaries } = purchases
  const sales = findSales(tx, payers, purchases)
  const grants = []
  if (subscriptions.length + sales.length === 0) return grants
  const featuresOf = findFeatures(tx, itemsOf(subscriptions, sales))
  const facts = findFacts(tx, payers, purchases.isMoneyReturned && policy.revokes)
  for (const each of subscriptions) addSubscription(grants, each, featuresOf, facts, policy)
  for (const each of summaries) addSummary(grants, each, subscriptions, facts, policy)
  addSales(grants, sales, featuresOf, facts)
  return grants
}

function itemsOf(...lists) {
  const items = []
  for (const list of lists) for (const bought of list) items.push(...bought.items)
  return items
}

// Further facts, each read on first use.
function findFacts(tx, payers, isMoneyBack) {
  const unpaid = lazy(() => findUnpaid(tx, payers))
  const paid = lazy(() => findPaidInvoices(tx, payers))
  const paidAt = lazy(() => findPaidAt(tx, payers))
  const refunds = isMoneyBack ? findRefunded(tx, payers) : { isItem: () => false, isSale: () => false }
  return {
    unpaidSince: ({ id }) => unpaid()[id],
    isPaid: (subscription, item) => isPaid(subscription, item, paid()),
    isPaidInFull: (subscription, item) => isPaidInFull(subscription, item, paid()),
    isReturned: refunds.isItem,
    isSaleReturned: refunds.isSale,
    paidAt: ({ payment, created }) => toTime(paidAt()[payment] || created),
  }
}

function lazy(find) {
  let found
  return () => (found ??= find())
}

function addSubscription(grants, subscription, featuresOf, facts, policy) {
  for (const item of subscription.items) {
    const quantity = item.quantity ?? 1
    const until = quantity > 0 ? endOfItem(subscription, item, facts, policy) : 0
    addGrants(grants, subscription, featuresOf(item).given, { until, kind: "subscription" }, quantity)
  }
}

// Adds the features of Stripe Entitlements. Stripe gives neither an end nor a limit: they last as long as the
// customer's subscriptions.
function addSummary(grants, { payer, customer, lookup_keys }, subscriptions, facts, policy) {
  for (const each of subscriptions.filter((other) => other.customer === customer)) {
    const until = Math.max(0, ...each.items.map((item) => endOfItem(each, item, facts, policy)))
    for (const feature of lookup_keys || []) {
      grants.push({ payer, feature, source: each.stripe_id, limit: null, until, kind: "summary" })
    }
  }
}

function addSales(grants, sales, featuresOf, facts) {
  for (const sale of sales) {
    for (const item of sale.items) {
      const about = featuresOf(item)
      if (item.quantity > 0 && isOnce(item, about)) addSale(grants, sale, item, about.given, facts)
    }
  }
}

function addSale(grants, sale, item, given, facts) {
  const { quantity } = item
  if (facts.isSaleReturned(sale, item)) return addGrants(grants, sale, given, { until: 0, kind: "payment" }, 1)
  if (given.days === Infinity) return addGrants(grants, sale, given, { until: Infinity, kind: "payment" }, quantity)
  const from = facts.paidAt(sale)
  addGrants(grants, sale, given, { from, until: from + given.days * quantity * DAY_MS, kind: "pass" }, 1)
}

function addGrants(grants, { payer, stripe_id: source }, { features }, { from, until, kind }, quantity) {
  for (const { feature, limit } of features) {
    grants.push({ payer, feature, source, limit: limit * quantity, from, until, kind })
  }
}

// The rows that follow from grants, by payer and feature: {payer, feature, values}.
function composeRows(column, grants) {
  const byKey = {}
  for (const grant of grants) {
    const key = `${column}/${grant.payer}/${grant.feature}`
    if (byKey[key]) byKey[key].push(grant)
    else byKey[key] = [grant]
  }
  const columnOf = remember(toColumn)
  for (const key in byKey) byKey[key] = composeRow(byKey[key], columnOf)
  return byKey
}

function composeRow(grants, columnOf) {
  const { payer, feature } = grants[0]
  const { active, until, limit, sources } = merge(grants)
  const values = {
    active, active_until: active ? columnOf(until) : "", limit: active && limit !== Infinity ? limit : 0,
    sources: JSON.stringify(sources), lapsed: active && until <= Date.now(),
  }
  return { payer, feature, values }
}

// Most grants of a customer end at the same time.
function remember(compute) {
  const known = {}
  return (key) => (known[key] ??= compute(key))
}

function toId(key) {
  return $security.sha256(key).slice(0, 15)
}

// Writes the rows that differ, so that realtime publishes only changes, and deletes rows without a grant.
function writeRows(tx, column, stored, rows) {
  const changed = {}, gone = []
  for (const row of stored) {
    const key = `${column}/${row.payer}/${row.feature}`
    if (!rows[key]) gone.push(row.id)
    else if (!isSame(row, rows[key].values)) changed[row.id] = rows[key].values
    delete rows[key]
  }
  for (const record of findRows(tx, gone)) tx.delete(record)
  for (const record of findRows(tx, Object.keys(changed))) saveRow(tx, record, changed[record.id])
  for (const key in rows) addRow(tx, column, key, rows[key])
}

function findRows(tx, ids) {
  return ids.length ? tx.findRecordsByIds(NAMES.entitlements, ids) : []
}

function addRow(tx, column, key, { payer, feature, values }) {
  const record = new Record(tx.findCachedCollectionByNameOrId(NAMES.entitlements))
  saveRow(tx, record, { id: toId(key), [column]: payer, feature, ...values })
}

function saveRow(tx, record, values) {
  // Every column that is written costs its indexes too.
  record.ignoreUnchangedFields(true)
  record.load(values)
  tx.saveNoValidate(record)
}

// SQLite has no booleans.
function isSame(stored, values) {
  return !!stored.active === values.active && stored.active_until === values.active_until
    && stored.limit === values.limit && stored.sources === values.sources
}

module.exports = { updateEntitlements }
