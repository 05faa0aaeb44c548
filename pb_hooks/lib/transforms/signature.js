// Signed calls by the Standard Webhooks specification; gateway/transforms/hook_signature.py is the other side.
// Keys are ASCII: $security.hs256 takes text, and encodes it as UTF-8.
const TOLERANCE = 60

// As long as the gateway takes them: what is no base64 ends at its first mistake.
function readKeys() {
  return $os.getenv("GATEWAY_HOOK_SECRETS").split(",")
    .map((secret) => Buffer.from(secret.trim().replace(/^whsec_/, ""), "base64").toString())
    .filter((key) => key.length >= 24)
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

// Checks that one of our keys has signed this lately: the id, two headers, and the body. Returns a sentence
// that says what to change, or "". The signature comes first: only who has the key learns about our clock.
function findFault(id, timestamp, signatures, body) {
  if (!/^\d{1,12}$/.test(timestamp) || !isSigned(id, timestamp, signatures, body)) {
    return "The gateway and PocketBase have no GATEWAY_HOOK_SECRETS in common."
  }
  const seconds = Math.round(Date.now() / 1000 - Number(timestamp))
  if (Math.abs(seconds) <= TOLERANCE) return ""
  return `The clocks of the gateway and PocketBase differ by ${Math.abs(seconds)} seconds, ${TOLERANCE} at the most ` +
    "are allowed: synchronise both machines' clocks (NTP)."
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

// By Go's base64: a loop over the digits here would cost several times as much as the HMAC.
function digest(id, timestamp, body, key) {
  return Buffer.from($security.hs256(`${id}.${timestamp}.${body}`, key), "hex").toString("base64")
}

module.exports = { findFault, isSigned, sign }
