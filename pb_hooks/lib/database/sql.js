// Placeholders of SQL lists, and errors of the database that another try may solve.
// Why here: the statements run in PocketBase's transactions.

// Returns named placeholders for a list of values: for few values several times faster than json_each.
// Two lists in one query need different prefixes.
function placeholders(list, prefix = "i") {
  const values = {}
  list.forEach((value, i) => { values[prefix + i] = value })
  return { list: list.map((_, i) => `{:${prefix}${i}}`).join(","), values }
}

// Whether an error comes from the database's state, not from the values: another try may succeed.
function isPassing(error) {
  return PASSING.test(`${error}`)
}

const LOCKED = /SQLITE_(BUSY|LOCKED)|is locked/i
const PASSING = new RegExp([
  LOCKED.source, "SQLITE_(NOMEM|READONLY|INTERRUPT|IOERR|FULL|CANTOPEN|PROTOCOL)", "I/O error",
  "disk is full", "out of memory", "readonly database", "unable to open database",
].join("|"), "i")

// Milliseconds between tries; their sum is less than the gateway's timeout.
const PAUSES_MS = [20, 50, 100, 200, 400, 800]

// Repeats a write while another process (a backup, Litestream) locks the database: PocketBase itself waits for the lock
// only if a transaction begins with a write.
function untilUnlocked(write) {
  for (const pause of PAUSES_MS) {
    try {
      return write()
    } catch (error) {
      if (!LOCKED.test(`${error}`)) throw error
      sleep(pause)
    }
  }
  return write()
}

module.exports = { isPassing, placeholders, untilUnlocked }
