/// <reference path="../pb_data/types.d.ts" />
// Renames columns, internal collections and stored values to the words of Stripe, HTTP and databases
// (docs/decisions/038). Values stay as they are, except those that are names themselves.
const names = () => require(`${__hooks}/lib/migration_names.js`)

// New names by former ones.
const COLLECTIONS = { checkout_attempts: "pending_checkouts", follow_ups: "deferred_work" }
const COLUMNS = {
  notifications: { via: "channel", claimed: "locked_at", settled: "completed_at" },
  follow_ups: { subject: "object", place: "cursor" },
  checkout_keys: { fingerprint: "request_hash" },
}
const VERSION = { stamp: "version" }
const OUTCOMES = { foreign: "connect", unmirrored: "ignored" }
const KINDS = { offer: "features" }
// Former releases kept three kinds of values in checkout_keys.fingerprint: 64 hex digits are a request's hash.
const KEY_COLUMNS = {
  preview_use: "instr(request_hash, '|') > 0", // KEY|SECOND or PREVIEW|SECOND
  trial_payer: "length(request_hash) != 64", // a user's id, or organizations/ID
}

const invert = (pairs) => Object.fromEntries(Object.entries(pairs).map(([from, to]) => [to, from]))
const quote = (name) => `\`${name}\``
const run = (app, sql, values = {}) => app.db().newQuery(sql).bind(values).execute()

// Returns [collection name, new columns by former ones] for every collection that has such columns. A project's own
// mirror is one that has Stripe ids and versions.
function listColumns(app, columns, [version]) {
  const ours = {}
  for (const key in columns) ours[names().namesOf(app)(key)] = columns[key]
  const isMirror = ({ fields }) => fields.getByName("stripe_id") && fields.getByName(version[0])?.hidden
  return [...app.findAllCollections()].filter((found) => !found.isView()).flatMap((found) => {
    if (ours[found.name]) return [[found.name, ours[found.name]]]
    return isMirror(found) ? [[found.name, Object.fromEntries([version])]] : []
  })
}

function renameColumns(app, name, columns) {
  const collection = app.findCollectionByNameOrId(name)
  for (const from in columns) {
    const field = collection.fields.getByName(from)
    if (!field) continue // Lost before: /ready names it.
    field.name = columns[from]
    collection.indexes = [...collection.indexes].map((index) => index.replace(word(from), columns[from]))
  }
  app.save(collection)
}

// Also in `idx_NAME_column`.
const word = (name) => new RegExp(`(?<![a-zA-Z])${name}(?![\\w])`, "g")

function renameCollection(app, from, to) {
  const collection = app.findAllCollections().find(({ name }) => name === from)
  if (!collection) return
  if (app.findAllCollections().some(({ name }) => name.toLowerCase() === to.toLowerCase())) {
    throw new Error(`The gateway renames its collection ${from} to ${to}, and this project already has a collection of ` +
      "that name: rename yours. Nothing was changed.")
  }
  collection.indexes = [...collection.indexes].map((index) => index.replace(new RegExp(`\\b(idx_)?${from}(?=\\b|_)`, "g"), `$1${to}`))
  collection.name = to
  app.save(collection)
}

// PocketBase reads the queries of all views again with every change of a collection: views that name a renamed column
// are empty meanwhile.
const RULES = ["listRule", "viewRule"]

function suspendViews(app, renamed) {
  const views = [...app.findAllCollections()].filter((found) => found.isView())
    .filter(({ viewQuery }) => renamed.some(([name, columns]) => isNamed(viewQuery, name, columns)))
  return views.map((view) => {
    const kept = { id: view.id, viewQuery: view.viewQuery }
    for (const rule of RULES) [kept[rule], view[rule]] = [view[rule], null]
    view.viewQuery = "SELECT id FROM _superusers WHERE false"
    app.save(view)
    return kept
  })
}

