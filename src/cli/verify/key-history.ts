import type { Operation, Sighting } from './operation.ts'

/** After this many operations a key is replaced by another one. So many are judged within milliseconds. */
const OPERATIONS_MAX = 200
/**
 * An operation with an unknown outcome may have happened at any time, or never. Few of them cost little, but
 * many make the search long.
 */
const UNKNOWN_MAX = 8
const SIGHTINGS_MAX = 4

/** A key on which clients work, and everything that they saw of it. */
export class KeyHistory {
  readonly key: string
  readonly operations: Operation[] = []
  /** The states that were seen last, for conditional requests. Most are out of date, which is intended. */
  readonly sightings: Sighting[] = []
  #openCount = 0
  #begunCount = 0
  #unknownCount = 0

  constructor(key: string) {
    this.key = key
  }

  /** Whether the key has had enough operations. */
  get isFull(): boolean {
    return this.#begunCount >= OPERATIONS_MAX || this.#unknownCount >= UNKNOWN_MAX
  }

  /** Whether no operation on the key is under way. */
  get isIdle(): boolean {
    return this.#openCount === 0
  }

  /** Whether an operation whose client has given up may still change the key. */
  get hasUnknown(): boolean {
    return this.#unknownCount > 0
  }

  begin(): void {
    this.#begunCount += 1
    this.#openCount += 1
  }

  end(operation: Operation): void {
    this.#openCount -= 1
    this.operations.push(operation)
    if (operation.outcome === 'unknown') this.#unknownCount += 1
  }

  /** Remembers a state and its ETag. Weak ETags, which some proxies make, are left out: they never match. */
  sight(state: string, etag: string | undefined): void {
    if (etag === undefined || !etag.startsWith('"')) return
    this.sightings.push({ state, etag })
    if (this.sightings.length > SIGHTINGS_MAX) this.sightings.shift()
  }
}
