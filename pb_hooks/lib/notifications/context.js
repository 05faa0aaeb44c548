// The current state of the rows related to a notification, read when it is sent.
// Why here: it is read in one call, together with the entry that is handed out.
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { findOne } = require(`${__hooks}/lib/mirror/records.js`)

// One payment attempt that needs authentication causes both events.
const SAME_ATTEMPT = { payment_failed: "action_required", action_required: "payment_failed" }
const SAME_ATTEMPT_SECONDS = 60

// Whether a row may be sent: action_required only after payment_failed of its invoice is sent or skipped.
const IS_FREE = `NOT (kind = 'action_required' AND record != '' AND EXISTS (
  SELECT 1 FROM ${TABLES.notifications} other
  WHERE other.record = ${TABLES.notifications}.record AND other.channel = ${TABLES.notifications}.channel
    AND other.kind = 'payment_failed' AND other.status = 'sending' AND other.locked_at > {:stale}))`

// Returns {subscription, payment, has_payment_method, sibling, locale, refunded, metered}.
function readContext(app, row, subject, customer) {
  const subscription = findOne(app, "subscriptions", subject?.getString("subscription"))
  const payment = findPayment(app, subject)
  return {
    subscription: subscription ? { status: subscription.getString("status") } : null,
    payment: payment ? {
      status: payment.getString("status"),
      amount_received: payment.getInt("amount_received"),
      presentment_details: JSON.parse(payment.getString("presentment_details") || "null"),
    } : null,
    has_payment_method: hasPaymentMethod(app, customer),
    sibling: readSibling(app, row),
    locale: readLocale(app, customer),
    refunded: payment ? sumRefunded(app, payment.id) : 0,
    metered: isMetered(app, subject),
  }
}

// The PaymentIntent of an invoice or a Checkout Session.
function findPayment(app, subject) {
  const direct = subject?.getString("payment")
  if (direct) return findOne(app, "payments", direct)
  if (subject?.collection().name !== NAMES.invoices) return undefined
  const found = arrayOf(new DynamicModel({ payment: "" }))
  app.db().newQuery(`
    SELECT payment FROM ${TABLES.invoice_payments} WHERE invoice = {:invoice} AND payment != ''
    ORDER BY status = 'paid' DESC, created DESC LIMIT 1
  `).bind({ invoice: subject.id }).all(found)
  return found.length ? findOne(app, "payments", found[0].payment) : undefined
}

// The status of the mail about the same payment attempt, "" if there is none.
function readSibling(app, { id, channel, kind, collection, record, created }) {
  if (!SAME_ATTEMPT[kind] || !record) return ""
  const found = arrayOf(new DynamicModel({ status: "" }))
  app.db().newQuery(`
    SELECT status FROM ${TABLES.notifications}
    WHERE record = {:record} AND collection = {:collection} AND kind = {:kind} AND channel = {:channel} AND id != {:id}
      AND abs(unixepoch(created) - unixepoch({:created})) <= ${SAME_ATTEMPT_SECONDS}
    ORDER BY status = 'sent' DESC, status = 'sending' DESC LIMIT 1
  `).bind({ id, channel, collection, record, created, kind: SAME_ATTEMPT[kind] }).all(found)
  return found.length ? found[0].status : ""
}

// The customer's language, otherwise that of the latest Checkout Session.
function readLocale(app, customer) {
  if (!customer) return ""
  const [preferred] = JSON.parse(customer.getString("preferred_locales") || "[]") || []
  if (preferred) return preferred
  const found = arrayOf(new DynamicModel({ locale: "" }))
  app.db().newQuery(`
    SELECT locale FROM ${TABLES.checkout_sessions}
    WHERE customer = {:customer} AND locale NOT IN ('', 'auto') ORDER BY created DESC LIMIT 1
  `).bind({ customer: customer.id }).all(found)
  return found.length ? found[0].locale : ""
}

function hasPaymentMethod(app, customer) {
  if (!customer) return false
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery(`
    SELECT count(*) AS count FROM (SELECT 1 FROM ${TABLES.payment_methods} WHERE customer = {:customer} LIMIT 1)
  `).bind({ customer: customer.id }).one(found)
  return found.count > 0
}

// Whether a price of the subscription is billed by usage.
function isMetered(app, subject) {
  if (subject?.collection().name !== NAMES.subscriptions) return false
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery(`
    SELECT count(*) AS count FROM ${TABLES.subscriptions} subscription JOIN json_each(subscription.items) item
    JOIN ${TABLES.prices} price ON price.stripe_id = item.value ->> 'price'
    WHERE subscription.id = {:id} AND price.usage_type = 'metered'
  `).bind({ id: subject.id }).one(found)
  return found.count > 0
}

// The refunded amount of a payment. After a failed refund the charge may still include it: lib/entitlements/refunds.js.
function sumRefunded(app, payment) {
  const found = new DynamicModel({ amount: 0 })
  app.db().newQuery(`
    WITH paid AS (SELECT id, amount_refunded FROM ${TABLES.charges} WHERE payment = {:payment}),
    sent AS (SELECT amount, status IN ('failed', 'canceled') AS failed FROM ${TABLES.refunds}
      WHERE payment = {:payment} OR charge IN (SELECT id FROM paid))
    SELECT max((SELECT coalesce(sum(amount), 0) FROM sent WHERE NOT failed),
      (SELECT coalesce(sum(amount_refunded), 0) FROM paid)
        - (SELECT coalesce(sum(amount), 0) FROM sent WHERE failed)) AS amount
  `).bind({ payment }).one(found)
  return found.amount
}

module.exports = { IS_FREE, readContext }