function isNamed(query, name, columns) {
  return query.includes(name) && (columns === null || Object.keys(columns).some((from) => query.match(word(from))))
}

function restoreViews(app, kept, renamed) {
  for (const { id, viewQuery, ...rules } of kept) {
    const view = app.findCollectionByNameOrId(id)
    view.viewQuery = renamed.reduce((query, [name, columns, to]) => renameInQuery(query, name, columns, to), viewQuery)
    for (const rule of RULES) view[rule] = rules[rule] && renameInRule(rules[rule], viewQuery, renamed)
    app.save(view)
  }
}

// A view's columns have the names of those that it selects.
function renameInRule(rule, viewQuery, renamed) {
  return renamed.reduce((text, [name, columns]) => renameInQuery(`${text} -- ${name}`, name, isNamed(viewQuery, name, columns)
    ? columns : {}).replace(` -- ${name}`, ""), rule)
}

function renameInQuery(query, name, columns, to) {
  if (!query.includes(name)) return query
  const changed = Object.entries(columns || {}).reduce((text, [from, column]) => text.replace(word(from), column), query)
  return to ? changed.replace(new RegExp(`\\b${name}\\b`, "g"), to) : changed
}

function renameValues(app, outcomes, kinds, [from, to]) {
  const nameOf = (key) => quote(names().namesOf(app)(key))
  const replace = (table, column, values) => {
    for (const value in values) {
      run(app, `UPDATE ${table} SET ${column} = {:to} WHERE ${column} = {:from}`, { from: value, to: values[value] })
    }
  }
  replace(nameOf("stripe_events"), "outcome", outcomes)
  replace(nameOf("follow_ups"), "kind", kinds)
  run(app, `
    UPDATE ${nameOf("reconciliations")}
    SET position = json_remove(json_set(position, '$.${to}', json_extract(position, '$.${from}')), '$.${from}')
    WHERE json_valid(position) AND json_type(position, '$.${from}') IS NOT NULL
  `)
}

function partKeys(app) {
  const keys = names().find(app, "checkout_keys")
  for (const column in KEY_COLUMNS) keys.fields.add(new TextField({ name: column, max: 5000 }))
  app.save(keys)
  for (const column in KEY_COLUMNS) {
    run(app, `UPDATE ${quote(keys.name)} SET ${column} = request_hash, request_hash = ''
      WHERE request_hash != '' AND ${KEY_COLUMNS[column]}`)
  }
}

function joinKeys(app) {
  const keys = names().find(app, "checkout_keys")
  for (const column in KEY_COLUMNS) {
    run(app, `UPDATE ${quote(keys.name)} SET request_hash = ${column} WHERE ${column} != ''`)
    keys.fields.removeByName(column)
  }
  app.save(keys)
}

// `columns` and `version` by the names before, `collections` by keys: [before, after].
function rename(app, columns, version, collections) {
  const changed = listColumns(app, columns, Object.entries(version))
  const nameOf = names().namesOf(app)
  const moved = collections.map(([from, to]) => [nameOf(from), null, nameOf(to)])
  const kept = suspendViews(app, [...changed, ...moved])
  for (const [name, renamed] of changed) renameColumns(app, name, renamed)
  for (const [from, , to] of moved) renameCollection(app, from, to)
  restoreViews(app, kept, [...changed, ...moved])
}

migrate((app) => {
  renameValues(app, OUTCOMES, KINDS, ["place", "cursor"])
  rename(app, COLUMNS, VERSION, Object.entries(COLLECTIONS))
  partKeys(app)
}, (app) => {
  joinKeys(app)
  const columns = {}
  for (const key in COLUMNS) columns[COLLECTIONS[key] || key] = invert(COLUMNS[key])
  rename(app, columns, invert(VERSION), Object.entries(invert(COLLECTIONS)))
  renameValues(app, invert(OUTCOMES), invert(KINDS), ["cursor", "place"])
})
