// How long a write waits for a gateway that can't be connected to: long enough for its restart. After that
// writes fail at once, until it is back.
const store = $app.store()
const SINCE = "gateway.transforms.down"
const HIDDEN_MS = 6000
const STEP_MS = 100

// Notes that nothing could be connected to; returns whether it is worth to wait and ask again.
function mayReturn() {
  store.setFunc(SINCE, (since) => since || Date.now())
  return Date.now() < (store.get(SINCE) || 0) + HIDDEN_MS
}

function noteAnswer() {
  if (store.get(SINCE)) store.remove(SINCE)
}

module.exports = { HIDDEN_MS, STEP_MS, mayReturn, noteAnswer }
