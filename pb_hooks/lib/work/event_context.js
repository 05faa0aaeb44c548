// The events of claimed items: payload, and the current rows that they are about.
// Why here: they are read in one call, together with the claim.
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { findOne, findWithoutObject } = require(`${__hooks}/lib/mirror/records.js`)

// One payment attempt that needs authentication causes both events.
const SAME_ATTEMPT = { payment_failed: "action_required", action_required: "payment_failed" }
const SAME_ATTEMPT_SECONDS = 60

// Returns a function from a claimed item {id, handler, source, collection, record, customer, mail, created} to its event
// as JSON text: {payload, row, user, organization, customer, email, mail}. Reads what all items need in one query per
// collection.
function readEvents(app, items) {
  const payloads = readPayloads(app, items)
  const rows = findAll(app, items.map((item) => [item.collection, item.record]))
  const rowOf = (item) => rows[item.collection + item.record]
  const customerIdOf = (item) => rowOf(item)?.getString("customer") || item.customer
  const customers = readCustomers(app, items.map(customerIdOf))
  const userIdOf = (item) => rowOf(item)?.getString("user") || customers[customerIdOf(item)]?.user || ""
  const addresses = readAddresses(app, items.map(userIdOf))
  return (item) => {
    const row = rowOf(item), customer = customers[customerIdOf(item)], user = userIdOf(item)
    const others = {
      user,
      organization: row?.getString("organization") || customer?.organization || "",
      customer: customer?.stripe_id || "",
      email: customer?.email || addresses[user] || "",
      mail: item.mail ? readContext(app, item, row, customer) : null,
    }
    const payload = payloads[item.source] || '""'
    // The columns that are not hidden, as PocketBase encodes them.
    return `${JSON.stringify(others).slice(0, -1)},"payload":${payload},"row":${row ? JSON.stringify(row) : "null"}}`
  }
}

// The payloads of events as JSON texts, by the event's id; "" for one that was pruned, or set to null in the dashboard.
function readPayloads(app, items) {
  const found = arrayOf(new DynamicModel({ stripe_id: "", payload: "" }))
  const { list, values } = placeholders(items.map(({ source }) => source))
  app.db().newQuery(`
    SELECT stripe_id, json_quote(coalesce(nullif(payload, 'null'), '')) AS payload FROM ${TABLES.stripe_events}
    WHERE stripe_id IN (${list})
  `).bind(values).all(found)
  const payloads = {}
  for (const event of found) payloads[event.stripe_id] = event.payload
  return payloads
}

function readCustomers(app, ids) {
  const columns = ["id", "stripe_id", "user", "organization", "email", "preferred_locales"]
  const found = arrayOf(new DynamicModel(Object.fromEntries(columns.map((column) => [column, ""]))))
  return byId(app, "customers", ids, found, columns.map((column) => `coalesce(${column}, '') AS ${column}`).join(", "))
}

// E-mail addresses of users by id.
function readAddresses(app, ids) {
  const users = byId(app, "users", ids, arrayOf(new DynamicModel({ id: "", email: "" })), "id, email")
  const addresses = {}
  for (const id in users) addresses[id] = users[id].email
  return addresses
}

function byId(app, key, ids, found, columns) {
  const wanted = [...new Set(ids.filter(Boolean))]
  const rows = {}
  if (wanted.length === 0) return rows
  const { list, values } = placeholders(wanted)
  app.db().newQuery(`SELECT ${columns} FROM ${TABLES[key]} WHERE id IN (${list})`).bind(values).all(found)
  for (const row of found) rows[row.id] = Object.assign({}, row)
  return rows
}

// The records of [key of a collection, id] pairs, by both joined.
function findAll(app, pairs) {
  const ids = {}
  for (const [key, id] of pairs) if (key && id) (ids[key] ||= []).push(id)
  const found = {}
  for (const key in ids) for (const record of findIn(app, key, ids[key])) found[key + record.id] = record
  return found
}

// A project may have removed the collection of its own mirror.
function findIn(app, key, ids) {
  try {
    return findWithoutObject(app, key, [...new Set(ids)])
  } catch (error) {
    app.logger().warn("The rows of events could not be read.", "collection", key, "error", `${error}`)
    return []
  }
}

// Further facts of a mail: {subscription, payment, has_payment_method, sibling, locale, refunded, metered, app}.
function readContext(app, item, subject, customer) {
  const { appName, appURL, senderName, senderAddress } = app.settings().meta
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
    sibling: readSibling(app, item),
    locale: readLocale(app, customer),
    refunded: payment ? sumRefunded(app, payment.id) : 0,
    metered: isMetered(app, subject),
    app: { name: appName, url: appURL, sender: { name: senderName, address: senderAddress } },
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

// The status of the item of the same handler about the same payment attempt, "" if there is none; `lost` if its process
// ended while it ran, so that it may have been done.
function readSibling(app, { id, handler, source, mail: kind, created }) {
  if (!SAME_ATTEMPT[kind]) return ""
  const found = arrayOf(new DynamicModel({ status: "" }))
  app.db().newQuery(`
    SELECT CASE WHEN status = 'parked' AND claim != '' THEN 'lost' ELSE status END AS status FROM ${TABLES.work}
    WHERE handler = {:handler} AND id != {:id} AND payload ->> 'kind' = {:kind}
      AND abs(unixepoch(payload ->> 'created') - unixepoch({:created})) <= ${SAME_ATTEMPT_SECONDS}
      AND source IN (SELECT stripe_id FROM ${TABLES.stripe_events} WHERE object_id =
        (SELECT object_id FROM ${TABLES.stripe_events} WHERE stripe_id = {:source}))
    ORDER BY status = 'done' DESC, status = 'running' DESC LIMIT 1
  `).bind({ id, handler, source, created, kind: SAME_ATTEMPT[kind] }).all(found)
  return found.length ? found[0].status : ""
}

// The customer's language, otherwise that of the latest Checkout Session.
function readLocale(app, customer) {
  if (!customer) return ""
  const [preferred] = JSON.parse(customer.preferred_locales || "[]") || []
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

module.exports = { readEvents }
