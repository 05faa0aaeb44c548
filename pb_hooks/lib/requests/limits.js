// The limit of the bodies that gateways send: deliveries and results of work.
// Why here: PocketBase refuses larger ones before a hook reads them.
const MAX_BYTES = 32 << 20

module.exports = { MAX_BYTES }
