import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change, Changes, ChangesListener } from '../../../engines/engine.ts'
import type { Group } from '../../../group/group.ts'
import type { Outcome, ScanPage } from '../../../group/registry.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { WatchHub } from './watch-hub.ts'
import { Watcher } from './watcher.ts'

const AT = '2026-01-01T00:00:00.000Z'

function aGroup(groupId: string, version = 1): Group {
  return { groupId, version, incarnation: 'i', createdAt: AT, updatedAt: AT }
}

/** An engine whose changes a test makes, and those who watch it. The place is the number of changes. */
class World {
  readonly clock = new ManualClock()
  readonly listPages: PromiseWithResolvers<Outcome<ScanPage>>[] = []
  readonly hub: WatchHub
  #listener: ChangesListener | undefined
  #changeCount = 0

  constructor() {
    const changes: Changes = {
      follow: (listener) => {
        this.#listener = listener
        const place = () => `p${this.#changeCount}`
        return {
          isCovered: true,
          get place() {
            return place()
          },
          since: async () => false,
          close: () => {},
        }
      },
    }
    const scan = () => {
      const page = Promise.withResolvers<Outcome<ScanPage>>()
      this.listPages.push(page)
      return page.promise
    }
    this.hub = new WatchHub({ changes, registry: { scan }, clock: this.clock })
  }

  change(change: Omit<Change, 'lastEtag'>): void {
    this.#changeCount += 1
    this.#listener!.onChange({ ...change, lastEtag: undefined })
  }

  /** A client that watches, and everything that was sent to it, one entry for each write. */
  watch(hasInitial = false): (string | Buffer)[] {
    const sent: (string | Buffer)[] = []
    const sink = {
      begin: () => {},
      refuse: () => assert.fail('it is covered'),
      send: (bytes: string | Buffer) => void sent.push(bytes),
      isReady: true,
      ready: async () => {},
    }
    const filter = { text: '', prefix: '', isWanted: undefined }
    const watcher = new Watcher({
      hub: this.hub,
      filter,
      hasInitial,
      after: undefined,
      sink,
      caller: 'c',
      clock: this.clock,
    })
    watcher.start()
    return sent
  }
}

/** What events say in short: `group a 1`. */
function told(bytes: string | Buffer): string[] {
  return [...`${bytes}`.matchAll(/^(event|data|id): (.*)$/gm)].map(([, field, text]) => {
    if (field !== 'data') return text!
    const { group, groupId } = JSON.parse(text!)
    return group === undefined ? groupId : `${group.groupId} ${group.version}`
  })
}

test('a client that nothing happens to gets a comment each 15 s, so that no proxy takes it for dead', () => {
  const world = new World()
  const sent = world.watch()
  world.clock.advance(1_000)
  sent.length = 0
  world.clock.advance(13_999)
  assert.deepEqual(sent, [])
  world.clock.advance(1)
  assert.deepEqual(sent, [': nothing new\n\n'])
  world.clock.advance(30_000)
  assert.equal(sent.length, 3)
})

test('changes that come together are one write for each watcher, with the place, and only with the last states', () => {
  const world = new World()
  const clients = Array.from({ length: 20 }, () => world.watch())
  world.clock.advance(1_000)
  for (const sent of clients) sent.length = 0
  world.change({ groupId: 'a', group: aGroup('a') })
  world.change({ groupId: 'b', group: aGroup('b') })
  world.change({ groupId: 'a', group: aGroup('a', 2) })
  world.change({ groupId: 'c', group: aGroup('c') })
  world.change({ groupId: 'c', group: undefined })
  world.clock.advance(10)
  for (const sent of clients) {
    assert.equal(sent.length, 1)
    assert.deepEqual(told(sent[0]!), ['group', 'a 2', 'group', 'b 1', 'group-deleted', 'c', 'p5'])
    assert.equal(sent[0], clients[0]![0], 'the same bytes for all')
  }
  world.clock.advance(1_000)
  assert.equal(clients[0]!.length, 1, 'the place is not told twice')
})

test('with a thousand watchers, changes are collected for a tenth of a second, and no longer', () => {
  const world = new World()
  const clients = Array.from({ length: 1_500 }, () => world.watch())
  world.clock.advance(1_000)
  const [first] = clients
  first!.length = 0
  for (let at = 0; at < 1_000; at += 1) {
    world.change({ groupId: `g${at}`, group: aGroup(`g${at}`) })
    world.clock.advance(1)
  }
  world.clock.advance(100)
  assert.ok(first!.length >= 10 && first!.length <= 11, `${first!.length} writes`)
})

test('a client that still reads its list gets changes at once, but no place', async () => {
  const world = new World()
  const sent = world.watch(true)
  await null
  await null
  world.change({ groupId: 'a', group: aGroup('a', 2) })
  world.clock.advance(100)
  assert.deepEqual(sent.map(told), [['group', 'a 2']])
  world.listPages[0]!.resolve({
    kind: 'done',
    value: { groups: [aGroup('a'), aGroup('b')], after: undefined },
  })
  await new Promise(setImmediate)
  world.clock.advance(100)
  assert.deepEqual(sent.flatMap(told), ['group', 'a 2', 'group', 'b 1', 'synced', undefined, 'p1'])
})
