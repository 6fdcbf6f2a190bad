/** What a node does about records that its disk has spoiled: the real store, whose rows the test changes. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { isDamage } from '../register/damage.ts'
import type { Damage, Reply, Request } from '../register/messages.ts'
import { ABSENT, successor } from '../register/state.ts'
import type { AnswerBatch, KeyedRequest } from '../rpc/messages.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { aDatabasePath } from '../testing/store-fixture.ts'
import { wholeAnswer } from '../testing/whole.ts'
import { Damages } from './damages.ts'
import { NodeHandler } from './handler.ts'
import { Scrub } from './scrub.ts'
import { SqliteStore } from './store/sqlite-store.ts'

const KEY = 'group/a'
const STATE = successor(ABSENT, { proposerId: 7, sequence: 1 }, new Uint8Array(Buffer.from('value')))

function aNode(t: TestContext, path = aDatabasePath(t)) {
  const store = new SqliteStore(path)
  t.after(() => store.close())
  const found: string[] = []
  const damages = new Damages((key) => found.push(key))
  const deferred: (() => void)[] = []
  const handler = new NodeHandler({
    store,
    version: '1',
    defer: (fn) => deferred.push(fn),
    onFatal: (error) => assert.fail(String(error)),
    damages,
  })
  const { nodeId } = store
  const membership = { clusterId: 'c', epoch: 1, members: [{ nodeId, address: 'h:1' }], tombstoneGraceMs: 1 }
  let batchId = 0
  const ask = (...requests: KeyedRequest[]): readonly Reply[] => {
    const replies: AnswerBatch[] = []
    batchId += 1
    const header = { batchId, clusterId: 'c', epoch: 1, nodeId, membership, sentMs: 0, lifeMs: 0 }
    handler.receive(
      { ...header, requests },
      (answers) => replies.push(answers),
      (reason) => assert.fail(reason),
    )
    for (const fn of deferred.splice(0)) fn()
    return replies[0]!.answers
  }
  return {
    path,
    store,
    handler,
    damages,
    found,
    ask: (request: Request, key = KEY) => ask({ key, request })[0],
  }
}

/** Another connection changes a column of a row, as a disk would. */
function spoil(path: string, assignment: string, key = KEY): void {
  const db = new DatabaseSync(path)
  assert.equal(db.prepare(`UPDATE record SET ${assignment} WHERE key = ?`).run(key).changes, 1)
  db.close()
}

function accept(round: number): Request {
  return {
    kind: 'accept',
    ballot: { round, proposerId: 0 },
    state: STATE,
    next: { round: round + 1, proposerId: 0 },
  }
}

function learn(round: number): Request {
  return {
    kind: 'learn',
    ballot: { round, proposerId: 5 },
    state: STATE,
    next: { round: round + 1, proposerId: 0 },
  }
}

const READ: Request = { kind: 'read' }

function damageOf(reply: Reply | undefined): Damage {
  assert.ok(reply !== undefined && isDamage(reply))
  return reply
}

