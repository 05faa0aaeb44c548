// Answers a commit as soon as it is durable, while PocketBase still evaluates the rule of every realtime subscription,
// which takes seconds with many or hostile browsers. Commits publish one after the other, so that subscribers get the
// states of a row in order, and only one of them competes with deliveries for the CPU.
// Why here: PocketBase publishes to realtime inside the request.
const RUNNING = "gateway.publishing.running"
const LAST = "gateway.publishing.last"
const ENDED = "gateway.publishing.ended"
const SLOW_UNTIL = "gateway.publishing.slow"
// Maximum number of answered commits that still publish; above it the answer waits for publishing.
const MAX_RUNNING = 32
// With more commits than this, they publish concurrently, so that the backlog shrinks.
const MAX_ORDERED = 8
// If publishing takes longer, answers close their connections for a while. A new connection takes a fifth of a
// delivery's CPU time, so a short pause of the machine must not cause it.
const SLOW_MS = 100
const REMEMBER_MS = 10000
// Maximum wait for the previous commit's publishing.
const MAX_WAIT_MS = 5000

const store = $app.store()

// Sends the answer of a commit before its hooks run, and waits until earlier commits have published. Returns the
// argument of `endPublishing`; null if the answer was not sent.
function answerEarly(e, answer) {
  const clients = $app.subscriptionsBroker().totalClients()
  if (clients === 0 || answer.conflicts.some(Boolean)) return null
  if (raise(RUNNING, 1) > MAX_RUNNING) {
    raise(RUNNING, -1)
    return null
  }
  const turn = { number: raise(LAST, 1), answered: Date.now() }
  try {
    send(e, answer, clients)
    awaitTurn(turn)
  } catch (error) {
    $app.logger().warn("The answer of a commit could not be sent.", "error", `${error}`)
  }
  return turn
}

function send(e, answer, clients) {
  const headers = e.response.header()
  const text = JSON.stringify(answer)
  // PocketBase reads the next request of this connection only after this one.
  if (clients > 20 || Date.now() < (store.get(SLOW_UNTIL) || 0)) headers.set("Connection", "close")
  // Else the answer ends only with the handler. Without conflicts it is ASCII.
  headers.set("Content-Length", `${text.length}`)
  headers.set("Content-Type", "application/json")
  e.string(200, text)
  e.flush()
}

function awaitTurn({ number, answered }) {
  const mustWait = () => (store.get(ENDED) || 0) < number - 1 && store.get(RUNNING) <= MAX_ORDERED
  while (mustWait() && Date.now() - answered < MAX_WAIT_MS) sleep(1)
}

// Called after the hooks of a commit have run.
function endPublishing({ number, answered }) {
  raise(RUNNING, -1)
  store.setFunc(ENDED, (before) => Math.max(before || 0, number))
  if (Date.now() - answered > SLOW_MS) store.set(SLOW_UNTIL, Date.now() + REMEMBER_MS)
}

function raise(key, change) {
  let number
  store.setFunc(key, (before) => (number = (before || 0) + change))
  return number
}

module.exports = { answerEarly, endPublishing }
