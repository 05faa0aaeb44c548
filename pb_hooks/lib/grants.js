// Until when something that was bought gives its features. No I/O, no clock: the same rows always give
// the same grants, whichever arrived first.
//
// A grant is {payer, feature, source, limit, until, kind}: `until` in milliseconds, 0 for what gives
// nothing now, Infinity for ever; `limit` Infinity for no limit, null where another has to say it.
const { toTime } = require(`${__hooks}/lib/dates.js`)
const { DAY } = require(`${__hooks}/lib/policy.js`)

// For how long a renewal's webhook may be on its way.
const LEEWAY = DAY
const { entitling: ENTITLING } = require(`${__hooks}/lib/vocabulary.json`).statuses.subscription

// Until when a subscription's item is paid for, or may still be paid.
//
// facts  {unpaidSince, isReturned, isPaid}: of the subscription's open invoices, whether the payment for
//        the item's period went back, and whether that is paid (read only for what `isVoided`)
function endOfItem(subscription, item, facts, policy) {
  if (!ENTITLING.includes(subscription.status) || (facts.isReturned && policy.revokes)) return 0
  const cancelAt = toTime(subscription.cancel_at)
  return Math.min(cancelAt || Infinity, endOfPeriod(subscription, item, facts, policy))
}

function endOfPeriod(subscription, item, { unpaidSince, isPaid }, { grace }) {
  const end = toTime(item.current_period_end || subscription.current_period_end)
  if (isVoided(subscription)) return isPaid ? end || Infinity : 0
  if (subscription.status === "past_due") {
    return toTime(unpaidSince || subscription.current_period_start) + grace
  }
  return end ? end + LEEWAY : Infinity
}

// Whether collection is paused with `void`: Stripe's invoices are voided and no service is provided, so
// only a period that was paid before still counts. The other kinds of pause give the service free.
function isVoided({ pause_collection: pause }) {
  return !!pause && pause.behavior === "void"
}

// Merges the grants of one payer and feature to {active, until, limit, sources}.
function merge(grants) {
  const given = grants.filter((grant) => grant.until > 0)
  const passes = given.filter((grant) => grant.kind === "pass").sort(compareStarts)
  const lasting = given.filter((grant) => grant.kind !== "pass")
  const until = Math.max(0, endOfPasses(passes), ...lasting.map((grant) => grant.until))
  return {
    active: until > 0, until, limit: sumLimits(lasting, passes),
    sources: [...new Set(given.map((grant) => grant.source))].sort(),
  }
}

// One pass begins where the one before it ends: who buys a second one early loses nothing.
function endOfPasses(passes) {
  return passes.reduce((end, { from, until }) => Math.max(end, from) + (until - from), 0)
}

function compareStarts(a, b) {
  return a.from - b.from || (a.source < b.source ? -1 : 1)
}

// What runs side by side adds up. A pass ends without any event, so its limit counts only while
// nothing else gives the feature; none of them is for ever added to another.
function sumLimits(lasting, passes) {
  const said = lasting.filter((grant) => grant.limit !== null)
  if (said.length) return said.reduce((sum, grant) => sum + grant.limit, 0)
  return lasting.length || !passes.length ? Infinity : Math.max(...passes.map((pass) => pass.limit))
}

module.exports = { endOfItem, isVoided, merge, toTime }