for (const [what, assignment] of [
  ['its value', "state = CAST(replace(CAST(state AS TEXT), 'value', 'velue') AS BLOB)"],
  ['its promise', 'promised_round = promised_round + 1'],
  ['its ballot', 'accepted_round = accepted_round + 1'],
  ['its checksum', 'checksum = checksum + 1'],
] as const) {
  test(`a record whose disk has spoiled ${what} has no vote, and heals above all that the node has promised`, (t) => {
    const { path, ask, handler, damages, found, store } = aNode(t)
    assert.ok(wholeAnswer(ask(accept(1))).ok)
    assert.ok(wholeAnswer(ask(accept(50), 'group/other')).ok)
    spoil(path, assignment)
    const { promiseBound } = damageOf(ask(READ))
    assert.ok(promiseBound >= 51, 'what was promised for other keys counts too')
    for (const request of [
      accept(promiseBound + 1),
      learn(promiseBound),
      { kind: 'prepare', ballot: { round: promiseBound + 9, proposerId: 5 } },
      { kind: 'stub', ballot: { round: 1, proposerId: 0 }, writeId: STATE.writeId },
      { kind: 'drop', promised: { round: 2, proposerId: 0 } },
    ] as const)
      assert.deepEqual(ask(request), { promiseBound }, request.kind)
    assert.equal(
      ask({ kind: 'mark', ballot: { round: 1, proposerId: 0 }, writeId: STATE.writeId }),
      undefined,
    )
    assert.deepEqual(found, [KEY], 'it is told of once')
    assert.ok(!isDamage(ask(READ, 'group/other')!), 'the other keys go on')
    assert.deepEqual([handler.describe()?.damagedCount, handler.describe()?.healedCount], [1, 0])
    const healed = wholeAnswer(ask(learn(promiseBound + 1)))
    assert.ok(healed.ok && healed.record.chosen)
    assert.deepEqual(wholeAnswer(ask(READ)).record, healed.record)
    assert.ok(store.promiseBound > promiseBound + 1)
    assert.deepEqual([damages.count, damages.healedCount], [0, 1])
    assert.ok(wholeAnswer(ask({ kind: 'prepare', ballot: { round: promiseBound + 9, proposerId: 5 } })).ok)
  })
}

test('a flag that says chosen by mistake makes no state chosen', (t) => {
  const { path, ask } = aNode(t)
  ask(accept(1))
  spoil(path, 'chosen = 1')
  assert.ok(!wholeAnswer(ask(READ)).record.chosen)
})

test('a scan shows a damaged record in its place, and the damaged ones alone to who asks for them', (t) => {
  const { path, ask, handler } = aNode(t)
  for (const id of ['a', 'b', 'c']) ask(accept(1), `group/${id}`)
  spoil(path, 'promised_round = 9', 'group/b')
  const damagedOnly = () => handler.scan({ start: '', end: '', omitValues: true, damagedOnly: true }, 10)
  assert.deepEqual(damagedOnly(), { entries: [], nextStart: undefined }, 'nobody has come upon it')
  const slice = handler.scan({ start: '', end: '', omitValues: true }, 10)
  assert.ok(slice !== undefined && slice !== 'not_meant')
  assert.deepEqual(
    slice.entries.map(({ key, record }) => [key, isDamage(record)]),
    [
      ['group/a', false],
      ['group/b', true],
      ['group/c', false],
    ],
  )
  const listed = damagedOnly()
  assert.ok(listed !== undefined && listed !== 'not_meant')
  assert.deepEqual(
    listed.entries.map(({ key }) => key),
    ['group/b'],
  )
})

test('the bound is there after a restart, and a damage that was known is found again', (t) => {
  const { path, ask, store } = aNode(t)
  ask(accept(3_000))
  const bound = store.promiseBound
  spoil(path, 'promised_round = 1')
  damageOf(ask(READ))
  store.close()
  const again = aNode(t, path)
  assert.equal(again.store.promiseBound, bound)
  assert.deepEqual(again.ask(READ), { promiseBound: bound })
  // Closed already: the end of the test must not do it twice.
  store.close = () => undefined
})

test('a scrub comes upon each damaged record within its period, and then begins anew', (t) => {
  const { path, ask, handler, found, store } = aNode(t)
  for (let index = 0; index < 300; index += 1) ask(accept(1), `group/${index}`)
  spoil(path, 'promised_round = 9', 'group/7')
  const clock = new ManualClock()
  const passes: number[] = []
  const scrub = new Scrub({
    handler,
    recordCount: () => store.inventory.counts.recordCount,
    clock,
    passMs: 10_000,
    onPass: (records) => passes.push(records),
  })
  scrub.run()
  clock.advance(1_000)
  assert.deepEqual(passes, [], 'it takes its time')
  clock.advance(10_000)
  assert.deepEqual([found, passes], [['group/7'], [300]])
  spoil(path, 'promised_round = 9', 'group/8')
  clock.advance(11_000)
  assert.deepEqual(
    [found, passes],
    [
      ['group/7', 'group/8'],
      [300, 300],
    ],
  )
  scrub.close()
  assert.equal(clock.taskCount, 0)
})
