// The collections that the migrations make, and their columns: what hooks and gateway read and write; and the
// project's own that the hooks read. `make vocabulary` brings the list in line with the migrations.
const { auth_collection: USERS, collections: COLUMNS } = require(`${__hooks}/lib/vocabulary.json`)

// Returns what is missing, one sentence each; empty if nothing is.
function findMissing(app) {
  const collections = [...app.findAllCollections()]
  const missing = []
  if (!collections.some(({ name }) => name === USERS)) missing.push(`the collection ${USERS} is missing`)
  for (const name in COLUMNS) {
    const collection = collections.find((other) => other.name === name)
    if (!collection) missing.push(`the collection ${name} is missing`)
    else missing.push(...findMissingColumns(collection).map((column) => `${name} has no column ${column}`))
  }
  return missing
}

function findMissingColumns({ name, fields }) {
  const present = {}
  for (const field of fields) present[field.name] = true
  return COLUMNS[name].filter((column) => !present[column])
}

function isOwn(name) {
  return Object.keys(COLUMNS).includes(name)
}

// An import with "delete missing" must list our collections with their columns.
function refuseLoss(app, imported) {
  for (const { id, name, fields } of app.findAllCollections()) {
    if (!isOwn(name)) continue
    const kept = imported.find((other) => other.id === id || other.name === name)
    if (!kept) throw refusal(name)
    const listed = (kept.fields || [...fields]).map((field) => field.name)
    const lost = COLUMNS[name].filter((column) => !listed.includes(column))
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

module.exports = { COLUMNS, findMissing, findMissingColumns, refuseDeletion, refuseLoss }
