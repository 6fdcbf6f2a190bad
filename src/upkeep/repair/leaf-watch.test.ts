import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryMember } from '../../testing/memory-member.ts'
import type { Look } from './digest-look.ts'
import { LeafWatch } from './leaf-watch.ts'

const MEMBERS = ['n1', 'n2', 'n3'].map((nodeId) => new MemoryMember(nodeId))

function aLook(leaves: { [leaf: number]: readonly number[] }, members = MEMBERS): Look {
  return {
    members,
    leaves: new Map(Object.entries(leaves).map(([leaf, digests]) => [Number(leaf), digests])),
  }
}

test('a leaf is due when it differs at a second look and no node has written in it', () => {
  const watch = new LeafWatch()
  assert.deepEqual(watch.observe(aLook({ 7: [1, 1, 0] })), [])
  assert.deepEqual(watch.observe(aLook({ 7: [1, 1, 0] })), [7])
  assert.equal(watch.stillCount, 1)
})

test('writes on their way are not due: at each look other leaves differ, or differently', () => {
  const watch = new LeafWatch()
  for (let look = 1; look < 8; look += 1) {
    const leaves = { [look]: [1, 1, 0], [look - 1]: [look, look, look - 1], 900: [look, look, look - 1] }
    assert.deepEqual(watch.observe(aLook(leaves)), [], `look ${look}`)
    assert.equal(watch.stillCount, 0)
  }
})

test('a leaf that changes all the time is due after eight looks, and then more and more rarely', () => {
  const watch = new LeafWatch()
  const dueAt: number[] = []
  for (let look = 1; look <= 120; look += 1) {
    const due = watch.observe(aLook({ 7: [look, look, look - 1] }))
    if (due.length > 0) dueAt.push(look)
    watch.tried(due)
  }
  assert.deepEqual(dueAt, [8, 24, 56, 120])
})

test('a leaf that repair cannot mend is tried again more and more rarely, and at once when it changes', () => {
  const watch = new LeafWatch()
  const dueAt: number[] = []
  for (let look = 1; look <= 100; look += 1) {
    const due = watch.observe(aLook({ 7: look < 40 ? [1, 1, 0] : [2, 2, 0] }))
    if (due.length > 0) dueAt.push(look)
    watch.tried(due)
  }
  assert.deepEqual(dueAt, [2, 18, 41])
})

test('a leaf that was equal in between starts again, and so do all leaves when other members answer', () => {
  const watch = new LeafWatch()
  watch.observe(aLook({ 7: [1, 1, 0] }))
  watch.observe(aLook({}))
  assert.deepEqual(watch.observe(aLook({ 7: [1, 1, 0] })), [])
  assert.deepEqual(watch.observe(aLook({ 7: [1, 0] }, MEMBERS.slice(1))), [])
  assert.deepEqual(watch.observe(aLook({ 7: [1, 0] }, MEMBERS.slice(1))), [7])
})

test('where most leaves that differ are due, those that are written all the time are repaired with them', () => {
  const watch = new LeafWatch()
  const look = (restless: number) => aLook({ 1: [1, 1, 0], 2: [1, 1, 0], 3: [restless, restless, 0] })
  assert.deepEqual(watch.observe(look(1)), [])
  assert.deepEqual(watch.observe(look(2)), [1, 2, 3])
})
