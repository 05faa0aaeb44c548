// Reserves a record for one write while its transform runs a second time: other writes of the record that pass
// through transforms wait until it is done, so that no third run is needed.
// Why here: the writes are concurrent requests of PocketBase.
const store = $app.store()
const PREFIX = "gateway.turn."
const STEP_MS = 10

// Whether the record is reserved for a write with another key.
function isReserved(record, key) {
  const found = store.get(nameOf(record))
  return !!found && found !== key && !isOver(found)
}

// Reserves the record once no other write has it. Returns the key; "" after `deadline`.
function reserve(record, deadline, seconds) {
  const name = nameOf(record)
  for (;;) {
    const key = `${Date.now() + seconds * 1000}.${$security.pseudorandomString(12)}`
    store.setFunc(name, (known) => known && !isOver(known) ? known : key)
    if (store.get(name) === key) return key
    if (Date.now() > deadline) return ""
    sleep(STEP_MS)
  }
}

function release(record, key) {
  if (key && store.get(nameOf(record)) === key) store.remove(nameOf(record))
}

function nameOf(record) {
  return `${PREFIX}${record.collection().id}.${record.lastSavedPK()}`
}

// A key begins with the time at which it expires.
function isOver(key) {
  return Number(key.split(".")[0]) < Date.now()
}

module.exports = { STEP_MS, isReserved, release, reserve }
