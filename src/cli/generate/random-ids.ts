import { randomBytes } from 'node:crypto'

const BYTES_EACH = 16

/** Random UUIDs (version 4) by number, in 16 bytes each: a run can have a million of them. */
export class RandomIds {
  readonly #bytes: Buffer

  constructor(count: number) {
    this.#bytes = randomBytes(count * BYTES_EACH)
    for (let at = 0; at < this.#bytes.length; at += BYTES_EACH) {
      this.#bytes[at + 6] = (this.#bytes[at + 6]! & 0x0f) | 0x40
      this.#bytes[at + 8] = (this.#bytes[at + 8]! & 0x3f) | 0x80
    }
  }

  idOf(number: number): string {
    const hex = this.#bytes.toString('hex', number * BYTES_EACH, (number + 1) * BYTES_EACH)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }
}
