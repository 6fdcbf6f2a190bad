/** Requests with an idempotency key that are sent again, at any time, to either of two connectors. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createGroup } from '../../group/create-group.ts'
import type { Command, Decision } from '../../group/group.ts'
import type { Outcome } from '../../group/registry.ts'
import { updateGroup } from '../../group/update-group.ts'
import { AUTHOR } from '../../testing/author.ts'
import { EngineWorld } from '../../testing/engine-world.ts'

const NOW = '2026-01-01T00:00:00.000Z'
/** Fewer than a group remembers, so that no key is forgotten meanwhile. */
const KEYS = ['k1', 'k2', 'k3', 'k4', 'k5']

/** A request goes through this connector. Batches to the nodes take as long as `delaysMs` says. */
const sending = fc.record({
  key: fc.constantFrom(...KEYS),
  connector: fc.integer({ min: 0, max: 1 }),
  waitsForOthers: fc.boolean(),
  delaysMs: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 3, maxLength: 3 }),
})

/** Each patch adds a label of its own, so that the version counts how many were made. */
function patch(key: string): Command {
  return updateGroup({
    patch: { labels: { [key]: 'made' } },
    now: NOW,
    author: AUTHOR,
    request: { key, content: 'c' },
  })
}

function kindOf(outcome: Outcome<Decision>): string {
  return outcome.kind === 'done' ? outcome.value.kind : outcome.kind
}

test('of the same request sent many times, through two connectors and side by side, one is made and all succeed', async () => {
  const world = new EngineWorld()
  await world.start()
  let count = 0
  await fc.assert(
    fc.asyncProperty(fc.array(sending, { minLength: 1, maxLength: 14 }), async (sendings) => {
      count += 1
      const groupId = `g${count}`
      const change = (connector: number, command: Command) =>
        world.begin(connector, (registry) => registry.change(groupId, command))
      const creating = [0, 1, 0].map((connector, index) =>
        change(
          connector,
          createGroup({
            groupId,
            now: NOW,
            author: AUTHOR,
            incarnation: `i${count}.${index}`,
            request: { key: 'k0', content: 'c' },
          }),
        ),
      )
      await world.settle()
      const created = (await Promise.all(creating)).map(kindOf).sort()
      assert.deepEqual(created, ['changed', 'replayed', 'replayed'])
      const told = new Map<string, Promise<Outcome<Decision>>[]>()
      for (const { key, connector, waitsForOthers, delaysMs } of sendings) {
        if (waitsForOthers) await world.settle()
        world.delaysMs.splice(0, 3, ...delaysMs)
        told.set(key, [...(told.get(key) ?? []), change(connector, patch(key))])
      }
      await world.settle()
      for (const outcomes of told.values()) {
        const kinds = (await Promise.all(outcomes)).map(kindOf)
        assert.deepEqual(kinds.toSorted(), ['changed', ...Array(kinds.length - 1).fill('replayed')])
      }
      world.delaysMs.fill(0)
      const read = await world.during(world.engines[0]!.registry.read(groupId))
      assert.ok(read.kind === 'done' && read.value !== undefined)
      assert.equal(read.value.version, 1 + told.size)
      assert.deepEqual(Object.keys(read.value.labels ?? {}).sort(), [...told.keys()].sort())
    }),
    { numRuns: 60 },
  )
  await world.close()
})
