import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChangesListener } from '../../../engines/engine.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { WatchHub } from './watch-hub.ts'
import { Watcher } from './watcher.ts'

/** A watch whose engine does not follow all changes yet. */
function aWatch() {
  const clock = new ManualClock()
  const world = { isCovered: false, told: [] as string[] }
  let listener: ChangesListener | undefined
  const follow = (given: ChangesListener) => {
    listener = given
    return {
      get isCovered() {
        return world.isCovered
      },
      place: '1',
      since: async () => true,
      close: () => {},
    }
  }
  const hub = new WatchHub({
    changes: { follow },
    registry: { scan: () => assert.fail('not listed') },
    clock,
  })
  const sink = {
    begin: () => void world.told.push('begins'),
    refuse: () => void world.told.push('refused'),
    send: (text: string | Buffer) => void world.told.push(String(text)),
    isReady: true,
    ready: async () => {},
  }
  const filter = { text: '', prefix: '', isWanted: undefined }
  const watcher = new Watcher({ hub, clock, sink, filter, hasInitial: false, after: undefined, caller: 'c' })
  const cover = () => {
    world.isCovered = true
    listener!.onCovered()
  }
  return { clock, world, hub, watcher, cover }
}

test('a watch is refused when the changes are not followed after fifteen seconds, and leaves nothing', () => {
  const { clock, world, hub, watcher, cover } = aWatch()
  watcher.start()
  clock.advance(14_999)
  assert.deepEqual(world.told, [])
  clock.advance(1)
  assert.deepEqual([world.told, hub.watcherCount], [['refused'], 0])
  cover()
  clock.advance(60_000)
  assert.deepEqual([world.told, clock.taskCount], [['refused'], 0])
})

test('a client that leaves before its watch has begun leaves no timer, and is told nothing', () => {
  const { clock, world, hub, watcher } = aWatch()
  const before = clock.taskCount
  watcher.start()
  watcher.close()
  hub.close()
  assert.equal(clock.taskCount, before)
  clock.advance(60_000)
  assert.deepEqual(world.told, [])
})

test('a watch that has begun is not refused later, and is closed only once', () => {
  const { clock, world, hub, watcher, cover } = aWatch()
  watcher.start()
  clock.advance(5_000)
  cover()
  clock.advance(14_000)
  assert.deepEqual(world.told.splice(0)[0], 'begins')
  assert.equal(hub.watcherCount, 1)
  watcher.close()
  watcher.close()
  assert.equal(hub.watcherCount, 0)
  clock.advance(60_000)
  assert.equal(clock.taskCount, 0)
})
