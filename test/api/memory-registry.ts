import type { Command, Decision, Group, ShownGroup } from '../../src/group/group.ts'
import { showGroup } from '../../src/group/group-codec.ts'
import type { Outcome, Registry, ScanOptions, ScanPage } from '../../src/group/registry.ts'

/** A registry in memory for tests of its users: it runs the real commands on a Map. */
export class MemoryRegistry implements Registry {
  readonly #groups = new Map<string, Group>()
  /** The ids of groups that cannot be read. */
  readonly unreadable = new Set<string>()
  /** Called with the new state of each group that changes, or with its id when it is deleted. */
  onChange: (state: Group | string) => void = () => {}
  #failure: Exclude<Outcome<never>, { kind: 'done' }> | undefined

  /**
   * Every further operation ends like this; `undefined`: they work again. An `unknown` change is made, all
   * the same.
   */
  failWith(failure: Exclude<Outcome<never>, { kind: 'done' }> | undefined): void {
    this.#failure = failure
  }

  /** Takes all groups away, without a word to anybody. */
  clear(): void {
    this.#groups.clear()
  }

  /** All groups, in the order of their ids. */
  get all(): readonly Group[] {
    const inOrder = (a: Group, b: Group) => Buffer.compare(Buffer.from(a.groupId), Buffer.from(b.groupId))
    return [...this.#groups.values()].sort(inOrder)
  }

  async read(groupId: string): Promise<Outcome<Group | undefined>> {
    if (this.#failure?.kind === 'unreadable') return this.#failure
    if (this.#failure !== undefined) return { kind: 'not_applied', reason: this.#failure.reason }
    return { kind: 'done', value: this.#groups.get(groupId) }
  }

  async show(groupId: string): Promise<Outcome<ShownGroup | undefined>> {
    const outcome = await this.read(groupId)
    if (outcome.kind !== 'done') return outcome
    return { kind: 'done', value: outcome.value && showGroup(outcome.value) }
  }

  async change(groupId: string, command: Command): Promise<Outcome<Decision>> {
    if (this.#failure?.kind === 'not_applied' || this.#failure?.kind === 'unreadable') return this.#failure
    const decision = command(this.#groups.get(groupId))
    if (decision.kind === 'changed') {
      if (decision.group === undefined) this.#groups.delete(groupId)
      else this.#groups.set(groupId, decision.group)
      this.onChange(decision.group ?? groupId)
    }
    return this.#failure ?? { kind: 'done', value: decision }
  }

  async scan({ after, limit, prefix = '', isWanted = () => true }: ScanOptions): Promise<Outcome<ScanPage>> {
    if (this.#failure !== undefined) return { kind: 'not_applied', reason: this.#failure.reason }
    const ids = [...this.#groups.values()]
      .filter((group) => group.groupId.startsWith(prefix) && isWanted(group))
      .map(({ groupId }) => groupId)
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const start =
      after === undefined ? 0 : ids.findIndex((id) => Buffer.compare(Buffer.from(id), Buffer.from(after)) > 0)
    const page = start === -1 ? [] : ids.slice(start, start + limit)
    const isLast = start === -1 || start + limit >= ids.length
    const groups = page.filter((id) => !this.unreadable.has(id)).map((id) => this.#groups.get(id)!)
    const unreadable = page.filter((id) => this.unreadable.has(id))
    const value = { groups, after: isLast ? undefined : page.at(-1) }
    return { kind: 'done', value: unreadable.length === 0 ? value : { ...value, unreadable } }
  }
}
