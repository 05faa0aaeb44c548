// One-time prices that a payer has bought, for the term `once_per_buyer`: from the metadata of Checkout Sessions and
// from invoice lines. The refusal itself is in gateway/checkout/quote.py.
// Why here: refunds count by the same code as entitlements, which are computed in the commit transaction.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { counts, isGuest } = require(`${__hooks}/lib/checkout/guests.js`)
const { nameOf } = require(`${__hooks}/lib/mirror/payer.js`)
const { ITEM, readItems } = require(`${__hooks}/lib/entitlements/purchases.js`)
const { findRefunded } = require(`${__hooks}/lib/entitlements/refunded_purchases.js`)
const { findInvoiceSales } = require(`${__hooks}/lib/entitlements/sales.js`)

const TERM = "checkout_once_per_buyer"

// Whether an order may have a price with the term, by metadata or in the terms file (`inFile`).
function mayBeOnce(prices, inFile) {
  return prices.some((price) => price.type === "one_time" &&
    (inFile || TERM in price.metadata || TERM in price.product_metadata))
}

// Returns Stripe ids of prices that the payer has bought or is paying for. Failed, fully refunded and disputed
// purchases don't count, by the same rules as entitlements, so that a buyer never pays twice for a product.
function readBought(app, [column, id]) {
  const payers = { column, ids: [id] }
  const sessions = findSessions(app, [column, id])
  const sales = [...sessions, ...findInvoiceSales(app, payers, sessions)]
  if (sales.length === 0) return []
  const { isSale: isReturned } = findRefunded(app, payers)
  return sales.flatMap((sale) => sale.items.filter((item) => !isReturned(sale, item)).map(({ price }) => price))
}

function findSessions(app, [column, id]) {
  const found = arrayOf(new DynamicModel({
    payment: "", invoice: "", amount_total: -0, metadata: "", claims: "", guest: false,
  }))
  app.db().newQuery(select(column)).bind({ id }).all(found)
  return found.filter((row) => counts(row, nameOf([column, id]))).map(({ payment, invoice, amount_total, metadata }) => (
    { payment, invoice, amount_total, items: readItems(JSON.parse(metadata)) }))
}

function select(column) {
  return `
    SELECT session.payment, session.invoice, session.amount_total, session.metadata,
           coalesce(customer.claims, '') AS claims, ${isGuest("session.metadata")} AS guest
    FROM ${TABLES.checkout_sessions} session LEFT JOIN ${TABLES.customers} customer ON customer.id = session.customer
    WHERE session.${column} = {:id} AND session.status NOT IN ('open', 'expired')
      AND json_valid(session.metadata) AND instr(session.metadata, '${ITEM}')
      AND NOT (session.payment_status = 'unpaid' AND (
        EXISTS (SELECT 1 FROM ${TABLES.payments} payment WHERE payment.id = session.payment
          AND payment.status IN ('requires_payment_method', 'canceled'))
        OR EXISTS (SELECT 1 FROM ${TABLES.invoices} invoice WHERE invoice.id = session.invoice
          AND invoice.status IN ('void', 'uncollectible'))))
  `
}

module.exports = { mayBeOnce, readBought }
