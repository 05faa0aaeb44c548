/// <reference path="../pb_data/types.d.ts" />
// Renames the internal collections of databases that were installed before names were settings. It runs before the
// migrations that create them, so that pending migrations find them.

// Collections by the migration that creates them. A project's own collection of the same name is not renamed.
const MADE = {
  "1763856002_operations.js": ["reconciliations"],
  "1763856004_transforms.js": ["transforms"],
  "1763856005_checkout.js": ["checkout_attempts", "checkout_keys", "trials", "customer_tasks"],
  "1763856006_notifications.js": ["notifications"],
  "1763856011_follow_ups.js": ["follow_ups"],
  "1763856063_billing_contacts.js": ["billing_contacts"],
}
// Not a collection, only a table.
const PROBE = { file: "1763856100_write_probe.js", key: "write_probe" }

// The modules that all migrations read names from. Loaded on use, so that an installed database starts without hooks.
function readNames() {
  try {
    return { ...require(`${__hooks}/lib/names.js`), ...require(`${__hooks}/lib/migration_names.js`) }
  } catch (error) {
    if (!`${error}`.includes("Invalid module")) throw error
    throw new Error(`The gateway's migrations need its hooks, and ${__hooks} has none: start PocketBase with ` +
      "--hooksDir=pb_hooks as well. Nothing was changed.")
  }
}

// The other collections have their default names: no setting could change them at that time.
function checkSettings({ SETTINGS }) {
  if (SETTINGS.prefix === "" && SETTINGS.auth === "users") return
  throw new Error("This database was installed without GATEWAY_COLLECTION_PREFIX and with the auth collection users: " +
    "remove GATEWAY_COLLECTION_PREFIX and GATEWAY_AUTH_COLLECTION. Nothing was changed.")
}

function checkFree(app, names) {
  const taken = app.findAllCollections().map(({ name }) => name).filter((name) => names.includes(name.toLowerCase()))
  if (taken.length === 0) return
  throw new Error(`The gateway renames collections of its own to ${taken.join(", ")}, and this project already has ` +
    "collections of these names: rename yours, or set GATEWAY_INTERNAL_COLLECTION_PREFIX. Nothing was changed.")
}

function rename(app, from, to) {
  const collection = app.findAllCollections().find(({ name }) => name === from)
  if (!collection) return // Missing: /ready reports it.
  collection.indexes = [...collection.indexes].map((index) => renameIn(index, from, to))
  collection.name = to
  app.save(collection)
}

// `idx_NAME_column` and `ON NAME (`, with or without quotes.
function renameIn(index, from, to) {
  return index.replace(new RegExp(`\\bidx_${from}_`), `idx_${to}_`).replace(new RegExp(`(\\bON\\W+)${from}\\b`, "i"), `$1${to}`)
}

// Returns [former name, name] of each collection whose names differ.
function findRenamed(app, { formerNameOf, isApplied, nameOf }) {
  return Object.keys(MADE).filter((file) => isApplied(app, file)).flatMap((file) => MADE[file])
    .map((key) => [formerNameOf(key), nameOf(key)]).filter(([former, name]) => former !== name)
}

const RULES = ["listRule", "viewRule", "createRule", "updateRule", "deleteRule"]

// Views and rules, also the project's own, contain names of collections as text.
function renameInTexts(app, renamed) {
  for (const collection of app.findAllCollections()) {
    let isChanged = false
    const change = (name, replace) => {
      const text = renamed.reduce((text, [from, to]) => replace(text, from, to), collection[name] || "")
      if (text === (collection[name] || "")) return
      collection[name] = text
      isChanged = true
    }
    for (const rule of RULES) change(rule, renameInRule)
    if (collection.isView()) change("viewQuery", renameInQuery)
    if (isChanged) app.save(collection)
  }
}

function renameInRule(rule, from, to) {
  return rule.replace(new RegExp(`@collection\\.${from}\\b`, "g"), `@collection.${to}`)
}

// `FROM name`, `JOIN name` and `name.column`, with or without quotes.
function renameInQuery(query, from, to) {
  return query.replace(new RegExp(`\\b((?:FROM|JOIN)[\\s(]+[\`"\\[{]*)${from}\\b`, "gi"), `$1${to}`)
    .replace(new RegExp(`(^|[^\\w.])${from}(?=[\`"\\]}]*\\.)`, "gi"), `$1${to}`)
}

function renameProbe(app, { isApplied }, from, to) {
  if (from !== to && isApplied(app, PROBE.file)) app.db().newQuery(`ALTER TABLE ${from} RENAME TO ${to}`).execute()
}

migrate((app) => {
  const names = readNames()
  if (!names.isApplied(app, "1763856000_stripe_mirror.js")) return
  checkSettings(names)
  const renamed = findRenamed(app, names)
  checkFree(app, renamed.map(([, name]) => name.toLowerCase()))
  for (const [former, name] of renamed) rename(app, former, name)
  renameInTexts(app, renamed)
  renameProbe(app, names, names.formerNameOf(PROBE.key), names.nameOf(PROBE.key))
}, (app) => {
  const names = readNames()
  const renamed = findRenamed(app, names)
  for (const [former, name] of renamed) rename(app, name, former)
  renameInTexts(app, renamed.map(([former, name]) => [name, former]))
  renameProbe(app, names, names.nameOf(PROBE.key), names.formerNameOf(PROBE.key))
})
