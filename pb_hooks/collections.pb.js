/// <reference path="../pb_data/types.d.ts" />
// Refuses to delete the gateway's collections in the dashboard or by an import. Migrations can.
// Why here: both are requests to PocketBase.

onCollectionDeleteRequest((e) => {
  require(`${__hooks}/lib/mirror/collections_guard.js`).refuseDeletion(e.collection)
  e.next()
})

onCollectionsImportRequest((e) => {
  if (e.deleteMissing) require(`${__hooks}/lib/mirror/collections_guard.js`).refuseLoss(e.app, [...e.collectionsData])
  e.next()
})

// Rules that migrations set, without changes in the dashboard: lib/health/collection_rules.js.
onCollectionCreate((e) => {
  e.next()
  require(`${__hooks}/lib/health/collection_rules.js`).storeRules(e.app, e.collection)
})

onCollectionUpdate((e) => {
  e.next()
  require(`${__hooks}/lib/health/collection_rules.js`).storeRules(e.app, e.collection)
})

onCollectionDelete((e) => {
  e.next()
  require(`${__hooks}/lib/health/collection_rules.js`).forgetRules(e.app, e.collection)
})

onCollectionCreateRequest((e) => {
  require(`${__hooks}/lib/health/collection_rules.js`).runRequest(e, [e.collection])
})

onCollectionUpdateRequest((e) => {
  require(`${__hooks}/lib/health/collection_rules.js`).runRequest(e, [e.collection])
})

onCollectionsImportRequest((e) => {
  require(`${__hooks}/lib/health/collection_rules.js`).runRequest(e, [...e.collectionsData])
})
