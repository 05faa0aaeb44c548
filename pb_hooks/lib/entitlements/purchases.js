// Purchases of payers, from the mirrored rows: one query for everything that is always needed, and one per rare fact.
// Why here: entitlements are computed in the commit transaction.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { find, findAll, kind } = require(`${__hooks}/lib/entitlements/payer_rows.js`)

// Prefix of the metadata keys of a Checkout Session with the bought items: price, or price:quantity.
const { item_prefix: ITEM } = require(`${__hooks}/lib/vocabulary.json`).metadata

const SUBSCRIPTIONS = kind("subscriptions", {
  columns: ["id", "stripe_id", "customer", "status", "current_period_start", "current_period_end", "cancel_at"],
  json: ["items", "pause_collection"],
})

// Complete and paid Checkout Sessions with items in their metadata.
const SESSIONS = kind("checkout_sessions", {
  columns: ["stripe_id", "payment", "invoice", "amount_total", "created"],
  json: ["metadata"],
  condition: `AND payment_status IN ('paid', 'no_payment_required') AND status NOT IN ('open', 'expired')
    AND instr(metadata, '${ITEM}')`,
})

const SUMMARIES = kind("entitlement_summaries", { columns: ["customer"], json: ["lookup_keys"] })

const ENTITLEMENTS = kind("entitlements", { columns: ["id", "feature", "active", "active_until", "limit", "sources"] })

// Whether any money was returned.
const isMoneyReturned = (column, list) => {
  const some = (collection, condition) =>
    `EXISTS (SELECT 1 FROM ${TABLES[collection]} WHERE ${column} IN (${list}) ${condition})`
  return `${some("charges", "AND (refunded OR amount_refunded > 0)")} OR ${some("refunds", "")}
    OR ${some("disputes", "")} OR ${some("credit_notes", "AND out_of_band_amount > 0")}`
}

// Whether an invoice has a one-time sale.
const isInvoiceSold = (column, list) =>
  `EXISTS (SELECT 1 FROM ${TABLES.invoices} WHERE ${column} IN (${list}) AND one_time AND status = 'paid')`

// Returns {subscriptions, sessions, summaries, entitlements, isMoneyReturned, isInvoiceSold}.
function findPurchases(tx, payers) {
  const [subscriptions, sessions, summaries, entitlements, money, sales] = findAll(
    tx, payers, [SUBSCRIPTIONS, SESSIONS, SUMMARIES, ENTITLEMENTS], isMoneyReturned, isInvoiceSold)
  for (const each of subscriptions) each.items ||= []
  for (const session of sessions) session.items = readItems(session.metadata)
  return { subscriptions, sessions, summaries, entitlements, isMoneyReturned: !!money, isInvoiceSold: !!sales }
}

function readItems(metadata) {
  return Object.keys(metadata).filter((key) => key.startsWith(ITEM)).map((key) => {
    const [price, quantity] = `${metadata[key]}`.split(":")
    return { price: price.trim(), product: "", quantity: Math.max(1, Math.floor(Number(quantity)) || 1) }
  })
}

const UNPAID = kind("invoices", {
  columns: ["subscription", "created", "due_date"],
  condition: "AND status = 'open' AND NOT deleted AND subscription != ''",
})

// When the oldest open invoice of each subscription was due.
function findUnpaid(tx, payers) {
  const since = {}
  for (const { subscription, created, due_date } of find(tx, payers, UNPAID)) {
    const due = due_date || created
    if (!since[subscription] || due < since[subscription]) since[subscription] = due
  }
  return since
}

const PAID = "AND status = 'paid' AND NOT deleted"

// Invoices that are paid, with their lines.
function findPaidInvoices(tx, payers, condition = "") {
  const rows = find(tx, payers, kind("invoices", {
    columns: ["id", "stripe_id", "subscription", "payment", "billing_reason", "amount_paid", "paid_at", "created"],
    json: ["lines"],
    condition: `${PAID} ${condition}`,
  }))
  for (const row of rows) row.lines ||= []
  return rows
}

// The same without lines, which are expensive to read if there are many.
const TOTALS = kind("invoices", { columns: ["id", "payment", "amount_paid"], condition: `${PAID} AND amount_paid > 0` })

function findPaidTotals(tx, payers) {
  return find(tx, payers, TOTALS)
}

const SUCCEEDED = kind("charges", {
  columns: ["payment", "created"],
  condition: "AND status = 'succeeded' AND payment != ''",
})

// The time when each payment succeeded, from which `duration_days` count.
function findPaidAt(tx, payers) {
  const paidAt = {}
  for (const { payment, created } of find(tx, payers, SUCCEEDED)) {
    if (!paidAt[payment] || created < paidAt[payment]) paidAt[payment] = created
  }
  return paidAt
}

module.exports = { ITEM, findPaidAt, findPaidInvoices, findPaidTotals, findPurchases, findUnpaid, readItems }
