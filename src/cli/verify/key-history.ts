import type { Operation, Sighting } from './operation.ts'

/** So many operations on a key are decided within milliseconds; then another key takes its place. */
const OPERATIONS_MAX = 200
/**
 * Each of these may or may not have happened, at any time: a few of them cost little, many cost a long
 * search.
 */
const UNKNOWN_MAX = 8
const SIGHTINGS_MAX = 4

/** A key while clients work on it, and everything they saw of it. */
export class KeyHistory {
  readonly key: string
  readonly operations: Operation[] = []
  /** The states seen last, for conditional requests; most of them are out of date, as they should be. */
  readonly sightings: Sighting[] = []
  #openCount = 0
  #begunCount = 0
  #unknownCount = 0

  constructor(key: string) {
    this.key = key
  }

  /** Whether the key has seen enough. */
  get isFull(): boolean {
    return this.#begunCount >= OPERATIONS_MAX || this.#unknownCount >= UNKNOWN_MAX
  }

  /** Whether nobody waits for an answer. */
  get isIdle(): boolean {
    return this.#openCount === 0
  }

  /** Whether something may yet happen to the key that its clients have given up on. */
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

  /** Remembers a state by its ETag. A weak one, as some proxies make of it, never matches. */
  sight(state: string, etag: string | undefined): void {
    if (etag === undefined || !etag.startsWith('"')) return
    this.sightings.push({ state, etag })
    if (this.sightings.length > SIGHTINGS_MAX) this.sightings.shift()
  }
}
