// The names of the gateway's collections. Code says which collection it means by a key, and reads the name here.
//
// nameOf  by key, also of a collection that the vocabulary does not list yet
// NAMES   for PocketBase's API: NAMES.customers
// TABLES  for SQL, quoted: FROM ${TABLES.customers}
const { auth_collection: USERS = "users", collections: COLUMNS = {} } = readVocabulary()

// Collections with a name of their own.
const OWN = {
  users: USERS,
  notifications: "stripe_notifications",
  reconciliations: "stripe_reconciliations",
  transforms: "gateway_transforms",
  write_probe: "gateway_write_probe",
}

// Hooks are bound to their collections also if the file was not deployed: /ready names it then.
function readVocabulary() {
  try {
    return require(`${__hooks}/lib/vocabulary.json`)
  } catch (_) {
    return {}
  }
}

function nameOf(collection) {
  return OWN[collection] || collection
}

const NAMES = {}
const TABLES = {}
for (const key of [...Object.keys(COLUMNS), ...Object.keys(OWN)]) {
  NAMES[key] = nameOf(key)
  TABLES[key] = `\`${NAMES[key]}\``
}

module.exports = { NAMES, TABLES, nameOf }
