// A list of values as named placeholders: for a few of them several times faster than json_each.
// Two lists in one query have different prefixes.
function placeholders(list, prefix = "i") {
  const values = {}
  list.forEach((value, i) => { values[prefix + i] = value })
  return { list: list.map((_, i) => `{:${prefix}${i}}`).join(","), values }
}

// Whether an error is the database's trouble, and none of what was written: another try may succeed.
function isPassing(error) {
  return PASSING.test(`${error}`)
}

const LOCKED = /SQLITE_(BUSY|LOCKED)|is locked/i
const PASSING = new RegExp([
  LOCKED.source, "SQLITE_(NOMEM|READONLY|INTERRUPT|IOERR|FULL|CANTOPEN|PROTOCOL)", "I/O error",
  "disk is full", "out of memory", "readonly database", "unable to open database",
].join("|"), "i")

// In milliseconds; together less than a client waits.
const PAUSES = [20, 50, 100, 200, 400, 800]

// Does something that writes, again and again while another process (a backup, litestream) holds the
// database: PocketBase waits for the lock only where a transaction begins by writing.
function untilUnlocked(write) {
  for (const pause of PAUSES) {
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
