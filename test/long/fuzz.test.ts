/** The same as test/api/document-fuzz.test.ts, twenty times as long. */
import { test } from 'node:test'
import { fuzzDocument } from '../api/document-fuzz.ts'
import { testApp } from '../api/test-app.ts'

test('20,000 requests made from the OpenAPI document get no answer that the document does not allow', async (t) => {
  const statuses = await fuzzDocument(testApp().app, 20_000)
  t.diagnostic(JSON.stringify(Object.fromEntries(statuses)))
})
