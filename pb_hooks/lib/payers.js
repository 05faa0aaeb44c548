// Whose entitlements a transaction may change, gathered while it writes: by column, a Set of ids.
const { describeOffer } = require(`${__hooks}/lib/offers.js`)
const { columnsOf, payerOf, readPayer } = require(`${__hooks}/lib/payer.js`)
const { ITEM } = require(`${__hooks}/lib/purchases.js`)

// The rows that entitlements follow from, beside products and prices.
const SAYING = new Set(["subscriptions", "entitlement_summaries", "checkout_sessions", "charges",
  "disputes", "invoices", "invoice_payments"])
const OFFERING = new Set(["products", "prices"])

function noPayers() {
  return { user: new Set(), organization: new Set() }
}

function addPayer(payers, payer) {
  if (!payer) return
  const columns = columnsOf(payer)
  for (const column in columns) if (columns[column]) payers[column].add(columns[column])
}

// A row was written.
function addPayerOf(payers, collection, record) {
  if (SAYING.has(collection)) addPayer(payers, readPayer(record))
}

// Whether a row to be written offers something else than the stored one.
function changesOffer({ collection, values, record }) {
  if (!OFFERING.has(collection) || !("metadata" in values)) return false
  const before = record ? JSON.parse(record.getString("metadata") || "{}") || {} : {}
  if (collection === "prices" && record?.getString("product") !== values.product) return true
  return describeOffer(before) !== describeOffer(values.metadata)
}

// Who has bought what one of these products or prices (rows that were written) is about.
function addPayersOf(tx, payers, rows) {
  if (rows.length === 0) return
  const buyers = findBuyers(tx, rows.map((row) => row.values.stripe_id))
  for (const { user, organization } of buyers) addPayer(payers, payerOf({ user, organization }))
}

function findBuyers(tx, stripeIds) {
  const found = arrayOf(new DynamicModel({ user: "", organization: "" }))
  tx.db().newQuery(`
    WITH named AS (
      SELECT value AS stripe_id FROM json_each({:ids})
      UNION
      SELECT price.stripe_id FROM prices price JOIN products product ON product.id = price.product
      WHERE product.stripe_id IN (SELECT value FROM json_each({:ids}))
    )
    SELECT user, organization FROM subscriptions, json_each(subscriptions.items) item
    WHERE (user != '' OR organization != '')
      AND (item.value ->> 'product' IN named OR item.value ->> 'price' IN named)
    UNION
    SELECT user, organization FROM checkout_sessions, json_each(checkout_sessions.metadata) item
    WHERE (user != '' OR organization != '') AND substr(item.key, 1, ${ITEM.length}) = '${ITEM}'
      AND substr(item.value, 1, instr(item.value || ':', ':') - 1) IN named
  `).bind({ ids: JSON.stringify(stripeIds) }).all(found)
  return found
}

module.exports = { addPayer, addPayerOf, addPayersOf, changesOffer, noPayers }
