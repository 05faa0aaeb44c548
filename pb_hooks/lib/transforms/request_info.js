// The request of a write, for transforms with request=True: values as sent, before PocketBase casts them and resolves
// modifiers, and the client's address with the headers of GATEWAY_TRANSFORM_HEADERS. Never passwords or tokens.
// Why here: the client's request is PocketBase's.
const { typeOf } = require(`${__hooks}/lib/transforms/table.js`)

const SECRET = ["password", "passwordConfirm", "oldPassword", "tokenKey"]

// Returns JSON text. Members that are not fields are kept, for example a captcha's token.
function writeSent(entry, sent) {
  const kept = {}
  for (const name in sent) {
    const isSecret = SECRET.includes(name) || typeOf(entry, name) === "password"
    if (!isSecret) kept[name] = isUpload(sent[name]) ? null : sent[name]
  }
  return JSON.stringify(kept)
}

// Whether a value is a list of uploaded files: values from JSON have no functions.
function isUpload(value) {
  return !!value && !!value[0] && !!value[0].reader && typeof value[0].reader.open === "function"
}

// Returns the client as JSON text. `relayed` is the gateway's description of the client whose write it forwards.
function writeClient(entry, e, headers) {
  const found = {}
  for (const name of entry.headers) {
    const value = headers[name.replace(/-/g, "_")]
    if (value) found[name] = value
  }
  return JSON.stringify({ address: e.realIP(), headers: found, relayed: headers.x_gateway_client || "" })
}

module.exports = { isUpload, writeClient, writeSent }
