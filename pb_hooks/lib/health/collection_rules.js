// Stores the API rules and hidden fields of each collection as migrations set them. A change by the dashboard or the API
// is not stored, so that `gateway doctor` can compare. With --automigrate, PocketBase writes a migration for such a
// change: that is stored for a project's own collections.
// Why here: migrations and requests change collections inside PocketBase.
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { collections: COLUMNS } = require(`${__hooks}/lib/vocabulary.json`)

// The number of requests that are changing collections now.
const OPEN = "gateway.collections.requests"
const RULES = ["listRule", "viewRule", "createRule", "updateRule", "deleteRule", "authRule", "manageRule"]

// Returns {rules, hidden, protected, query}; the rules that the collection's type has, null for superusers only.
function describeRules(collection) {
  const found = JSON.parse(JSON.stringify(collection))
  const namesWith = (option) => found.fields.filter((field) => field[option]).map(({ name }) => name).sort()
  const rules = {}
  for (const rule of RULES) if (found[rule] !== undefined) rules[rule] = found[rule]
  return { rules, hidden: namesWith("hidden"), protected: namesWith("protected"), query: found.viewQuery || "" }
}

// Stores the rules of a collection that a migration saved.
function storeRules(app, collection) {
  if (isRequested(app) || !hasTable(app)) return
  app.db().newQuery(`
    INSERT INTO ${TABLES.collection_rules} VALUES ({:id}, {:rules})
    ON CONFLICT (collection) DO UPDATE SET rules = excluded.rules
  `).bind({ id: collection.id, rules: JSON.stringify(describeRules(collection)) }).execute()
}

function forgetRules(app, { id }) {
  if (!hasTable(app)) return
  app.db().newQuery(`DELETE FROM ${TABLES.collection_rules} WHERE collection = {:id}`).bind({ id }).execute()
}

// Runs the rest of a request that changes collections.
function runRequest(e, collections) {
  const before = countMigrations(e.app)
  count(e.app, 1)
  try {
    e.next()
  } finally {
    count(e.app, -1)
  }
  if (countMigrations(e.app) > before) for (const each of collections) storeAutomigrated(e.app, each)
}

// The gateway's own collections are left out: only its releases change their rules.
function storeAutomigrated(app, { id, name }) {
  const isOwn = Object.keys(COLUMNS).some((key) => NAMES[key] === name)
  if (!isOwn) storeRules(app, app.findCollectionByNameOrId(id || name))
}

function count(app, step) {
  app.store().setFunc(OPEN, (old) => (old || 0) + step)
}

function isRequested(app) {
  return (app.store().get(OPEN) || 0) > 0
}

function countMigrations(app) {
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery("SELECT count(*) AS count FROM _migrations").one(found)
  return found.count
}

// Before its migration there is no table; then the migration stores all rules.
function hasTable(app) {
  return app.hasTable(NAMES.collection_rules)
}

// Returns a list of {name, found, expected, released}; expected is null if no migration made the collection. released has
// the release's rules if others were in force before any were stored (1763856330_rules_before_storing.js), else null.
function compareRules(app) {
  const stored = arrayOf(new DynamicModel({ collection: "", rules: "" }))
  app.db().newQuery(`SELECT collection, rules FROM ${TABLES.collection_rules}`).all(stored)
  const expected = {}
  for (const { collection, rules } of stored) expected[collection] = JSON.parse(rules)
  return app.findAllCollections().map((collection) => {
    const { released = null, ...stored } = expected[collection.id] || {}
    return { name: collection.name, found: describeRules(collection), expected: stored.rules ? stored : null, released }
  })
}

module.exports = { compareRules, describeRules, forgetRules, runRequest, storeRules }
