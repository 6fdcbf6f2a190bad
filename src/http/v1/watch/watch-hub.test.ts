import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change, ChangesListener } from '../../../engines/engine.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import type { WatchFilter } from './watch-event.ts'
import { HEARTBEAT_MS, type HubListener, WatchHub } from './watch-hub.ts'

/** Changes as a test makes them, and how often they are followed. */
function aHub() {
  const clock = new ManualClock()
  const world = { followed: 0, open: 0, place: '1' as string | undefined, isCovered: true }
  let listener: ChangesListener | undefined
  const changes = {
    follow: (given: ChangesListener) => {
      world.followed += 1
      world.open += 1
      listener = given
      return {
        get isCovered() {
          return world.isCovered
        },
        get place() {
          return world.place
        },
        since: async () => true,
        close: () => {
          world.open -= 1
        },
      }
    },
  }
  const registry = { scan: () => assert.fail('nothing is listed') }
  const hub = new WatchHub({ changes, registry, clock })
  const change = (groupId: string) =>
    listener!.onChange({ groupId, group: undefined, lastEtag: '"1-i"' } satisfies Change)
  return { hub, clock, world, change, lose: () => listener!.onLost(), cover: () => listener!.onCovered() }
}

function aListener(prefix = '') {
  const told: string[] = []
  const filter: WatchFilter = { text: prefix, prefix, isWanted: undefined }
  const listener: HubListener = {
    filter,
    onEvents: ({ text, textWithPlace, place, groupIds }) => {
      const count = text.toString().split('event: ').length - 1
      told.push(`${count} of ${[...groupIds].join()}`)
      if (place !== undefined) told.push(`place ${place}`)
      const end = place === undefined ? '' : `id: ${place}\n\n`
      assert.equal(`${textWithPlace}`, `${text}${end}`)
    },
    onPlace: (place) => told.push(`place ${place}`),
    onCovered: () => told.push('covered'),
    onLost: () => told.push('lost'),
    onHeartbeat: () => told.push('heartbeat'),
  }
  return { listener, told, take: () => told.splice(0) }
}

test('the engine is followed once while somebody watches, and for ten seconds afterwards', () => {
  const { hub, clock, world } = aHub()
  const [a, b] = [aListener(), aListener()]
  hub.add(a.listener)
  hub.add(b.listener)
  assert.deepEqual([world.followed, hub.watcherCount], [1, 2])
  hub.remove(a.listener)
  clock.advance(60_000)
  assert.equal(world.open, 1, 'somebody watches')
  hub.remove(b.listener)
  clock.advance(9_999)
  assert.equal(world.open, 1)
  hub.add(a.listener)
  clock.advance(60_000)
  assert.deepEqual([world.followed, world.open], [1, 1], 'a client that came back in time ends the wait')
  hub.remove(a.listener)
  clock.advance(10_000)
  assert.equal(world.open, 0)
  assert.equal(clock.taskCount, 0, 'no timer is left')
  hub.add(b.listener)
  assert.deepEqual([world.followed, world.open], [2, 1])
  hub.close()
  assert.deepEqual([world.open, clock.taskCount], [0, 0])
})

test('changes are given after ten milliseconds, together, and each with the place after them', () => {
  const { hub, clock, change } = aHub()
  const [all, some] = [aListener(), aListener('b')]
  hub.add(all.listener)
  hub.add(some.listener)
  change('a')
  change('b1')
  clock.advance(9)
  assert.deepEqual([all.take(), some.take()], [[], []])
  clock.advance(1)
  assert.deepEqual(all.take(), ['2 of a,b1', 'place 1'])
  assert.deepEqual(some.take(), ['1 of a,b1', 'place 1'])
  assert.equal(hub.eventCount, 3)
  change('c')
  clock.advance(10)
  assert.deepEqual([all.take(), some.take()], [['1 of c', 'place 1'], []])
  hub.close()
})

test('what was collected before a client came is not given to it, and comes before a loss', () => {
  const { hub, change, lose, cover } = aHub()
  const [a, b] = [aListener(), aListener()]
  hub.add(a.listener)
  change('a')
  hub.add(b.listener)
  assert.deepEqual([a.take(), b.take()], [['1 of a', 'place 1'], []])
  change('b')
  lose()
  cover()
  assert.deepEqual(b.take(), ['1 of b', 'place 1', 'lost', 'covered'])
  hub.close()
})

test('a client without news gets its place and a sign of life every fifteen seconds', () => {
  const { hub, clock } = aHub()
  const { listener, take } = aListener()
  hub.add(listener)
  for (let count = 0; count < 3; count += 1) {
    clock.advance(14_999)
    assert.deepEqual(take(), [])
    clock.advance(1)
    assert.deepEqual(take(), ['place 1', 'heartbeat'])
  }
  assert.equal(HEARTBEAT_MS, 15_000)
  hub.close()
  assert.equal(clock.taskCount, 0)
})

test('a place that is not there yet is told as soon as it is, if changes are followed', () => {
  const { hub, clock, world } = aHub()
  const { listener, take } = aListener()
  hub.add(listener)
  world.place = undefined
  hub.tellPlaces()
  hub.tellPlaces()
  clock.advance(200)
  assert.deepEqual(take(), [])
  world.place = '7'
  clock.advance(50)
  assert.deepEqual(take(), ['place 7'])
  world.place = undefined
  world.isCovered = false
  hub.tellPlaces()
  clock.advance(50)
  world.place = '8'
  clock.advance(1_000)
  assert.deepEqual(take(), [])
  hub.close()
})
