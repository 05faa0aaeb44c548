// Recomputes the buyers of a product or price with changed features. Few buyers in the same transaction, many in parts
// (lib/work/parts.js): each part holds the writer for a limited number of buyers, and never while they are
// searched. A buyer who purchases in between is computed with the new features anyway.
// Why here: a change of features must be committed together with the entitlements of its buyers, or with the work left.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { addPayer, noPayers } = require(`${__hooks}/lib/entitlements/payers.js`)
const { payerOf } = require(`${__hooks}/lib/mirror/payer.js`)
const { ITEM } = require(`${__hooks}/lib/entitlements/purchases.js`)
const { advance, enqueueParts, finish } = require(`${__hooks}/lib/work/parts.js`)
const { runTransaction } = require(`${__hooks}/lib/database/transaction.js`)

// By collection, where its rows name bought items: `column` is expanded by json_each, `some` is a condition on rows,
// `isNamed` one on the expanded items.
const IS_ITEM = "(item.value ->> 'product' IN named OR item.value ->> 'price' IN named)"
const NAMED = {
  subscriptions: { column: "items", some: "true", isNamed: IS_ITEM },
  invoices: { column: "lines", some: "one_time", isNamed: IS_ITEM },
  checkout_sessions: {
    column: "metadata",
    some: "true",
    isNamed: `substr(item.key, 1, ${ITEM.length}) = '${ITEM}'
      AND substr(item.value, 1, instr(item.value || ':', ':') - 1) IN named`,
  },
}
const SOURCES = Object.keys(NAMED)

// Maximum numbers of rows to search, and of buyers to recompute, in a delivery's transaction or in one part.
const MAX_ROWS = 5000
const MAX_BUYERS = 50

// Adds the buyers of changed products and prices (`rows`) to `payers`, or enqueues them.
function addBuyers(tx, payers, rows) {
  if (rows.length === 0) return
  const ids = rows.map((row) => row.stripe_id)
  const found = SOURCES.every((table) => isFew(tx, table))
    ? SOURCES.flatMap((table) => findBuyers(tx, table, ids, "")) : null
  if (found && found.length <= MAX_BUYERS) addAll(payers, found)
  else for (const id of ids) enqueueParts(tx, "gateway.entitlements.recompute", id)
}

function isFew(tx, table) {
  const more = arrayOf(new DynamicModel({ id: "" }))
  tx.db().newQuery(`SELECT id FROM ${TABLES[table]} WHERE id > '' LIMIT 1 OFFSET ${MAX_ROWS}`).all(more)
  return more.length === 0
}

// Does one part; returns whether work is left. A cursor is a collection and the id of a row in it: `subscriptions/ID`.
function doPart(app, items) {
  const [table, after] = items[0].cursor ? items[0].cursor.split("/") : [SOURCES[0], ""]
  const end = findEnd(app, table, after)
  const found = end ? findBuyers(app, table, items.map((item) => item.object), after, end) : []
  const isCut = found.length > MAX_BUYERS
  const next = end ? `${table}/${isCut ? found[MAX_BUYERS - 1].id : end}` : placeAfter(table)
  runTransaction(app, (tx) => {
    const ours = items.filter((item) => next ? advance(tx, item, next) : finish(tx, item))
    if (ours.length === 0) return
    const payers = noPayers()
    addAll(payers, found.slice(0, MAX_BUYERS))
    require(`${__hooks}/lib/entitlements/entitlements.js`).updateEntitlements(tx, payers)
  })
  return !!next
}

function placeAfter(table) {
  const next = SOURCES[SOURCES.indexOf(table) + 1]
  return next ? `${next}/` : ""
}

function findEnd(app, table, after) {
  const found = new DynamicModel({ id: "" })
  app.db().newQuery(`
    SELECT coalesce(max(id), '') AS id FROM (
      SELECT id FROM ${TABLES[table]} WHERE id > {:after} AND ${NAMED[table].some} ORDER BY id LIMIT ${MAX_ROWS})
  `).bind({ after }).one(found)
  return found.id
}

// Returns the rows that name one of these products or prices, with ids after `after` and up to `end`, ordered by id; at
// most one more than a part takes.
function findBuyers(app, table, stripeIds, after, end = "~") {
  const { column, some, isNamed } = NAMED[table]
  const found = arrayOf(new DynamicModel({ id: "", user: "", organization: "" }))
  app.db().newQuery(`
    WITH named AS (
      SELECT value AS stripe_id FROM json_each({:ids})
      UNION
      SELECT price.stripe_id FROM ${TABLES.prices} price JOIN ${TABLES.products} product ON product.id = price.product
      WHERE product.stripe_id IN (SELECT value FROM json_each({:ids}))
    )
    SELECT DISTINCT bought.id, user, organization FROM ${TABLES[table]} bought, json_each(bought.${column}) item
    WHERE bought.id > {:after} AND bought.id <= {:end} AND (user != '' OR organization != '') AND ${some}
      AND ${isNamed}
    ORDER BY bought.id LIMIT ${MAX_BUYERS + 1}
  `).bind({ ids: JSON.stringify(stripeIds), after, end }).all(found)
  return found.map((row) => Object.assign({}, row))
}

function addAll(payers, rows) {
  for (const { user, organization } of rows) addPayer(payers, payerOf({ user, organization }))
}

module.exports = { addBuyers, doPart }
