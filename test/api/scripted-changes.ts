import type { Change, Changes, ChangesListener, Following } from '../../src/engines/engine.ts'
import { etagOf } from '../../src/group/etag.ts'
import type { Group } from '../../src/group/group.ts'

/** The changes of groups, as a test makes them. A place is the number of changes before it. */
export class ScriptedChanges implements Changes {
  readonly #listeners = new Set<ChangesListener>()
  readonly #changes: Change[] = []
  readonly #etags = new Map<string, string>()
  #isCovered = true
  /** Places below it are lost. */
  firstPlace = 0

  get followerCount(): number {
    return this.#listeners.size
  }

  follow(listener: ChangesListener): Following {
    this.#listeners.add(listener)
    const isCovered = () => this.#isCovered
    const changes = this.#changes
    return {
      get isCovered() {
        return isCovered()
      },
      get place() {
        return String(changes.length)
      },
      since: async (place, give) => {
        const from = Number(place)
        if (place === '' || !(from >= this.firstPlace && from <= changes.length)) return false
        await give(changes.slice(from))
        return true
      },
      close: () => {
        this.#listeners.delete(listener)
      },
    }
  }

  /** A group has this state now; a text: the group with this id is deleted. */
  change(state: Group | string): void {
    const [groupId, group] = typeof state === 'string' ? [state, undefined] : [state.groupId, state]
    const change = { groupId, group, lastEtag: this.#etags.get(groupId) }
    if (group !== undefined) this.#etags.set(groupId, etagOf(group))
    this.#changes.push(change)
    for (const { onChange } of this.#listeners) onChange(change)
  }

  /** Changes are missed from now on. */
  lose(): void {
    this.#isCovered = false
    this.firstPlace = this.#changes.length + 1
    for (const { onLost } of this.#listeners) onLost()
  }

  cover(): void {
    this.#isCovered = true
    this.firstPlace = this.#changes.length
    for (const { onCovered } of this.#listeners) onCovered()
  }
}
