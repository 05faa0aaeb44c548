// Finds the invoice lines that paid for a subscription item's current period. No I/O.
// Why here: entitlements are computed in the commit transaction.
//
// A line has its purpose in `subscription_item`, `period` and `proration`. An invoice's `billing_reason` has only the
// reason why Stripe created it.

// Values of `billing_reason` that begin a period; used only for lines without a period.
const BEGINS = ["subscription_create", "subscription_cycle", "quote_accept"]

// Whether everything paid for the item's current period was returned.
//
// isReturned  whether everything that an invoice collected was returned
function isRefunded(subscription, item, invoices, isReturned) {
  const paying = findPaying(subscription, item, invoices)
  return paying.length > 0 && paying.every(({ invoice, amount }) => amount > 0 && isReturned(invoice))
}

// Whether the item's current period is paid, also if it was free (a trial).
function isPaid(subscription, item, invoices) {
  return findPaying(subscription, item, invoices).length > 0
}

// Whether a line paid until the item's period ends at the item's present price and quantity. A larger plan or quantity
// that is not paid yet has no such line.
function isPaidInFull(subscription, item, invoices) {
  const { end } = periodOf(subscription, item)
  return invoices.some((invoice) => linesOf(subscription, item, invoice).some(({ line }) => line.amount >= 0
    && line.period.end >= end && line.price === item.price && (line.quantity ?? 1) >= (item.quantity ?? 1)))
}

// Returns {invoice, amount} of each line that paid; 0 for one that was free.
function findPaying(subscription, item, invoices) {
  const lines = invoices.flatMap((invoice) => linesOf(subscription, item, invoice))
  const period = periodOf(subscription, item)
  const paying = closest(lines.filter((each) => covers(each.line.period, period)
    && (!each.line.proration || beginsPeriod(each, lines))))
  return paying.length ? paying.map(({ invoice, line }) => ({ invoice, amount: paidBy(line, invoice) }))
    : invoices.flatMap((invoice) => findUndated(subscription, item, invoice, period))
}

// Whether an invoice may be one of those. The meaning of its prorations depends on the other invoices.
function mayPay(subscription, item, invoice) {
  const period = periodOf(subscription, item)
  return linesOf(subscription, item, invoice).some(({ line }) => covers(line.period, period)) ||
    findUndated(subscription, item, invoice, period).length > 0
}

// Of the lines that cover the period, those that fit it best: a line for a year still covers the month that replaced
// it, but the rest of the year became credit. Besides a line for the whole period, a proration is for a part of it.
function closest(covering) {
  const [best] = covering.map(({ line }) => line.period).sort((a, b) => compare(b.start, a.start) || compare(a.end, b.end))
  const fitting = covering.filter(({ line: { period } }) => period.start === best.start && period.end === best.end)
  const regular = fitting.filter(({ line }) => !line.proration)
  return regular.length ? regular : fitting
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0
}

function linesOf(subscription, item, invoice) {
  return invoice.lines.filter((line) => isDated(line) && (line.subscription_item
    ? line.subscription_item === item.id
    : !line.proration && invoice.subscription === subscription.id && line.price === item.price
  )).map((line) => ({ invoice, line }))
}

function isDated({ period }) {
  return !!period && !!period.end
}

function periodOf(subscription, item) {
  return {
    start: item.current_period_start || subscription.current_period_start,
    end: item.current_period_end || subscription.current_period_end,
  }
}

// Dates have one format, so they compare as text.
function covers(paid, { start, end }) {
  return (!start || paid.start <= start) && (!end || paid.end >= end)
}

// Whether a proration paid for the whole period, because the period began with it: the subscription started in the
// middle of a cycle, or its interval was changed.
function beginsPeriod({ invoice, line }, lines) {
  if (line.amount <= 0) return false
  if (invoice.billing_reason !== "subscription_update") return true
  return lines.some((other) => !other.line.proration && other.line.period.end !== line.period.end)
}

// The amount of a line, before tax.
function paidBy({ amount, discount }, { amount_paid }) {
  return (amount ?? amount_paid) - (discount || 0)
}

// Invoices of older rows, with lines that lack their period: an invoice that begins a period was created in the period
// that it paid for.
function findUndated(subscription, item, invoice, { start }) {
  const { lines, billing_reason, created, amount_paid } = invoice
  if (invoice.subscription !== subscription.id || !BEGINS.includes(billing_reason)) return []
  if (lines.some(isDated) || (start && created < start)) return []
  if (lines.length === 0) return [{ invoice, amount: amount_paid }]
  return lines.filter((line) => line.price === item.price).map((line) => ({ invoice, amount: paidBy(line, invoice) }))
}

module.exports = { isPaid, isPaidInFull, isRefunded, mayPay, paidBy }
