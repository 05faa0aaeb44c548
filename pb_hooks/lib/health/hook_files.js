// Whether the hooks are complete: a partial deployment would leave out limits and checks, or fail later.
const STORE = "gateway.hooks.missing"
// Every file that PocketBase must load. A test compares them with the folder.
const FILES = [
  "accounts.pb.js", "billing.pb.js", "checkout.pb.js", "collections.pb.js", "gateway.pb.js", "health.pb.js",
  "notifications.pb.js", "realtime.pb.js", "teams.pb.js",
]
const REQUIRED = /require\(`\$\{__hooks\}\/(lib\/[\w/]+\.js(?:on)?)`\)/g

// The missing files, as a list of sentences. They are looked for once: PocketBase restarts with other hooks.
function findMissingFiles(app) {
  const known = app.store().get(STORE)
  if (known) return JSON.parse(known)
  const missing = findMissing().map((name) => `the file pb_hooks/${name} is missing`)
  app.store().set(STORE, JSON.stringify(missing))
  return missing
}

function findMissing() {
  const seen = {}
  const missing = []
  const left = [...FILES]
  while (left.length > 0) {
    const name = left.pop()
    if (seen[name]) continue
    seen[name] = true
    const text = read(name)
    if (text === null) missing.push(name)
    else for (const [, other] of text.matchAll(REQUIRED)) left.push(other)
  }
  return missing.sort()
}

function read(name) {
  try {
    return toString($os.readFile(`${__hooks}/${name}`))
  } catch (_) {
    return null
  }
}

module.exports = { findMissingFiles }
