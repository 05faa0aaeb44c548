/// <reference path="../pb_data/types.d.ts" />
// Checks the project before anything is changed. Otherwise a name that is already taken, or a missing auth collection,
// would end a later migration with PocketBase's own error, which names no remedy.

const FIRST = "1763856000_stripe_mirror.js"

function checkNames(app, names) {
  const { users: _, ...made } = names
  const ours = Object.values(made).map((name) => name.toLowerCase())
  const taken = app.findAllCollections().map((collection) => collection.name)
    .filter((name) => ours.includes(name.toLowerCase())).sort()
  if (taken.length === 0) return
  throw new Error(`The gateway makes collections of its own named ${taken.join(", ")}, and this ` +
    "project already has collections of these names: set GATEWAY_COLLECTION_PREFIX, to shop_ for example, for " +
    "PocketBase and the gateway (GATEWAY_INTERNAL_COLLECTION_PREFIX for names that begin with gateway_), rename yours " +
    "in the dashboard (and in the code that reads them), or give the gateway a PocketBase of its own. Nothing was changed.")
}

function checkUsers(app, names) {
  const users = app.findAllCollections().find((collection) => collection.name === names.users)
  if (users && users.isAuth()) return
  throw new Error(`The gateway needs an auth collection named ${names.users}: buyers sign in there. ` +
    `This project has ${users ? "a collection of that name that is not an auth collection" : "none"}: ` +
    "set GATEWAY_AUTH_COLLECTION to the name of your auth collection, for PocketBase and the gateway, or create one " +
    "before you add the gateway. Nothing was changed.")
}

migrate((app) => {
  const { isApplied } = require(`${__hooks}/lib/migration_names.js`)
  if (isApplied(app, FIRST)) return
  const { NAMES: names } = require(`${__hooks}/lib/names.js`)
  checkNames(app, names)
  checkUsers(app, names)
}, () => {})
