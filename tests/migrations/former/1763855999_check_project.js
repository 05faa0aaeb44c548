/// <reference path="../pb_data/types.d.ts" />
// Before anything is changed: can this project take the gateway's collections? Without this check a
// name that is taken, or a missing `users`, ends the first migration half-way with PocketBase's own
// words, which name no remedy.

const FIRST = "1763856000_stripe_mirror.js"

// The collections that the gateway's migrations make. Where they run without its hooks (`pocketbase migrate up`
// without --hooksDir), PocketBase's own words must do.
function readNames() {
  try {
    return Object.keys(require(`${__hooks}/lib/vocabulary.json`).collections)
  } catch (_) {
    return []
  }
}

function isInstalled(app) {
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery("SELECT count(*) AS count FROM _migrations WHERE file = {:file}")
    .bind({ file: FIRST }).one(found)
  return found.count > 0
}

function checkNames(app) {
  const names = readNames()
  const taken = app.findAllCollections().map((collection) => collection.name)
    .filter((name) => names.includes(name.toLowerCase())).sort()
  if (taken.length === 0) return
  throw new Error(`The gateway makes collections of its own named ${taken.join(", ")}, and this ` +
    "project already has collections of these names: rename yours in the dashboard (and in the code " +
    "that reads them) before you add the gateway, or give the gateway a PocketBase of its own. " +
    "Nothing was changed.")
}

function checkUsers(app) {
  const users = app.findAllCollections().find((collection) => collection.name === "users")
  if (users && users.isAuth()) return
  throw new Error("The gateway needs an auth collection named users: those who buy sign in there. " +
    `This project has ${users ? "a collection of that name that is not an auth collection" : "none"}: ` +
    "create it, or rename your auth collection to users, before you add the gateway. Nothing was changed.")
}

migrate((app) => {
  if (isInstalled(app)) return
  checkNames(app)
  checkUsers(app)
}, () => {})
