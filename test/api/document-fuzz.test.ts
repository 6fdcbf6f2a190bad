import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzDocument } from './document-fuzz.ts'
import { testApp } from './test-app.ts'

test('2,000 requests made from the OpenAPI document get no answer that the document does not allow', async () => {
  const statuses = await fuzzDocument(testApp().app, 2_000)
  for (const status of [200, 201, 400, 404]) assert.ok(statuses.has(status), `${status} was never answered`)
})

test('an answer that the document does not allow is found, and so is an error of this program', async () => {
  const world = testApp()
  world.registry.show = async () => ({
    kind: 'done',
    value: { version: 1, incarnation: 'i', json: '{"groupId":5}' },
  })
  await assert.rejects(fuzzDocument(world.app, 2_000), becauseOf(/required property 'version'/))
  const broken = testApp()
  broken.registry.scan = async () => {
    throw new Error('a mistake')
  }
  await assert.rejects(fuzzDocument(broken.app, 2_000), becauseOf(/: 500 /))
})

function becauseOf(reason: RegExp): (error: Error) => boolean {
  return ({ cause }) => reason.test(String(cause))
}
