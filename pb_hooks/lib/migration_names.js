// The names that migrations use: those of names.js, or those of a database that was installed before names were
// settings. 1763855990_collection_names.js renames its collections; its down migration restores the former names.
// Why here: migrations run inside PocketBase, before any gateway is there.
const { SETTINGS, ownNameOf } = require(`${__hooks}/lib/names.js`)

const RENAMING = "1763855990_collection_names.js"
const FORMER = {
  notifications: "stripe_notifications",
  reconciliations: "stripe_reconciliations",
  transforms: "gateway_transforms",
  write_probe: "gateway_write_probe",
}

// Keys of internal collections that later migrations rename (1763856160_plain_names.js) or remove.
const RENAMED_LATER = ["checkout_attempts", "customer_tasks", "deferred_work", "follow_ups", "notifications"]

function formerNameOf(key) {
  return FORMER[key] || key
}

function nameOf(key) {
  return RENAMED_LATER.includes(key) ? SETTINGS.internal_prefix + key : ownNameOf(key)
}

function isApplied(app, file) {
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery("SELECT count(*) AS count FROM _migrations WHERE file = {:file}").bind({ file }).one(found)
  return found.count > 0
}

// Returns the function from a key to its name in this database.
function namesOf(app) {
  return isApplied(app, RENAMING) ? nameOf : formerNameOf
}

// Returns the collection of a key.
function find(app, key) {
  const name = namesOf(app)(key)
  try {
    return app.findCollectionByNameOrId(name)
  } catch (_) {
    throw new Error(`The collection ${name} is missing. GATEWAY_COLLECTION_PREFIX, GATEWAY_INTERNAL_COLLECTION_PREFIX ` +
      "and GATEWAY_AUTH_COLLECTION must stay as they were when the gateway was installed.")
  }
}

module.exports = { find, formerNameOf, isApplied, nameOf, namesOf }
