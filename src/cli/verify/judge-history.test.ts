import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeGroup, GROUP_LIFE_MODEL, type Written } from '../../linearizability/group-life.ts'
import { contentOf } from './content.ts'
import { judgeHistory } from './judge-history.ts'
import type { Command, Operation } from './operation.ts'

type Event = Partial<Operation> & Readonly<{ command: Command }>

const READ = { kind: 'read' } as const
const CREATE = { kind: 'create' } as const
const UPDATE = { kind: 'update', ifMatch: undefined } as const
const DELETE = { kind: 'delete', ifMatch: undefined } as const
const ADD = { kind: 'add', memberId: 'a' } as const
const PUT = { kind: 'put', memberId: 'a' } as const
const CHECK = { kind: 'check', memberId: 'a' } as const
const REMOVE = { kind: 'remove', memberId: 'a' } as const
const CHECK_OTHER = { kind: 'check', memberId: 'b' } as const

/**
 * The answers of a correct group, one operation after the other, and the answers that a test gives instead.
 */
function historyOf(events: readonly Event[]): Operation[] {
  let state = GROUP_LIFE_MODEL.initial
  return events.map((event, index) => {
    const number = index + 1
    const before = state
    const { state: after, result } = GROUP_LIFE_MODEL.apply(before, { number, command: event.command })
    const isLost = event.outcome === 'unknown' || event.outcome === 'not_applied'
    if (event.outcome !== 'not_applied') state = after
    const { memberId } = event.command as Partial<Extract<Command, { memberId: string }>>
    const isBefore = event.command.kind === 'delete' || event.command.kind === 'remove'
    const { group, members } = isBefore ? before : after
    const isShown = !isLost && !result.startsWith('refused')
    const member = isShown && memberId !== undefined ? members[memberId] : undefined
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
      etag: undefined,
      group: undefined,
      member: undefined,
      ...(isShown && group !== undefined && memberId === undefined ? shownState(group) : {}),
      ...(member === undefined || memberId === undefined ? {} : shownMember(memberId, member)),
      ...event,
    }
  })
}

function shownMember(
  memberId: string,
  { version, writer }: Omit<Written, 'creator'>,
): Pick<Operation, 'etag' | 'member'> {
  const times = { addedAt: 't', updatedAt: `t${writer}` }
  const member = { groupId: 'k', memberId, role: `#${writer}`, version, ...times }
  return { etag: `"${memberId} ${version} ${writer}"`, member }
}

function shownState(state: Written): Pick<Operation, 'etag' | 'group'> {
  const group = {
    groupId: 'k',
    ...contentOf(state.creator),
    description: `#${state.writer}`,
    version: state.version,
    createdAt: `t${state.creator}`,
    updatedAt: `t${state.writer}`,
  }
  return { etag: `"${describeGroup(state)}"`, group }
}

/** The number of the operation whose answer is wrong; `undefined`: none. */
function culprit(history: readonly Operation[]): number | undefined {
  const judgement = judgeHistory(history)
  return judgement.kind === 'violated' ? judgement.operation.number : undefined
}

function seeing(state: Written): Pick<Operation, 'seen' | 'etag' | 'group' | 'outcome'> {
  return { outcome: 'done', seen: `read ${describeGroup(state)}`, ...shownState(state) }
}

const CREATED = { creator: 1, version: 1, writer: 1 } as const

test('lives of a group, with refusals in between, are linearizable', () => {
  const ifMatch = { state: describeGroup(CREATED), etag: '"x"' }
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
  const seen = `updated ${describeGroup(second)}`
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
    { command: CREATE, outcome: 'done', seen: `created ${describeGroup(again)}`, ...shownState(again) },
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

test('members of several lives of a group, with refusals in between, are linearizable', () => {
  const history = historyOf(
    [
      ADD,
      CREATE,
      CHECK,
      ADD,
      ADD,
      PUT,
      CHECK,
      CHECK_OTHER,
      REMOVE,
      REMOVE,
      PUT,
      DELETE,
      CHECK,
      CREATE,
      CHECK,
    ].map((command) => ({ command })),
  )
  assert.deepEqual(
    history.map(({ seen }) => seen),
    [
      'refused group_not_found',
      'created version 1 of #2, written by #2',
      'checked no member',
      'added version 1, written by #4',
      'refused precondition_failed',
      'changed version 2, written by #6',
      'checked version 2, written by #6',
      'checked no member',
      'removed version 2, written by #6',
      'refused group_member_not_found',
      'added version 1, written by #11',
      'deleted version 1 of #2, written by #2',
      'refused group_not_found',
      'created version 1 of #14, written by #14',
      'checked no member',
    ],
  )
  assert.deepEqual(judgeHistory(history), { kind: 'linearizable' })
})

test('a stale check is a violation: of a member that was removed, and of one that was added', () => {
  const [create, add, remove, check] = historyOf([CREATE, ADD, REMOVE, CHECK].map((command) => ({ command })))
  const there = { ...check!, seen: 'checked version 1, written by #2', etag: add!.etag, member: add!.member }
  assert.equal(culprit([create!, add!, remove!, there]), 4)
  assert.equal(
    culprit(
      historyOf([
        { command: CREATE },
        { command: ADD },
        { command: CHECK, seen: 'checked no member', etag: undefined, member: undefined },
      ]),
    ),
    3,
  )
})

test('a member that is still there after its group was deleted and created again is a violation', () => {
  const history = historyOf([CREATE, ADD, DELETE, CREATE, CHECK].map((command) => ({ command })))
  const [, add, , , check] = history
  const seen = 'checked version 1, written by #2'
  assert.equal(
    culprit([...history.slice(0, 4), { ...check!, seen, etag: add!.etag, member: add!.member }]),
    5,
  )
})

test('an add that was answered, but is nowhere, is a violation; one that overlaps a delete is none', () => {
  const [create, add, remove, again, check] = historyOf(
    [CREATE, ADD, DELETE, CREATE, CHECK].map((command) => ({ command })),
  )
  // The add ends after the next life has begun: it may have come before the delete.
  assert.equal(culprit([create!, { ...add!, answeredAt: 6.5 }, remove!, again!, check!]), undefined)
  const later = { ...add!, calledAt: 6.2, answeredAt: 6.5 }
  assert.equal(
    culprit([
      create!,
      later,
      remove!,
      { ...again!, answeredAt: 6.1 },
      { ...check!, calledAt: 7, answeredAt: 8 },
    ]),
    5,
  )
})

test('a member in a role that no operation on this member wrote is a violation', () => {
  const history = historyOf([CREATE, ADD, CHECK].map((command) => ({ command })))
  const [create, add, check] = history
  assert.equal(
    culprit([
      create!,
      add!,
      { ...check!, command: CHECK_OTHER, member: { ...check!.member!, memberId: 'b' } },
    ]),
    3,
  )
  assert.equal(culprit([create!, add!, { ...check!, etag: '"other"' }]), 3)
})
