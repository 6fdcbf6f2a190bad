/** Bodies up to this size need no room: every connection may have one. */
const SMALL_BYTES = 4 * 1_024

/** How many bytes all larger bodies may have that arrive or wait. */
const BYTES_MAX = 64 * 1_024 * 1_024

/**
 * Bounds the memory of bodies that arrive slowly or wait for their turn. One caller may use half of the room
 * that the others leave free.
 */
export class LargeBodies {
  readonly #bytesMax: number
  readonly #bytesByCaller = new Map<unknown, number>()
  #bytes = 0

  constructor(bytesMax: number = BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  /** The bytes of all bodies that have room. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether a body of this size needs room. */
  static needsRoom(bytes: number): boolean {
    return bytes > SMALL_BYTES
  }

  /**
   * Makes room for a body.
   *
   * @returns a function that gives the room back, and may be called again; `undefined`: there is no room
   */
  enter(caller: unknown, bytes: number): (() => void) | undefined {
    const before = this.#bytesByCaller.get(caller) ?? 0
    if (before + bytes > this.#bytesMax - this.#bytes) return undefined
    this.#add(caller, bytes)
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      this.#add(caller, -bytes)
    }
  }

  #add(caller: unknown, bytes: number): void {
    this.#bytes += bytes
    const ofCaller = (this.#bytesByCaller.get(caller) ?? 0) + bytes
    if (ofCaller === 0) this.#bytesByCaller.delete(caller)
    else this.#bytesByCaller.set(caller, ofCaller)
  }
}
