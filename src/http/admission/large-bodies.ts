import { FairRoom } from './fair-room.ts'

/** Bodies up to this size need no room: every connection may have one. */
const SMALL_BYTES = 4 * 1_024

/** How many bytes all larger bodies may have that arrive or wait. */
const BYTES_MAX = 64 * 1_024 * 1_024

/** Bounds the memory of bodies that arrive slowly or wait for their turn. */
export class LargeBodies extends FairRoom {
  constructor(bytesMax: number = BYTES_MAX) {
    super(bytesMax)
  }

  /** The bytes of all bodies that have room. */
  get bytes(): number {
    return this.taken
  }

  /** Whether a body of this size needs room. */
  static needsRoom(bytes: number): boolean {
    return bytes > SMALL_BYTES
  }
}
