// Whose a row is. Stripe's objects name a customer, or a payment, charge or invoice that names one;
// `user` or `organization` is filled from there, whichever arrives first.
// Why here: a row gets its owner in the commit transaction, so that it is never visible without.
const { NAMES, TABLES, nameOf } = require(`${__hooks}/lib/names.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)
const { findOne, update, userExists, valuesOf } = require(`${__hooks}/lib/mirror/records.js`)
const { choosePrimary, isRunning } = require(`${__hooks}/lib/customers/primary_customer.js`)
const { NOBODY, columnsOf, namedPayer, payerExists, readPayer } = require(`${__hooks}/lib/mirror/payer.js`)
const { addOwner, addPayer, changesEntitlements, changesOffer } = require(`${__hooks}/lib/entitlements/payers.js`)
const { addBuyers } = require(`${__hooks}/lib/entitlements/feature_change.js`)

// From gateway/mirror/registry.py:
// OWNED     the collections whose rows have an owner, in the order in which they move with a customer: what gives
//           something first
// PARENTS   rows that take their owner from another row: by which field, in which collection, to find it
// NAMELESS  those of them whose Stripe object never names a customer: they take that from the parent as well
// FIRST     owners are saved before what they own
const {
  owned: OWNED, parents: PARENTS, nameless: NAMELESS, saved_first: FIRST,
} = require(`${__hooks}/lib/vocabulary.json`).mirror

// Writes rows {collection, id, customer, text, record?}, finds their owners, and gives orphans theirs. Adds to `payers`
// those of whom something has changed. Returns the customers whose metadata names another payer than before.
function save(tx, rows, payers) {
  const owners = findOwners(tx, rows)
  const offers = rows.filter(changesOffer)
  // Chosen when all rows are written: one that was read before would undo it.
  const choices = { any: new Set(), several: new Set() }
  const renamed = []
  for (const row of ownersFirst(rows)) {
    if (row.collection === "customers") saveCustomer(tx, row, choices, renamed)
    else if (row.keepsOwner || (row.record && isSilent(row))) saveKept(tx, row, choices, payers)
    else saveOwned(tx, row, owners, choices, payers)
  }
  addBuyers(tx, payers, offers)
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
  const record = write(tx, row, null, payers)
  noteStatus(row, record, before, choices)
}

// Of a subscription that is stored: its status.
function statusOf({ collection, record }) {
  return collection === "subscriptions" && record ? record.getString("status") : ""
}

// A subscription was added, starts or ends: the primary customer may change.
function noteStatus({ collection }, record, before, choices) {
  if (collection !== "subscriptions") return
  const changed = !before || isRunning(before) !== isRunning(record.getString("status"))
  if (changed) choices.several.add(readPayer(record))
}

function saveOwned(tx, row, owners, choices, payers) {
  const before = row.record ? ownerFields(row.record) : { customer: "", payer: "" }
  const status = statusOf(row)
  const record = write(tx, row, ownerOf(tx, row, owners), payers)
  const after = ownerFields(record)
  noteStatus(row, record, status, choices)
  if (before.payer === after.payer && before.customer === after.customer) return
  for (const { payer } of [before, after]) addOwner(payers, row.collection, payer)
  refreshChildren(tx, row.collection, record, payers)
  if (valuesOf(row).payment_link) choices.any.add(after.payer)
}

// Saves a row. Adds its payer to `payers` if entitlements may change with it.
function write(tx, row, owner, payers) {
  const record = row.record || new Record(tx.findCachedCollectionByNameOrId(nameOf(row.collection)))
  // Most events change little, and every column that is written costs its indexes too.
  record.ignoreUnchangedFields(true)
  record.unmarshalJSON(row.text)
  if (owner) record.load(owner)
  const payer = readPayer(record)
  if (payer && changesEntitlements(tx, row, record)) addPayer(payers, payer)
  // As text, after the comparison: as a value, PocketBase would parse the object several times, for 0.1 ms per row.
  if (row.object) record.setRaw("stripe_object", row.object)
  tx.saveNoValidate(record)
  // Realtime and hooks that run after the commit get a value.
  if (row.object) record.set("stripe_object", row.object)
  return record
}

function ownersFirst(rows) {
  if (rows.length < 2) return rows
  const place = (row) => FIRST.indexOf(row.collection)
  const first = rows.filter((row) => place(row) >= 0).sort((a, b) => place(a) - place(b))
  return [...first, ...rows.filter((row) => place(row) < 0)]
}

// Whose the customers are that rows name, in one query. A stored row whose customer stays the same keeps
// its owner too, because a customer that is moved takes its rows along.
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

// A row of which only the deletion is known says nothing about its owner.
function isSilent(row) {
  return !("customer" in valuesOf(row)) && !NAMELESS.includes(row.collection)
}

// The owner of a row whose Stripe object names no customer.
function inherit(tx, collection, values) {
  // A payment without a customer belongs to the user of the checkout session that it was made in.
  if (collection === "payments") return columnsOf(buyerOf(tx, values.id))
  const isNameless = NAMELESS.includes(collection)
  for (const [field, from] of PARENTS[collection] || []) {
    const parent = findOne(tx, from, values[field])
    if (!parent) continue
    const { customer, payer } = ownerFields(parent)
    if (customer || payer) return isNameless ? { customer, ...columnsOf(payer) } : columnsOf(payer)
  }
  return isNameless ? { customer: "", ...NOBODY } : NOBODY
}

function buyerOf(tx, payment) {
  const sessions = tx.findRecordsByFilter(
    NAMES.checkout_sessions, "payment = {:payment} && user != ''", "stripe_id", 1, 0, { payment })
  return sessions.length ? sessions[0].getString("user") : ""
}

// Brings the rows in line that take their owner from this one and may have arrived before it. Adds to `payers`.
function refreshChildren(tx, parent, record, payers) {
  if (parent === "checkout_sessions") {
    const payment = findOne(tx, "payments", record.getString("payment"))
    if (payment) refresh(tx, "payments", payment, payers)
    return
  }
  for (const collection in PARENTS) {
    for (const [field, from] of PARENTS[collection]) {
      if (from !== parent) continue
      const children = tx.findRecordsByFilter(
        NAMES[collection], `${field} = {:id}`, "", 0, 0, { id: record.id })
      for (const child of children) refresh(tx, collection, child, payers)
    }
  }
}

function refresh(tx, collection, child, payers) {
  if (child.getString("customer") && !NAMELESS.includes(collection)) return
  const values = { id: child.id }
  for (const [field] of PARENTS[collection] || []) values[field] = child.getString(field)
  const before = readPayer(child)
  if (!update(tx, child, inherit(tx, collection, values))) return
  for (const payer of [before, readPayer(child)]) addOwner(payers, collection, payer)
  refreshChildren(tx, collection, child, payers)
}

const MOVED_AT_ONCE = 100

// A customer's owner is known, or another one: so are those of its rows. Moves some; returns whether these
// are all. Adds to `payers` those of whom something has changed.
function moveRows(tx, customer, owner, payers) {
  let left = MOVED_AT_ONCE
  for (const collection of OWNED) {
    const rows = tx.findRecordsByFilter(
      NAMES[collection], "customer = {:customer} && (user != {:user} || organization != {:organization})",
      "", left, 0, { customer, ...owner })
    for (const row of rows) {
      const before = readPayer(row)
      update(tx, row, owner)
      for (const payer of [before, readPayer(row)]) addOwner(payers, collection, payer)
      refreshChildren(tx, collection, row, payers)
    }
    left -= rows.length
    if (left === 0) return false
  }
  return true
}

module.exports = { save, moveRows }
