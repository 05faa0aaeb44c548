// Builds the SQLite triggers that store work for changed records (`@app.after`, `entitlement.gained` …).
// Why here: a trigger runs in the transaction of every write to its collection, by API, dashboard, batch, hooks or SQL,
// and costs nothing for collections without one. A record hook would run for every saved record.
const { NOW } = require(`${__hooks}/lib/dates.js`)
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)

// Triggers with this prefix are ours.
const PREFIX = "gateway_after_"
// Longer values are not in the payload; a text field has 5000 by default.
const MAX_CHARACTERS = 5000
// Never in a payload.
const SECRETS = ["password", "tokenKey"]
const STATEMENTS = { create: "INSERT", update: "UPDATE", delete: "DELETE" }

// Domain events of the rows of a collection: by operation, the condition. OLD and NEW are the row before and after.
// An entitlement is in force while it is active and has not lapsed (lib/entitlements/lapse.js).
const inForce = (row) => `(${row}.active AND NOT ${row}.lapsed)`
const EVENTS = {
  "entitlement.gained": {
    collection: "entitlements", create: inForce("NEW"), update: `${inForce("NEW")} AND NOT ${inForce("OLD")}`,
  },
  "entitlement.lost": {
    collection: "entitlements", delete: inForce("OLD"), update: `${inForce("OLD")} AND NOT ${inForce("NEW")}`,
  },
}

// Returns the triggers of an effect's row as {name, sql}. None without a collection, or if all its fields are missing.
function buildTriggers(effect, collection, userCollection) {
  const fields = [...collection.fields]
  return effect.operations.map((operation) => {
    const condition = conditionOf(effect, operation, fields)
    const name = `${PREFIX}${$security.sha256([effect.id, operation].join(" ")).slice(0, 12)}`
    return condition && { name, sql: buildTrigger(name, effect, operation, condition, ownerColumn(collection, userCollection), collection) }
  }).filter(Boolean)
}

function conditionOf({ event, fields: chosen }, operation, fields) {
  if (event) return EVENTS[event][operation]
  if (operation !== "update") return "true"
  const present = fields.filter((field) => chosen.length ? chosen.includes(field.name) : !isTouched(field))
  return present.map(({ name }) => `OLD.${quote(name)} IS NOT NEW.${quote(name)}`).join(" OR ")
}

// Whether every update sets the field, also one that changes nothing.
function isTouched(field) {
  return field.type() === "autodate" && field.onUpdate
}

function buildTrigger(name, effect, operation, condition, owner, collection) {
  const row = operation === "delete" ? "OLD" : "NEW"
  const values = {
    id: "substr(lower(hex(randomblob(8))), 1, 15)",
    kind: "'record'",
    handler: text(effect.handler),
    key: keyOf(effect, row),
    seq: `(SELECT coalesce(max(seq), 0) + 1 FROM ${TABLES.work})`,
    source: `${text(`${effect.event || collection.name}/`)} || ${row}.id`,
    payload: payloadOf(effect, operation, collection, row),
    status: "'waiting'",
    due: NOW,
    tries: String(Math.floor(effect.tries)),
    at_most_once: effect.at_most_once ? "true" : "false",
    user: owner ? `${row}.${quote(owner)}` : "''",
    created: NOW,
  }
  const columns = Object.keys(values)
  return `CREATE TRIGGER ${name} AFTER ${STATEMENTS[operation]} ON ${quote(collection.name)} WHEN ${condition} BEGIN
  INSERT INTO ${TABLES.work} (${columns.map(quote).join(", ")})
  VALUES (${columns.map((column) => values[column]).join(",\n    ")});
END`
}

// Work with the same key runs in the order of the changes.
function keyOf({ event, collection, key }, row) {
  if (event && key !== "object") return key === "customer" ? `coalesce(nullif(${row}.user, ''), ${row}.organization)` : "''"
  return `${text(`${event ? NAMES.entitlements : collection}/`)} || ${row}.id`
}

function payloadOf({ event, collection: name }, operation, collection, row) {
  const members = event ? { type: text(event) } : { collection: text(name), operation: text(operation) }
  members.id = `${row}.id`
  members.record = valuesOf(collection, row)
  if (operation === "update") members.original = valuesOf(collection, "OLD")
  return `json_object(${Object.keys(members).map((member) => `${text(member)}, ${members[member]}`).join(", ")})`
}

// The row as a JSON object with PocketBase's types. An aggregate, because a function has at most 127 arguments.
function valuesOf(collection, row) {
  const shown = [...collection.fields].filter((field) => !isLeftOut(collection, field))
  const selects = shown.map((field) => {
    const column = `${row}.${quote(field.name)}`
    return `SELECT ${text(field.name)} AS name, ${valueOf(field, column)} AS value WHERE length(${column}) <= ${MAX_CHARACTERS} OR ${column} IS NULL`
  })
  return `(SELECT json_group_object(name, json(value)) FROM (${selects.join("\n    UNION ALL ")}))`
}

// The mirrored object of a row can be read at any time, and is as long as all other columns.
function isLeftOut(collection, field) {
  if (field.type() === "password" || field.name === "stripe_object") return true
  return collection.isAuth() && SECRETS.includes(field.name)
}

function valueOf(field, column) {
  const type = field.type()
  if (type === "bool") return `CASE WHEN ${column} THEN 'true' ELSE 'false' END`
  if (type === "json" || type === "geoPoint") return `CASE WHEN json_valid(${column}) THEN ${column} ELSE 'null' END`
  const isList = !!field.isMultiple && field.isMultiple()
  return isList ? `CASE WHEN json_valid(${column}) THEN ${column} ELSE '[]' END` : `json_quote(${column})`
}

// The column with the user that a record belongs to: `id` of a user, `user`, else the only relation to users.
function ownerColumn(collection, userCollection) {
  if (userCollection && collection.id === userCollection.id) return "id"
  const names = [...collection.fields].map(({ name }) => name)
  if (names.includes("user")) return "user"
  const relations = [...collection.fields].filter((field) =>
    userCollection && field.type() === "relation" && field.collectionId === userCollection.id && !field.isMultiple())
  return relations.length === 1 ? relations[0].name : ""
}

function quote(name) {
  return `\`${name}\``
}

function text(value) {
  return `'${`${value}`.replace(/'/g, "''")}'`
}

module.exports = { EVENTS, PREFIX, buildTriggers }
