import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { test } from 'node:test'
import { assertNothingLeft, assertSameCounts, listenerCounts, processCounts } from './resource-counts.ts'

test('a timer, a listener and a server that have leaked are named', async (t) => {
  const timers: NodeJS.Timeout[] = []
  t.after(() => {
    for (const timer of timers) clearTimeout(timer)
  })
  await assert.rejects(
    assertNothingLeft(processCounts, async () => {
      timers.push(setTimeout(() => {}, 60_000))
    }),
    /Timeout: \d+ before, \d+ after/,
  )
  const emitter = new EventEmitter()
  await assert.rejects(
    assertNothingLeft(
      () => listenerCounts('the emitter', emitter),
      async () => {
        emitter.on('data', () => {})
      },
    ),
    /the emitter: data: 1 before, 2 after/,
  )
  const servers: Server[] = []
  t.after(() => {
    for (const server of servers) server.close()
  })
  await assert.rejects(
    assertNothingLeft(processCounts, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      servers.push(server)
      await once(server, 'listening')
    }),
    /open files|TCPServerWrap/,
  )
})

test('a resource that is closed a little later, or made only once, has not leaked', async (t) => {
  let first: NodeJS.Timeout | undefined
  t.after(() => clearTimeout(first))
  await assertNothingLeft(processCounts, async () => {
    first ??= setTimeout(() => {}, 60_000)
    setTimeout(() => {}, 50)
  })
})

test('counts are compared kind by kind, and a kind that is missing counts as none', () => {
  assertSameCounts({ a: 1, b: 0 }, { a: 1 })
  assert.throws(() => assertSameCounts({ a: 1 }, { a: 1, b: 2 }), /there is more or less than before/)
})
