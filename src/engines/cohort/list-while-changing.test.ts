/**
 * Lists of a whole engine, page by page, while two connectors create, change and delete groups, batches
 * are late and a node hangs: nodes in memory with real handlers, and a clock that the test drives.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createGroup } from '../../group/create-group.ts'
import { joinCutTexts } from '../../group/cut-text.ts'
import { deleteGroup } from '../../group/delete-group.ts'
import type { Command, Group } from '../../group/group.ts'
import { parseLabelSelector } from '../../group/label-selector.ts'
import type { Outcome, ScanPage, TextPage } from '../../group/registry.ts'
import { updateGroup } from '../../group/update-group.ts'
import { compareKeys } from '../../rpc/key-order.ts'
import { AUTHOR } from '../../testing/author.ts'
import { EngineWorld } from '../../testing/engine-world.ts'

const NOW = '2026-01-01T00:00:00.000Z'
/** Far more pages than there are groups. */
const PAGES_MAX = 200

const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(3, '0')}`)

/**
 * More keys than a node sends at once, so that the answers of nodes are cut at different places. They are
 * there all the time, and only their descriptions change. They have the label `keep`.
 */
const STABLE = [...numbered('a/', 70), ...numbered('b/', 70)]
/** They come and go, before, between and after the others. */
const VOLATILE = ['0', ...numbered('a/0', 60), 'a/\u{10ffff}', ...numbered('b/0', 60), 'b', 'c']

/** The groups of a world, and what its clients were told of them. */
class ChangingGroups {
  readonly world = new EngineWorld()
  /** The highest version of each group that a client was told. */
  readonly told = new Map<string, number>()
  #incarnations = 0

  async start(): Promise<void> {
    await this.world.start()
    for (const groupId of STABLE) this.begin(0, groupId, this.create(groupId))
    await this.world.settle()
  }

  create(groupId: string): Command {
    const incarnation = `i${++this.#incarnations}`
    const labels = STABLE.includes(groupId) ? { keep: 'yes' } : {}
    return createGroup({ groupId, labels, now: NOW, author: AUTHOR, incarnation })
  }

  /** Begins a change. It goes on while time passes. */
  begin(connector: number, groupId: string, command: Command): void {
    const change = this.world.begin(connector, (registry) => registry.change(groupId, command))
    void change.then((outcome) => {
      if (outcome.kind !== 'done' || outcome.value.kind === 'refused') return
      const { version } = outcome.value.answer
      this.told.set(groupId, Math.max(version, this.told.get(groupId) ?? 0))
    })
  }
}

type Step =
  | Readonly<{ kind: 'change'; connector: number; groupId: string; command: 'create' | 'delete' | 'update' }>
  | Readonly<{ kind: 'delay'; node: number; ms: number }>

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .record({
        connector: fc.integer({ min: 0, max: 1 }),
        groupId: fc.constantFrom(...STABLE, ...VOLATILE, ...VOLATILE),
        command: fc.constantFrom('create' as const, 'delete' as const, 'update' as const),
      })
      .map((change): Step => ({ kind: 'change', ...change })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ node: fc.integer({ min: 0, max: 2 }), ms: fc.integer({ min: 0, max: 30 }) })
      .map((delay): Step => ({ kind: 'delay', ...delay })),
  },
  // One node hangs for a while. The other two are a quorum.
  { weight: 1, arbitrary: fc.constantFrom(0, 500).map((ms): Step => ({ kind: 'delay', node: 2, ms })) },
)

function take(groups: ChangingGroups, taken: Step): void {
  if (taken.kind === 'delay') {
    groups.world.delaysMs[taken.node] = taken.ms
    return
  }
  const { connector, groupId } = taken
  const command = STABLE.includes(groupId) ? 'update' : taken.command
  if (command === 'create') groups.begin(connector, groupId, groups.create(groupId))
  else if (command === 'delete') groups.begin(connector, groupId, deleteGroup({}))
  else {
    const patch = { description: `${Math.random()}` }
    groups.begin(connector, groupId, updateGroup({ patch, now: NOW, author: AUTHOR }))
  }
}

function ofTexts(outcome: Outcome<TextPage>): Outcome<ScanPage> {
  if (outcome.kind !== 'done') return outcome
  const { texts, ...page } = outcome.value
  return {
    kind: 'done',
    value: { ...page, groups: JSON.parse(joinCutTexts('[', texts, ']').toString()) as Group[] },
  }
}

const walk = fc.record({
  limit: fc.integer({ min: 3, max: 90 }),
  prefix: fc.constantFrom(undefined, 'a/', 'b', 'b/0'),
  labels: fc.constantFrom(undefined, 'keep', '!keep'),
  isOfTexts: fc.boolean(),
  /** What is begun before each page. */
  steps: fc.array(fc.array(step, { maxLength: 30 }), { minLength: 1, maxLength: 12 }),
})

test('in a list of any pages, a group that is there all the time appears exactly once, whatever else changes', async () => {
  const groups = new ChangingGroups()
  await groups.start()
  const { world } = groups
  await fc.assert(
    fc.asyncProperty(walk, async ({ limit, prefix = '', labels, isOfTexts, steps }) => {
      const selector = parseLabelSelector(labels ?? '')
      assert.ok(typeof selector === 'function')
      const isWanted = (group: Group) => selector(group.labels ?? {})
      const found: string[] = []
      let after: string | undefined
      let pageCount = 0
      do {
        for (const taken of steps[pageCount % steps.length]!) take(groups, taken)
        const told = new Map(groups.told)
        const { registry } = world.engines[pageCount % 2]!
        const scan = () => registry.scan({ after, limit, prefix, isWanted })
        const scanTexts = () => registry.scanTexts({ after, limit, prefix, form: 'backup' }).then(ofTexts)
        const outcome: Outcome<ScanPage> = await world.during(
          isOfTexts && labels === undefined ? scanTexts() : scan(),
        )
        assert.ok(outcome.kind === 'done', JSON.stringify(outcome))
        const page: ScanPage = outcome.value
        assert.ok(page.groups.length <= limit)
        for (const { groupId, version } of page.groups) {
          const isOld = STABLE.includes(groupId) && version < told.get(groupId)!
          assert.ok(!isOld, `${groupId} is older than what a client was told before`)
        }
        found.push(...page.groups.map(({ groupId }) => groupId))
        after = page.after
        pageCount += 1
        assert.ok(pageCount < PAGES_MAX)
      } while (after !== undefined)
      const sorted = [...new Set(found)].sort(compareKeys)
      assert.deepEqual(found, sorted, 'in order, and none twice')
      assert.ok(found.every((groupId) => groupId.startsWith(prefix)))
      const expected = STABLE.filter((groupId) => groupId.startsWith(prefix) && labels !== '!keep')
      assert.deepEqual(
        found.filter((groupId) => STABLE.includes(groupId)),
        expected,
      )
      if (labels === 'keep') assert.deepEqual(found, expected)
      world.delaysMs.fill(0)
      await world.settle()
    }),
    { numRuns: 50 },
  )
  await world.close()
})
