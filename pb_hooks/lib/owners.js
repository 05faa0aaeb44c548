// Whose a row is. Stripe's objects name a customer, or a payment, charge or invoice that names one;
// `user` is filled from there, whichever arrives first. Rows are saved as records, so that PocketBase's
// realtime and record hooks fire, but without validation: a relation may name what is still to come.

const { placeholders } = require(`${__hooks}/lib/sql.js`)

const OWNED = ["tax_ids", "payment_methods", "setup_intents", "subscriptions",
  "subscription_schedules", "checkout_sessions", "payments", "charges", "refunds", "disputes",
  "invoices", "invoice_payments", "credit_notes", "entitlement_summaries", "entitlements"]

// Rows whose Stripe object names no customer: by which field, in which collection, to find it.
const PARENTS = {
  refunds: [["charge", "charges"], ["payment", "payments"]],
  disputes: [["charge", "charges"], ["payment", "payments"]],
  invoice_payments: [["invoice", "invoices"]],
}

// Owners are saved before what they own.
const FIRST = ["customers", "payments", "charges", "invoices"]

// Writes rows {collection, values, stamp, record?}, finds their owners, and gives orphans theirs.
function save(tx, rows) {
  const users = findUsers(tx, rows)
  for (const row of ownersFirst(rows)) {
    const record = row.record || new Record(tx.findCachedCollectionByNameOrId(row.collection))
    const owner = ownerOf(tx, row, record, users)
    const gained = !row.record || (owner.user || "") !== record.getString("user")
    record.load({ ...row.values, ...owner, stamp: JSON.stringify(row.stamp) })
    tx.saveNoValidate(record)
    if (row.collection === "customers") linkCustomerByEmail(tx, record)
    else if (gained) adoptChildren(tx, row.collection, record)
  }
}

function ownersFirst(rows) {
  if (rows.length < 2) return rows
  const place = (row) => FIRST.indexOf(row.collection)
  const first = rows.filter((row) => place(row) >= 0).sort((a, b) => place(a) - place(b))
  return [...first, ...rows.filter((row) => place(row) < 0)]
}

// The users of all customers that the rows name, in one query.
function findUsers(tx, rows) {
  const customers = rows.map((row) => row.values.customer).filter(Boolean)
  const users = {}
  if (customers.length === 0) return users
  const found = arrayOf(new DynamicModel({ id: "", user: "" }))
  const { list, values } = placeholders(customers)
  tx.db().newQuery(`SELECT id, user FROM customers WHERE id IN (${list})`).bind(values).all(found)
  for (const customer of found) users[customer.id] = customer.user
  return users
}

function ownerOf(tx, row, record, users) {
  if (!OWNED.includes(row.collection)) return {}
  if (row.values.customer) return { user: users[row.values.customer] || "" }
  for (const [field, collection] of PARENTS[row.collection] || []) {
    const parent = findOne(tx, collection, row.values[field])
    if (parent && (parent.getString("customer") || parent.getString("user"))) return ownerFields(parent)
  }
  if (row.collection === "payments") return guestOf(tx, record, row.values.id)
  return { user: userExists(tx, row.user) ? row.user : "" }
}

function ownerFields(record) {
  return { customer: record.getString("customer"), user: record.getString("user") }
}

// A payment without a customer belongs to the user of the checkout session that it was made in.
function guestOf(tx, record, payment) {
  const sessions = tx.findRecordsByFilter(
    "checkout_sessions", "payment = {:payment} && user != ''", "", 1, 0, { payment })
  return { user: sessions.length ? sessions[0].getString("user") : record.getString("user") }
}

