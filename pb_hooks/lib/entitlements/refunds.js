// Money returned to the payers of a transaction: refunds, disputes, and the amounts of credit notes that were given
// back outside of Stripe. A payment is one PaymentIntent with its charges, or a charge without one.
// Why here: entitlements are computed in the commit transaction.
const { find, kind } = require(`${__hooks}/lib/entitlements/payer_rows.js`)

// Refunds that did not reach the buyer. All others count from their creation, as in a charge's `amount_refunded`.
const FAILED = ["failed", "canceled"]
// Inquiries (`warning_*`) take no money, and won disputes gave it back.
const DISPUTED = "AND status IN ('needs_response', 'under_review', 'lost')"

const CHARGES = kind("charges", {
  columns: ["id", "payment", "amount", "amount_captured", "amount_refunded", "refunded", "currency"],
  condition: "AND status != 'failed'",
})
const REFUNDS = kind("refunds", { columns: ["payment", "charge", "status", "amount"] })
const DISPUTES = kind("disputes", { columns: ["payment", "charge", "amount", "currency"], condition: DISPUTED })
const INVOICE_PAYMENTS = kind("invoice_payments", {
  columns: ["invoice", "payment", "charge", "amount_paid"],
  condition: "AND status = 'paid'",
})
const CREDIT_NOTES = kind("credit_notes", {
  columns: ["invoice", "out_of_band_amount"],
  condition: "AND status = 'issued' AND out_of_band_amount > 0",
})

// Returns {ofPayment, ofInvoice}: the amount of a payment or invoice that was returned; Infinity for all of it.
function findReturns(tx, payers) {
  const keys = {}
  const sums = {}
  const keyOf = ({ payment, charge }) => payment || keys[charge] || charge
  const sumOf = (row) => (sums[keyOf(row)] ||= newSum())
  for (const charge of find(tx, payers, CHARGES)) {
    keys[charge.id] = charge.payment || charge.id
    addCharge(sumOf({ payment: charge.payment, charge: charge.id }), charge)
  }
  for (const refund of find(tx, payers, REFUNDS)) addRefund(sumOf(refund), refund)
  for (const dispute of find(tx, payers, DISPUTES)) addDispute(sumOf(dispute), dispute)
  const ofPayment = (row) => returnedOf(sums[keyOf(row)])
  const paid = findInvoicePayments(tx, payers)
  const elsewhere = findElsewhere(tx, payers)
  return {
    ofPayment,
    ofInvoice: (invoice) => (elsewhere[invoice.id] || 0) + paymentsOf(invoice, paid)
      .reduce((sum, each) => sum + Math.min(ofPayment(each), each.amount_paid || Infinity), 0),
  }
}

function newSum() {
  return { charges: 0, kept: 0, captured: 0, reported: 0, refunded: 0, failed: 0, hasFailed: false,
    disputed: 0, currency: "" }
}

function addCharge(sum, { amount, amount_captured, amount_refunded, refunded, currency }) {
  sum.charges += 1
  sum.kept += refunded ? 0 : 1
  sum.captured += amount_captured || amount
  sum.reported += refunded ? Math.max(amount_refunded, amount_captured || amount) : amount_refunded
  sum.currency = currency
}

function addRefund(sum, { status, amount }) {
  if (!FAILED.includes(status)) sum.refunded += amount
  else {
    sum.failed += amount
    sum.hasFailed = true
  }
}

// A dispute in another currency than the payment's counts as the whole amount.
function addDispute(sum, { amount, currency }) {
  const isComparable = amount && (!currency || !sum.currency || currency === sum.currency)
  sum.disputed += isComparable ? amount : Infinity
}

// Stripe reports a refund by its own events, by the charge's, or by both. After a failed refund the charge may still
// include it.
function returnedOf(sum) {
  if (!sum) return 0
  const returned = Math.max(sum.refunded, sum.reported - sum.failed) + sum.disputed
  const isWhole = sum.charges > 0 && sum.kept === 0 && !sum.hasFailed
  return isWhole || (sum.captured > 0 && returned >= sum.captured) ? Infinity : returned
}

// The payments of an invoice. Until API version basil the invoice itself has its only payment.
function paymentsOf({ id, payment }, paid) {
  const found = paid[id] || []
  if (!payment || found.some((each) => each.payment === payment)) return found
  return [...found, { payment, charge: "", amount_paid: 0 }]
}

function findInvoicePayments(tx, payers) {
  const byInvoice = {}
  for (const row of find(tx, payers, INVOICE_PAYMENTS)) (byInvoice[row.invoice] ||= []).push(row)
  return byInvoice
}

// By invoice, the amount that credit notes gave back outside of Stripe.
function findElsewhere(tx, payers) {
  const sums = {}
  for (const row of find(tx, payers, CREDIT_NOTES)) sums[row.invoice] = (sums[row.invoice] || 0) + row.out_of_band_amount
  return sums
}

module.exports = { findReturns }
