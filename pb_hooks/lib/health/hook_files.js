// Finds missing hook files: a partial deployment would leave out limits and checks, or fail later.
// Why here: only PocketBase sees the folder that it has loaded.
const STORE = "gateway.hooks.missing"
// Every file that PocketBase must load. A test compares them with the folder.
const FILES = [
  "accounts.pb.js", "billing.pb.js", "checkout.pb.js", "checkpoints.pb.js", "collections.pb.js", "customers.pb.js", "effects.pb.js",
  "entitlements.pb.js", "events.pb.js", "health.pb.js", "jobs.pb.js", "mirror.pb.js", "notifications.pb.js", "privacy.pb.js", "realtime.pb.js",
  "schedules.pb.js", "teams.pb.js", "transforms.pb.js", "work.pb.js",
]
const REQUIRED = /require\(`\$\{__hooks\}\/(lib\/[\w/]+\.js(?:on)?)`\)/g

// Returns a list of sentences. The result is cached: PocketBase restarts when its hooks change.
function findMissingFiles(app) {
  const known = app.store().get(STORE)
  if (known) return JSON.parse(known)
  const missing = findMissing().map((name) => `the file pb_hooks/${name} is missing`)
  app.store().set(STORE, JSON.stringify(missing))
  return missing
}

function findMissing() {
  const texts = readAll()
  return Object.keys(texts).filter((name) => texts[name] === null).sort()
}

// Returns the SHA-256 of each file by its name, regardless of line breaks.
function digestFiles() {
  const digests = {}
  const texts = readAll()
  for (const name in texts) digests[name] = $security.sha256((texts[name] || "").replaceAll("\r\n", "\n"))
  return digests
}

// Returns the text of each file by its name, null for a missing one.
function readAll() {
  const texts = {}
  const left = [...FILES]
  while (left.length > 0) {
    const name = left.pop()
    if (name in texts) continue
    texts[name] = read(name)
    for (const [, other] of (texts[name] || "").matchAll(REQUIRED)) left.push(other)
  }
  return texts
}

function read(name) {
  try {
    return toString($os.readFile(`${__hooks}/${name}`))
  } catch (_) {
    return null
  }
}

module.exports = { digestFiles, findMissingFiles }
