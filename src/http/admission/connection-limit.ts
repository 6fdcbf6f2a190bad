import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Counts the connections of a server. */
export class ConnectionLimit {
  readonly #max: number
  readonly #byAddress = new Map<string, number>()
  #count = 0
  #refusedCount = 0

  readonly #onRefused: (count: number) => void

  /** `onRefused` is called with the number of open connections when a further one is refused. */
  constructor(max: number, onRefused: (count: number) => void) {
    this.#max = max
    this.#onRefused = onRefused
  }

  get count(): number {
    return this.#count
  }

  get refusedCount(): number {
    return this.#refusedCount
  }

  /**
   * Closes new connections of `server` when there are too many. One address may have half of the connections
   * that the others leave free.
   */
  guard(server: Server): void {
    server.on('connection', (socket: Socket) => {
      const address = socket.remoteAddress ?? ''
      const ofAddress = this.#byAddress.get(address) ?? 0
      if (ofAddress >= this.#max - this.#count) {
        this.#refusedCount += 1
        this.#onRefused(this.#count)
        socket.destroy()
        return
      }
      this.#count += 1
      this.#byAddress.set(address, ofAddress + 1)
      socket.once('close', () => {
        this.#count -= 1
        const left = this.#byAddress.get(address)! - 1
        if (left === 0) this.#byAddress.delete(address)
        else this.#byAddress.set(address, left)
      })
    })
  }
}
