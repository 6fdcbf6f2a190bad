import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { type Place, Places } from './places.ts'

/** Work that notes when it begins, and ends when the test says so. */
function aWork(order: string[], name: string) {
  const { promise, resolve } = Promise.withResolvers<void>()
  const work = async (place: Place) => {
    order.push(name)
    held.place = place
    await promise
    order.push(`${name} ends`)
  }
  const held: { place: Place | undefined } = { place: undefined }
  return { work, end: resolve, held }
}

test('callers take turns: one who asks for many places delays another one by one place', async () => {
  const places = new Places(1, new ManualClock())
  const order: string[] = []
  const works = ['a1', 'a2', 'a3', 'a4', 'b1'].map((name) => ({ name, ...aWork(order, name) }))
  for (const { name, work } of works) void places.run({ caller: name[0], connection: name }, work)
  for (let count = 0; count < works.length; count += 1) {
    await turn()
    works.find(({ name }) => name === order.at(-1))!.end()
  }
  await turn()
  const begun = order.filter((name) => !name.endsWith('ends'))
  assert.ok(begun.indexOf('b1') <= 2, begun.join())
  assert.deepEqual(begun.toSorted(), ['a1', 'a2', 'a3', 'a4', 'b1'])
})

test('work that waits for its client gives its place to others, and goes on when it has one again', async () => {
  const places = new Places(1, new ManualClock())
  const order: string[] = []
  const client = Promise.withResolvers<void>()
  const slow = places.run({ caller: 'a', connection: 'a' }, async (place) => {
    order.push('slow')
    order.push(`slow ${await place.rest(client.promise)}`)
  })
  await turn()
  const other = aWork(order, 'other')
  void places.run({ caller: 'b', connection: 'b' }, other.work)
  await turn()
  assert.deepEqual(order, ['slow', 'other'])
  client.resolve()
  await turn()
  assert.deepEqual(order, ['slow', 'other'], 'the place is taken')
  other.end()
  await slow
  assert.deepEqual(order, ['slow', 'other', 'other ends', 'slow true'])
})

test('while nobody else wants a place, work that waits for its client keeps it', async () => {
  const places = new Places(1, new ManualClock())
  let rested: boolean | undefined
  await places.run({ caller: 'a', connection: 'a' }, async (place) => {
    rested = await place.rest(turn())
  })
  assert.equal(rested, false)
})

test('work that goes on and on gives its place to others after a second', async () => {
  const clock = new ManualClock()
  const places = new Places(1, clock)
  const order: string[] = []
  const long = places.run({ caller: 'a', connection: 'a' }, async (place) => {
    for (let step = 0; step < 4; step += 1) {
      order.push(`step ${step}`)
      clock.advance(500)
      await place.pass()
    }
  })
  const short = places.run({ caller: 'b', connection: 'b' }, async () => void order.push('short'))
  await Promise.all([long, short])
  assert.deepEqual(order, ['step 0', 'step 1', 'short', 'step 2', 'step 3'])
})
