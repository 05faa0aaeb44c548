// Facts for `gateway doctor` that only PocketBase sees: rules against migrations, its disk, the caller's address.
// Why here: a gateway may run on another machine than PocketBase.
const { digestFiles } = require(`${__hooks}/lib/health/hook_files.js`)
const { compareRules } = require(`${__hooks}/lib/health/collection_rules.js`)

const FILES = ["data.db", "data.db-wal", "auxiliary.db", "auxiliary.db-wal"]
// Signed with each hook secret, so that both sides can compare their secrets without sending them.
const PROBE = "gateway doctor"

function diagnose(e) {
  return {
    collections: compareRules(e.app), disk: readDisk(e.app.dataDir()), bytes: readSizes(e.app.dataDir()),
    client: { address: e.realIP(), peer: e.remoteIP(), headers: [...e.app.settings().trustedProxy.headers] },
    hook_secrets: signProbe($os.getenv("GATEWAY_HOOK_SECRETS")), time: Date.now(),
    files: digestFiles(), pocketbase: readBinaryVersion(),
  }
}

// Returns the sizes of the database's files; 0 for a missing one.
function readSizes(folder) {
  const sizes = {}
  for (const name of FILES) {
    try {
      sizes[name] = $os.stat(`${folder}/${name}`).size()
    } catch (_) {
      sizes[name] = 0
    }
  }
  return sizes
}

// Returns {total, free} in bytes, null where `df` is missing.
function readDisk(folder) {
  try {
    const [, total, , free] = toString($os.cmd("df", "-Pk", folder).output()).trim().split("\n").pop().split(/\s+/)
    return { total: Number(total) * 1024, free: Number(free) * 1024 }
  } catch (_) {
    return null
  }
}

// Returns the version of the running binary, such as 0.40.6; "" where the system does not name its file.
function readBinaryVersion() {
  try {
    // Without hooks, which a second process must not load.
    const printed = $os.cmd("/proc/self/exe", "--version", "--hooksDir=/nowhere", "--hooksWatch=false").output()
    return toString(printed).trim().split(" ").pop()
  } catch (_) {
    return ""
  }
}

function signProbe(secrets) {
  const given = (secrets || "").split(",").map((each) => each.trim()).filter((each) => each !== "")
  return given.map((each) => $security.hs256(PROBE, each))
}

module.exports = { diagnose }
