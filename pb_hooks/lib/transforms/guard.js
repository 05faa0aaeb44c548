// The last step before a write to a collection with transforms is stored: checks that the row is still the one that the
// transform got.
// Why here: PocketBase loads the record before its transform runs, so the row is read again in the transaction of the
// write. Values that others changed meanwhile are kept (merge.js). If the transform got one of them, it runs once more
// on the current row; if the row changes again during that, the answer is 409.
const { askOne, describe, isAsked } = require(`${__hooks}/lib/transforms/call.js`)
const { conflict } = require(`${__hooks}/lib/transforms/errors.js`)
const {
  findDifferences, readColumns, rebase, resolveModifiers,
} = require(`${__hooks}/lib/transforms/merge.js`)
const { readBody, readSent } = require(`${__hooks}/lib/transforms/request_body.js`)
const { findRequest, hasRequests } = require(`${__hooks}/lib/transforms/request_registry.js`)
const { readTable } = require(`${__hooks}/lib/transforms/table.js`)
const { STEP_MS, isReserved, release, reserve } = require(`${__hooks}/lib/transforms/record_locks.js`)
const { applyResult } = require(`${__hooks}/lib/transforms/result.js`)
const { describeOrRefuse } = require(`${__hooks}/lib/transforms/unwritable.js`)

// Key on the request: the names of the fields that its transform has set, as JSON; missing if none ran.
const CHANGES = "gateway.changes"
// Maximum wait for other writes of the same record.
const MAX_WAIT_MS = 10000
const [STORED, RESERVED, STALE] = ["stored", "reserved", "stale"]

// Runs the transform, applies its result and stores the names of the fields that it set. Returns these names.
function transform(request, record, entry, operation, { body, headers }) {
  const raw = entry.request ? readSent(request) : null
  const write = () => describe(entry, operation, record, body, raw)
  const item = describeOrRefuse(request.app, record, operation, write)
  const result = askOne(entry, item, request, headers)
  const set = applyResult(record, entry, operation, result, isAsked(request, headers))
  if (operation !== "create") request.set(CHANGES, JSON.stringify(set))
  return set
}

// Called by the hooks of the model, which run after all hooks of the request.
function guard(e, operation) {
  const request = hasRequests() && findRequest(e.record)
  if (!request) return e.next()
  const collection = e.record.collection()
  const entries = readTable(e.app).table[collection.id]
  const [any] = Object.values(entries)
  const base = readColumns(e.record.original(), e.app)
  const write = { request, collection, operation, base, entry: entries[operation] || any }
  if (!e.app.isTransactional()) return store(e, write)
  // A hook or a dry run holds PocketBase's writer: the gateway must not be called from here.
  if (tryToStore(e, e.app, write, "") !== STORED) throw conflict()
}

// Stores the write in a transaction of its own; runs its transform again if needed.
function store(e, write) {
  const deadline = Date.now() + MAX_WAIT_MS
  let key = ""
  try {
    for (;;) {
      // Checked outside a transaction too: a waiting write must not hold the writer.
      const isWaiting = write.request.get(CHANGES) && isReserved(e.record, key)
      const state = isWaiting ? RESERVED : inTransaction(e, (tx) => tryToStore(e, tx, write, key))
      if (state === STORED) return
      if (Date.now() > deadline || (state === STALE && key)) throw conflict()
      if (state === RESERVED) sleep(STEP_MS)
      else {
        key = reserve(e.record, deadline, write.entry.timeout + MAX_WAIT_MS / 1000)
        runAgain(e, write, key)
      }
    }
  } finally {
    release(e.record, key)
  }
}

function inTransaction(e, act) {
  const app = e.app
  let result
  try {
    app.runInTransaction((tx) => {
      e.app = tx
      result = act(tx)
    })
  } finally {
    e.app = app
  }
  return result
}

// Stores the write, unless another write has reserved the record or the transform's result is outdated.
function tryToStore(e, tx, write, key) {
  const { request, entry, operation, base } = write
  const changes = request.get(CHANGES)
  if (changes && isReserved(e.record, key)) return RESERVED
  const fresh = reload(tx, e.record, write)
  const differences = findDifferences(base, readColumns(fresh, tx))
  if (changes && differences.some((name) => isShown(entry, name))) return STALE
  if (differences.length > 0) mergeCurrent(tx, write, e.record, fresh)
  else if (operation === "update") correctModifiers(request, entry, e.record, fresh, changes)
  e.next()
  return STORED
}

function runAgain(e, write, key) {
  if (!key) throw conflict()
  // The transaction waits for writes that began before the record was reserved.
  inTransaction(e, (tx) => mergeCurrent(tx, write, e.record, reload(tx, e.record, write)))
  const { request, entry, operation } = write
  transform(request, e.record, entry, operation, request.requestInfo())
}

function reload(tx, record, { collection }) {
  const [fresh] = tx.findRecordsByIds(collection, [record.lastSavedPK()])
  if (!fresh) throw new NotFoundError()
  return fresh
}

// Columns that a transform never gets can't have affected its result.
function isShown({ withheld, hidden, fields }, name) {
  return fields[name] !== "password" && (!withheld.includes(name) || hidden.includes(name))
}

// Merges the write into the current row, if the API rule still allows it.
function mergeCurrent(tx, write, record, fresh) {
  const { request, entry, operation, base, collection } = write
  const columns = readColumns(fresh, tx)
  // PocketBase has checked the old password against the loaded row.
  const isSent = "password" in readBody(request)
  if (isSent && findDifferences(base, columns).includes("password")) throw conflict()
  const modified = operation === "update" ? resolveModifiers(request, entry, record, fresh) : {}
  if (!mayWrite(request, tx, fresh, collection[`${operation}Rule`], modified)) throw new NotFoundError()
  rebase(write, record, fresh, JSON.parse(request.get(CHANGES) || "[]"))
  write.base = columns
}

function mayWrite(request, tx, fresh, rule, modified) {
  if (request.hasSuperuserAuth()) return true
  const info = request.requestInfo().clone()
  const { auth } = info
  if (auth && auth.id === fresh.id && auth.collection().id === fresh.collection().id) info.auth = fresh.clone()
  info.body = { ...info.body, ...modified }
  return tx.canAccessRecord(fresh, info, rule)
}

// PocketBase loads the row twice: it resolves modifiers on the first copy, and saves the second.
function correctModifiers(request, entry, record, fresh, changes) {
  const body = readBody(request)
  const modified = resolveModifiers(request, entry, record, fresh)
  for (const name in modified) {
    const isRight = JSON.stringify(modified[name]) === JSON.stringify(body[name])
    if (!isRight && !(changes || "").includes(`"${name}"`)) record.set(name, modified[name])
  }
}

module.exports = { guard, transform }
