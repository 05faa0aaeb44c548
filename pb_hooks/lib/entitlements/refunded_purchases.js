// Finds refunded purchases: docs/decisions/019-refunds.md.
// Why here: entitlements are computed in the commit transaction.
const { isRefunded, mayPay, paidBy } = require(`${__hooks}/lib/entitlements/periods.js`)
const { findPaidInvoices, findPaidTotals } = require(`${__hooks}/lib/entitlements/purchases.js`)
const { findReturns } = require(`${__hooks}/lib/entitlements/refunds.js`)

// Whether the money for an item's period or a sale was returned: everything collected for it, and more than 0. After an
// old refund, the lines of later invoices are not read.
function findRefunded(tx, payers) {
  const { ofPayment, ofInvoice } = findReturns(tx, payers)
  const back = new Set(findPaidTotals(tx, payers)
    .filter((invoice) => ofInvoice(invoice) >= invoice.amount_paid).map(({ id }) => id))
  const ids = [...back].map((id) => `'${id}'`).join(",")
  const returned = ids ? findPaidInvoices(tx, payers, `AND id IN (${ids})`) : []
  let all
  const isBack = ({ id }) => back.has(id)
  return {
    isItem: (subscription, item) => returned.some((invoice) => mayPay(subscription, item, invoice)) &&
      isRefunded(subscription, item, all ||= findPaidInvoices(tx, payers), isBack),
    isSale: ({ payment, invoice, amount_total, isInvoice }, item) =>
      returned.some((each) => each.id === invoice && !isFree(each, item)) ||
      (!isInvoice && !!payment && ofPayment({ payment }) >= (amount_total || Infinity)),
  }
}

function isFree(invoice, { price }) {
  const line = invoice.lines.find((each) => each.price === price && !each.subscription_item)
  return !!line && paidBy(line, invoice) <= 0
}

module.exports = { findRefunded }
