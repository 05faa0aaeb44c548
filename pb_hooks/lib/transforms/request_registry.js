// Finds the request of a save or delete.
// Why here: PocketBase passes only the record to hooks of the model.
const store = $app.store()
// Bound once: each access to a method of a Go value takes longer than the call.
const { get } = store
const PREFIX = "gateway.request."
const COUNT = "gateway.requests"

// Keeps the request while `act` runs.
function keepWhile(e, act) {
  const number = $security.pseudorandomString(12)
  const bucket = bucketOf(e.record)
  store.set(PREFIX + number, e)
  store.setFunc(bucket, (known) => known ? `${known} ${number}` : number)
  count(1)
  try {
    return act()
  } finally {
    count(-1)
    store.setFunc(bucket, (known) => known.split(" ").filter((other) => other !== number).join(" "))
    store.remove(PREFIX + number)
  }
}

function count(change) {
  store.setFunc(COUNT, (before) => (before || 0) + change)
}

// Whether any request is kept. Asked for every record that PocketBase saves.
function hasRequests() {
  return get(COUNT) > 0
}

// The request that saves this very record, not another copy of the same row.
function findRequest(record) {
  const numbers = get(bucketOf(record))
  if (!numbers) return null
  for (const number of numbers.split(" ")) {
    const request = get(PREFIX + number)
    if (request && request.record === record) return request
  }
  return null
}

// Few keys for all records, so that the store does not grow with their number.
function bucketOf(record) {
  return PREFIX + record.lastSavedPK().slice(-1)
}

module.exports = { findRequest, hasRequests, keepWhile }
