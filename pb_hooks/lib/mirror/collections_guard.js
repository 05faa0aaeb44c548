// Finds missing collections and columns, and refuses to delete those of the gateway. `make vocabulary` updates the list
// from the migrations.
// Why here: the dashboard and imports delete collections directly at PocketBase.
const { collections: COLUMNS } = require(`${__hooks}/lib/vocabulary.json`)
const { NAMES, SETTINGS, nameOf } = require(`${__hooks}/lib/names.js`)

// From the name of a collection to its key.
const KEYS = {}
for (const key in COLUMNS) KEYS[NAMES[key]] = key

// By setting: keys that only the gateway has collections of, by which a wrong prefix is detected.
const UNIQUE_KEYS = {
  GATEWAY_COLLECTION_PREFIX: ["prefix", "subscription_schedules", "checkout_sessions"],
  GATEWAY_INTERNAL_COLLECTION_PREFIX: ["internal_prefix", "checkout_keys", "billing_contacts"],
}
const NAMED_AUTH = /@request\.auth\.collectionName\s*!?=\s*["'](\w+)["']/g

// Returns one sentence per missing collection or column.
function findMissing(app) {
  const collections = [...app.findAllCollections()]
  const missing = findNamed(collections, NAMES.users) ? [] : [`the collection ${NAMES.users} is missing`]
  for (const key in COLUMNS) {
    const collection = findNamed(collections, NAMES[key])
    if (!collection) missing.push(`the collection ${NAMES[key]} is missing`)
    else missing.push(...findMissingColumns(collection).map((column) => `${NAMES[key]} has no column ${column}`),
      ...findShown(collection))
  }
  return missing
}

// `stripe_object` must be hidden, because only superusers may read it.
function findShown({ name, fields }) {
  const field = fields.getByName("stripe_object")
  return field && !field.hidden ? [`${name}.stripe_object is not hidden`] : []
}

// Returns one sentence per setting of names that differs from the names in the database.
function findMisnamed(app) {
  const collections = [...app.findAllCollections()]
  return [...findOtherPrefixes(collections), ...findOtherUsers(collections)]
}

function findOtherPrefixes(collections) {
  return Object.keys(UNIQUE_KEYS).flatMap((variable) => {
    const [setting, key, another] = UNIQUE_KEYS[variable]
    if (findNamed(collections, nameOf(key))) return []
    const prefixes = collections.filter(({ name }) => name.endsWith(key)).map(({ name }) => name.slice(0, -key.length))
    const prefix = prefixes.find((prefix) => findNamed(collections, prefix + another))
    if (prefix === undefined) return []
    return [`${variable} is "${SETTINGS[setting]}", but the collections begin with "${prefix}"`]
  })
}

// Finds an auth collection that differs from the one in memberships and rules.
function findOtherUsers(collections) {
  const users = findNamed(collections, NAMES.users)
  const members = findNamed(collections, NAMES.memberships)
  const target = members?.fields.getByName("user")?.collectionId
  const other = target && target !== users?.id && collections.find(({ id }) => id === target)
  if (other) return [`GATEWAY_AUTH_COLLECTION is "${NAMES.users}", but memberships belong to ${other.name}`]
  return findStaleRules(collections)
}

// Finds rules that no user satisfies, because the auth collection was renamed.
function findStaleRules(collections) {
  const auths = collections.filter((collection) => collection.isAuth()).map(({ name }) => name)
  return collections.filter(({ name }) => isOwn(name)).flatMap(({ name, listRule, createRule }) => {
    const named = [...`${listRule} ${createRule}`.matchAll(NAMED_AUTH)].map(([, auth]) => auth)
    const stale = named.find((auth) => !auths.includes(auth))
    return stale ? [`the rules of ${name} name the auth collection ${stale}`] : []
  })
}

function findNamed(collections, name) {
  return collections.find((collection) => collection.name === name)
}

function findMissingColumns({ name, fields }) {
  const present = {}
  for (const field of fields) present[field.name] = true
  return COLUMNS[KEYS[name]].filter((column) => !present[column])
}

function isOwn(name) {
  return Object.keys(KEYS).includes(name)
}

// Refuses an import with "delete missing" that lacks one of our collections or columns.
function refuseLoss(app, imported) {
  for (const { id, name, fields } of app.findAllCollections()) {
    if (!isOwn(name)) continue
    const kept = imported.find((other) => other.id === id || other.name === name)
    if (!kept) throw refusal(name)
    const listed = (kept.fields || [...fields]).map((field) => field.name)
    const lost = COLUMNS[KEYS[name]].filter((column) => !listed.includes(column))
    if (lost.length > 0) throw refusal(`${name} with its column ${lost[0]}`)
  }
}

function refusal(name) {
  return new BadRequestError(`The collection ${name} belongs to the gateway and can't be deleted: payments ` +
    "and transforms depend on it. An import with \"delete missing\" must list it too.")
}

function refuseDeletion({ name }) {
  if (isOwn(name)) throw refusal(name)
}

module.exports = { findMisnamed, findMissing, findMissingColumns, refuseDeletion, refuseLoss }
