import { hash } from 'node:crypto'
import type { Ballot } from '../../register/ballot.ts'
import { formatBallot } from '../../register/ballot.ts'
import type { Finding } from '../../register/removal.ts'

/**
 * A key and its finding, as 80 bits of a SHA-256. That two fingerprints are equal by chance is less likely
 * than a broken disk.
 */
export type Fingerprint = Readonly<{ high: number; low: number }>

export function fingerprintOf(key: string, finding: Finding): Fingerprint {
  return fingerprintOfText(`${describe(finding)} ${key}`)
}

/** The fingerprint of anything that waits. */
export function fingerprintOfText(text: string): Fingerprint {
  const digest = hash('sha256', text, 'buffer')
  // 0 marks a free place.
  return { high: digest.readUIntBE(0, 6) + 1, low: digest.readUInt32BE(6) }
}

function describe(finding: Finding): string {
  switch (finding.kind) {
    case 'tombstone': {
      const { proposerId, sequence } = finding.writeId
      return `${finding.kind} ${formatBallot(finding.ballot)} ${proposerId}.${sequence}`
    }
    case 'stubs':
    case 'old stubs':
    case 'promises':
      return `${finding.kind} ${finding.promises.map((promised: Ballot | undefined) => formatBallot(promised)).join(' ')}`
    case 'nothing':
    case 'other':
      return finding.kind
    default:
      return finding satisfies never
  }
}

/**
 * The keys that wait for their grace time to pass, and since when. An entry takes 20 bytes. There are two
 * tables: for the last complete walk, and for the walk that is under way. A key that a walk does not find
 * again is forgotten.
 */
export class WaitingKeys {
  readonly #keysMax: number
  #known = new TimeTable()
  #seen = new TimeTable()
  #oldestMs = Number.POSITIVE_INFINITY

  /** @param keysMax how many keys fit; further keys are recorded when there is room */
  constructor(keysMax: number) {
    this.#keysMax = keysMax
  }

  get size(): number {
    return this.#known.size
  }

  /** Since when the oldest key waits, as found by the last complete walk. `undefined`: no key waits. */
  get oldestMs(): number | undefined {
    return this.#known.size === 0 ? undefined : this.#oldestMs
  }

  /** Whether the last complete walk, or the one under way, has found as many keys as fit. */
  get isFull(): boolean {
    return this.#known.size >= this.#keysMax || !this.#hasRoom
  }

  get #hasRoom(): boolean {
    return this.#seen.size < this.#keysMax
  }

  has(fingerprint: Fingerprint): boolean {
    return this.#known.get(fingerprint) !== undefined
  }

  /**
   * Records that a walk has found what waits: a key once, or the end of a life with each of its keys. Returns
   * since when it is known. `undefined`: there is no room for it.
   */
  see(fingerprint: Fingerprint, nowMs: number): number | undefined {
    const seenMs = this.#seen.get(fingerprint)
    if (seenMs !== undefined) return seenMs
    if (!this.#hasRoom) return undefined
    const sinceMs = this.#known.get(fingerprint) ?? nowMs
    this.#seen.set(fingerprint, sinceMs)
    return sinceMs
  }

  /** Call it when the walk has gone through all keys. */
  endWalk(): void {
    this.#known = this.#seen
    this.#seen = new TimeTable()
    this.#oldestMs = this.#known.least()
  }

  /** Call it when the walk has ended early. The waiting keys stay as they were before it. */
  abortWalk(): void {
    this.#seen = new TimeTable()
  }

  /** Forgets all keys, because reports of another epoch do not count. */
  forgetAll(): void {
    this.#known = new TimeTable()
    this.#seen = new TimeTable()
  }
}

const CAPACITY_MIN = 16

/** A hash table of times by fingerprint, with linear probing. Entries are only added. */
class TimeTable {
  #highs = new Float64Array(CAPACITY_MIN)
  #lows = new Uint32Array(CAPACITY_MIN)
  #times = new Float64Array(CAPACITY_MIN)
  size = 0

  get(fingerprint: Fingerprint): number | undefined {
    const place = this.#placeOf(fingerprint)
    return this.#highs[place] === 0 ? undefined : this.#times[place]
  }

  set(fingerprint: Fingerprint, timeMs: number): void {
    if (2 * this.size >= this.#highs.length) this.#grow()
    const place = this.#placeOf(fingerprint)
    if (this.#highs[place] === 0) this.size += 1
    this.#highs[place] = fingerprint.high
    this.#lows[place] = fingerprint.low
    this.#times[place] = timeMs
  }

  least(): number {
    let least = Number.POSITIVE_INFINITY
    this.#times.forEach((timeMs, place) => {
      if (this.#highs[place] !== 0 && timeMs < least) least = timeMs
    })
    return least
  }

  #placeOf({ high, low }: Fingerprint): number {
    const mask = this.#highs.length - 1
    let place = low & mask
    while (this.#highs[place] !== 0 && (this.#highs[place] !== high || this.#lows[place] !== low))
      place = (place + 1) & mask
    return place
  }

  #grow(): void {
    const [highs, lows, times] = [this.#highs, this.#lows, this.#times]
    this.#highs = new Float64Array(2 * highs.length)
    this.#lows = new Uint32Array(2 * highs.length)
    this.#times = new Float64Array(2 * highs.length)
    this.size = 0
    highs.forEach((high, place) => {
      if (high !== 0) this.set({ high, low: lows[place]! }, times[place]!)
    })
  }
}
