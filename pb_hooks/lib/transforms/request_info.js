// The request of a write, for transforms with request=True: values as sent, before PocketBase casts them and resolves
// modifiers, and the client's address with some headers. Never passwords or tokens.
const { typeOf } = require(`${__hooks}/lib/transforms/table.js`)

const SECRET = ["password", "passwordConfirm", "oldPassword", "tokenKey"]

// As JSON text. Names that are no field's are kept: a captcha's token, for example.
function writeSent(entry, sent) {
  const kept = {}
  for (const name in sent) {
    const isSecret = SECRET.includes(name) || typeOf(entry, name) === "password"
    if (!isSecret) kept[name] = isUpload(sent[name]) ? null : sent[name]
  }
  return JSON.stringify(kept)
}

// Whether they are uploaded files: JSON has no functions.
function isUpload(value) {
  return !!value && !!value[0] && !!value[0].reader && typeof value[0].reader.open === "function"
}

// The client as JSON text. `relayed` is what the gateway says when a write came by it.
function writeClient(entry, e, headers) {
  const found = {}
  for (const name of entry.headers) {
    const value = headers[name.replace(/-/g, "_")]
    if (value) found[name] = value
  }
  return JSON.stringify({ address: e.realIP(), headers: found, relayed: headers.x_gateway_client || "" })
}

module.exports = { isUpload, writeClient, writeSent }
