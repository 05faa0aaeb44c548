// Signs calls by the Standard Webhooks specification, and checks signatures; gateway/transforms/hook_signature.py is
// the other side. Keys are ASCII: $security.hs256 takes text and encodes it as UTF-8.
// Why here: hooks sign what they send and check what they receive.
const TOLERANCE_SECONDS = 60

// Keys of at least 24 bytes, as in the gateway: decoding stops at the first character that is not base64.
function readKeys() {
  return $os.getenv("GATEWAY_HOOK_SECRETS").split(",")
    .map((secret) => Buffer.from(secret.trim().replace(/^whsec_/, ""), "base64").toString())
    .filter((key) => key.length >= 24)
}

// Read once per VM: the environment can't change.
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

// Checks that one of our keys signed the id, timestamp and body recently. Returns a sentence that names what to change,
// or "". The signature is checked first: only callers with the key learn about our clock.
function findFault(id, timestamp, signatures, body) {
  if (!/^\d{1,12}$/.test(timestamp) || !isSigned(id, timestamp, signatures, body)) {
    return "The gateway and PocketBase have no GATEWAY_HOOK_SECRETS in common."
  }
  const seconds = Math.round(Date.now() / 1000 - Number(timestamp))
  if (Math.abs(seconds) <= TOLERANCE_SECONDS) return ""
  return `The clocks of the gateway and PocketBase differ by ${Math.abs(seconds)} seconds, at most ${TOLERANCE_SECONDS} ` +
    "are allowed: synchronize both machines' clocks (NTP)."
}

function isSigned(id, timestamp, signatures, body) {
  const keys = getKeys()
  for (let i = 0; i < keys.length; i++) {
    if (isAmong(`v1,${digest(id, timestamp, body, keys[i])}`, signatures)) return true
  }
  return false
}

function isAmong(expected, signatures) {
  if (!signatures.includes(" ")) return $security.equal(signatures, expected)
  return signatures.split(" ").some((signature) => $security.equal(signature, expected))
}

// Uses Go's base64: a loop in JavaScript would cost several times as much as the HMAC.
function digest(id, timestamp, body, key) {
  return Buffer.from($security.hs256(`${id}.${timestamp}.${body}`, key), "hex").toString("base64")
}

module.exports = { findFault, isSigned, sign }
