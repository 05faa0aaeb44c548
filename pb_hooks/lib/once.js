// Which one-time prices a payer has bought, for the term `once_per_buyer`: by the items that the metadata
// of a Checkout Session names.
const { counts, isGuest } = require(`${__hooks}/lib/guests.js`)
const { nameOf } = require(`${__hooks}/lib/payer.js`)
const { prepare } = require(`${__hooks}/lib/sql.js`)
const { ITEM, readItems } = require(`${__hooks}/lib/purchases.js`)

const TERM = "checkout_once_per_buyer"

// Whether an order may have a price with the term: its metadata says so, or the plan file can (`inFile`).
function mayBeOnce(prices, inFile) {
  return prices.some((price) => price.type === "one_time" &&
    (inFile || TERM in price.metadata || TERM in price.product_metadata))
}

// The Stripe ids of the prices that were bought or are being paid for. What failed, or was refunded in full
// or disputed, may be bought again.
function readBought(app, payer) {
  const [column, id] = payer
  const found = arrayOf(new DynamicModel({ metadata: "", claims: "", guest: false }))
  prepare(select(column)).bind({ id }).all(found)
  return found.filter((row) => counts(row, nameOf(payer))).flatMap(({ metadata }) => readItems(JSON.parse(metadata)).map(({ price }) => price))
}

// The payments of a session: its own, or those of its invoice.
const PAYMENTS = `
  SELECT session.payment UNION
  SELECT paid.payment FROM invoice_payments paid WHERE session.invoice != '' AND paid.invoice = session.invoice`

function select(column) {
  return `
    SELECT session.metadata, coalesce(customer.claims, '') AS claims, ${isGuest("session.metadata")} AS guest
    FROM checkout_sessions session LEFT JOIN customers customer ON customer.id = session.customer
    WHERE session.${column} = {:id} AND session.status NOT IN ('open', 'expired')
      AND json_valid(session.metadata) AND instr(session.metadata, '${ITEM}')
      AND NOT EXISTS (
        SELECT 1 FROM charges charge WHERE charge.payment != '' AND charge.payment IN (${PAYMENTS})
          AND (charge.refunded OR charge.id IN (
            SELECT dispute.charge FROM disputes dispute WHERE dispute.charge = charge.id
              AND dispute.status IN ('needs_response', 'under_review', 'lost'))))
      AND NOT (session.payment_status = 'unpaid' AND (
        EXISTS (SELECT 1 FROM payments payment WHERE payment.id = session.payment
          AND payment.status IN ('requires_payment_method', 'canceled'))
        OR EXISTS (SELECT 1 FROM invoices invoice WHERE invoice.id = session.invoice
          AND invoice.status IN ('void', 'uncollectible'))))
  `
}

module.exports = { mayBeOnce, readBought }
