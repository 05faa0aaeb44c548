// Signed calls by the Standard Webhooks specification; gateway/records/signature.py is the other side.
// Keys are ASCII: $security.hs256 takes text, and encodes it as UTF-8.
const TOLERANCE = 60

function readKeys() {
  return $os.getenv("GATEWAY_HOOK_SECRETS").split(",").map((secret) => secret.trim())
    .filter((secret) => secret !== "").map((secret) => decode(secret.replace(/^whsec_/, "")))
}

// The environment can't change: each of the VMs reads it once.
let keys
function getKeys() {
  keys = keys || readKeys()
  if (keys.length === 0) throw new Error("GATEWAY_HOOK_SECRETS is not set for PocketBase.")
  return keys
}

function sign(id, body) {
  const timestamp = `${Math.floor(Date.now() / 1000)}`
  const signature = digest(id, timestamp, body, getKeys()[0])
  return {
    "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}`,
  }
}

// Whether one of our keys has signed this lately; `get` reads a header.
function verify(get, id, body) {
  const timestamp = get("webhook-timestamp")
  if (get("webhook-id") !== id || !/^\d{1,12}$/.test(timestamp)) return false
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE) return false
  const given = get("webhook-signature").split(" ")
  for (const key of getKeys()) {
    const expected = `v1,${digest(id, timestamp, body, key)}`
    for (const signature of given) if ($security.equal(signature, expected)) return true
  }
  return false
}

function digest(id, timestamp, body, key) {
  return encode($security.hs256(`${id}.${timestamp}.${body}`, key))
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
const DIGITS = ALPHABET.split("")

// Base64 of the 32 bytes that stand in hexadecimal: six hexadecimal digits are four of base64, and two
// bytes remain. It is half of what a signature costs here, hence no loop over single digits.
function encode(hex) {
  let text = ""
  for (let i = 0; i < 60; i += 6) {
    const bits = parseInt(hex.slice(i, i + 6), 16)
    text += DIGITS[bits >> 18] + DIGITS[bits >> 12 & 63] + DIGITS[bits >> 6 & 63] + DIGITS[bits & 63]
  }
  const bits = parseInt(hex.slice(60), 16) << 2
  return `${text}${DIGITS[bits >> 12]}${DIGITS[bits >> 6 & 63]}${DIGITS[bits & 63]}=`
}

function decode(base64) {
  let text = ""
  let bits = 0
  let count = 0
  for (const digit of base64.replace(/=+$/, "")) {
    bits = ((bits & 0xffff) << 6) | ALPHABET.indexOf(digit)
    count += 6
    if (count < 8) continue
    count -= 8
    text += String.fromCharCode((bits >> count) & 0xff)
  }
  return text
}

module.exports = { sign, verify }
