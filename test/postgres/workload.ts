/** Clients that create groups while something fails, and a check of all that they were told. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGroup } from '../../src/group/create-group.ts'
import type { Outcome, Registry } from '../../src/group/registry.ts'
import { updateGroup } from '../../src/group/update-group.ts'
import { AUTHOR } from '../../src/testing/author.ts'

const NOW = '2026-01-01T00:00:00.000Z'
/** Each has a session of the server, which is a process of its own, and needs a new one after a fault. */
const CLIENTS = 4

export type Counts = { [kind in Outcome<unknown>['kind']]: number }

/** What clients were told about the groups that they wanted to create and to update. */
export class Workload implements AsyncDisposable {
  readonly #registry: Registry
  readonly #prefix: string
  readonly #told: { groupId: string; created: Outcome<unknown>; updated: Outcome<unknown> | undefined }[] = []
  #isOver = false
  #doneCount = 0
  #clients: Promise<void>[] = []

  constructor(registry: Registry, prefix: string) {
    this.#registry = registry
    this.#prefix = prefix
  }

  start(): void {
    this.#clients = Array.from({ length: CLIENTS }, (_, client) => this.#work(client))
  }

  /** How many groups were created for sure. */
  get count(): number {
    return this.#doneCount
  }

  /** Ends the clients, and returns how their creates have ended. */
  async end(): Promise<Counts> {
    this.#isOver = true
    await Promise.all(this.#clients)
    const counts: Counts = { done: 0, not_applied: 0, unknown: 0, unreadable: 0 }
    for (const { created } of this.#told) counts[created.kind] += 1
    return counts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }

  /** Asserts that every group is as its client was told: 0 acknowledged writes are lost. */
  async check(registry: Registry): Promise<void> {
    for (const { groupId, created, updated } of this.#told) {
      const read = await registry.read(groupId)
      assert.ok(read.kind === 'done', JSON.stringify(read))
      const version = read.value?.version ?? 0
      const least = updated?.kind === 'done' ? 2 : created.kind === 'done' ? 1 : 0
      const most =
        updated === undefined
          ? created.kind === 'not_applied'
            ? 0
            : 1
          : updated.kind === 'not_applied'
            ? 1
            : 2
      const told = `${groupId}: version ${version}, told ${JSON.stringify({ created: created.kind, updated: updated?.kind })}`
      assert.ok(version >= least && version <= most, told)
    }
  }

  async #work(client: number): Promise<void> {
    for (let count = 0; !this.#isOver; count += 1) {
      const groupId = `${this.#prefix}${client}-${count}`
      const create = createGroup({ groupId, now: NOW, author: AUTHOR, incarnation: groupId })
      const created = await this.#registry.change(groupId, create)
      const patch = updateGroup({ patch: { description: 'x' }, now: NOW, author: AUTHOR })
      const updated = created.kind === 'done' ? await this.#registry.change(groupId, patch) : undefined
      this.#told.push({ groupId, created, updated })
      if (created.kind === 'done') this.#doneCount += 1
      // A refusal can come without any wait.
      if (created.kind !== 'done') await sleep(10)
    }
  }
}
