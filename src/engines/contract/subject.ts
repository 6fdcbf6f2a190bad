/** What the contract tests need of an engine, and how they use it. */
import assert from 'node:assert/strict'
import { createGroup } from '../../group/create-group.ts'
import { type CutText, joinCutTexts } from '../../group/cut-text.ts'
import type { Decision, Group } from '../../group/group.ts'
import { backedUp, showGroup } from '../../group/group-codec.ts'
import type { Outcome, ScanOptions } from '../../group/registry.ts'
import type { Engine } from '../engine.ts'

/** Who makes the changes of the tests. */
export const AUTHOR = { updatedBy: 'key:test', requestId: 'request-1' }

/** An engine that serves. All tests of one engine use the same one, each with group ids of its own. */
export type Subject = Readonly<{
  engine: Pick<Engine, 'registry' | 'keys' | 'groupMembers' | 'changes'>
  /** Resolves with the operation. An engine whose clock stands still lets time pass meanwhile. */
  during<T>(operation: Promise<T>): Promise<T>
  /** Lets so many milliseconds pass. */
  pause(ms: number): Promise<void>
  close(): Promise<void>
}>

export const NOW = '2026-01-01T00:00:00.000Z'
export const LATER = '2026-01-01T00:00:01.000Z'

/** The value of an operation that must have been decided. */
export async function decided<T>({ during }: Subject, operation: Promise<Outcome<T>>): Promise<T> {
  const outcome = await during(operation)
  assert.equal(outcome.kind, 'done', JSON.stringify(outcome))
  return (outcome as Extract<typeof outcome, { kind: 'done' }>).value
}

/** Creates a group without more. Its incarnation is its id with `-1`. */
export function create(
  subject: Subject,
  groupId: string,
  more: Partial<Parameters<typeof createGroup>[0]> = {},
): Promise<Decision> {
  const command = createGroup({ groupId, now: NOW, author: AUTHOR, incarnation: `${groupId}-1`, ...more })
  return decided(subject, subject.engine.registry.change(groupId, command))
}

export function read(subject: Subject, groupId: string): Promise<Group | undefined> {
  return decided(subject, subject.engine.registry.read(groupId))
}

/** The groups of all pages of a list. `between` runs after each page. */
export async function listAll(
  subject: Subject,
  options: ScanOptions,
  between: (page: number) => Promise<void> = async () => {},
): Promise<Group[]> {
  const groups: Group[] = []
  let after = options.after
  for (let page = 1; ; page += 1) {
    assert.ok(page < 1_000, 'a list ends')
    const found = await decided(subject, subject.engine.registry.scan({ ...options, after }))
    assert.ok(found.groups.length <= options.limit, 'a page holds at most as many groups as it may')
    await checkTexts(subject, { ...options, after }, found.groups)
    groups.push(...found.groups)
    if (found.after === undefined) return groups
    after = found.after
    await between(page)
  }
}

const textOf = (text: CutText) => joinCutTexts('', [text], '').toString()

/** A page of texts has the same groups, as clients and backups get them. */
async function checkTexts(subject: Subject, options: ScanOptions, groups: readonly Group[]): Promise<void> {
  const { registry } = subject.engine
  if (registry.scanTexts === undefined || options.isWanted !== undefined) return
  const shown = await decided(subject, registry.scanTexts({ ...options, form: 'shown' }))
  assert.deepEqual(
    shown.texts.map(textOf),
    groups.map((group) => showGroup(group).json),
  )
  const stored = await decided(subject, registry.scanTexts({ ...options, form: 'backup' }))
  assert.deepEqual(
    stored.texts.map(textOf),
    groups.map((group) => JSON.stringify(backedUp(group))),
  )
}
