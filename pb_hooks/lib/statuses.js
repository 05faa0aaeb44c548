// Groups of Stripe's statuses, as lists of SQL values for `status IN (…)`.
// Why here: several SQL statements of the hooks need them. Python reads the same groups from vocabulary.json.
const { statuses: { subscription } } = require(`${__hooks}/lib/vocabulary.json`)

function toSql(names) {
  return names.map((name) => `'${name}'`).join(", ")
}

module.exports = {
  ENDED: toSql(subscription.ended),
  ENTITLING: toSql(subscription.entitling),
  RUNNING: toSql(subscription.running),
}
