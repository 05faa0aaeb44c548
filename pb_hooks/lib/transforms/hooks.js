// Registers the hooks of transforms. PocketBase loads hook files in random order, so every file with request hooks
// requires this one first. It is loaded once.

// Each VM keeps the modules: most of these writes need nothing else of them, and a search takes its time.
onRecordCreateRequest((e) => {
  const transforms = (globalThis.gatewayTransforms ||= require(`${__hooks}/lib/transforms/enforce.js`))
  transforms.enforce(e, "create")
})
onRecordUpdateRequest((e) => {
  const transforms = (globalThis.gatewayTransforms ||= require(`${__hooks}/lib/transforms/enforce.js`))
  transforms.enforce(e, "update")
})
onRecordDeleteRequest((e) => {
  const transforms = (globalThis.gatewayTransforms ||= require(`${__hooks}/lib/transforms/enforce.js`))
  transforms.enforce(e, "delete")
})

// The model's own hooks run after all of the request's.
onRecordUpdate((e) => {
  (globalThis.gatewayGuard ||= require(`${__hooks}/lib/transforms/guard.js`)).guard(e, "update")
})
onRecordDelete((e) => {
  (globalThis.gatewayGuard ||= require(`${__hooks}/lib/transforms/guard.js`)).guard(e, "delete")
})
