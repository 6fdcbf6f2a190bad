import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Gate, type GateLimits, type Visitor } from './gate.ts'

const LIMITS: GateLimits = { runningMax: 2, waitingMax: 1_000, waitMsMax: 1_000 }

type World = Readonly<{
  gate: Gate
  clock: ManualClock
  started: string[]
  refused: string[]
  /** Sends a request, as the HTTP layer does. */
  send: (name: string, overrides?: Partial<Visitor>) => void
}>

function aWorld(limits: Partial<GateLimits> = {}): World {
  const clock = new ManualClock()
  const gate = new Gate({ ...LIMITS, ...limits, clock })
  const started: string[] = []
  const refused: string[] = []
  const send = (name: string, overrides: Partial<Visitor> = {}) => {
    if (gate.enter()) return void started.push(name)
    const visitor: Visitor = {
      caller: 'c',
      connection: name.split(' ')[0],
      start: () => void started.push(name),
      refuse: () => void refused.push(name),
      isGone: () => false,
      ...overrides,
    }
    if (!gate.wait(visitor)) refused.push(name)
  }
  return { gate, clock, started, refused, send }
}

/** Lets `count` requests be completed, one every `everyMs`. */
function complete({ gate, clock }: World, count: number, everyMs: number): void {
  for (let index = 0; index < count; index += 1) {
    clock.advance(everyMs)
    gate.leave()
  }
}

test('requests start at once while there is room, then wait, and start when others are done', () => {
  const world = aWorld()
  for (const name of ['a', 'b', 'c', 'd']) world.send(name)
  assert.deepEqual(world.started, ['a', 'b'])
  world.gate.leave()
  assert.deepEqual(world.started, ['a', 'b', 'c'])
  world.gate.leave()
  world.gate.leave()
  assert.deepEqual(world.started, ['a', 'b', 'c', 'd'])
  world.gate.leave()
  assert.deepEqual([world.gate.running, world.gate.waiting, world.refused], [0, 0, []])
  assert.equal(world.clock.taskCount, 0)
})

test('a request that arrives when others wait does not overtake them', () => {
  const world = aWorld({ runningMax: 1 })
  for (const name of ['a', 'b', 'c']) world.send(name)
  world.gate.leave()
  world.send('d')
  assert.deepEqual(world.started, ['a', 'b'])
})

test('what would wait for too long, by the measured rate, is refused at once', () => {
  const world = aWorld({ runningMax: 1 })
  world.send('running')
  for (let count = 0; count < 40; count += 1) world.send(`flood ${count}`)
  assert.deepEqual(world.refused, [])
  // One in 50 ms: in a second 20 are completed.
  complete(world, 10, 50)
  assert.equal(world.gate.waiting, 30)
  world.send('flood more')
  assert.deepEqual(world.refused, ['flood more'])
})

test('a client that sends little is served while another one is refused', () => {
  const world = aWorld({ runningMax: 1 })
  world.send('running')
  for (let count = 0; count < 40; count += 1) world.send(`flood ${count}`)
  complete(world, 10, 50)
  world.send('flood more')
  world.send('polite 1')
  world.send('stranger 1', { caller: 'other' })
  assert.deepEqual(world.refused, ['flood more'])
  const before = world.started.length
  complete(world, 5, 50)
  const next = world.started.slice(before)
  assert.ok(next.includes('polite 1') && next.includes('stranger 1'), next.join(', '))
})

test('a request whose turn does not come in time is refused, and never started', () => {
  const world = aWorld({ runningMax: 1 })
  world.send('running')
  world.send('late')
  world.clock.advance(1_250)
  assert.deepEqual(world.refused, ['late'])
  assert.equal(world.gate.waiting, 0)
  world.gate.leave()
  assert.deepEqual(world.started, ['running'])
  assert.equal(world.clock.taskCount, 0)
})

test('a pause of the nodes that is over soon makes nothing be refused', () => {
  const world = aWorld({ runningMax: 10 })
  let count = 0
  const sendAndComplete = (rounds: number) => {
    for (let round = 0; round < rounds; round += 1) {
      complete(world, 1, 10)
      // The client whose request has been completed sends the next one.
      world.send(`${world.started[count]?.split(' ')[0]} again`)
      count += 1
    }
  }
  for (let client = 0; client < 50; client += 1) world.send(`client${client} first`)
  sendAndComplete(200)
  world.clock.advance(300)
  sendAndComplete(200)
  assert.deepEqual(world.refused, [])
})

test('a rate that was measured before a quiet time does not count after it', () => {
  const world = aWorld({ runningMax: 1 })
  world.send('running')
  for (let count = 0; count < 5; count += 1) world.send(`slow ${count}`)
  // So slow that hardly one can wait.
  complete(world, 5, 180)
  world.gate.leave()
  assert.deepEqual([world.gate.running, world.gate.waiting], [0, 0])
  for (let count = 0; count < 100; count += 1) world.send(`burst ${count}`)
  assert.deepEqual(world.refused, [])
})

test('one caller takes at most half of the places, so others still have some', () => {
  const world = aWorld({ runningMax: 1, waitingMax: 100 })
  for (let count = 0; count <= 200; count += 1) world.send(`flood${count}`)
  assert.equal(world.gate.waiting, 50)
  for (let count = 0; count < 200; count += 1) world.send(`other${count}`, { caller: 'other' })
  assert.equal(world.gate.waiting, 75)
  for (let caller = 0; caller < 500; caller += 1) world.send(`x${caller}`, { caller })
  assert.ok(world.gate.waiting <= 100)
})

test('a request whose client has left is not started', () => {
  const world = aWorld({ runningMax: 1 })
  world.send('running')
  world.send('gone', { isGone: () => true })
  world.send('next')
  world.gate.leave()
  assert.deepEqual(world.started, ['running', 'next'])
})

test('requests that end while they are started need no stack', () => {
  const world = aWorld({ runningMax: 1, waitingMax: 100_000 })
  world.send('running')
  for (let count = 0; count < 20_000; count += 1)
    world.send(`x ${count}`, { start: () => world.gate.leave() })
  world.gate.leave()
  assert.deepEqual([world.gate.running, world.gate.waiting], [0, 0])
})

test('closing refuses what waits, and leaves no timer', () => {
  const world = aWorld({ runningMax: 1 })
  for (const name of ['a', 'b', 'c']) world.send(name)
  world.gate.close()
  assert.deepEqual(world.refused, ['b', 'c'])
  assert.equal(world.clock.taskCount, 0)
})
