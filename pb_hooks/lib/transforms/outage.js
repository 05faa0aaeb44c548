// How long a write waits for a gateway that refuses connections: long enough for a restart. After that writes fail at
// once, until it is back.
const store = $app.store()
const SINCE = "gateway.transforms.down"
const HIDDEN_MS = 6000
const STEP_MS = 100

// Records a refused connection; returns whether to wait and try again.
function mayReturn() {
  store.setFunc(SINCE, (since) => since || Date.now())
  return Date.now() < (store.get(SINCE) || 0) + HIDDEN_MS
}

function noteAnswer() {
  if (store.get(SINCE)) store.remove(SINCE)
}

module.exports = { HIDDEN_MS, STEP_MS, mayReturn, noteAnswer }
