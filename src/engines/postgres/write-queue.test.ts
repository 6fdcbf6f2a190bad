import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseError } from 'pg'
import { ManualClock } from '../../testing/manual-clock.ts'
import type { Session, Statement } from './session.ts'
import { REGISTERS } from './statements.ts'
import { type RowWrite, WriteQueue } from './write-queue.ts'

type Sent = Readonly<{
  statement: Statement
  values: readonly unknown[]
  /** Answers with the write ids of the rows that were made. */
  answer: (writeIds: readonly string[]) => void
  refuse: (error: Error) => void
}>

/** A queue on sessions that a test answers for. `deferred` runs at the end of a turn. */
function aQueue() {
  const clock = new ManualClock()
  const sent: Sent[] = []
  const session = () =>
    ({
      address: 'db1:5432',
      warningCount: 0,
      broken: undefined,
      serverSeconds: (ms: number) => ms / 1_000,
      run: (statement: Statement, values: readonly unknown[]) =>
        new Promise((resolve, reject) => {
          const answer = (writeIds: readonly string[]) =>
            resolve({ rows: writeIds.map((write_id) => ({ write_id })) })
          sent.push({ statement, values, answer, refuse: reject })
        }),
    }) as unknown as Session
  const queue = new WriteQueue({
    sessions: {
      acquire: async () => session(),
      release: () => {},
      place: () => ({ address: 'db1:5432', database: 'd', user: 'u' }),
    },
    clock,
    whyClosed: async () => undefined,
  })
  const write = (key: string, more: Partial<RowWrite> = {}) =>
    queue.write({
      table: REGISTERS,
      key: [key],
      value: Buffer.from(key),
      writeId: `write of ${key}`,
      generation: 0,
      untilMs: clock.nowMs() + 1_000,
      ...more,
    })
  /** Lets the promises of this turn go on. */
  const turn = async () => {
    for (let count = 0; count < 5; count += 1) {
      clock.advance(0)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { clock, queue, sent, write, turn }
}

function refusal(code: string): DatabaseError {
  const error = new DatabaseError('refused', 1, 'error')
  return Object.assign(error, { code, severity: 'ERROR' })
}

test('writes of one turn go in one statement, in the order of their keys, and each has its own result', async () => {
  const { sent, write, turn } = aQueue()
  const results = Promise.all(['c', 'a', 'b'].map((key) => write(key)))
  await turn()
  assert.equal(sent.length, 1)
  assert.deepEqual(sent[0]!.values[0], ['a', 'b', 'c'])
  sent[0]!.answer(['write of a', 'write of c'])
  assert.deepEqual(await results, [{ kind: 'applied' }, { kind: 'applied' }, { kind: 'conflict' }])
})

test('two writes of one row, and new rows and changed ones, go in statements of their own', async () => {
  const { sent, write, turn } = aQueue()
  const writes = [write('a'), write('a', { writeId: 'second' }), write('b', { generation: 3 }), write('c')]
  for (let answered = 0; answered < 3; answered += 1) {
    await turn()
    sent[answered]!.answer([])
  }
  assert.deepEqual(
    sent.map(({ statement, values }) => [statement.name, values[0]]),
    [
      [REGISTERS.insert.name, ['a', 'c']],
      [REGISTERS.insert.name, ['a']],
      [REGISTERS.update.name, ['b']],
    ],
  )
  assert.ok((await Promise.all(writes)).every(({ kind }) => kind === 'conflict'))
})

test('while statements are out, writes wait, and go together when one of these is answered', async () => {
  const { sent, write, turn } = aQueue()
  const writes: Promise<unknown>[] = []
  for (const key of ['1', '2']) {
    writes.push(write(key))
    await turn()
  }
  for (const key of ['3', '4', '5']) writes.push(write(key))
  await turn()
  assert.equal(sent.length, 2)
  sent[0]!.answer(['write of 1'])
  await turn()
  assert.deepEqual(sent[2]?.values[0], ['3', '4', '5'])
  for (const { answer, values } of sent) answer((values[0] as string[]).map((key) => `write of ${key}`))
  assert.deepEqual(new Set((await Promise.all(writes)).map((result) => JSON.stringify(result))).size, 1)
})

test('a write that was not sent in its time was not made, and says so', async () => {
  const { clock, sent, write, turn } = aQueue()
  for (const key of ['1', '2']) {
    void write(key, { untilMs: 10_000 })
    await turn()
  }
  const waiting = write('3', { untilMs: 50 })
  await turn()
  clock.advance(50)
  assert.deepEqual(await waiting, {
    kind: 'failed',
    reason: 'the database did not answer in time',
    mayRepeat: false,
  })
  assert.equal(sent.length, 2)
})

test('when a statement is refused, its writes are tried one by one, and only the cause is refused', async () => {
  const { sent, write, turn } = aQueue()
  const results = Promise.all([write('a'), write('locked'), write('z')])
  await turn()
  sent[0]!.refuse(refusal('55P03'))
  for (const [index, key] of ['a', 'locked', 'z'].entries()) {
    await turn()
    const alone = sent[index + 1]!
    assert.deepEqual(alone.values[0], [key])
    if (key === 'locked') alone.refuse(refusal('55P03'))
    else alone.answer([`write of ${key}`])
  }
  const [first, locked, last] = await results
  assert.deepEqual([first?.kind, last?.kind], ['applied', 'applied'])
  assert.ok(locked?.kind === 'failed' && /locked what is to be changed/.test(locked.reason))
})

test('after a lost answer, no write of the statement is told to be made or not made', async () => {
  const { sent, write, turn } = aQueue()
  const results = Promise.all([write('a'), write('b')])
  await turn()
  sent[0]!.refuse(new Error('Connection terminated unexpectedly'))
  assert.deepEqual(await results, [{ kind: 'lost' }, { kind: 'lost' }])
})

test('a statement has at most 128 rows, and 2 statements are under way at a time', async () => {
  const { sent, write, turn } = aQueue()
  const results = Array.from({ length: 316 }, (_, number) => write(`k${number}`))
  await turn()
  assert.equal(sent.length, 2)
  const all = (at: number) => Array.from({ length: 128 }, (_, number) => `write of k${at * 128 + number}`)
  for (const [at, { answer }] of sent.entries()) answer(all(at))
  await turn()
  assert.equal(sent.length, 3)
  sent[2]!.answer(all(2))
  const kinds = await Promise.all(results)
  assert.equal(kinds.filter(({ kind }) => kind === 'applied').length, 316)
})
