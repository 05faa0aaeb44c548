// The names of the gateway's collections, from PocketBase's environment. Code refers to a collection by its key in
// vocabulary.json and reads the name here. gateway/vocabulary.py has the same rules.
// Why here: hooks are bound to collections, and migrations create them, before any gateway is there.
//
// nameOf  the name of a key; other keys are returned unchanged
// ownNameOf  the same for a collection of ours that the vocabulary does not list yet
// NAMES   names by key, for PocketBase's API
// TABLES  names by key, quoted for SQL: FROM ${TABLES.customers}
// SETTINGS  {prefix, internal_prefix, auth}
const { collections: COLUMNS = {}, internal_collections: INTERNAL = [] } = readVocabulary()

// Letters, digits and _. A leading _ is PocketBase's own, sqlite_ is SQLite's, _via_ is a back-relation's.
const PREFIX = /^(?!sqlite_)(?!.*_via_)[a-z]\w{0,39}$/i
const NAME = /^(?!sqlite_)(?!.*_via_)[a-z0-9]\w{0,99}$/i

// Without the file, hooks are still bound to their collections, and /ready reports the missing file.
function readVocabulary() {
  try {
    return require(`${__hooks}/lib/vocabulary.json`)
  } catch (_) {
    return {}
  }
}

function readSettings() {
  return {
    prefix: readSetting("GATEWAY_COLLECTION_PREFIX", "", PREFIX),
    internal_prefix: readSetting("GATEWAY_INTERNAL_COLLECTION_PREFIX", "gateway_", PREFIX),
    auth: readSetting("GATEWAY_AUTH_COLLECTION", "users", NAME),
  }
}

function readSetting(variable, preset, form) {
  const text = $os.getenv(variable) || preset
  if (text === "" || form.test(text)) return text
  throw new Error(`${variable} is ${text}, but a collection's name can't ${form === NAME ? "be" : "begin with"} that: use ` +
    "letters, digits and _, a letter first, without _via_.")
}

const SETTINGS = readSettings()

function nameOf(key) {
  return isOwn(key) ? ownNameOf(key) : key
}

// Without the vocabulary no key is known, and no mirror is written.
function isOwn(key) {
  return key === "users" || key in COLUMNS || INTERNAL.includes(key) || INTERNAL.length === 0
}

function ownNameOf(key) {
  if (key === "users") return SETTINGS.auth
  return (INTERNAL.includes(key) ? SETTINGS.internal_prefix : SETTINGS.prefix) + key
}

function readNames() {
  const names = {}
  for (const key of [...Object.keys(COLUMNS), ...INTERNAL, "users"]) names[key] = ownNameOf(key)
  const taken = Object.keys(names).find((key) => key !== "users" && names[key].toLowerCase() === names.users.toLowerCase())
  if (!taken) return names
  throw new Error(`GATEWAY_AUTH_COLLECTION is ${names.users}, and the gateway makes a collection of that name: set ` +
    "GATEWAY_COLLECTION_PREFIX as well, to shop_ for example.")
}

const NAMES = readNames()
const TABLES = {}
for (const key in NAMES) TABLES[key] = `\`${NAMES[key]}\``

module.exports = { NAMES, SETTINGS, TABLES, nameOf, ownNameOf }
