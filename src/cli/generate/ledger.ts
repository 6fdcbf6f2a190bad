/**
 * What became of many things that a run has asked for, by their numbers from 0. It takes five bytes for each
 * thing, so that a run can ask for millions.
 */
export class Ledger {
  readonly #states: Uint8Array
  readonly #fingerprints: Uint32Array
  #madeCount = 0
  #unknownCount = 0

  constructor(size: number) {
    this.#states = new Uint8Array(size)
    this.#fingerprints = new Uint32Array(size)
  }

  /** How many things the run wants. */
  get size(): number {
    return this.#states.length
  }

  get madeCount(): number {
    return this.#madeCount
  }

  /** How many things may have been made: a request was sent, and no answer says what became of it. */
  get unknownCount(): number {
    return this.#unknownCount
  }

  isMade(number: number): boolean {
    return this.#states[number] === MADE
  }

  isUnknown(number: number): boolean {
    return this.#states[number] === UNKNOWN
  }

  /** A request for the thing leaves now. */
  send(number: number): void {
    this.#set(number, UNKNOWN)
  }

  /** The thing was made. `state`: a text that differs for each other state of it. */
  make(number: number, state: string): void {
    this.#set(number, MADE)
    this.#fingerprints[number] = fingerprintOf(state)
  }

  /** The thing was not made, and the request for it will never make it. */
  drop(number: number): void {
    this.#set(number, ABSENT)
  }

  /**
   * Whether the thing was made in this state. Only a fingerprint of 32 bits is kept, so another state counts
   * as the same once in four billion times.
   */
  isMadeAs(number: number, state: string): boolean {
    return this.isMade(number) && this.#fingerprints[number] === fingerprintOf(state)
  }

  #set(number: number, state: number): void {
    const before = this.#states[number]
    if (before === MADE) this.#madeCount -= 1
    if (before === UNKNOWN) this.#unknownCount -= 1
    if (state === MADE) this.#madeCount += 1
    if (state === UNKNOWN) this.#unknownCount += 1
    this.#states[number] = state
  }
}

const ABSENT = 0
const UNKNOWN = 1
const MADE = 2

/** FNV-1a over the UTF-16 units of a text. */
function fingerprintOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}
