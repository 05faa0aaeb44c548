// The effects in `gateway_effects`, and their triggers. The rows are the declarations, the triggers follow from them and
// from the columns of the collections.
// Why here: triggers change in the transaction that changes the rows or a collection, also while no gateway runs.
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { EVENTS, PREFIX, buildTriggers } = require(`${__hooks}/lib/effects/triggers.js`)

// From an effect {handler, collection, event, operations, fields, key, tries, at_most_once} to its row.
function toRow(effect, collections, started) {
  const name = effect.event ? NAMES[EVENTS[effect.event].collection] : effect.collection
  const operations = effect.event ? Object.keys(EVENTS[effect.event]).filter((key) => key !== "collection") : effect.operations
  const found = collections.find((collection) => collection.name === name)
  const values = { ...effect, collection: name, operations }
  const id = $security.sha256(JSON.stringify([values.handler, name, values.event])).slice(0, 15)
  return { ...values, id, collection_ref: found ? found.id : "", started }
}

function readAll(app) {
  const found = arrayOf(new DynamicModel({
    id: "", handler: "", collection: "", collection_ref: "", event: "", operations: "", fields: "", key: "", tries: 0,
    at_most_once: false, started: 0,
  }))
  app.db().newQuery(`SELECT id, ${COLUMNS.map((name) => `\`${name}\``).join(", ")} FROM ${TABLES.effects}`).all(found)
  return found.map((row) => ({ ...row, operations: JSON.parse(row.operations), fields: JSON.parse(row.fields) }))
}

const COLUMNS = [
  "handler", "collection", "collection_ref", "event", "operations", "fields", "key", "tries", "at_most_once", "started",
]

// Plain SQL: nothing watches these rows.
function replaceAll(tx, rows) {
  tx.db().newQuery(`DELETE FROM ${TABLES.effects}`).execute()
  for (const row of rows) {
    tx.db().newQuery(`
      INSERT INTO ${TABLES.effects} (id, ${COLUMNS.map((name) => `\`${name}\``).join(", ")})
      VALUES ({:id}, ${COLUMNS.map((name) => `{:${name}}`).join(", ")})
    `).bind({ ...row, operations: JSON.stringify(row.operations), fields: JSON.stringify(row.fields) }).execute()
  }
}

// The triggers that rows need, by name. A renamed collection keeps its effects; a new one of the former name has them too.
function describeTriggers(rows, collections) {
  const wanted = {}
  const users = collections.find(({ name }) => name === NAMES.users)
  for (const row of rows) {
    const collection = collections.find(({ id }) => id === row.collection_ref)
      || collections.find(({ name }) => name === row.collection)
    if (!collection || collection.isView()) continue
    for (const { name, sql } of buildTriggers(row, collection, users)) wanted[name] = sql
  }
  return wanted
}

function readTriggers(app) {
  const found = arrayOf(new DynamicModel({ name: "", sql: "" }))
  app.db().newQuery(`
    SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, ${PREFIX.length}) = '${PREFIX}'
  `).all(found)
  const stored = {}
  for (const { name, sql } of found) stored[name] = sql
  return stored
}

// Whether the triggers of the rows are those of the database: a restored backup may have others.
function areInstalled(app, rows, collections) {
  const wanted = describeTriggers(rows, collections)
  const stored = readTriggers(app)
  return Object.keys(stored).length === Object.keys(wanted).length
    && Object.keys(wanted).every((name) => stored[name] === wanted[name])
}

function install(tx, rows, collections) {
  const wanted = describeTriggers(rows, collections)
  const stored = readTriggers(tx)
  for (const name in stored) if (stored[name] !== wanted[name]) drop(tx, name)
  for (const name in wanted) if (stored[name] !== wanted[name]) tx.db().newQuery(wanted[name]).execute()
}

function drop(tx, name) {
  tx.db().newQuery(`DROP TRIGGER ${name}`).execute()
}

// Changes a collection without its triggers: they name its columns, and SQLite refuses to drop a column that a trigger
// names; and PocketBase updates all rows when a column gets another type. Then installs them for the new columns.
function changeWithoutTriggers(e) {
  if (!hasEffects(e.app)) return e.next()
  const app = e.app
  app.runInTransaction((tx) => {
    e.app = tx
    const rows = readAll(tx)
    for (const name in readTriggers(tx)) drop(tx, name)
    e.next()
    install(tx, rows, [...tx.findAllCollections()])
  })
  e.app = app
}

function hasEffects(app) {
  if (!isInstalled(app)) return false
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery(`SELECT count(*) AS count FROM ${TABLES.effects}`).one(found)
  return found.count > 0
}

// Whether the migration of the table has run.
function isInstalled(app) {
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery("SELECT count(*) AS count FROM sqlite_master WHERE type = 'table' AND name = {:name}")
    .bind({ name: NAMES.effects || "" }).one(found)
  return found.count > 0
}

module.exports = { areInstalled, changeWithoutTriggers, install, readAll, replaceAll, toRow }
