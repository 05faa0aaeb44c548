// How long a write waits for a gateway that refuses connections: long enough for a restart. After that, writes fail at
// once until it is back.
// Why here: all writes of this PocketBase share the start of the outage.
const store = $app.store()
const SINCE = "gateway.transforms.down"
const MAX_OUTAGE_MS = 6000
const STEP_MS = 100

// Records a refused connection; returns whether to wait and try again.
function shouldRetry() {
  store.setFunc(SINCE, (since) => since || Date.now())
  return Date.now() < (store.get(SINCE) || 0) + MAX_OUTAGE_MS
}

function clearOutage() {
  if (store.get(SINCE)) store.remove(SINCE)
}

module.exports = { MAX_OUTAGE_MS, STEP_MS, clearOutage, shouldRetry }
