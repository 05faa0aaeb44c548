// One-time sales: by a Checkout Session, whose metadata names the items, or by an invoice.
// Why here: entitlements are computed in the commit transaction.
const { findPaidInvoices } = require(`${__hooks}/lib/entitlements/purchases.js`)

// Sales {payer, stripe_id, payment, invoice, created, items}, of a session also `amount_total`. What a
// session names counts there alone, although the session may have made an invoice of it.
function findSales(tx, payers, { sessions, isInvoiceSold }) {
  if (!isInvoiceSold) return sessions
  return [...sessions, ...findInvoiceSales(tx, payers, sessions)]
}

// `sessions`: items that these name don't count again.
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

// Not what a subscription bills, nor what was taken off by a line of its own.
function isSale({ subscription_item, proration, amount }) {
  return !subscription_item && !proration && amount >= 0
}

// A price that was made for this one line is mirrored nowhere; `period` tells that the rest is known.
function itemOf({ price, product, quantity, period }) {
  return { price, product: product || "", quantity: quantity ?? 1, isOnce: !!period }
}

// Whether an item was sold once; a price that recurs is in its subscription.
function isOnce(item, { type }) {
  return type === "one_time" || (type === "" && !!item.isOnce)
}

module.exports = { findInvoiceSales, findSales, isOnce }
