import type { Histogram } from '../statistics.ts'
import { closedLoop, HttpClients, type HttpRequest, httpOpenLoop, httpOutage, wrkTurn } from './http-load.ts'
import { type Event, FreshIds, type Outage, type Peer, type Turn, type Work } from './peer.ts'

/** What differs between the sides that speak HTTP. */
export interface HttpSystem {
  readonly name: string
  readonly description: string
  /** Where clients send their requests. */
  readonly url: string
  createRequest(groupId: string): HttpRequest
  readRequest(groupId: string): HttpRequest
  /** Changes the group `seed-1` without losing another change, with as many requests as needed. */
  change(clients: HttpClients, index: number): Promise<void>
  /**
   * From here on clients ask a member that `signalWorst` does not hit, where there is a choice. `heal` ends
   * it.
   */
  stayClear(): void
  /** Sends a signal to the member whose loss has the largest effect. */
  signalWorst(signal: NodeJS.Signals): Promise<void>
  /** Sends SIGKILL to a member whose loss leaves the others as they are. */
  killOther(): Promise<void>
  heal(): Promise<void>
  close(): Promise<void>
}

/** A system with an HTTP API, loaded by the same programs as every other one of them. */
export class HttpPeer implements Peer {
  readonly #system: HttpSystem
  readonly #fresh = new FreshIds()
  #seeded = 0

  constructor(system: HttpSystem) {
    this.#system = system
  }

  get name(): string {
    return this.#system.name
  }

  get description(): string {
    return this.#system.description
  }

  async seed(count: number): Promise<void> {
    await using clients = new HttpClients(this.#system.url, 64)
    let next = 1
    const loop = async () => {
      while (next <= count) {
        const groupId = `seed-${next}`
        next += 1
        await clients.expect(this.#system.createRequest(groupId))
      }
    }
    await Promise.all(Array.from({ length: 64 }, loop))
    this.#seeded = count
  }

  async turn(work: Work, { clients, seconds }: { clients: number; seconds: number }): Promise<Turn> {
    const { url } = this.#system
    if (work === 'change') {
      await using pool = new HttpClients(url, clients)
      return await closedLoop(clients, seconds, (index) => this.#system.change(pool, index))
    }
    return wrkTurn(url, this.#requests(work), { clients, seconds, isRepeatable: work === 'read' })
  }

  openLoop(work: 'create' | 'read', options: { perSecond: number; seconds: number }): Promise<Histogram> {
    return httpOpenLoop(this.#system.url, this.#requests(work), options)
  }

  loseMember(): Promise<void> {
    return this.#system.killOther()
  }

  heal(): Promise<void> {
    return this.#system.heal()
  }

  async outage(event: Event, seconds: number): Promise<Outage> {
    const signal = event === 'kill' ? 'SIGKILL' : 'SIGSTOP'
    this.#system.stayClear()
    const cause = () => this.#system.signalWorst(signal)
    const outage = await httpOutage(this.#system.url, this.#requests('create'), seconds, cause)
    await this.heal()
    return outage
  }

  close(): Promise<void> {
    return this.#system.close()
  }

  #requests(work: 'create' | 'read'): (index: number) => HttpRequest {
    if (work === 'read') {
      return () => this.#system.readRequest(`seed-${1 + Math.floor(Math.random() * this.#seeded)}`)
    }
    const idAt = this.#fresh.row()
    return (index) => this.#system.createRequest(idAt(index))
  }
}
