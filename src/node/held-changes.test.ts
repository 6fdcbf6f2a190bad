import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChangesAnswer, ChangesRequest } from '../rpc/messages.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { HeldChanges } from './held-changes.ts'

/** A node whose changes the test sets. */
function aDesk() {
  const clock = new ManualClock()
  const keys: string[] = []
  const waiting = new Set<() => void>()
  const desk = new HeldChanges(
    {
      changes: ({ from }) => ({
        at: { life: 'life', number: keys.length },
        keys: keys.slice(from?.number ?? 0),
        begins: from === undefined,
        isTooEarly: false,
        hasMore: false,
        mismatch: undefined,
      }),
      onNews: (fn) => {
        waiting.add(fn)
        return () => waiting.delete(fn)
      },
    },
    clock,
  )
  const change = (key: string) => {
    keys.push(key)
    for (const tell of [...waiting]) tell()
  }
  const answers: (ChangesAnswer | undefined)[] = []
  const ask = (parts: Partial<ChangesRequest> = {}) =>
    desk.ask(
      {
        clusterId: 'c',
        epoch: 1,
        nodeId: 'n',
        from: { life: 'life', number: keys.length },
        waitMs: 1_000,
        ...parts,
      },
      (answer) => answers.push(answer),
    )
  return { clock, desk, change, ask, answers, waiting }
}

test('a call waits for a change and is answered with it', () => {
  const { change, ask, answers, waiting, clock } = aDesk()
  ask()
  assert.equal(answers.length, 0)
  change('group/a')
  assert.deepEqual(answers[0]?.keys, ['group/a'])
  assert.deepEqual([waiting.size, clock.taskCount], [0, 0])
})

test('a call without a change is answered when its time is over, and after ten seconds at the latest', () => {
  const { ask, answers, clock } = aDesk()
  ask()
  clock.advance(999)
  assert.equal(answers.length, 0)
  clock.advance(1)
  assert.deepEqual(answers[0]?.keys, [])
  ask({ waitMs: 1e9 })
  clock.advance(10_000)
  assert.equal(answers.length, 2)
})

test('a call to begin, one with news, and one that does not wait are answered at once', () => {
  const { ask, change, answers } = aDesk()
  change('group/a')
  ask({ from: undefined })
  ask({ from: { life: 'life', number: 0 } })
  ask({ waitMs: 0 })
  assert.deepEqual(
    answers.map((answer) => answer?.keys.length),
    [1, 1, 0],
  )
})

test('a call that is taken back is not answered and leaves nothing', () => {
  const { ask, answers, waiting, clock } = aDesk()
  ask()()
  assert.deepEqual([answers.length, waiting.size, clock.taskCount], [0, 0, 0])
})

test('however many calls wait, only so many are held: the oldest are answered', () => {
  const { ask, answers, waiting } = aDesk()
  for (let count = 0; count < 300; count += 1) ask()
  assert.deepEqual([answers.length, waiting.size], [44, 256])
})

test('at the end all calls are answered, and no call waits any more', () => {
  const { desk, ask, answers, clock } = aDesk()
  ask()
  desk.end()
  ask()
  assert.deepEqual([answers.length, clock.taskCount], [2, 0])
})
