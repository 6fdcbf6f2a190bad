import type { Server, Socket } from 'node:net'

/** The peer of a connection that was refused, and how many connections were open. */
export type RefusedConnection = Readonly<{ address: string; openCount: number }>

/**
 * Counts the connections of a server, and closes new ones when there are too many. One address may have half
 * of the connections that the others leave free.
 */
export class ConnectionLimit {
  readonly #max: number
  readonly #byAddress = new Map<string, number>()
  #count = 0
  #refusedCount = 0
  readonly #onRefused: (refused: RefusedConnection) => void

  constructor(max: number, onRefused: (refused: RefusedConnection) => void) {
    this.#max = max
    this.#onRefused = onRefused
  }

  get count(): number {
    return this.#count
  }

  get refusedCount(): number {
    return this.#refusedCount
  }

  /** Counts all connections of `server`. */
  guard(server: Pick<Server, 'on'>): void {
    server.on('connection', (socket: Socket) => void this.admit(socket))
  }

  /** Counts a connection until its end. `false`: there were too many, and it was closed. */
  admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? ''
    const ofAddress = this.#byAddress.get(address) ?? 0
    if (ofAddress >= this.#max - this.#count) {
      this.#refusedCount += 1
      this.#onRefused({ address, openCount: this.#count })
      socket.destroy()
      return false
    }
    this.#count += 1
    this.#byAddress.set(address, ofAddress + 1)
    socket.once('close', () => {
      this.#count -= 1
      const left = this.#byAddress.get(address)! - 1
      if (left === 0) this.#byAddress.delete(address)
      else this.#byAddress.set(address, left)
    })
    return true
  }
}