// Rows that arrived before the one that says whose they are.
function adoptChildren(tx, parent, record) {
  if (!record.getString("customer") && !record.getString("user")) return
  if (parent === "checkout_sessions") return adoptPayment(tx, record)
  for (const collection in PARENTS) {
    for (const [field, from] of PARENTS[collection]) {
      if (from !== parent) continue
      const orphans = tx.findRecordsByFilter(
        collection, `${field} = {:id} && customer = '' && user = ''`, "", 0, 0, { id: record.id })
      for (const orphan of orphans) update(tx, orphan, ownerFields(record))
    }
  }
}

function adoptPayment(tx, session) {
  const payment = findOne(tx, "payments", session.getString("payment"))
  if (!payment || payment.getString("customer") || payment.getString("user")) return
  update(tx, payment, { user: session.getString("user") })
  adoptChildren(tx, "payments", payment)
}

// Claims {customer, customer_id, user, primary}: this customer is that user's.
function claim(tx, claims) {
  const known = findClaimed(tx, claims)
  for (const { customer, customer_id, user, primary } of claims) {
    const { user: owner, primary: isPrimary } = known[customer] || {}
    const settled = owner && (owner !== user || isPrimary || !primary)
    if (settled || !userExists(tx, user)) continue
    let record = findOne(tx, "customers", customer)
    if (!record) {
      record = new Record(tx.findCachedCollectionByNameOrId("customers"))
      record.load({ id: customer, stripe_id: customer_id })
    }
    link(tx, record, user, primary)
  }
}

function findClaimed(tx, claims) {
  const known = {}
  if (claims.length === 0) return known
  const found = arrayOf(new DynamicModel({ id: "", user: "", primary: false }))
  const { list, values } = placeholders(claims.map((claim) => claim.customer))
  tx.db().newQuery(`SELECT id, user, \`primary\` FROM customers WHERE id IN (${list})`)
    .bind(values).all(found)
  for (const row of found) known[row.id] = { user: row.user, primary: row.primary }
  return known
}

// A customer keeps its first user. `primary` is one customer a user: the first that may be it.
function link(tx, customer, user, primary) {
  const owner = customer.getString("user") || user
  if (owner !== user) return
  const becomesPrimary = primary && !customer.getBool("primary")
    && tx.countRecords("customers", $dbx.hashExp({ user, primary: true })) === 0
  if (customer.getString("user") === user && !becomesPrimary) return
  update(tx, customer, becomesPrimary ? { user, primary: true } : { user })
  for (const collection of OWNED) {
    const rows = tx.findRecordsByFilter(
      collection, "customer = {:customer} && user != {:user}", "", 0, 0,
      { customer: customer.id, user })
    for (const row of rows) {
      update(tx, row, { user })
      adoptChildren(tx, collection, row)
    }
  }
}

// An e-mail address links only when PocketBase has verified it.
function linkCustomerByEmail(tx, customer) {
  if (customer.getString("user") || !customer.getString("email")) return
  const email = customer.getString("email")
  const user = findUserByEmail(tx, email) || findUserByEmail(tx, email.toLowerCase())
  if (user && user.verified()) link(tx, customer, user.id, true)
}

function findUserByEmail(tx, email) {
  try {
    return tx.findAuthRecordByEmail("users", email)
  } catch {
    return null
  }
}

function linkByEmail(app, user) {
  if (!user.verified() || !user.email()) return
  app.runInTransaction((tx) => {
    const found = arrayOf(new DynamicModel({ id: "" }))
    tx.db().newQuery(`
      SELECT id FROM customers
      WHERE email = {:email} COLLATE NOCASE AND user = '' AND deleted = false ORDER BY created
    `).bind({ email: user.email() }).all(found)
    for (const { id } of found) link(tx, findOne(tx, "customers", id), user.id, true)
  })
}

function userExists(tx, user) {
  return !!user && !!findOne(tx, "users", user)
}

function findOne(tx, collection, id) {
  return id ? tx.findRecordsByIds(collection, [id])[0] : undefined
}

function update(tx, record, values) {
  record.load(values)
  tx.saveNoValidate(record)
}

module.exports = { save, claim, linkByEmail }
