// Merges a write into the current row instead of the copy that PocketBase loaded for it.
// Why here: PocketBase saves every column of that copy. Values that others stored meanwhile are kept here, unless the
// client sent the field or a hook set it.
const { readBody, readRaw } = require(`${__hooks}/lib/transforms/request_body.js`)
const { typeOf } = require(`${__hooks}/lib/transforms/table.js`)

// Types whose values clients may change by `name+`, `+name` and `name-`.
const MODIFIED_TYPES = ["number", "select", "relation", "file"]

// All columns as JSON, including secret ones. Go serializes it with sorted names.
function readColumns(record, app) {
  return toString(record.dbExport(app))
}

// The names of the columns that differ between two such texts.
function findDifferences(columns, others) {
  if (columns === others) return []
  const [a, b] = [JSON.parse(columns), JSON.parse(others)]
  return Object.keys(b).filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]))
}

// The fields that the write changes: those that the client sent, and those that differ from the loaded row.
function findWritten(request, entry, record, base) {
  const sent = Object.keys(readBody(request)).filter((name) => typeOf(entry, name))
  return [...new Set([...sent, ...findDifferences(base, readColumns(record, $app))])]
}

// Replaces the row that `record` was loaded from (the columns `base`) by the current one. The fields in `dropped` have
// values of an earlier result: they get what the client sent, otherwise what is stored.
function rebase({ request, entry, base }, record, fresh, dropped) {
  const body = readBody(request)
  const written = findWritten(request, entry, record, base)
  const values = { ...resolveModifiers(request, entry, record, fresh) }
  const mine = record.clone()
  for (const { name } of record.collection().fields) copy(fresh, record, name, entry)
  record.postScan() // Not for passwords: it would keep an empty original value of them.
  for (const name of written) {
    if (name in values) record.set(name, values[name])
    else if (!dropped.includes(name)) copy(mine, record, name, entry)
    else if (name in body) record.set(name, body[name])
  }
}

// Copies the stored form of a value: `set` would hash a password again, and ignore an autodate. JavaScript changes the
// type of a number without decimals, so `set` parses it again.
function copy(from, to, name, entry) {
  if (typeOf(entry, name) === "number") to.set(name, from.getRaw(name))
  else to.setRaw(name, from.getRaw(name))
}

// The values of the fields that the client changed by a modifier, resolved on the current row. PocketBase has resolved
// them on its own copy.
function resolveModifiers(request, entry, record, fresh) {
  const sent = Object.keys(readBody(request))
  if (!sent.some((name) => MODIFIED_TYPES.includes(typeOf(entry, name)))) return {}
  const raw = readRaw(request)
  const names = Object.keys(raw).filter(isModifier).map(nameOf).filter((name) => sent.includes(name))
  if (names.length === 0) return {}
  const asSent = {}
  for (const key in raw) if (names.includes(nameOf(key))) asSent[key] = raw[key]
  for (const name of names) addUploads(record, entry, name, raw, asSent)
  return fresh.replaceModifiers(asSent)
}

function isModifier(key) {
  return /^\+|[+-]$/.test(key)
}

function nameOf(key) {
  return key.replace(/^\+|[+-]$/g, "")
}

// Adds uploads under their stored names, which the transform has got.
function addUploads(record, entry, name, raw, asSent) {
  if (typeOf(entry, name) !== "file") return
  const files = record.getUnsavedFiles(name)
  if (files.length > 0) asSent[`+${name}` in raw ? `+${name}` : `${name}+`] = [...files]
}

module.exports = { findDifferences, readColumns, rebase, resolveModifiers }
