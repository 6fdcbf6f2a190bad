import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AUTHOR } from '../testing/author.ts'
import { createGroup } from './create-group.ts'
import { deleteGroup } from './delete-group.ts'
import type { Command, Decision, Group } from './group.ts'
import { decodeGroup, encodeGroup, showStored } from './group-codec.ts'
import { REQUESTS_KEPT, type RepeatableRequest } from './repeatable.ts'
import { restoreGroup } from './restore-group.ts'
import { type GroupPatch, updateGroup } from './update-group.ts'

const NOW = '2026-01-01T00:00:00.000Z'
const LATER = '2026-01-02T00:00:00.000Z'

const request = (key: string, content = 'c'): RepeatableRequest => ({ key, content })
const creating = (made?: RepeatableRequest) =>
  createGroup({ groupId: 'g', now: NOW, author: AUTHOR, incarnation: 'i', request: made })
const patching = (patch: GroupPatch, made?: RepeatableRequest) =>
  updateGroup({ patch, now: LATER, author: AUTHOR, request: made })

/** The group after these commands, each of which must change it. */
function after(...commands: Command[]): Group {
  let group: Group | undefined
  for (const command of commands) {
    const decision: Decision = command(group)
    assert.equal(decision.kind, 'changed')
    group = decision.kind === 'changed' ? decision.group : undefined
  }
  return group!
}

test('the same create again changes nothing, and is answered with the group as it is', () => {
  const changed = after(creating(request('k')), patching({ description: 'new' }))
  assert.deepEqual(creating(request('k'))(changed), { kind: 'replayed', answer: changed })
  assert.deepEqual(creating(request('k', 'other'))(changed), {
    kind: 'refused',
    refusal: 'idempotency_key_reused',
  })
  for (const made of [undefined, request('l'), request('k.c'), request('')])
    assert.deepEqual(creating(made)(changed), { kind: 'refused', refusal: 'group_exists' })
})

test('the same patch again changes nothing, although its preconditions do not hold any more', () => {
  const before = after(creating())
  const ifMatch = [{ isWeak: false, opaque: '"1-i"' }]
  const patch = updateGroup({
    patch: { description: 'a' },
    now: LATER,
    author: AUTHOR,
    ifMatch,
    request: request('k'),
  })
  const changed = after(() => ({ kind: 'changed', group: before, answer: before }), patch)
  assert.equal(changed.version, 2)
  assert.deepEqual(patch(changed), { kind: 'replayed', answer: changed })
  const other = after(
    () => ({ kind: 'changed', group: changed, answer: changed }),
    patching({ description: 'b' }),
  )
  assert.deepEqual(patch(other), { kind: 'replayed', answer: other })
  assert.deepEqual(patching({ description: 'c' }, request('k', 'other'))(other), {
    kind: 'refused',
    refusal: 'idempotency_key_reused',
  })
})

test('a patch that changes nothing is remembered too, without a new version, and is not made later', () => {
  const group = after(creating(), patching({}, request('k')))
  assert.deepEqual([group.version, group.updatedAt], [1, NOW])
  const changed = after(
    () => ({ kind: 'changed', group, answer: group }),
    patching({ description: 'by another' }),
  )
  assert.equal(patching({}, request('k'))(changed).kind, 'replayed')
  assert.equal(patching({})(changed).kind, 'unchanged')
})

test('what was refused is not remembered', () => {
  const group = after(creating())
  const ifMatch = [{ isWeak: false, opaque: '"9-i"' }]
  const refused = updateGroup({
    patch: { description: 'a' },
    now: LATER,
    author: AUTHOR,
    ifMatch,
    request: request('k'),
  })
  assert.equal(refused(group).kind, 'refused')
  assert.equal(patching({ description: 'b' }, request('k', 'other'))(group).kind, 'changed')
  assert.equal(patching({}, request('k'))(undefined).kind, 'refused')
})

test('a group remembers its last 8 requests, whoever made them and through whatever other changes', () => {
  let group = after(creating(request('k0')))
  for (let count = 1; count <= 20; count += 1) {
    group = after(
      () => ({ kind: 'changed', group, answer: group }),
      patching({ description: `${count}` }, request(`k${count}`)),
      patching({ description: 'without a key' }),
    )
    assert.equal(group.requests?.length, Math.min(count + 1, REQUESTS_KEPT))
    const remembered = Array.from({ length: count + 1 }, (_, index) => index).filter(
      (index) => patching({}, request(`k${index}`))(group).kind === 'replayed',
    )
    assert.deepEqual(remembered, Array.from({ length: count + 1 }, (_, index) => index).slice(-REQUESTS_KEPT))
  }
})

test('a group that was deleted, or restored, has forgotten its requests', () => {
  const group = after(creating(request('k')))
  assert.deepEqual(deleteGroup({})(group), { kind: 'changed', group: undefined, answer: group })
  assert.equal(creating(request('k'))(undefined).kind, 'changed')
  const restored = restoreGroup(group, { life: 'another life', author: AUTHOR })(undefined)
  assert.ok(restored.kind === 'changed' && restored.group !== undefined)
  assert.equal(restored.group.requests, undefined)
})

/** The stored form: a change here breaks running clusters. */
test('the stored bytes of a group that remembers requests, and of one that does not', () => {
  const group = after(
    createGroup({
      groupId: 'g',
      labels: { a: 'b' },
      now: NOW,
      author: AUTHOR,
      incarnation: 'i',
      request: request('k1', 'c1'),
    }),
    patching({ description: 'd' }, request('k2', 'c2')),
  )
  assert.equal(
    Buffer.from(encodeGroup(group)).toString(),
    `{"groupId":"g","description":"d","labels":{"a":"b"},"version":2,"incarnation":"i","requests":["k1.c1","k2.c2"],"createdAt":"${NOW}","updatedAt":"${LATER}","updatedBy":"key:test","requestId":"request-1"}`,
  )
  assert.equal(
    Buffer.from(encodeGroup(after(creating()))).toString(),
    `{"groupId":"g","version":1,"incarnation":"i","createdAt":"${NOW}","updatedAt":"${NOW}","updatedBy":"key:test","requestId":"request-1"}`,
  )
})

test('nobody is shown the requests of a group, however its bytes are read', () => {
  const digest = fc.stringMatching(/^[\w-]{22}$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(digest, digest), { maxLength: 12 }), fc.string(), (made, description) => {
      let group = after(creating(), patching({ description: `x${description}` }))
      for (const [key, content] of made) {
        const decision = patching({ description }, { key, content })(group)
        if (decision.kind === 'changed') group = decision.answer
      }
      const bytes = encodeGroup(group)
      assert.deepEqual(decodeGroup(bytes), group)
      const shown = showStored(bytes)
      const { requests: _requests, incarnation, ...rest } = group
      assert.deepEqual(JSON.parse(shown.json), rest)
      assert.equal(shown.incarnation, incarnation)
    }),
  )
})
