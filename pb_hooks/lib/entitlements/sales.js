// One-time sales: by a Checkout Session with the items in its metadata, or by an invoice.
// Why here: entitlements are computed in the commit transaction.
const { findPaidInvoices } = require(`${__hooks}/lib/entitlements/purchases.js`)

// Returns sales {payer, stripe_id, payment, invoice, created, items}, those of a session also with `amount_total`.
// Items in a session's metadata count there only, not on the invoice of the session.
function findSales(tx, payers, { sessions, isInvoiceSold }) {
  if (!isInvoiceSold) return sessions
  return [...sessions, ...findInvoiceSales(tx, payers, sessions)]
}

// Items that `sessions` name are left out.
function findInvoiceSales(tx, payers, sessions) {
  const named = new Set(sessions.flatMap(({ invoice, items }) => items.map(({ price }) => `${invoice} ${price}`)))
  return findPaidInvoices(tx, payers, "AND one_time").map((invoice) => saleOf(invoice, named))
}

function saleOf(invoice, named) {
  const { payer, id, stripe_id, payment, paid_at, created } = invoice
  return {
    payer, stripe_id, payment, invoice: id, created: paid_at || created, isInvoice: true,
    items: invoice.lines.filter((line) => isSale(line) && !named.has(`${id} ${line.price}`)).map(itemOf),
  }
}

// Not a line of a subscription, nor a discount with a line of its own.
function isSale({ subscription_item, proration, amount }) {
  return !subscription_item && !proration && amount >= 0
}

// A price that was created for this line alone is not mirrored; `period` shows that the line's other columns are known.
function itemOf({ price, product, quantity, period }) {
  return { price, product: product || "", quantity: quantity ?? 1, isOnce: !!period }
}

// Whether an item is a one-time sale. Recurring prices count by their subscription.
function isOnce(item, { type }) {
  return type === "one_time" || (type === "" && !!item.isOnce)
}

module.exports = { findInvoiceSales, findSales, isOnce, isSale }
