// What a payer has bought, from the mirrored rows: one query a kind for all payers of a transaction.
//
// payers  {column, ids}: the column that names them in every mirrored row, and their ids
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { placeholders } = require(`${__hooks}/lib/sql.js`)

// The metadata keys under which a Checkout Session names what was bought: price, or price:quantity.
const { item_prefix: ITEM } = require(`${__hooks}/lib/vocabulary.json`).metadata

function findSubscriptions(tx, payers) {
  const rows = find(tx, payers, "subscriptions", {
    id: "", stripe_id: "", customer: "", status: "", items: "", current_period_start: "",
    current_period_end: "", cancel_at: "", pause_collection: "",
  })
  return rows.map((row) => Object.assign(row, {
    items: JSON.parse(row.items || "[]"), pause_collection: JSON.parse(row.pause_collection || "null"),
  }))
}

function findSummaries(tx, payers) {
  const rows = find(tx, payers, "entitlement_summaries", { customer: "", lookup_keys: "" })
  return rows.map((row) => Object.assign(row, { lookup_keys: JSON.parse(row.lookup_keys || "[]") }))
}

// Checkout Sessions that are done and paid, with the items that their metadata names.
function findSessions(tx, payers) {
  const rows = find(tx, payers, "checkout_sessions", {
    stripe_id: "", payment: "", invoice: "", amount_total: -0, metadata: "", created: "",
  }, `AND payment_status IN ('paid', 'no_payment_required') AND status NOT IN ('open', 'expired')
     AND instr(metadata, '${ITEM}')`)
  return rows.map((row) => Object.assign(row, { items: readItems(JSON.parse(row.metadata)) }))
}

function readItems(metadata) {
  return Object.keys(metadata).filter((key) => key.startsWith(ITEM)).map((key) => {
    const [price, quantity] = `${metadata[key]}`.split(":")
    return { price: price.trim(), product: "", quantity: Math.max(1, Math.floor(Number(quantity)) || 1) }
  })
}

// When the oldest open invoice of each subscription was due.
function findUnpaid(tx, payers) {
  const rows = find(tx, payers, "invoices", { subscription: "", created: "", due_date: "" },
    "AND status = 'open' AND NOT deleted AND subscription != ''")
  const since = {}
  for (const { subscription, created, due_date } of rows) {
    const due = due_date || created
    if (!since[subscription] || due < since[subscription]) since[subscription] = due
  }
  return since
}

const PAID = "AND status = 'paid' AND NOT deleted"

// Invoices that are paid, with their lines.
function findPaidInvoices(tx, payers, condition = "") {
  const rows = find(tx, payers, "invoices", {
    id: "", stripe_id: "", subscription: "", payment: "", billing_reason: "", amount_paid: -0, lines: "",
    paid_at: "", created: "",
  }, `${PAID} ${condition}`)
  return rows.map((row) => Object.assign(row, { lines: JSON.parse(row.lines || "[]") || [] }))
}

// The same without lines, which are expensive to read if there are many.
function findPaidTotals(tx, payers) {
  return find(tx, payers, "invoices", { id: "", payment: "", amount_paid: -0 }, `${PAID} AND amount_paid > 0`)
}

// Checks in one query for rare facts: {money}, whether any money was returned, and {sales}, whether an invoice has a
// one-time sale.
function findUnusual(tx, { column, ids }) {
  const { list, values } = placeholders(ids)
  const some = (collection, condition) =>
    `EXISTS (SELECT 1 FROM ${TABLES[collection]} WHERE ${column} IN (${list}) ${condition})`
  const found = new DynamicModel({ money: false, sales: false })
  tx.db().newQuery(`SELECT ${some("charges", "AND (refunded OR amount_refunded > 0)")}
    OR ${some("refunds", "")} OR ${some("disputes", "")}
    OR ${some("credit_notes", "AND out_of_band_amount > 0")} AS money,
    ${some("invoices", "AND one_time AND status = 'paid'")} AS sales
  `).bind(values).one(found)
  return { money: found.money, sales: found.sales }
}

// When each payment succeeded, for what lasts a number of days from then.
function findPaidAt(tx, payers) {
  const rows = find(tx, payers, "charges", { payment: "", created: "" },
    "AND status = 'succeeded' AND payment != ''")
  const paidAt = {}
  for (const { payment, created } of rows) {
    if (!paidAt[payment] || created < paidAt[payment]) paidAt[payment] = created
  }
  return paidAt
}

// A JSON column may be NULL.
function select(name) {
  return `coalesce([[${name}]], '') AS [[${name}]]`
}

// Rows of the payers with these columns, and `payer`. PocketBase reads -0 as: a number with a fraction.
function find(tx, { column, ids }, collection, columns, condition = "") {
  const found = arrayOf(new DynamicModel(Object.assign({ payer: "" }, columns)))
  const { list, values } = placeholders(ids)
  const names = Object.keys(columns)
  tx.db().newQuery(`
    SELECT ${column} AS payer, ${names.map(select).join(", ")}
    FROM ${TABLES[collection]} WHERE ${column} IN (${list}) ${condition}
  `).bind(values).all(found)
  return found.map((row) => Object.fromEntries(["payer", ...names].map((name) => [name, row[name]])))
}

module.exports = {
  ITEM, find, findPaidAt, findPaidInvoices, findPaidTotals, findSessions, findSubscriptions, findSummaries,
  findUnpaid, findUnusual, readItems,
}
