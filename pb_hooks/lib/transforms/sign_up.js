// Runs the transform for the record that a first sign-in by OAuth2 creates, with the values that PocketBase will use.
// Why here: PocketBase creates the record inside a transaction, so the gateway is called before it.
const { askOne, describe, passesThrough } = require(`${__hooks}/lib/transforms/call.js`)
const { keepResult } = require(`${__hooks}/lib/transforms/batch.js`)
const { find } = require(`${__hooks}/lib/transforms/table.js`)
const { describeOrRefuse } = require(`${__hooks}/lib/transforms/unwritable.js`)

function prepareSignUp(e) {
  const entry = e.isNewRecord && find(e.app, e.collection, "create")
  if (!entry || !passesThrough(entry, e.auth)) return
  const record = new Record(e.collection)
  const values = fillIn(e, entry)
  new RecordUpsertForm(e.app, record).load(values)
  const write = () => describe(entry, "create", record, values, e.createData)
  const item = describeOrRefuse(e.app, record, "create", write)
  const result = askOne(entry, item, e, e.requestInfo().headers)
  keepResult(e, entry, result)
}

// The client's values, completed by the provider's values for the fields that the collection maps.
function fillIn(e, entry) {
  const user = e.oAuth2User
  const values = { ...e.createData }
  // As in PocketBase, values that are not strings don't count.
  if (typeof values.email !== "string" || values.email === "") values.email = user.email
  const { id, name, username, avatarURL } = e.collection.oauth2.mappedFields
  for (const [field, value] of [[id, user.id], [name, user.name], [username, user.username]]) {
    if (field && !(field in values)) values[field] = value
  }
  const isText = avatarURL && entry.fields[avatarURL] !== "file"
  if (isText && !(avatarURL in values)) values[avatarURL] = user.avatarURL
  return values
}

module.exports = { prepareSignUp }
