import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import { test } from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { paceRequests } from './pace-requests.ts'

/** A server whose requests take a millisecond each to begin. */
function aWorld() {
  const clock = new ManualClock()
  const server = new EventEmitter()
  const begun: string[] = []
  server.on('request', ({ name }: { name: string }) => {
    begun.push(name)
    clock.skip(1)
  })
  paceRequests(server as Server, clock)
  const send = (name: string, socket: object) => server.emit('request', { name, socket }, {})
  /** Lets turns pass until all is begun. */
  const endTurns = () => {
    while (clock.taskCount > 0) clock.advance(100)
  }
  return { clock, begun, send, endTurns }
}

test('requests are begun at once while there are few', () => {
  const { clock, begun, send } = aWorld()
  for (const name of ['a', 'b', 'c']) send(name, {})
  assert.deepEqual(begun, ['a', 'b', 'c'])
  clock.advance(0)
  assert.equal(clock.taskCount, 0)
})

test('a turn of the event loop begins a bounded number, and the next turns begin the others', () => {
  const { begun, send, endTurns } = aWorld()
  const socket = {}
  for (let count = 0; count < 100; count += 1) send(`${count}`, socket)
  assert.equal(begun.length, 16)
  endTurns()
  assert.deepEqual(
    begun,
    Array.from({ length: 100 }, (_, index) => `${index}`),
  )
})

test('connections take turns', () => {
  const { begun, send, endTurns } = aWorld()
  const [flood, polite] = [{}, {}]
  for (let count = 0; count < 50; count += 1) send('flood', flood)
  send('polite', polite)
  endTurns()
  assert.ok(begun.indexOf('polite') < 20, begun.join())
  assert.equal(begun.length, 51)
})
