/** What a connector remembers about keys between operations. It is bounded in bytes and in age. */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../process/clock.ts'
import { PLAUSIBLE_ROUND_MAX } from '../register/ballot.ts'
import type { Memory, View } from '../register/proposer.ts'
import type { State, WriteId } from '../register/state.ts'

/**
 * The default of `bytesMax`: 19,000 groups of 300 bytes that have been written 16 times, or 43,000 new ones.
 */
export const VIEW_CACHE_BYTES_MAX = 32 * 1024 * 1024

/**
 * The largest state that is remembered. Larger ones would fill the heap: each read of one leaves a text that
 * only a full collection frees. Of a larger state nothing is remembered, as if this connector had not seen
 * its key, so an update reads the key first.
 */
const STATE_BYTES_MAX = 16 * 1024

export type ViewCacheOptions = Readonly<{
  clock: Pick<Clock, 'nowMs'>
  /** About how many bytes of the heap all entries take together. */
  bytesMax: number
  /** A memory that is older than this is forgotten (protocol.md §6). */
  ageMsMax: number
  /**
   * Called when a key with an implausible round number was forgotten. The floor does not include that number,
   * because then all keys would use it. From then on rounds must have another proposer id.
   */
  onImplausible: () => void
}>

/** A memory, and how many streams had been lost before it was made. */
type Entry = Memory & Readonly<{ lossCount: number }>

export class ViewCache {
  readonly #entries: LRUCache<string, Entry>
  readonly #onImplausible: () => void
  #roundNumberFloor = 0

  constructor({ clock, bytesMax, ageMsMax, onImplausible }: ViewCacheOptions) {
    this.#onImplausible = onImplausible
    this.#entries = new LRUCache({
      maxSize: bytesMax,
      sizeCalculation: sizeOf,
      // The library takes whole milliseconds.
      ttl: Math.max(1, Math.floor(ageMsMax)),
      // A clock may begin at 0, which means "for ever" to the library.
      perf: { now: () => clock.nowMs() + 1 },
      // Otherwise the cache would reuse a time until a timer of its own ends. Only the clock gives the time.
      ttlResolution: 0,
      dispose: (entry, _key, reason) => {
        if (reason !== 'set') this.#onForgotten(entry)
      },
    })
  }

  /** At least the highest plausible round number of every key that was forgotten. */
  get roundNumberFloor(): number {
    return this.#roundNumberFloor
  }

  /** About how many bytes the entries take. */
  get bytes(): number {
    return this.#entries.calculatedSize
  }

  /**
   * The memory of a key, without a view that was made before a stream was lost (`lossCount` counts the
   * losses). The clock of a machine does not run while the machine is suspended, so its views may be older
   * than they seem. But nodes end the streams of a connector that does not answer them, long before a grace
   * time is over (protocol.md §6).
   */
  recall(key: string, lossCount: number): Memory | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.lossCount === lossCount) return entry
    return { view: undefined, highestRoundNumber: entry.highestRoundNumber }
  }

  /** Stores what a proposer knows about its key at the end. An unchanged memory keeps its age. */
  remember(key: string, { view, highestRoundNumber }: Memory, lossCount: number): void {
    const known = this.#entries.peek(key)
    const isLarge = view !== undefined && lengthOf(view) > STATE_BYTES_MAX
    const shown = isLarge ? undefined : view
    if (known !== undefined && known.view === shown && known.highestRoundNumber === highestRoundNumber) return
    if (isLarge && highestRoundNumber <= PLAUSIBLE_ROUND_MAX) {
      // The floor can remember the number for all such keys together.
      this.#entries.delete(key)
      this.#onForgotten({ highestRoundNumber })
      return
    }
    const entry = { view: shown === undefined ? undefined : keptView(shown), highestRoundNumber, lossCount }
    this.#entries.set(key, entry)
    // The library does not take an entry above the limit, and drops the old entry of the key as if it was
    // replaced.
    if (this.#entries.peek(key) !== entry) this.#onForgotten(entry)
  }

  /** Ballots of a forgotten key may be used already, so later ones must be above them. */
  #onForgotten({ highestRoundNumber }: Pick<Memory, 'highestRoundNumber'>): void {
    if (highestRoundNumber > PLAUSIBLE_ROUND_MAX) this.#onImplausible()
    else this.#roundNumberFloor = Math.max(this.#roundNumberFloor, highestRoundNumber)
  }
}

/**
 * A state that keeps its value as a text, with one character for each byte. The value becomes bytes only when
 * it is read. The decoded bytes are a part of a whole message, and would keep that message alive. A copy as a
 * byte array costs much more than a text, because V8 keeps such bytes outside of the heap. Most reads need
 * only the other fields.
 */
class RememberedState implements State {
  readonly generation: number
  readonly writeId: WriteId
  readonly lineage: readonly WriteId[]
  readonly #text: string

  constructor({ generation, writeId, lineage }: State, value: Uint8Array) {
    this.generation = generation
    this.writeId = writeId
    // An array that was made by adding to it has spare room.
    this.lineage = lineage.slice()
    this.#text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
  }

  get value(): Uint8Array {
    return Buffer.from(this.#text, 'latin1')
  }

  get byteLength(): number {
    return this.#text.length
  }
}

function lengthOf({ state }: View): number {
  return state instanceof RememberedState ? state.byteLength : (state.value?.byteLength ?? 0)
}

function keptView(view: View): View {
  const { state, next } = view
  if (state.value === undefined || state instanceof RememberedState) return view
  return { state: new RememberedState(state, state.value), next }
}

/** About how many bytes of the heap an entry takes; measured with V8 14. */
function sizeOf({ view }: Entry, key: string): number {
  const keyBytes = 200 + 2 * key.length
  if (view === undefined) return keyBytes
  const { state } = view
  const valueBytes = state instanceof RememberedState ? 40 + state.byteLength : 0
  return keyBytes + 140 + 62 * state.lineage.length + valueBytes
}
