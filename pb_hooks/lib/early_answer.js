// Answers a commit as soon as it is durable, while PocketBase still evaluates the rule of every realtime
// subscription: with many browsers, or a hostile one, that takes seconds.
const RUNNING = "gateway.fanout.running"
const SLOW_UNTIL = "gateway.fanout.slow"
// Commits that may still be publishing when they are answered; beyond that the gateway waits, which holds it back.
const MAX_RUNNING = 16
// Publishing that takes longer keeps its connection from being used again, for a while.
const SLOW_MS = 20
const REMEMBER_MS = 60000

// Sends the answer of a commit before its hooks have run; returns whether it did.
function answerEarly(e, answer) {
  const clients = $app.subscriptionsBroker().totalClients()
  if (clients === 0 || answer.ties.some(Boolean)) return false
  if (count(+1) > MAX_RUNNING) {
    count(-1)
    return false
  }
  const headers = e.response.header()
  const text = JSON.stringify(answer)
  // PocketBase reads the next request of this connection when it is done with this one.
  if (clients > 20 || Date.now() < ($app.store().get(SLOW_UNTIL) || 0)) headers.set("Connection", "close")
  // Else the answer ends only with the handler. Without ties it is ASCII.
  headers.set("Content-Length", `${text.length}`)
  headers.set("Content-Type", "application/json")
  e.string(200, text)
  e.flush()
  return true
}

// To be called when the hooks of an answered commit are done, with the time of its answer.
function noteEnd(answered) {
  count(-1)
  if (Date.now() - answered > SLOW_MS) $app.store().set(SLOW_UNTIL, Date.now() + REMEMBER_MS)
}

function count(change) {
  let number
  $app.store().setFunc(RUNNING, (before) => (number = (before || 0) + change))
  return number
}

module.exports = { answerEarly, noteEnd }
