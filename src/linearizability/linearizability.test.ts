import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Call, linearize, type Model } from './linearizability.ts'

/** A register of numbers: `write` answers nothing, `read` the number, `swap` the number before. */
type Command = Readonly<{ kind: 'read' } | { kind: 'write' | 'swap'; value: number }>

const REGISTER: Model<number, Command, number | undefined> = {
  initial: 0,
  isSame: (a, b) => a === b,
  isReading: ({ kind }) => kind === 'read',
  keyOf: String,
  apply(state, command) {
    if (command.kind === 'read') return { state, result: state }
    return { state: command.value, result: command.kind === 'swap' ? state : undefined }
  },
}

type History = readonly Call<Command, number | undefined>[]

function read(calledAt: number, at: number, result: number): History[number] {
  return { call: { kind: 'read' }, calledAt, returned: { at, result } }
}

function write(calledAt: number, at: number | undefined, value: number): History[number] {
  const returned = at === undefined ? undefined : { at, result: undefined }
  return { call: { kind: 'write', value }, calledAt, returned }
}

function isExplained(history: History): boolean {
  return linearize(REGISTER, history).kind === 'found'
}

test('operations one after the other have one explanation', () => {
  assert.deepEqual(linearize(REGISTER, [write(1, 2, 5), read(3, 4, 5)]), { kind: 'found', order: [0, 1] })
  assert.ok(!isExplained([write(1, 2, 5), read(3, 4, 0)]))
})

test('operations at the same time may take effect in any order', () => {
  assert.ok(isExplained([write(1, 10, 5), read(2, 9, 0)]))
  assert.ok(isExplained([write(1, 10, 5), read(2, 9, 5)]))
  assert.ok(!isExplained([write(1, 10, 5), read(2, 3, 5), read(4, 5, 0)]), 'a value does not disappear again')
})

test('a stale read is found', () => {
  assert.ok(!isExplained([write(1, 2, 1), write(3, 4, 2), read(5, 6, 1)]))
})

test('an operation with an unknown outcome may have happened, may happen much later, and may never happen', () => {
  assert.ok(isExplained([write(1, undefined, 5), read(2, 3, 0), read(4, 5, 5)]))
  assert.ok(isExplained([write(1, undefined, 5), read(2, 3, 0), read(4, 5, 0)]))
  assert.ok(!isExplained([write(1, undefined, 5), read(2, 3, 5), read(4, 5, 0)]), 'it happens at most once')
  assert.ok(!isExplained([read(1, 2, 5), write(3, undefined, 5)]), 'it does not happen before its call')
})

test('a lost update is found', () => {
  const swap = (calledAt: number, at: number, value: number, before: number): History[number] => ({
    call: { kind: 'swap', value },
    calledAt,
    returned: { at, result: before },
  })
  assert.ok(isExplained([swap(1, 4, 1, 0), swap(2, 3, 2, 1)]))
  assert.ok(!isExplained([swap(1, 4, 1, 0), swap(2, 3, 2, 0)]))
})

test('a wrong witness does not change the verdict', () => {
  const history = [write(1, 4, 1), write(2, 3, 2), read(5, 6, 1)]
  assert.equal(linearize(REGISTER, history, [0, 1]).kind, 'found')
  assert.equal(linearize(REGISTER, [write(1, 2, 1), read(3, 4, 0)], [0]).kind, 'none')
})

test('each order that is found explains the history, and an order is found whenever one exists', () => {
  const time = fc.integer({ min: 1, max: 8 })
  const call = fc.record({
    start: time,
    length: time,
    value: fc.integer({ min: 0, max: 2 }),
    kind: fc.nat(3),
  })
  fc.assert(
    fc.property(fc.array(call, { maxLength: 6 }), (drawn) => {
      const history = drawn.map(({ start, length, value, kind }, index) => {
        const calledAt = start + index / 100
        const at = start + length + 0.5 + index / 100
        return kind < 2 ? read(calledAt, at, value) : write(calledAt, kind === 2 ? at : undefined, value)
      })
      assert.equal(isExplained(history), hasOrder(history, 0, 0))
    }),
    { numRuns: 2_000 },
  )
})

test('a history of 400 operations by eight clients is decided within a second', () => {
  const history = aHistory(400, 8)
  const startedAt = process.cpuUsage()
  assert.ok(isExplained(history))
  const last = history.findLast(({ call }) => call.kind === 'read')!
  const broken = history.map((call) =>
    call === last ? { ...call, returned: { at: call.returned!.at, result: -1 } } : call,
  )
  assert.ok(!isExplained(broken))
  const { user, system } = process.cpuUsage(startedAt)
  assert.ok(user + system < 1_000_000, `${user + system} µs of processor time`)
})

/** Tries every order, in the simplest way. `done` has a bit for each call that is placed. */
function hasOrder(history: History, done: number, state: number): boolean {
  if (history.every(({ returned }, index) => returned === undefined || (done >> index) & 1)) return true
  return history.some(({ call, calledAt, returned }, index) => {
    if ((done >> index) & 1) return false
    const isPreceded = history.some(
      (other, at) => !((done >> at) & 1) && other.returned !== undefined && other.returned.at < calledAt,
    )
    if (isPreceded) return false
    const applied = REGISTER.apply(state, call)
    if (returned !== undefined && applied.result !== returned.result) return false
    return hasOrder(history, done | (1 << index), applied.state)
  })
}

/** What clients see of a correct register. Some never learn how their swap ended. */
function aHistory(count: number, clients: number): History {
  const history: History[number][] = []
  const share = fc.noBias(fc.nat(2 ** 30 - 1)).map((drawn) => drawn / 2 ** 30)
  const draws = fc.sample(fc.tuple(share, share, share, share, share), { seed: 1, numRuns: count })
  const freeAt: number[] = Array(clients).fill(0)
  let state = 0
  for (const [index, [lead, length, loss, reading, effect]] of draws.entries()) {
    const i = index + 1
    // It takes effect at time i, at some time before which it was called.
    const client = i % clients
    const calledAt = Math.max(freeAt[client]!, i - lead * clients)
    const at = i + length * (clients - 1)
    freeAt[client] = at
    const isLost = loss < 0.05
    if (reading < 0.5) history.push(read(calledAt, at, state))
    else {
      const returned = isLost ? undefined : { at, result: state }
      if (!isLost || effect < 0.5) state = i
      history.push({ call: { kind: 'swap', value: i }, calledAt, returned })
    }
  }
  return history
}
