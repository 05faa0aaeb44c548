// Checkpoints of the write-ahead log beside PocketBase's writer, for runs that write much.
// SQLite copies its log into the database in the commit after which the log has 1,000 pages. That is the commit of
// PocketBase's single writer, for which all others wait. A checkpoint on another connection keeps no writer waiting.
// Why here: the limit is a property of the writing connection, which only PocketBase has.
const DEFAULT_PAGES = 1000
// A log of 62 MB, below the size that `gateway doctor` reports. A commit that reaches it makes the checkpoint itself:
// SQLite starts the log from its beginning only after a checkpoint that no writer has overtaken.
const DEFERRED_PAGES = 15000

// Copies the log into the database, and sets the limit. It is set with each call, because PocketBase may have opened a new
// connection. Returns {before, limit, pages}: the limits before and after the call, and the length of the log, in pages.
function makeCheckpoint(app, { deferred }) {
  const before = readLimit(app)
  const limit = setLimit(app, deferred ? DEFERRED_PAGES : DEFAULT_PAGES)
  const found = new DynamicModel({ busy: 0, log: 0, checkpointed: 0 })
  app.concurrentDB().newQuery("PRAGMA wal_checkpoint(PASSIVE)").one(found)
  return { before, limit, pages: found.log }
}

function readLimit(app) {
  const found = new DynamicModel({ wal_autocheckpoint: 0 })
  app.nonconcurrentDB().newQuery("PRAGMA wal_autocheckpoint").one(found)
  return found.wal_autocheckpoint
}

function setLimit(app, pages) {
  app.nonconcurrentDB().newQuery(`PRAGMA wal_autocheckpoint = ${pages}`).execute()
  return pages
}

function resetLimit(app) {
  setLimit(app, DEFAULT_PAGES)
}

module.exports = { makeCheckpoint, resetLimit }
