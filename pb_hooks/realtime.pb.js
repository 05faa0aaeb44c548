/// <reference path="../pb_data/types.d.ts" />
// Limits realtime subscriptions, so that publishing can't block other requests.
// Why here: clients subscribe at PocketBase.

require(`${__hooks}/lib/hook_settings.js`).readRealtimeLimits()

onRealtimeSubscribeRequest((e) => {
  require(`${__hooks}/lib/realtime/subscription_limits.js`).limitSubscriptions(e)
  e.next()
})
