import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { aNode, anAccept, aTransport, recordOf } from '../testing/node-service.ts'
import { wholeEntry } from '../testing/whole.ts'

test('a scan that is aborted ends with an error, whatever the node does', async (t) => {
  const { address, store } = await aNode(t)
  store.transaction(() => {
    for (let i = 0; i < 6_000; i += 1) {
      const key = `group/${i}`
      store.save(key, EMPTY_RECORD, recordOf(anAccept(key, Buffer.from(key))))
    }
  })
  const transport = aTransport(t, address)
  const range = { start: '', end: '', omitValues: true }
  await assert.rejects(Array.fromAsync(transport.scan(range, AbortSignal.abort())), { name: 'AbortError' })
  const controller = new AbortController()
  const pages = transport.scan(range, controller.signal)[Symbol.asyncIterator]()
  assert.equal((await pages.next()).value?.length, 128)
  controller.abort()
  await assert.rejects(async () => {
    while (!(await pages.next()).done);
  }, /ended early/)
})

test('a reader that is slow leaves no listeners behind', async (t) => {
  const { address, handler } = await aNode(t)
  // More than fits between the two, dozens of times over.
  const record = recordOf(anAccept('group/x', Buffer.alloc(512 * 1024)))
  let pages = 0
  handler.scan = () => {
    pages += 1
    const key = `group/${1_000 + pages}`
    return { entries: [{ key, record }], damaged: [], nextStart: pages < 400 ? key : undefined }
  }
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  t.after(() => process.off('warning', onWarning))
  let read = 0
  for await (const page of aTransport(t, address).scan({ start: '', end: '', omitValues: false })) {
    read += page.length
    await wait(1)
  }
  assert.equal(read, pages)
  assert.deepEqual(warnings, [])
})

test('a scan gives every record in order, without values on request, and may be left early', async (t) => {
  const { address, store } = await aNode(t)
  const keys = Array.from({ length: 300 }, (_, i) => `group/${String(i).padStart(5, '0')}`)
  store.transaction(() => {
    for (const key of keys) store.save(key, EMPTY_RECORD, recordOf(anAccept(key, Buffer.from(key))))
  })
  const transport = aTransport(t, address)
  const pages = await Array.fromAsync(transport.scan({ start: '', end: '', omitValues: false }))
  assert.deepEqual(
    pages.flat().map(({ key }) => key),
    keys,
  )
  assert.deepEqual(
    pages.map((page) => page.length),
    [128, 128, 44],
  )
  assert.equal(wholeEntry(pages[0]![7]!).record.state.value?.toString(), keys[7])
  const range = { start: 'group/00003', end: 'group/00005', omitValues: true }
  const bare = (await Array.fromAsync(transport.scan(range))).flat()
  assert.deepEqual(
    bare.map(wholeEntry).map(({ key, record }) => [key, record.state.value]),
    [
      ['group/00003', undefined],
      ['group/00004', undefined],
    ],
  )
  const limited = await Array.fromAsync(transport.scan({ start: '', end: '', omitValues: true, limit: 130 }))
  assert.deepEqual(
    limited.map((page) => page.length),
    [128, 2],
  )
  for await (const page of transport.scan({ start: '', end: '', omitValues: false })) {
    assert.equal(page.length, 128)
    break
  }
  assert.equal((await transport.describe(2_000)).recordCount, 300)
  const recipient = { clusterId: 'c', epoch: 7, nodeId: 'another' }
  await assert.rejects(
    Array.fromAsync(transport.scan({ start: '', end: '', omitValues: false, recipient })),
    /for another node, or for another epoch/,
  )
})
