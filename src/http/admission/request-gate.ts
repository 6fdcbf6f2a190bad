import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { BucketCounts, SECONDS_BOUNDS } from '../../metrics/bucket-counts.ts'
import type { Clock } from '../../process/clock.ts'
import { gateLimitsOf, type LimitedCost } from './cost.ts'
import { Gate } from './gate.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The gate of the route. `null` before it is known, and for what costs nothing. */
    gate: RequestGate | null
    /** Whether the request has entered its gate and not left it. */
    isAdmitted: boolean
  }
}

export type RequestGateOptions = Readonly<{
  cost: LimitedCost
  timeoutMs: number
  clock: Pick<Clock, 'nowMs' | 'after'>
  onRefused: (gate: RequestGate, request: IncomingMessage) => void
}>

/** The gate for HTTP requests of one cost. */
export class RequestGate {
  readonly cost: LimitedCost
  readonly waitedSeconds = new BucketCounts(SECONDS_BOUNDS)
  readonly #gate: Gate
  readonly #onRefused: RequestGateOptions['onRefused']
  #refusedCount = 0

  constructor({ cost, timeoutMs, clock, onRefused }: RequestGateOptions) {
    this.cost = cost
    this.#onRefused = onRefused
    const onWaited = (waitedMs: number) => this.waitedSeconds.observe(waitedMs / 1_000)
    this.#gate = new Gate({ ...gateLimitsOf(cost, timeoutMs), clock, onWaited })
  }

  get running(): number {
    return this.#gate.running
  }

  get waiting(): number {
    return this.#gate.waiting
  }

  get refusedCount(): number {
    return this.#refusedCount
  }

  /** Counts a refusal, and says in the log when refusals begin. */
  refused({ raw }: FastifyRequest): void {
    this.#refusedCount += 1
    this.#onRefused(this, raw)
  }

  /**
   * Whether a request that arrives now would be refused. It is asked before the body of the request is read.
   */
  isShutFor(request: FastifyRequest): boolean {
    return this.#gate.waiting > 0 && !this.#gate.mayWait(callerOf(request), request.raw.socket)
  }

  /** Calls `start` when it is the turn of this request, which may be now, or calls `refuse`. */
  enter(request: FastifyRequest, start: () => void, refuse: () => void): void {
    if (this.#gate.enter()) {
      request.isAdmitted = true
      start()
    } else this.#wait(request, start, refuse)
  }

  /** Call it when an admitted request has its answer. */
  leave(request: FastifyRequest): void {
    request.isAdmitted = false
    this.#gate.leave()
  }

  /** Refuses all that wait. */
  close(): void {
    this.#gate.close()
  }

  #wait(request: FastifyRequest, start: () => void, refuse: () => void): void {
    const { socket } = request.raw
    const onRefused = () => {
      if (!socket.destroyed) this.refused(request)
      refuse()
    }
    const isWaiting = this.#gate.wait({
      caller: callerOf(request),
      connection: socket,
      start: () => {
        request.isAdmitted = true
        start()
      },
      refuse: onRefused,
      isGone: () => socket.destroyed,
    })
    if (!isWaiting) onRefused()
  }
}

/** Who shares a turn: a caller that is known, else everybody at an address. */
export function callerOf({ caller, raw: { socket } }: FastifyRequest): string {
  return caller.kind === 'anonymous' ? (socket.remoteAddress ?? '') : caller.ref
}
