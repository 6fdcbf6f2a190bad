/** What every engine promises to those who follow the changes of groups. */
import assert from 'node:assert/strict'
import { deleteGroup } from '../../group/delete-group.ts'
import { etagOf } from '../../group/etag.ts'
import type { Group } from '../../group/group.ts'
import { updateGroup } from '../../group/update-group.ts'
import type { Change, Changes } from '../engine.ts'
import { AUTHOR, create, decided, LATER, listAll, read, type Subject } from './subject.ts'

type Claim = (text: string, run: (subject: Subject) => Promise<void>) => void

const ROUNDS_MAX = 200

/** The claims about following changes. */
export function testWatch(claim: Claim): void {
  claim('who follows is given each group that changes, and its deletion with its last ETag', tellsChanges)
  claim('at any connector a place goes on with what has changed since, and nothing is missed', goesOn)
  claim('who follows while many change at once ends with what a list has', endsWithTheList)
  claim('a place of another engine, or none at all, does not go on', refusesPlaces)
}

/** What somebody who follows has been given. */
class Follower {
  readonly groups = new Map<string, Group | undefined>()
  readonly given: Change[] = []
  lostCount = 0
  readonly #prefix: string
  readonly #following: ReturnType<Changes['follow']>

  constructor(changes: Changes, prefix: string) {
    this.#prefix = prefix
    this.#following = changes.follow({
      onChange: (change) => this.take(change),
      onCovered: () => {},
      onLost: () => {
        this.lostCount += 1
      },
    })
  }

  take(change: Change): void {
    if (!change.groupId.startsWith(this.#prefix)) return
    const before = this.groups.get(change.groupId)
    // Of one life, no state comes after a later one.
    if (before?.incarnation === change.group?.incarnation && before !== undefined) {
      assert.ok(before.version <= change.group!.version, 'the states of a group come in their order')
    }
    this.given.push(change)
    this.groups.set(change.groupId, change.group)
  }

  get isCovered(): boolean {
    return this.#following.isCovered
  }

  get place(): string | undefined {
    return this.#following.place
  }

  async goOn(place: string): Promise<boolean> {
    return this.#following.since(place, async (changes) => {
      for (const change of changes) this.take(change)
    })
  }

  close(): void {
    this.#following.close()
  }
}

function changesOf({ engine }: Subject): Changes {
  assert.ok(engine.changes !== undefined, 'its changes can be followed')
  return engine.changes
}

/** Lets time pass until it holds: each round reads something. */
async function untilSeen(subject: Subject, what: string, holds: () => boolean): Promise<void> {
  for (let round = 0; !holds(); round += 1) {
    assert.ok(round < ROUNDS_MAX, what)
    await read(subject, 'nobody')
    await subject.pause(20)
  }
}

async function follow(subject: Subject, prefix: string): Promise<Follower> {
  const follower = new Follower(changesOf(subject), prefix)
  await untilSeen(subject, 'it is covered', () => follower.isCovered)
  return follower
}

const update = (subject: Subject, groupId: string, description: string) =>
  decided(
    subject,
    subject.engine.registry.change(
      groupId,
      updateGroup({ patch: { description }, now: LATER, author: AUTHOR }),
    ),
  )

const remove = (subject: Subject, groupId: string) =>
  decided(subject, subject.engine.registry.change(groupId, deleteGroup({})))

async function tellsChanges(subject: Subject): Promise<void> {
  const follower = await follow(subject, 'told-')
  const { groups, given } = follower
  try {
    await create(subject, 'told-1')
    await untilSeen(subject, 'the new group', () => groups.get('told-1')?.version === 1)
    await update(subject, 'told-1', 'x')
    await untilSeen(subject, 'the new version', () => groups.get('told-1')?.version === 2)
    assert.deepEqual(groups.get('told-1'), await read(subject, 'told-1'))
    const etag = etagOf(groups.get('told-1')!)
    await remove(subject, 'told-1')
    await untilSeen(subject, 'the deletion', () => given.at(-1)?.group === undefined)
    assert.equal(given.at(-1)?.lastEtag, etag)
    await create(subject, 'told-1', { incarnation: 'told-again' })
    await untilSeen(subject, 'the group again', () => groups.get('told-1')?.incarnation === 'told-again')
    assert.equal(follower.lostCount, 0)
  } finally {
    follower.close()
  }
}

async function goesOn(subject: Subject): Promise<void> {
  const first = await follow(subject, 'place-')
  for (const groupId of ['place-kept', 'place-changed', 'place-gone']) await create(subject, groupId)
  await untilSeen(subject, 'all three', () => first.groups.size === 3)
  await untilSeen(subject, 'a place', () => first.place !== undefined)
  // The last change may be given out a moment before the place has it.
  await subject.pause(200)
  const place = first.place!
  first.close()
  await update(subject, 'place-changed', 'x')
  await remove(subject, 'place-gone')
  await create(subject, 'place-new')
  const second = await follow(subject, 'place-')
  try {
    assert.ok(await subject.during(second.goOn(place)), 'it goes on')
    const changed = [...second.groups].map(([groupId, group]) => `${groupId} ${group?.version ?? 'gone'}`)
    for (const text of ['place-changed 2', 'place-gone gone', 'place-new 1']) {
      assert.ok(changed.includes(text), `${text} in ${changed}`)
    }
  } finally {
    second.close()
  }
}

async function endsWithTheList(subject: Subject): Promise<void> {
  const follower = await follow(subject, 'sum-')
  try {
    const work = async (client: number) => {
      for (let count = 0; count < 12; count += 1) {
        const groupId = `sum-${client % 2}-${count % 4}`
        if (count % 3 === 0) await create(subject, groupId, { incarnation: `${client}-${count}` })
        else if (count % 3 === 1) await update(subject, groupId, `${client}-${count}`)
        else await remove(subject, groupId)
      }
    }
    await subject.during(Promise.all(Array.from({ length: 4 }, (_, client) => work(client))))
    await create(subject, 'sum-last')
    await untilSeen(subject, 'the last one', () => follower.groups.has('sum-last'))
    const listed = await listAll(subject, { limit: 100, prefix: 'sum-' })
    const held = [...follower.groups.values()].filter((group) => group !== undefined)
    const tags = (groups: readonly Group[]) =>
      groups.map((group) => `${group.groupId} ${etagOf(group)}`).sort()
    assert.deepEqual(tags(held), tags(listed))
    assert.equal(follower.lostCount, 0)
  } finally {
    follower.close()
  }
}

async function refusesPlaces(subject: Subject): Promise<void> {
  const follower = await follow(subject, 'nothing-')
  const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  try {
    for (const place of [
      '',
      'x',
      text(['pg', '1', 1, '1:1:']),
      text(['pg', '1', 1, `${'9'.repeat(19)}:9:`]),
      text([1, 1, ['n', 'l', 1]]),
    ]) {
      assert.equal(await subject.during(follower.goOn(place)), false, place)
    }
  } finally {
    follower.close()
  }
}
