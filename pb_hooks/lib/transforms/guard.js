// The last step before a write to a collection with transforms is stored: by the row as it is then.
//
// PocketBase loads the record before its transform is asked. So the row is read again, in the transaction of
// the write. What others changed meanwhile stays (merge.js). If the transform was shown it, it is
// asked once more, by the row of now; if the row changes again during that, the answer is 409.
const { askOne, describe } = require(`${__hooks}/lib/transforms/call.js`)
const {
  findDifferences, readColumns, rebase, resolveModifiers,
} = require(`${__hooks}/lib/transforms/merge.js`)
const { readBody, readSent } = require(`${__hooks}/lib/transforms/request_body.js`)
const { findRequest } = require(`${__hooks}/lib/transforms/request_registry.js`)
const { readTable } = require(`${__hooks}/lib/transforms/table.js`)
const { STEP_MS, isReserved, release, reserve } = require(`${__hooks}/lib/transforms/record_locks.js`)
const { settle } = require(`${__hooks}/lib/transforms/result.js`)

// On the request: the names of the fields that its transform has set, as JSON; missing if it was not asked.
const CHANGES = "gateway.changes"
// How long a write waits for others of the same record.
const WAIT_MS = 10000
const [STORED, RESERVED, STALE] = ["stored", "reserved", "stale"]

// Asks, does what the verdict says, and remembers which values are the transform's. Returns their names.
function transform(request, record, entry, operation, { body, headers }) {
  const raw = entry.request ? readSent(request) : null
  const verdict = askOne(entry, describe(entry, operation, record, body, raw), request, headers)
  const set = settle(record, entry, operation, verdict)
  if (operation !== "create") request.set(CHANGES, JSON.stringify(set))
  return set
}

// For the hooks of the model, which run after all hooks of the request.
function guard(e, operation) {
  const request = findRequest(e.record)
  if (!request) return e.next()
  const collection = e.record.collection()
  const entries = readTable(e.app).table[collection.id]
  const [any] = Object.values(entries)
  const base = readColumns(e.record.original(), e.app)
  const write = { request, collection, operation, base, entry: entries[operation] || any }
  if (!e.app.isTransactional()) return store(e, write)
  // A hook or a dry run holds the writer: the gateway must not be asked from here.
  if (attempt(e, e.app, write, "") !== STORED) throw conflict()
}

// Stores the write in a transaction of its own, with its transform asked again where needed.
function store(e, write) {
  const deadline = Date.now() + WAIT_MS
  let key = ""
  try {
    for (;;) {
      // Looked at outside of a transaction too: those who wait must not hold the writer.
      const isWaiting = write.request.get(CHANGES) && isReserved(e.record, key)
      const state = isWaiting ? RESERVED : inTransaction(e, (tx) => attempt(e, tx, write, key))
      if (state === STORED) return
      if (Date.now() > deadline || (state === STALE && key)) throw conflict()
      if (state === RESERVED) sleep(STEP_MS)
      else {
        key = reserve(e.record, deadline, write.entry.timeout + WAIT_MS / 1000)
        askAgain(e, write, key)
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
function attempt(e, tx, write, key) {
  const { request, entry, operation, base } = write
  const changes = request.get(CHANGES)
  if (changes && isReserved(e.record, key)) return RESERVED
  const fresh = reload(tx, e.record, write)
  const differences = findDifferences(base, readColumns(fresh, tx))
  if (changes && differences.some((name) => isShown(entry, name))) return STALE
  if (differences.length > 0) catchUp(tx, write, e.record, fresh)
  else if (operation === "update") correctModifiers(request, entry, e.record, fresh, changes)
  e.next()
  return STORED
}

function askAgain(e, write, key) {
  if (!key) throw conflict()
  // The transaction waits for the writes that began before the record was reserved.
  inTransaction(e, (tx) => catchUp(tx, write, e.record, reload(tx, e.record, write)))
  const { request, entry, operation } = write
  transform(request, e.record, entry, operation, request.requestInfo())
}

function reload(tx, record, { collection }) {
  const [fresh] = tx.findRecordsByIds(collection, [record.lastSavedPK()])
  if (!fresh) throw new NotFoundError()
  return fresh
}

// Columns that a transform never sees can't have affected its result.
function isShown({ withheld, hidden, fields }, name) {
  return fields[name] !== "password" && (!withheld.includes(name) || hidden.includes(name))
}

// Merges the write into the current row, if the API rule still allows it.
function catchUp(tx, write, record, fresh) {
  const { request, entry, operation, base, collection } = write
  const columns = readColumns(fresh, tx)
  // The old password was checked against the one that was loaded.
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

// PocketBase loads the row twice: it resolves modifiers by the first copy, and saves the second.
function correctModifiers(request, entry, record, fresh, changes) {
  const body = readBody(request)
  const modified = resolveModifiers(request, entry, record, fresh)
  for (const name in modified) {
    const isRight = JSON.stringify(modified[name]) === JSON.stringify(body[name])
    if (!isRight && !(changes || "").includes(`"${name}"`)) record.set(name, modified[name])
  }
}

function conflict() {
  return new ApiError(409, "The record was changed by another request. Load it and try again.", {})
}

module.exports = { conflict, guard, transform }
