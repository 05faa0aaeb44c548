// Finds the request of a save or delete.
// Why here: PocketBase passes only the record to hooks of the model.
const store = $app.store()
const PREFIX = "gateway.request."

// Keeps the request while `act` runs.
function keepWhile(e, act) {
  const number = $security.pseudorandomString(12)
  const bucket = bucketOf(e.record)
  store.set(PREFIX + number, e)
  store.setFunc(bucket, (known) => known ? `${known} ${number}` : number)
  try {
    return act()
  } finally {
    store.setFunc(bucket, (known) => known.split(" ").filter((other) => other !== number).join(" "))
    store.remove(PREFIX + number)
  }
}

// The request that saves this very record, not another copy of the same row.
function findRequest(record) {
  const numbers = store.get(bucketOf(record))
  if (!numbers) return null
  for (const number of numbers.split(" ")) {
    const request = store.get(PREFIX + number)
    if (request && request.record === record) return request
  }
  return null
}

// Few keys for all records, so that the store does not grow with their number.
function bucketOf(record) {
  return PREFIX + record.lastSavedPK().slice(-1)
}

module.exports = { findRequest, keepWhile }
