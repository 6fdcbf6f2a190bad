/** The entity tag of each group that was last given out, for as many groups as fit. */
import { LRUCache } from 'lru-cache'

/** About how many bytes of the heap it may take. */
const BYTES_MAX = 16 * 1024 * 1024

export class KnownGroups {
  readonly #etags = new LRUCache<string, string>({
    maxSize: BYTES_MAX,
    sizeCalculation: (etag, groupId) => 200 + 2 * (groupId.length + etag.length),
  })

  /** The last entity tag of a group, also if the group is deleted. `undefined`: it is not remembered. */
  etagOf(groupId: string): string | undefined {
    return this.#etags.get(groupId)
  }

  /** Notes a state that is given out. */
  set(groupId: string, etag: string): void {
    this.#etags.set(groupId, etag)
  }
}
