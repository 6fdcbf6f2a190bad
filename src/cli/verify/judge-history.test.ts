import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentOf, describeState, GROUP_MODEL, type State } from './group-model.ts'
import { judgeHistory } from './judge-history.ts'
import type { Command, Operation } from './operation.ts'

type Event = Partial<Operation> & Readonly<{ command: Command }>

const READ = { kind: 'read' } as const
const CREATE = { kind: 'create' } as const
const UPDATE = { kind: 'update', ifMatch: undefined } as const
const DELETE = { kind: 'delete', ifMatch: undefined } as const

/**
 * The answers of a correct group, one operation after the other, and the answers that a test gives instead.
 */
function historyOf(events: readonly Event[]): Operation[] {
  let state: State
  return events.map((event, index) => {
    const number = index + 1
    const before = state
    const { state: after, result } = GROUP_MODEL.apply(before, { number, command: event.command })
    const isLost = event.outcome === 'unknown' || event.outcome === 'not_applied'
    if (event.outcome !== 'not_applied') state = after
    const shown = event.command.kind === 'delete' ? before : after
    const isShown = !isLost && shown !== undefined && !result.startsWith('refused')
    return {
      number,
      key: 'k',
      client: 1,
      url: 'http://a',
      calledAt: index * 2,
      answeredAt: index * 2 + 1,
      calledMs: index,
      answeredMs: index,
      outcome: result.startsWith('refused') ? 'refused' : 'done',
      seen: isLost ? undefined : result,
      problem: isLost ? '503 unavailable' : undefined,
      ...(isShown ? shownState(shown) : { etag: undefined, group: undefined }),
      ...event,
    }
  })
}

function shownState(state: NonNullable<State>): Pick<Operation, 'etag' | 'group'> {
  const group = {
    groupId: 'k',
    ...contentOf(state.creator),
    description: `#${state.writer}`,
    version: state.version,
    createdAt: `t${state.creator}`,
    updatedAt: `t${state.writer}`,
  }
  return { etag: `"${describeState(state)}"`, group }
}

/** The number of the operation whose answer is wrong; `undefined`: none. */
function culprit(history: readonly Operation[]): number | undefined {
  const judgement = judgeHistory(history)
  return judgement.kind === 'violated' ? judgement.operation.number : undefined
}

function seeing(state: NonNullable<State>): Pick<Operation, 'seen' | 'etag' | 'group' | 'outcome'> {
  return { outcome: 'done', seen: `read ${describeState(state)}`, ...shownState(state) }
}

const CREATED = { creator: 1, version: 1, writer: 1 } as const

test('lives of a group, with refusals in between, are linearizable', () => {
  const ifMatch = { state: describeState(CREATED), etag: '"x"' }
  const history = historyOf([
    { command: CREATE },
    { command: CREATE },
    { command: UPDATE },
    { command: { kind: 'update', ifMatch } },
    { command: READ },
    { command: DELETE },
    { command: DELETE },
    { command: READ },
    { command: CREATE },
    { command: READ },
  ])
  assert.deepEqual(
    history.map(({ outcome }) => outcome).join(' '),
    'done refused done refused done done refused done done done',
  )
  assert.deepEqual(judgeHistory(history), { kind: 'linearizable' })
})

test('a stale read is a violation, and is named', () => {
  const history = historyOf([
    { command: CREATE },
    { command: UPDATE },
    { command: READ, ...seeing(CREATED) },
    { command: READ },
    { command: DELETE },
  ])
  assert.equal(culprit(history), 3)
})

test('a read of the old state that overlaps the write is correct', () => {
  const [create, update, read] = historyOf([
    { command: CREATE },
    { command: UPDATE },
    { command: READ, ...seeing(CREATED) },
  ])
  const history = [create!, { ...update!, answeredAt: 4.5 }, read!]
  assert.deepEqual(judgeHistory(history), { kind: 'linearizable' })
})

test('an acknowledged write that is lost is a violation', () => {
  const lost = { outcome: 'done', seen: 'read nothing', group: undefined, etag: undefined } as const
  assert.equal(culprit(historyOf([{ command: CREATE }, { command: READ, ...lost }])), 2)
})

test('a lost update is a violation: two updates cannot both follow the same version', () => {
  const second = { creator: 1, version: 2, writer: 3 }
  const seen = `updated ${describeState(second)}`
  const history = historyOf([
    { command: CREATE },
    { command: UPDATE },
    { command: UPDATE, ...shownState(second), seen },
  ])
  assert.equal(culprit(history), 3)
})

test('a create that is answered 201 twice in one incarnation is a violation', () => {
  const again = { creator: 2, version: 1, writer: 2 }
  const history = historyOf([
    { command: CREATE },
    { command: CREATE, outcome: 'done', seen: `created ${describeState(again)}`, ...shownState(again) },
  ])
  assert.equal(culprit(history), 2)
})

test('an operation with an unknown outcome may have happened or not', () => {
  const unknown = { command: CREATE, outcome: 'unknown' } as const
  assert.equal(culprit(historyOf([unknown, { command: READ }, { command: DELETE }])), undefined)
  const nothing = { outcome: 'done', seen: 'read nothing', group: undefined, etag: undefined } as const
  assert.equal(culprit(historyOf([unknown, { command: READ, ...nothing }])), undefined)
  const wavering = [unknown, { command: READ }, { command: READ, ...nothing }]
  assert.equal(culprit(historyOf(wavering)), 3, 'once seen, it has happened')
})

test('a change that was answered as not applied must not be seen', () => {
  const history = historyOf([
    { command: CREATE, outcome: 'not_applied' },
    { command: READ, ...seeing(CREATED) },
  ])
  const judgement = judgeHistory(history)
  assert.ok(judgement.kind === 'violated' && /it was not done \(503 unavailable\)/.test(judgement.reason))
})

test('a delete that was answered as not applied and happened is a violation', () => {
  const nothing = { outcome: 'done', seen: 'read nothing', group: undefined, etag: undefined } as const
  const history = historyOf([
    { command: CREATE },
    { command: DELETE, outcome: 'not_applied' },
    { command: READ, ...nothing },
  ])
  assert.equal(culprit(history), 3)
})

test('a state that no client wrote is a violation', () => {
  const history = historyOf([{ command: READ, ...seeing({ creator: 9, version: 1, writer: 9 }) }])
  assert.equal(culprit(history), 1)
})

test('one ETag for two states is a violation, and so are two ETags for one state', () => {
  const history = historyOf([{ command: CREATE }, { command: UPDATE }, { command: READ }])
  const [create, update, read] = history
  assert.equal(culprit([create!, { ...update!, etag: create!.etag }, read!]), 2)
  assert.equal(culprit([create!, update!, { ...read!, etag: '"other"' }]), 3)
})

test('different times in two answers with the same ETag are a violation', () => {
  const [create, read] = historyOf([{ command: CREATE }, { command: READ }])
  const group = { ...read!.group!, createdAt: 'later' }
  assert.equal(culprit([create!, { ...read!, group }]), 2)
})
