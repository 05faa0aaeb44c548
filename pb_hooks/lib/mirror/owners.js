// Owners of rows. Stripe's objects name a customer, or a payment, charge or invoice that names one; `user` or
// `organization` is filled from there, in whatever order the rows arrive.
// Why here: a row gets its owner in the commit transaction, so that it is never visible without.
const { NAMES, TABLES, nameOf } = require(`${__hooks}/lib/names.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)
const { findOne, update, userExists, valuesOf } = require(`${__hooks}/lib/mirror/records.js`)
const { choosePrimary, isRunning } = require(`${__hooks}/lib/customers/primary_customer.js`)
const { NOBODY, columnsOf, namedPayer, payerExists, readPayer } = require(`${__hooks}/lib/mirror/payer.js`)
const { addOwner, addPayer, changesEntitlements, changesFeatures } = require(`${__hooks}/lib/entitlements/payers.js`)
const { enqueueCheck, isPurchase } = require(`${__hooks}/lib/checkout/open_page.js`)
const { addBuyers } = require(`${__hooks}/lib/entitlements/feature_change.js`)

// From gateway/mirror/registry.py:
// OWNED     collections of rows with an owner, in the order in which they move with a customer: entitling rows first
// PARENTS   by collection of rows that inherit their owner: [field, collection of the parent]
// NAMELESS  those with Stripe objects that never name a customer: they inherit it as well
// FIRST     collections to save first: owners before the rows that they own
const {
  owned: OWNED, parents: PARENTS, nameless: NAMELESS, saved_first: FIRST,
} = require(`${__hooks}/lib/vocabulary.json`).mirror

// Writes rows {collection, id, customer, text, record?}, finds their owners, and updates rows that inherit from them.
// Adds payers of changed rows to `payers`. Returns the customers with metadata that names another payer than before.
function save(tx, rows, payers) {
  const owners = findOwners(tx, rows)
  const withNewFeatures = rows.filter(changesFeatures)
  // Chosen after all rows are written: a record that was read before would overwrite the choice.
  const choices = { any: new Set(), several: new Set() }
  const renamed = [], moved = []
  for (const row of ownersFirst(rows)) {
    if (row.collection === "customers") saveCustomer(tx, row, choices, renamed)
    else if (row.keepsOwner || (row.record && isSilent(row))) saveKept(tx, row, choices, payers)
    else saveOwned(tx, row, owners, choices, payers, moved)
  }
  refreshChildren(tx, moved, payers)
  addBuyers(tx, payers, withNewFeatures)
  for (const payer of choices.any) choosePrimary(tx, payer)
  for (const payer of choices.several) if (!choices.any.has(payer)) choosePrimary(tx, payer, 2)
  return renamed
}

function saveCustomer(tx, row, choices, renamed) {
  const state = (record) => `${record.getBool("deleted")} ${record.getString("created")}`
  const before = row.record ? { state: state(row.record), named: namedPayer(row.record) } : { state: "", named: "" }
  const record = write(tx, row)
  const payer = readPayer(record)
  if (before.state !== state(record)) choices.any.add(payer)
  const named = namedPayer(record)
  if (named !== payer && (before.named !== named || (named && payerExists(tx, named)))) renamed.push(record)
}

function saveKept(tx, row, choices, payers) {
  const before = statusOf(row)
  const wasPurchase = !!row.record && isPurchase(row.collection, row.record)
  const record = write(tx, row, null, payers)
  checkStatus(row, record, before, choices)
  if (!wasPurchase) enqueueCheck(tx, row.collection, record, readPayer(record))
}

// The status of a stored subscription, otherwise "".
function statusOf({ collection, record }) {
  return collection === "subscriptions" && record ? record.getString("status") : ""
}

// A subscription was added, starts or ends: the primary customer may change.
function checkStatus({ collection }, record, before, choices) {
  if (collection !== "subscriptions") return
  const changed = !before || isRunning(before) !== isRunning(record.getString("status"))
  if (changed) choices.several.add(readPayer(record))
}

function saveOwned(tx, row, owners, choices, payers, moved) {
  const before = row.record ? ownerFields(row.record) : { customer: "", payer: "" }
  const status = statusOf(row)
  const wasPurchase = !!row.record && isPurchase(row.collection, row.record)
  const record = write(tx, row, ownerOf(tx, row, owners), payers)
  const after = ownerFields(record)
  checkStatus(row, record, status, choices)
  if (!wasPurchase || before.payer !== after.payer) enqueueCheck(tx, row.collection, record, after.payer)
  if (before.payer === after.payer && before.customer === after.customer) return
  for (const { payer } of [before, after]) addOwner(payers, row.collection, payer)
  moved.push({ collection: row.collection, record })
  if (valuesOf(row).payment_link) choices.any.add(after.payer)
}

// Saves a row. Adds its payer to `payers` if entitlements may change.
function write(tx, row, owner, payers) {
  const record = row.record || new Record(tx.findCachedCollectionByNameOrId(nameOf(row.collection)))
  // Most events change few columns, and each written column updates its indexes.
  record.ignoreUnchangedFields(true)
  record.unmarshalJSON(row.text)
  if (owner) record.load(owner)
  const payer = readPayer(record)
  if (payer && changesEntitlements(tx, row, record)) addPayer(payers, payer)
  // As text, after the comparison: as a value, PocketBase would parse the object several times, for 0.1 ms per row.
  if (row.object) record.setRaw("stripe_object", row.object)
  tx.saveNoValidate(record)
  // Realtime and hooks that run after the commit get a value; from bytes, PocketBase does not validate it again.
  if (row.object) record.set("stripe_object", toBytes(row.object))
  return record
}

function ownersFirst(rows) {
  if (rows.length < 2) return rows
  const place = (row) => FIRST.indexOf(row.collection)
  const first = rows.filter((row) => place(row) >= 0).sort((a, b) => place(a) - place(b))
  return [...first, ...rows.filter((row) => place(row) < 0)]
}

// Loads the owners of all referenced customers in one query. A stored row with the same customer keeps its owner,
// because a transfer of the customer moves its rows.
function findOwners(tx, rows) {
  const owners = {}
  const customers = []
  for (const row of rows) {
    const { customer } = row
    if (!customer) continue
    row.keepsOwner = !!row.record && row.record.getString("customer") === customer
    if (!row.keepsOwner) customers.push(customer)
  }
  if (customers.length === 0) return owners
  const found = arrayOf(new DynamicModel({ id: "", user: "", organization: "" }))
  const { list, values } = placeholders(customers)
  tx.db().newQuery(`SELECT id, user, organization FROM ${TABLES.customers} WHERE id IN (${list})`)
    .bind(values).all(found)
  for (const { id, user, organization } of found) owners[id] = { user, organization }
  return owners
}

function ownerFields(record) {
  return { customer: record.getString("customer"), payer: readPayer(record) }
}

function ownerOf(tx, row, owners) {
  if (!OWNED.includes(row.collection)) return {}
  if (row.customer) return owners[row.customer] || NOBODY
  if (row.collection === "checkout_sessions") return columnsOf(userExists(tx, row.user) ? row.user : "")
  return inherit(tx, row.collection, valuesOf(row))
}

// Whether a row has no information about its owner: only the deletion of its object is known.
function isSilent(row) {
  return !("customer" in valuesOf(row)) && !NAMELESS.includes(row.collection)
}

// The owner of a row whose Stripe object names no customer.
function inherit(tx, collection, values) {
  // A payment without a customer belongs to the user of its Checkout Session.
  if (collection === "payments") return columnsOf(buyerOf(tx, values.id))
  const isNameless = NAMELESS.includes(collection)
  for (const [field, from] of PARENTS[collection] || []) {
    const parent = findParent(tx, from, values[field])
    if (!parent) continue
    const { customer, user, organization } = parent
    if (customer || user || organization) return isNameless ? { customer, user, organization } : { user, organization }
  }
  return isNameless ? { customer: "", ...NOBODY } : NOBODY
}

// The owner columns of a row, by SQL: PocketBase would parse the row's Stripe object.
function findParent(tx, collection, id) {
  const found = arrayOf(new DynamicModel({ customer: "", user: "", organization: "" }))
  tx.db().newQuery(`SELECT customer, user, organization FROM ${TABLES[collection]} WHERE id = {:id}`)
    .bind({ id }).all(found)
  return found[0]
}

function buyerOf(tx, payment) {
  const sessions = tx.findRecordsByFilter(
    NAMES.checkout_sessions, "payment = {:payment} && user != ''", "stripe_id", 1, 0, { payment })
  return sessions.length ? sessions[0].getString("user") : ""
}

// Updates rows that inherit their owner from these, [{collection, record}], and may have arrived before them. Adds their
// payers to `payers`.
function refreshChildren(tx, parents, payers) {
  for (const { record } of parents.filter(({ collection }) => collection === "checkout_sessions")) {
    const payment = findOne(tx, "payments", record.getString("payment"))
    if (payment) refresh(tx, "payments", payment, payers)
  }
  for (const collection in PARENTS) {
    for (const [field, from] of PARENTS[collection]) {
      const ids = parents.filter((parent) => parent.collection === from).map(({ record }) => record.id)
      for (const child of findChildren(tx, collection, field, ids)) refresh(tx, collection, child, payers)
    }
  }
}

// Most new rows have no children yet, which one query for all of them shows.
function findChildren(tx, collection, field, parents) {
  if (parents.length === 0) return []
  const found = arrayOf(new DynamicModel({ id: "" }))
  const { list, values } = placeholders(parents)
  tx.db().newQuery(`SELECT id FROM ${TABLES[collection]} WHERE ${field} IN (${list})`).bind(values).all(found)
  const ids = found.map(({ id }) => id)
  return ids.length ? tx.findRecordsByIds(NAMES[collection], ids) : []
}

function refresh(tx, collection, child, payers) {
  if (child.getString("customer") && !NAMELESS.includes(collection)) return
  const values = { id: child.id }
  for (const [field] of PARENTS[collection] || []) values[field] = child.getString(field)
  const before = readPayer(child)
  if (!update(tx, child, inherit(tx, collection, values))) return
  for (const payer of [before, readPayer(child)]) addOwner(payers, collection, payer)
  refreshChildren(tx, [{ collection, record: child }], payers)
}

const MAX_MOVED = 100

// Gives the rows of a customer its owner, up to MAX_MOVED of them. Returns whether all are done. Adds changed payers to
// `payers`.
function moveRows(tx, customer, owner, payers) {
  let left = MAX_MOVED
  for (const collection of OWNED) {
    const rows = tx.findRecordsByFilter(
      NAMES[collection], "customer = {:customer} && (user != {:user} || organization != {:organization})",
      "", left, 0, { customer, ...owner })
    for (const row of rows) {
      const before = readPayer(row)
      update(tx, row, owner)
      for (const payer of [before, readPayer(row)]) addOwner(payers, collection, payer)
      enqueueCheck(tx, collection, row, readPayer(row))
    }
    refreshChildren(tx, rows.map((record) => ({ collection, record })), payers)
    left -= rows.length
    if (left === 0) return false
  }
  return true
}

module.exports = { moveRows, save }
