import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LargeBodies } from './large-bodies.ts'
import { UnreadAnswers } from './unread-answers.ts'

test('one caller gets at most half of the room for large bodies, and others the rest', () => {
  const bodies = new LargeBodies(1_000)
  const count = (caller: string) => {
    let entered = 0
    while (bodies.enter(caller, 100) !== undefined) entered += 1
    return entered
  }
  assert.equal(count('a'), 5)
  assert.equal(count('b'), 3)
  assert.ok(bodies.bytes <= 1_000)
})

test('room is given back once, and then another body has it', () => {
  const bodies = new LargeBodies(1_000)
  const leave = bodies.enter('a', 500)
  assert.equal(bodies.enter('a', 500), undefined)
  leave?.()
  leave?.()
  assert.equal(bodies.bytes, 0)
  assert.notEqual(bodies.enter('a', 500), undefined)
})

test('when too many bytes of answers are not read, the oldest connections are closed', () => {
  const answers = new UnreadAnswers(1_000)
  const cut: string[] = []
  const add = (name: string, bytes: number) => answers.add(bytes, () => void cut.push(name))
  add('a', 400)
  const readB = add('b', 400)
  assert.deepEqual(cut, [])
  add('c', 400)
  assert.deepEqual(cut, ['a'])
  readB()
  add('d', 500)
  assert.deepEqual(cut, ['a'])
  // A single answer that is larger than all room is still sent.
  add('e', 5_000)
  assert.deepEqual(cut, ['a', 'c', 'd'])
  assert.equal(answers.cutCount, 3)
})
